"""A prediction drawn as bars."""

from __future__ import annotations

import io
from typing import Any

import pytest

from serenade.cli.bars import Style, draw_bar, printable, render
from serenade.cli.sinks import style_for

RECORD: dict[str, Any] = {
    "path": "a\tb.wav",
    "duration_s": 1.5,
    "emotion": "anger",
    "abstained": False,
    "probabilities": {"anger": 0.75, "calm": 0.25},
    "intensity": 0.5,
    "warnings": ["clipping"],
}


class _Terminal(io.TextIOWrapper):
    def isatty(self) -> bool:
        return True


def _terminal(encoding: str) -> _Terminal:
    return _Terminal(io.BytesIO(), encoding=encoding)


@pytest.mark.parametrize(
    ("share", "bar"),
    [(0.0, ""), (1.0, "████"), (0.5, "██"), (0.53125, "██▏"), (0.71875, "██▉"), (0.01, "")],
)
def test_bars_have_eighths_of_a_character(share: float, bar: str) -> None:
    assert draw_bar(share, 4, blocks=True) == bar


def test_without_block_characters_bars_are_number_signs() -> None:
    assert draw_bar(0.5, 8, blocks=False) == "####"


def test_a_prediction_is_drawn_within_the_width() -> None:
    text = render(RECORD, Style(columns=30, colour=False, blocks=False))
    assert text.splitlines() == [
        "a\\tb.wav  1.50 s  anger",
        "  anger      75.0 % #######",
        "  calm       25.0 % ##",
        "  intensity  0.50",
        "  warning: parts of the recording are clipped",
        "",
    ]


def test_colours_are_drawn_only_if_asked_for() -> None:
    coloured = render(RECORD, Style(columns=80, colour=True, blocks=True))
    assert "\x1b[1manger\x1b[0m" in coloured
    assert "\x1b" not in render(RECORD, Style(columns=80, colour=False, blocks=True))


def test_control_characters_cannot_steer_the_terminal() -> None:
    assert printable("a\x1b[2Jb\n\u202e😀é") == "a\\x1b[2Jb\\n\\u202e😀é"


def test_the_style_follows_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "72")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert style_for(_terminal("utf-8")) == Style(columns=72, colour=True, blocks=True)
    assert style_for(_terminal("latin-1")) == Style(columns=72, colour=True, blocks=False)
    monkeypatch.setenv("NO_COLOR", "1")
    assert not style_for(_terminal("utf-8")).colour


def test_a_file_gets_no_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert not style_for(io.TextIOWrapper(io.BytesIO(), encoding="utf-8")).colour
