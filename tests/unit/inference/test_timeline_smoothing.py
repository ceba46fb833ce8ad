"""Smoothing of the emotions of a stretch of speech."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from serenade.inference.smoothing import LONGEST_DOUBT, Smoother, smooth


def one_hot(labels: list[int], n_labels: int = 3) -> np.ndarray:
    return np.eye(n_labels)[labels]


def gathered(labels: list[int], probabilities: np.ndarray, *, switch_cost: float) -> float:
    n_switches = sum(a != b for a, b in itertools.pairwise(labels))
    chosen = sum(float(probabilities[i, label]) for i, label in enumerate(labels))
    return chosen - n_switches * switch_cost


def run_lengths(labels: list[int]) -> list[int]:
    return [len(list(group)) for _, group in itertools.groupby(labels)]


def test_clear_emotions_are_told_apart() -> None:
    labels = [0, 0, 0, 1, 1, 1, 2, 2]
    assert smooth(one_hot(labels), switch_cost=1.0, min_hops=2) == labels


def test_one_odd_hop_does_not_flicker() -> None:
    assert smooth(one_hot([0, 0, 0, 1, 0, 0, 0]), switch_cost=1.0, min_hops=1) == [0] * 7


@pytest.mark.parametrize(("lead", "changes"), [(0.24, False), (0.26, True)])
def test_change_must_gain_its_cost(lead: float, changes: bool) -> None:
    first = np.tile([0.9, 0.1], (4, 1))
    second = np.tile([0.5 - lead / 2, 0.5 + lead / 2], (4, 1))
    labels = smooth(np.concatenate([first, second]), switch_cost=1.0, min_hops=1)
    assert labels == [0] * 4 + [1 if changes else 0] * 4


def test_emotion_lasts_its_least_time_even_if_changes_are_free() -> None:
    labels = smooth(one_hot([0, 1, 1, 1, 0, 0, 0, 2]), switch_cost=0.0, min_hops=3)
    assert min(run_lengths(labels)) >= 3


def test_short_stretch_has_one_emotion() -> None:
    assert smooth(one_hot([0, 1, 1]), switch_cost=0.0, min_hops=4) == [1, 1, 1]


def test_hops_without_knowledge_keep_the_emotion() -> None:
    probabilities = one_hot([0, 0, 0, 0])
    probabilities[2:] = 0.0
    assert smooth(probabilities, switch_cost=0.5, min_hops=1) == [0, 0, 0, 0]


@settings(deadline=None)
@given(
    probabilities=hnp.arrays(
        np.float64, st.tuples(st.integers(1, 7), st.integers(2, 3)), elements=st.floats(0, 1)
    ),
    switch_cost=st.floats(0, 2),
    min_hops=st.integers(1, 3),
)
def test_no_allowed_sequence_gathers_more(
    probabilities: np.ndarray, switch_cost: float, min_hops: int
) -> None:
    n_hops, n_labels = probabilities.shape
    best = max(
        gathered(list(labels), probabilities, switch_cost=switch_cost)
        for labels in itertools.product(range(n_labels), repeat=n_hops)
        if len(run_lengths(list(labels))) == 1 or min(run_lengths(list(labels))) >= min_hops
    )
    found = smooth(probabilities, switch_cost=switch_cost, min_hops=min_hops)
    assert len(run_lengths(found)) == 1 or min(run_lengths(found)) >= min_hops
    assert gathered(found, probabilities, switch_cost=switch_cost) == pytest.approx(best, abs=1e-9)


@settings(deadline=None)
@given(
    probabilities=hnp.arrays(
        np.float64, st.tuples(st.integers(1, 40), st.just(4)), elements=st.floats(0, 1)
    ),
    switch_cost=st.floats(0, 2),
)
def test_emotion_that_holds_has_the_highest_mean_probability(
    probabilities: np.ndarray, switch_cost: float
) -> None:
    labels = smooth(probabilities, switch_cost=switch_cost, min_hops=2)
    start = 0
    for length in run_lengths(labels):
        means = probabilities[start : start + length].mean(axis=0)
        assert means[labels[start]] >= means.max() - 1e-9
        start += length


def test_endless_tie_is_decided_in_bounded_memory() -> None:
    smoother = Smoother(n_labels=2, switch_cost=1.0, min_hops=2)
    n_decided = 0
    for n_hops in range(1, 3 * LONGEST_DOUBT):
        n_decided += len(smoother.push(np.array([0.5, 0.5])))
        assert n_hops - n_decided <= LONGEST_DOUBT
    assert n_decided + len(smoother.finish()) == 3 * LONGEST_DOUBT - 1


def test_clear_emotion_is_decided_soon() -> None:
    smoother = Smoother(n_labels=3, switch_cost=1.0, min_hops=2)
    n_decided = [len(smoother.push(hop)) for hop in one_hot([1] * 10)]
    assert sum(n_decided) >= 7
