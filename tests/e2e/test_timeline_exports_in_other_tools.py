"""Exports of timelines, read by the programs that they are for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile
from tests.tiny_bundle import TONES_HZ, tone

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Part = tuple[float, float, str]

RATE = 16000
CHANNELS = ("left", "right")


@pytest.fixture
def export(
    serenade: Callable[..., Any],
    tiny_bundle: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[[str], Path]:
    """Export a call in which the agent (left) is sad and the customer (right) angry, then happy."""
    monkeypatch.chdir(tmp_path)
    quiet = np.random.default_rng(5).normal(0, 1e-3, (9 * RATE, 2)).astype(np.float32)
    for second, channel, emotion in ((1, 0, "sadness"), (4, 1, "anger"), (6, 1, "happiness")):
        start = second * RATE
        quiet[start : start + 2 * RATE, channel] += tone(TONES_HZ[emotion], seconds=2.0)
    soundfile.write("a call.wav", quiet, RATE)

    def run(form: str) -> Path:
        options = ["--timeline", "--channels", "split", "--format", form, "--output", f"a.{form}"]
        assert serenade("predict", "a call.wav", "--model", tiny_bundle, *options).code == 0
        return tmp_path / f"a.{form}"

    return run


@pytest.fixture
def expected(export: Callable[[str], Path]) -> dict[str, list[Part]]:
    """Speech of each channel, from the JSON."""
    tracks = json.loads(export("json").read_text())
    return {
        name: [
            (segment["start_s"], segment["stop_s"], segment["emotion"])
            for segment in track["segments"]
            if "emotion" in segment
        ]
        for name, track in zip(CHANNELS, tracks, strict=True)
    }


def assert_same(found: list[Part], expected: list[Part]) -> None:
    assert [emotion for *_, emotion in found] == [emotion for *_, emotion in expected]
    for one, other in zip(found, expected, strict=True):
        assert one[:2] == pytest.approx(other[:2], abs=1e-3)


def test_praat_reads_the_textgrid(
    export: Callable[[str], Path], expected: dict[str, list[Part]]
) -> None:
    parselmouth = pytest.importorskip("parselmouth", reason="pip install praat-parselmouth")
    grid = parselmouth.read(str(export("textgrid")))
    call = parselmouth.praat.call
    assert call(grid, "Get number of tiers") == 2
    assert call(grid, "Get total duration") == pytest.approx(9.0)
    for tier, name in enumerate(CHANNELS, 1):
        assert call(grid, "Get tier name", tier) == name
        intervals = [
            (
                call(grid, "Get start time of interval", tier, number),
                call(grid, "Get end time of interval", tier, number),
                call(grid, "Get label of interval", tier, number),
            )
            for number in range(1, call(grid, "Get number of intervals", tier) + 1)
        ]
        assert_same([part for part in intervals if part[2]], expected[name])


def test_captions_are_read(export: Callable[[str], Path], expected: dict[str, list[Part]]) -> None:
    webvtt = pytest.importorskip("webvtt", reason="pip install webvtt-py")
    found: dict[str, list[Part]] = {name: [] for name in CHANNELS}
    for caption in webvtt.read(str(export("vtt"))):
        emotion = caption.text.split()[0]
        found[caption.voice].append((caption.start_in_seconds, caption.end_in_seconds, emotion))
    for name in CHANNELS:
        assert [emotion for *_, emotion in found[name]] == [e for *_, e in expected[name]]
        for one, other in zip(found[name], expected[name], strict=True):
            assert one[:2] == pytest.approx(other[:2], abs=1.0)  # whole seconds in this reader


def test_labels_and_rttm_hold_the_same_parts(
    export: Callable[[str], Path], expected: dict[str, list[Part]]
) -> None:
    labels = [line.split("\t") for line in export("audacity").read_text().splitlines()]
    rttm = [line.split() for line in export("rttm").read_text().splitlines()]
    for number, name in enumerate(CHANNELS, 1):
        found = [
            (float(start), float(stop), text.removeprefix(f"{name}: "))
            for start, stop, text in labels
            if text.startswith(f"{name}: ")
        ]
        assert_same(found, expected[name])
        # NIST: SPEAKER file channel onset duration <NA> <NA> name <NA> <NA>
        found = [
            (float(line[3]), float(line[3]) + float(line[4]), line[7])
            for line in rttm
            if line[:3] == ["SPEAKER", "a_call", str(number)]
        ]
        assert_same(found, expected[name])
