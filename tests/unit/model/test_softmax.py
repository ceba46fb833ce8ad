"""Temperature softmax."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax

from serenade.model.calibration import probabilities


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_it_is_the_softmax_of_the_divided_logits(temperature: float) -> None:
    logits = np.random.default_rng(0).normal(0, 5, (20, 8)).astype(np.float32)
    expected = softmax(logits.astype(np.float64) / temperature, axis=1)
    np.testing.assert_allclose(probabilities(logits, temperature=temperature), expected, atol=1e-15)


def test_large_logits_do_not_overflow() -> None:
    logits = np.array([[1e30, -1e30], [3e38, 3e38]], dtype=np.float32)
    np.testing.assert_array_equal(probabilities(logits, temperature=0.1), [[1, 0], [0.5, 0.5]])


def test_log_probabilities_come_back_as_probabilities() -> None:
    logits = np.log(np.array([[0.2, 0.3, 0.5]], dtype=np.float32))
    np.testing.assert_allclose(probabilities(logits, temperature=1.0), [[0.2, 0.3, 0.5]], atol=1e-7)
