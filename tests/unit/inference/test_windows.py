"""Cutting a recording into windows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serenade.inference.windows import cut_windows, plan_windows


@pytest.mark.parametrize(
    ("n_samples", "windows"),
    [
        (1, [(0, 1)]),
        (10, [(0, 10)]),
        (11, [(0, 10), (1, 11)]),
        (14, [(0, 10), (4, 14)]),
        (15, [(0, 10), (4, 14), (5, 15)]),
        (18, [(0, 10), (4, 14), (8, 18)]),
        (22, [(0, 10), (4, 14), (8, 18), (12, 22)]),
    ],
)
def test_windows_of_ten_every_four(n_samples: int, windows: list[tuple[int, int]]) -> None:
    assert plan_windows(n_samples, size=10, hop=4) == windows


@given(
    n_samples=st.integers(1, 500),
    size=st.integers(1, 50),
    hop_share=st.floats(0.01, 1.0),
)
def test_windows_cover_everything_and_are_whole(
    n_samples: int, size: int, hop_share: float
) -> None:
    windows = plan_windows(n_samples, size=size, hop=max(1, int(hop_share * size)))
    covered = np.zeros(n_samples, dtype=bool)
    for start, stop in windows:
        covered[start:stop] = True
        assert stop - start == min(size, n_samples)
    assert covered.all()
    assert len(set(windows)) == len(windows)
    assert windows == sorted(windows)


@given(
    lengths=st.lists(st.integers(0, 60), min_size=1, max_size=12),
    size=st.integers(1, 50),
    hop_share=st.floats(0.01, 1.0),
)
def test_any_blocks_give_the_planned_windows(
    lengths: list[int], size: int, hop_share: float
) -> None:
    hop = max(1, int(hop_share * size))
    recording = np.arange(sum(lengths), dtype=np.float32)
    blocks = np.split(recording, np.cumsum(lengths)[:-1])
    cut = [(w.start, w.samples.tolist()) for w in cut_windows(iter(blocks), size=size, hop=hop)]
    planned = plan_windows(recording.size, size=size, hop=hop) if recording.size else []
    assert cut == [(start, recording[start:stop].tolist()) for start, stop in planned]
