"""``serenade predict --transcribe --speak``: the words of a clip, and a spoken answer."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

from serenade.cli import voice

if TYPE_CHECKING:
    from pathlib import Path

    from serenade.types import FloatArray


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a loudspeaker would say."""
    words: list[str] = []

    class FakeSpeaker:
        def say(self, text: str) -> None:
            words.append(text)

        def finish(self) -> None:
            words.append("(end)")

    monkeypatch.setattr(voice, "Speaker", FakeSpeaker)
    return words


@pytest.fixture
def lengths(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Lengths of the clips that were written down."""
    heard: list[int] = []

    class FakeTranscriber:
        def __init__(self, *, sample_rate: int) -> None:
            assert sample_rate == 16000

        def write_down(self, samples: FloatArray) -> str:
            heard.append(samples.size)
            return "" if len(heard) > 1 else "say the word bean\x1b[31m"

        def close(self) -> None:
            heard.append(-1)

    monkeypatch.setattr(voice, "Transcriber", FakeTranscriber)
    return heard


def test_words_stand_below_each_clip_and_each_emotion_is_said_to_the_end(
    serenade: Any, tiny_bundle: Path, voices: Path, said: list[str], lengths: list[int]
) -> None:
    result = serenade(
        *("predict", "--model", tiny_bundle, "sadness.wav", "neutral.wav"),
        *("--transcribe", "--speak"),
    )
    assert result.code == 0
    lines = result.out.splitlines()
    assert [line for line in lines if "said:" in line] == [
        "  said: say the word bean\\x1b[31m",
        "  said: (no word was understood)",
    ]
    assert lengths == [16000, 16000, -1]
    assert said == ["neutral", "sadness", "(end)"]


def test_a_clip_that_fails_is_neither_written_down_nor_said(
    serenade: Any, tiny_bundle: Path, voices: Path, said: list[str], lengths: list[int]
) -> None:
    result = serenade("predict", "--model", tiny_bundle, "notes.txt", "--transcribe", "--speak")
    assert result.code == 2
    assert lengths == [-1]
    assert said == ["(end)"]


@pytest.mark.parametrize("arguments", [("sadness.wav", "--format", "json"), ("-",)])
def test_words_need_files_and_text(
    serenade: Any, tiny_bundle: Path, voices: Path, arguments: tuple[str, ...]
) -> None:
    result = serenade("predict", "--model", tiny_bundle, *arguments, "--speak")
    assert result.code == 2
    assert "--transcribe and --speak need files and --format text" in result.err


@pytest.mark.parametrize(
    ("option", "module"), [("--transcribe", "speech_recognition"), ("--speak", "pyttsx3")]
)
def test_without_the_extra_its_install_line_is_told(
    serenade: Any,
    tiny_bundle: Path,
    voices: Path,
    monkeypatch: pytest.MonkeyPatch,
    option: str,
    module: str,
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    result = serenade("predict", "--model", tiny_bundle, "sadness.wav", option)
    assert result.code == 2
    assert 'pip install "serenade[voice]"' in result.err
