from __future__ import annotations

import json

import numpy as np
import numpy.typing as npt
import pytest

from serenade.errors import EvaluationError
from serenade.evaluation import calibration, metrics

LABELS = ("neutral", "anger")


def test_perfect_predictions_score_one_and_calibrate_to_zero() -> None:
    measured = metrics.measure(LABELS, [0, 1, 1], [[1, 0], [0, 1], [0, 1]])
    assert (measured.uar, measured.accuracy, measured.macro_f1) == (1.0, 1.0, 1.0)
    assert (measured.calibration_error, measured.brier, measured.roc_auc) == (0.0, 0.0, 1.0)


def test_uar_weighs_emotions_alike_where_accuracy_weighs_clips() -> None:
    true = [0] * 9 + [1]
    measured = metrics.measure(LABELS, true, [[0.9, 0.1]] * 10)
    assert measured.accuracy == pytest.approx(0.9)
    assert measured.uar == pytest.approx(0.5)


def test_single_emotion_has_no_roc_auc_rather_than_a_made_up_one() -> None:
    measured = metrics.measure(LABELS, [0, 0], [[0.6, 0.4], [0.3, 0.7]])
    assert measured.roc_auc is None
    assert measured.uar == pytest.approx(0.5)


def test_result_is_json_without_nan() -> None:
    measured = metrics.measure((*LABELS, "fear"), [0, 0], [[0.6, 0.4, 0], [0.3, 0.7, 0]])
    text = json.dumps(measured.to_json(), allow_nan=False)
    assert json.loads(text)["classes"][2] == {
        "emotion": "fear",
        "precision": None,
        "recall": None,
        "f1": None,
        "support": 0,
    }


def test_coverage_rises_and_ends_with_every_clip() -> None:
    rng = np.random.default_rng(0)
    probabilities = rng.dirichlet(np.ones(3), size=200)
    true = np.where(rng.random(200) < 0.6, probabilities.argmax(axis=1), 0)
    points = calibration.coverage_curve(true, probabilities)
    coverage = [point.coverage for point in points]
    assert coverage == sorted(coverage)
    assert coverage[-1] == 1.0
    assert points[-1].accuracy == pytest.approx(np.mean(probabilities.argmax(axis=1) == true))
    kept = probabilities.max(axis=1) >= points[3].threshold
    assert points[3].coverage == pytest.approx(kept.mean())
    assert points[3].accuracy == pytest.approx(
        np.mean((probabilities.argmax(axis=1) == true)[kept])
    )


def test_coverage_never_parts_clips_of_equal_confidence() -> None:
    points = calibration.coverage_curve(np.zeros(40, dtype=np.int64), np.full((40, 2), 0.5))
    assert len(points) == 1
    assert points[0].coverage == 1.0


@pytest.mark.parametrize(
    ("true", "probabilities", "message"),
    [
        ([], np.empty((0, 2)), "no clip"),
        ([0, 1], [[1, 0]], "do not fit"),
        ([0], [[0.5, 0.3, 0.2]], "do not fit"),
        ([2], [[1, 0]], r"must lie in \[0, 2\)"),
        ([-1], [[1, 0]], r"must lie in \[0, 2\)"),
        ([0.0], [[1, 0]], "must be integers"),
        ([0], [[np.nan, 1]], "finite"),
        ([0], [[-1, 2]], "not negative"),
        ([0], [[0.7, 0.7]], "sum to 1"),
    ],
)
def test_what_cannot_be_measured_is_one_clear_error(
    true: npt.ArrayLike, probabilities: npt.ArrayLike, message: str
) -> None:
    with pytest.raises(EvaluationError, match=message):
        metrics.measure(LABELS, true, probabilities)
