"""Hops and windows of a timeline follow the model unless the user says otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.tiny_bundle import TONES_HZ, tiny_spec, tone, write_tiny_bundle

from serenade.errors import UsageError
from serenade.inference.pace import Pace, find_pace
from serenade.inference.recognizer import Recognizer
from serenade.inference.timeline import Reading, TimelineConfig
from serenade.model.windowing import Windowing

if TYPE_CHECKING:
    from pathlib import Path

LARGE = tiny_spec(
    windowing=Windowing(
        min_seconds=0.1,
        max_seconds=8.0,
        hop_seconds=4.0,
        sure_from_seconds=0.5,
        timeline_window_seconds=3.0,
        timeline_step_seconds=2.0,
    )
)


@pytest.mark.parametrize(
    ("config", "hop", "window", "step"),
    [
        (TimelineConfig(), 0.5, 3.0, 2.0),
        (TimelineConfig(hop_seconds=0.3), 0.3, 3.0, 2.1),
        (TimelineConfig(hop_seconds=0.7), 0.7, 2.8, 2.1),
        (TimelineConfig(hop_seconds=5.0), 5.0, 5.0, 5.0),
        (TimelineConfig(window_seconds=1.0), 0.5, 1.0, 1.0),
        (TimelineConfig(step_seconds=4.0), 0.5, 4.0, 4.0),
        (TimelineConfig(window_seconds=8.0, step_seconds=0.5), 0.5, 8.0, 0.5),
    ],
)
def test_what_is_left_open_suits_the_model(
    config: TimelineConfig, hop: float, window: float, step: float
) -> None:
    n_hop = round(hop * 16000)
    expected = Pace(n_hop, window_hops=round(window / hop), step_hops=round(step / hop))
    assert find_pace(config, LARGE) == expected


def test_a_window_is_never_longer_than_the_model_hears() -> None:
    short = tiny_spec(windowing=Windowing(0.1, 2.0, 1.0, 0.5, timeline_window_seconds=2.0))
    pace = find_pace(TimelineConfig(hop_seconds=0.7), short)
    assert pace.window_samples <= 2.0 * 16000


@pytest.mark.parametrize("changes", [{"window_seconds": 8.5}, {"hop_seconds": 9.0}])
def test_more_than_the_model_hears_is_one_clear_error(changes: dict[str, float]) -> None:
    message = f"{next(iter(changes))} must be at most 8, which tiny 1.0.0 hears at once"
    with pytest.raises(UsageError, match=message):
        find_pace(TimelineConfig(**changes), LARGE)  # type: ignore[arg-type]


def test_a_stream_keeps_the_step_of_its_model(tmp_path: Path) -> None:
    recognizer = Recognizer.load(write_tiny_bundle(tmp_path / "large", LARGE))
    samples = tone(TONES_HZ["anger"], seconds=8.0)
    samples *= np.abs(np.sin(np.arange(samples.size) / 1600)).astype(np.float32)  # syllables
    samples = np.concatenate((np.zeros(16000, np.float32), samples, np.zeros(16000, np.float32)))
    readings = [
        event for event in recognizer.stream(16000).run([samples]) if isinstance(event, Reading)
    ]
    stops = [reading.stop_seconds for reading in readings]
    assert np.diff(stops[:-1]) == pytest.approx(2.0)
    assert readings[2].stop_seconds - readings[2].start_seconds == pytest.approx(3.0)
