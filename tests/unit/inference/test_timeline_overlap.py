"""Averaging of the windows that cover each hop."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serenade.inference.overlap import OverlapAverage, WindowScore, average_scores


def score(p: float, *, weight: float = 1.0, intensity: float | None = None) -> WindowScore:
    return WindowScore(np.array([p, 1 - p]), intensity, weight)


def averages(scores: list[WindowScore | None], *, window_hops: int) -> list[float | None]:
    overlap = OverlapAverage(window_hops=window_hops)
    found = [average for one in scores for average in overlap.push(one)] + overlap.finish()
    return [None if average is None else float(average.probabilities[0]) for average in found]


def test_average_is_weighted_by_length() -> None:
    average = average_scores([score(1.0, weight=3.0, intensity=0.2), score(0.0, intensity=1.0)])
    assert average is not None
    assert average.probabilities.tolist() == pytest.approx([0.75, 0.25])
    assert average.intensity == pytest.approx(0.4)
    assert average.weight == 4.0


def test_without_windows_nothing_is_known() -> None:
    assert average_scores([]) is None
    assert averages([None, None], window_hops=2) == [None, None]


def test_each_hop_gets_the_windows_that_cover_it() -> None:
    found = averages([score(0.0), score(0.4), score(0.8), score(1.0)], window_hops=2)
    assert found == pytest.approx([0.2, 0.6, 0.9, 1.0])


def test_windows_further_apart_still_cover_all_hops() -> None:
    found = averages([None, score(0.2), None, score(0.6)], window_hops=3)
    assert found == pytest.approx([0.2, 0.4, 0.6, 0.6])


def test_hop_is_final_when_no_later_window_covers_it() -> None:
    overlap = OverlapAverage(window_hops=3)
    assert [len(overlap.push(score(0.5))) for _ in range(5)] == [0, 0, 1, 1, 1]


def test_late_window_covers_the_last_hops() -> None:
    overlap = OverlapAverage(window_hops=2)
    for one in (score(0.0), None, None):
        overlap.push(one)
    overlap.revise(score(1.0))
    [last] = overlap.finish()
    assert last is not None
    assert last.probabilities[0] == 1.0


@given(
    chances=st.lists(st.floats(0, 1) | st.none(), min_size=1, max_size=20),
    window_hops=st.integers(1, 6),
)
def test_stream_equals_the_definition(chances: list[float | None], window_hops: int) -> None:
    found = averages([None if p is None else score(p) for p in chances], window_hops=window_hops)
    for i, value in enumerate(found):
        covering = [p for p in chances[i : i + window_hops] if p is not None]
        assert (value is None) == (not covering)
        if covering:
            assert value == pytest.approx(np.mean(covering), abs=1e-12)
