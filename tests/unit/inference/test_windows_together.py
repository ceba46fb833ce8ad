"""What the windows of a recording say together, and when it is worth a warning."""

from __future__ import annotations

import math

import numpy as np
import pytest

from serenade.inference.average import WindowAverage
from serenade.inference.overlap import WindowScore
from serenade.inference.warnings import find_warnings
from serenade.types import WARNINGS, Quality

GOOD = Quality(
    duration_seconds=2.0, level_dbfs=-20.0, clipping_share=0.0, snr_db=30.0, speech_share=0.8
)


def _quality(**changes: float) -> Quality:
    values = {name: getattr(GOOD, name) for name in Quality.__slots__}
    return Quality(**(values | changes))


def _score(first: float, intensity: float | None = None) -> WindowScore:
    return WindowScore(np.array([first, 1.0 - first]), intensity, 1.0)


def test_windows_count_by_their_share_of_speech() -> None:
    average = WindowAverage(2)
    average.add(_score(1.0, 0.2), _quality(speech_share=0.75))
    average.add(_score(0.0, 0.6), _quality(speech_share=0.25))
    np.testing.assert_allclose(average.score.probabilities, [0.75, 0.25])
    assert average.score.intensity == pytest.approx(0.3)


def test_windows_without_any_speech_count_alike() -> None:
    average = WindowAverage(2)
    average.add(_score(1.0), _quality(speech_share=0.0))
    average.add(_score(0.0), _quality(speech_share=0.0))
    np.testing.assert_allclose(average.score.probabilities, [0.5, 0.5])
    assert average.score.intensity is None


def test_quality_is_averaged_by_length_and_level_by_power() -> None:
    average = WindowAverage(2)
    average.add(_score(0.5), _quality(duration_seconds=3.0, level_dbfs=-10.0, snr_db=10.0))
    average.add(_score(0.5), _quality(duration_seconds=1.0, level_dbfs=-math.inf, snr_db=30.0))
    quality = average.quality(4.0)
    assert quality.duration_seconds == 4.0
    assert quality.level_dbfs == pytest.approx(-10.0 + 10 * math.log10(0.75))
    assert quality.snr_db == pytest.approx(15.0)
    assert quality.speech_share == pytest.approx(0.8)


def test_an_average_of_nothing_is_empty() -> None:
    average = WindowAverage(2)
    assert average.is_empty
    average.add(_score(0.5), GOOD)
    assert not average.is_empty


def test_a_good_recording_has_no_warning() -> None:
    assert find_warnings(GOOD, sure_from_seconds=1.0) == ()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"clipping_share": 0.002}, "clipping"),
        ({"level_dbfs": -61.0}, "too_quiet"),
        ({"speech_share": 0.05}, "no_speech"),
        ({"duration_seconds": 0.9}, "too_short"),
        ({"snr_db": 4.0}, "noisy"),
    ],
)
def test_each_fault_has_its_warning(changes: dict[str, float], code: str) -> None:
    assert find_warnings(_quality(**changes), sure_from_seconds=1.0) == (code,)


def test_all_faults_together_give_every_warning_in_order() -> None:
    worst = Quality(0.1, -math.inf, 1.0, -20.0, 0.0)
    assert find_warnings(worst, sure_from_seconds=1.0) == tuple(WARNINGS)
