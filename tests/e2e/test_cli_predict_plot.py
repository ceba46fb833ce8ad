"""``serenade predict --plot``: a picture beside the prediction."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile

from serenade.cli.plot_output import check_plot
from serenade.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

Serenade = Any


def _is_png(path: Path) -> bool:
    return path.read_bytes().startswith(b"\x89PNG") and path.stat().st_size > 10_000


def test_a_clip_is_drawn_beside_its_prediction(
    serenade: Serenade, voices: Path, tiny_bundle: Path
) -> None:
    arguments = ("predict", "neutral.wav", "--model", tiny_bundle, "--format", "json")
    plain = serenade(*arguments)
    result = serenade(*arguments, "--plot", "out.png")
    assert (result.code, result.out, result.err) == (0, plain.out, "")
    assert _is_png(voices / "out.png")


def test_a_timeline_is_drawn(serenade: Serenade, voices: Path, tiny_bundle: Path) -> None:
    result = serenade(
        "predict", "neutral.wav", "--model", tiny_bundle, "--timeline", "--plot", "line.png"
    )
    assert result.code == 0
    assert _is_png(voices / "line.png")


def test_a_long_recording_is_drawn_only_as_a_timeline(
    serenade: Serenade, voices: Path, tiny_bundle: Path
) -> None:
    noise = 0.1 * np.random.default_rng(0).standard_normal(125 * 8_000)
    soundfile.write(voices / "long.wav", noise, 8_000)
    result = serenade("predict", "long.wav", "--model", tiny_bundle, "--plot", "out.png")
    assert result.code == 2
    reason = "long.wav lasts 125 s and --plot shows clips of up to 120 s; add --timeline"
    assert reason in result.err
    assert not (voices / "out.png").exists()
    with pytest.raises(UsageError, match=reason):
        check_plot(voices / "out.png", ["long.wav"], timeline=False)
    check_plot(voices / "out.png", ["long.wav"], timeline=True)
    check_plot(voices / "out.png", ["notes.txt"], timeline=False)


def test_the_prediction_is_printed_though_the_picture_fails(
    serenade: Serenade, voices: Path, tiny_bundle: Path
) -> None:
    (voices / "out.png").mkdir()
    arguments = ("predict", "neutral.wav", "--model", tiny_bundle, "--format", "json")
    result = serenade(*arguments, "--plot", "out.png")
    assert result.code == 2
    assert "the picture out.png cannot be written (Is a directory)" in result.err
    assert json.loads(result.out)["emotion"] == "neutral"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("neutral.wav", "--plot", "out.gif"), "out.gif must end in one of .png, .svg, .pdf"),
        (("neutral.wav", "--plot", "gone/out.png"), "gone/out.png cannot be written"),
        ((".", "--plot", "out.png"), "--plot draws one file, and there are"),
        (("-", "--plot", "out.png"), "--plot draws one file, and there are 1 or standard input"),
        (
            ("neutral.wav", "--plot", "out.png", "--timeline", "--channels", "split"),
            "--plot draws all channels together",
        ),
    ],
)
def test_what_cannot_be_drawn_is_said_before_anything_is_judged(
    serenade: Serenade, voices: Path, tiny_bundle: Path, arguments: tuple[str, ...], message: str
) -> None:
    result = serenade("predict", *arguments, "--model", tiny_bundle)
    assert result.code == 2
    assert message in result.err
    assert result.err.count("\n") == 1
    assert result.out == ""
    assert not list(voices.glob("out.*"))
