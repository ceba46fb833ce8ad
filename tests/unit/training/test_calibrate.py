"""Calibration: a known temperature is found, the threshold keeps its promise."""

from __future__ import annotations

import numpy as np
import pytest

from serenade.model.calibration import probabilities
from serenade.training.calibrate import abstention_threshold, fit_temperature


def test_the_temperature_that_made_the_labels_is_found() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(0.0, 2.0, (20_000, 4)).astype(np.float32)
    true = np.array([rng.choice(4, p=row) for row in probabilities(logits, temperature=1.0)])
    overconfident = logits * 2.5
    groups = np.array(["a"] * 20_000)
    assert fit_temperature(overconfident, true, groups) == pytest.approx(2.5, rel=0.05)


def test_every_corpus_weighs_the_same() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(0.0, 2.0, (11_000, 3)).astype(np.float32)
    true = np.array([rng.choice(3, p=row) for row in probabilities(logits, temperature=1.0)])
    scaled = logits.copy()
    scaled[10_000:] *= 3.0
    groups = np.array(["large"] * 10_000 + ["small"] * 1_000)
    pooled = fit_temperature(scaled, true, np.array(["one"] * 11_000))
    balanced = fit_temperature(scaled, true, groups)
    assert balanced > 1.3 * pooled


def test_answers_above_the_threshold_are_right_as_often_as_promised() -> None:
    rng = np.random.default_rng(1)
    confidence = rng.uniform(0.3, 1.0, 5_000)
    right = rng.random(5_000) < confidence
    groups = np.array(["a"] * 5_000)
    threshold = abstention_threshold(confidence, right, groups, precision=0.8)
    assert 0.5 < threshold < 0.7
    assert right[confidence >= threshold].mean() >= 0.8
    assert right[confidence >= threshold - 0.02].mean() < 0.81


def test_a_hopeless_model_abstains_nearly_always() -> None:
    confidence = np.linspace(0.3, 0.9, 100)
    threshold = abstention_threshold(
        confidence, np.zeros(100, bool), np.array(["a"] * 100), precision=0.8
    )
    assert threshold == pytest.approx(0.95)
