"""Every metric against scikit-learn or a second, plain implementation."""

from __future__ import annotations

import warnings

import numpy as np
import numpy.typing as npt
import pytest
import sklearn.metrics as reference

from serenade.evaluation import metrics

LABELS = ("neutral", "happiness", "sadness", "anger", "fear")
TOLERANCE = 1e-9

Case = tuple[npt.NDArray[np.int64], npt.NDArray[np.float64], metrics.Metrics]


def make_predictions(
    seed: int, *, n: int = 400, ties: bool = False
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    rng = np.random.default_rng(seed)
    true = rng.choice(len(LABELS), size=n, p=[0.4, 0.3, 0.15, 0.1, 0.05])
    logits = rng.normal(size=(n, len(LABELS))) * 1.5
    logits[np.arange(n), true] += 1.0
    if ties:
        logits = np.round(logits)
    probabilities = np.exp(logits)
    return true, probabilities / probabilities.sum(axis=1, keepdims=True)


@pytest.fixture(params=[(0, False), (1, False), (2, True)], ids=["seed 0", "seed 1", "ties"])
def case(request: pytest.FixtureRequest) -> Case:
    seed, ties = request.param
    true, probabilities = make_predictions(seed, ties=ties)
    return true, probabilities, metrics.measure(LABELS, true, probabilities)


def test_confusion_uar_accuracy_and_f1(case: Case) -> None:
    true, probabilities, measured = case
    predicted = probabilities.argmax(axis=1)
    np.testing.assert_array_equal(
        measured.confusion, reference.confusion_matrix(true, predicted, labels=range(5))
    )
    assert measured.uar == pytest.approx(
        reference.balanced_accuracy_score(true, predicted), abs=TOLERANCE
    )
    assert measured.accuracy == pytest.approx(
        reference.accuracy_score(true, predicted), abs=TOLERANCE
    )
    assert measured.macro_f1 == pytest.approx(
        reference.f1_score(true, predicted, average="macro"), abs=TOLERANCE
    )


def test_per_class_scores(case: Case) -> None:
    true, probabilities, measured = case
    precision, recall, f1, support = reference.precision_recall_fscore_support(
        true, probabilities.argmax(axis=1), labels=range(5), zero_division=np.nan
    )
    for i, score in enumerate(measured.classes):
        assert score.emotion == LABELS[i]
        assert score.precision == pytest.approx(precision[i], abs=TOLERANCE)
        assert score.recall == pytest.approx(recall[i], abs=TOLERANCE)
        assert score.f1 == pytest.approx(f1[i], abs=TOLERANCE)
        assert score.support == support[i]


def test_roc_auc(case: Case) -> None:
    true, probabilities, measured = case
    expected = reference.roc_auc_score(true, probabilities, multi_class="ovr", average="macro")
    assert measured.roc_auc == pytest.approx(expected, abs=TOLERANCE)


def test_brier_score(case: Case) -> None:
    true, probabilities, measured = case
    expected = sum(
        reference.brier_score_loss(true == label, probabilities[:, label]) for label in range(5)
    )
    assert measured.brier == pytest.approx(expected, abs=TOLERANCE)


def test_calibration_error_against_a_plain_loop(case: Case) -> None:
    true, probabilities, measured = case
    bins: list[list[tuple[float, bool]]] = [[] for _ in range(15)]
    for truth, row in zip(true, probabilities, strict=True):
        confidence = max(row)
        place = next(b for b in range(15) if confidence <= (b + 1) / 15 or b == 14)
        bins[place].append((confidence, int(np.argmax(row)) == truth))
    expected = 0.0
    for content, point in zip(bins, measured.calibration, strict=True):
        assert point.count == len(content)
        if content:
            confidence = sum(c for c, _ in content) / len(content)
            right = sum(hit for _, hit in content) / len(content)
            assert point.confidence == pytest.approx(confidence, abs=TOLERANCE)
            assert point.accuracy == pytest.approx(right, abs=TOLERANCE)
            expected += len(content) / len(true) * abs(confidence - right)
    assert measured.calibration_error == pytest.approx(expected, abs=TOLERANCE)


def test_absent_emotion_is_left_out_of_uar_like_balanced_accuracy() -> None:
    true, probabilities = make_predictions(3)
    keep = true != 2
    measured = metrics.measure(LABELS, true[keep], probabilities[keep])
    predicted = probabilities[keep].argmax(axis=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # scikit-learn warns of the absent class
        expected = reference.balanced_accuracy_score(true[keep], predicted)
    assert measured.uar == pytest.approx(expected, abs=TOLERANCE)
    assert measured.macro_f1 == pytest.approx(
        reference.f1_score(true[keep], predicted, average="macro"), abs=TOLERANCE
    )
    assert measured.classes[2].recall is None
    assert measured.classes[2].support == 0
