from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score

from serenade.errors import EvaluationError
from serenade.evaluation.bootstrap import difference_interval, interval, resampling_units
from serenade.evaluation.confusion import accuracy, unweighted_average_recall

N_LABELS = 6


def make_case(n: int, n_speakers: int, *, speaker_effect: float, seed: int = 0):  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(seed)
    speaker = rng.integers(n_speakers, size=n)
    skill = 0.6 + speaker_effect * rng.uniform(-1, 1, size=n_speakers)
    true = rng.integers(N_LABELS, size=n)
    right = rng.random(n) < skill[speaker]
    predicted = np.where(right, true, rng.integers(N_LABELS, size=n))
    return true, predicted, [f"s{s}" for s in speaker]


def test_value_is_the_plain_figure_and_lies_inside_the_interval() -> None:
    true, predicted, speakers = make_case(600, 12, speaker_effect=0.1)
    units = resampling_units(speakers)
    result = interval(true, predicted, units, unweighted_average_recall, n_labels=6, seed=1)
    assert result.value == pytest.approx(balanced_accuracy_score(true, predicted), abs=1e-12)
    assert result.low < result.value < result.high
    assert (result.unit, result.n_units, result.caution) == ("speakers", 12, None)


def test_interval_equals_a_plain_loop_over_drawn_speakers() -> None:
    true, predicted, speakers = make_case(300, 8, speaker_effect=0.2)
    units = resampling_units(speakers)
    names = sorted(set(speakers))
    drawn = np.random.default_rng(5).integers(8, size=(200, 8))
    values = []
    for row in drawn:
        clips = np.concatenate([np.flatnonzero(units.of_clip == unit) for unit in row])
        values.append(balanced_accuracy_score(true[clips], predicted[clips]))
    low, high = np.quantile(values, [0.025, 0.975])
    result = interval(
        true, predicted, units, unweighted_average_recall, n_labels=6, seed=5, resamples=200
    )
    assert len(names) == units.count
    assert (result.low, result.high) == pytest.approx((low, high), abs=1e-12)


def test_speakers_who_differ_widen_the_interval_beyond_that_of_clips() -> None:
    true, predicted, speakers = make_case(2000, 10, speaker_effect=0.35)
    by_speaker = interval(true, predicted, resampling_units(speakers), accuracy, n_labels=6, seed=0)
    by_clip = interval(
        true, predicted, resampling_units([None] * 2000), accuracy, n_labels=6, seed=0
    )
    assert by_speaker.high - by_speaker.low > 2 * (by_clip.high - by_clip.low)


def test_clip_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    covered = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        true = rng.integers(2, size=150)
        predicted = np.where(rng.random(150) < 0.7, true, 1 - true)
        result = interval(
            true,
            predicted,
            resampling_units([None] * 150),
            accuracy,
            n_labels=2,
            seed=seed,
            resamples=300,
        )
        covered += result.low <= 0.7 <= result.high
    assert 0.90 <= covered / 200 <= 0.99


def test_one_speaker_falls_back_to_clips_and_says_so() -> None:
    true, predicted, _ = make_case(100, 3, speaker_effect=0)
    result = interval(true, predicted, resampling_units(["x"] * 100), accuracy, n_labels=6, seed=0)
    assert (result.unit, result.n_units) == ("clips", 100)
    assert result.caution is not None
    assert "fewer than two speakers" in result.caution


def test_two_speakers_are_resampled_with_a_caution() -> None:
    units = resampling_units(["x", "y", "y"])
    true = np.array([0, 1, 1])
    result = interval(true, true, units, accuracy, n_labels=2, seed=0)
    assert result.caution == "resampled over only 2 speakers: rough"


def test_clip_of_unknown_speaker_is_a_unit_of_its_own() -> None:
    assert resampling_units(["x", None, "y", None, "x"]).count == 4


def test_same_seed_same_interval_other_seed_other_interval() -> None:
    true, predicted, speakers = make_case(300, 8, speaker_effect=0.2)
    units = resampling_units(speakers)
    first, again, other = (
        interval(true, predicted, units, accuracy, n_labels=6, seed=seed) for seed in (3, 3, 4)
    )
    assert first == again
    assert first != other


def test_paired_difference_is_narrower_than_two_single_intervals() -> None:
    true, predicted_a, speakers = make_case(1200, 20, speaker_effect=0.3)
    predicted_b = predicted_a.copy()
    wrong = np.flatnonzero(predicted_a != true)[::4]
    predicted_b[wrong] = true[wrong]
    units = resampling_units(speakers)
    difference = difference_interval(
        true, predicted_a, predicted_b, units, accuracy, n_labels=6, seed=0
    )
    assert difference.value == pytest.approx(wrong.size / true.size, abs=1e-12)
    assert difference.low > 0
    single = interval(true, predicted_a, units, accuracy, n_labels=6, seed=0)
    assert difference.high - difference.low < single.high - single.low


def test_model_compared_with_itself_differs_by_nothing() -> None:
    true, predicted, speakers = make_case(200, 5, speaker_effect=0.1)
    result = difference_interval(
        true, predicted, predicted, resampling_units(speakers), accuracy, n_labels=6, seed=0
    )
    assert (result.value, result.low, result.high) == (0, 0, 0)


def test_no_clip_is_one_clear_error() -> None:
    empty = np.array([], dtype=np.int64)
    with pytest.raises(EvaluationError, match="no clip to resample"):
        interval(empty, empty, resampling_units([]), accuracy, n_labels=2, seed=0)
