"""Joining active frames to stretches of speech."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serenade.inference.stretches import Stretch, StretchFinder, main_stretch


def mask(text: str) -> np.ndarray:
    """``#`` is active."""
    return np.array([character == "#" for character in text], np.bool_)


def main_of(finder: StretchFinder, start: int, stop: int) -> Stretch | None:
    return main_stretch(finder.around(start, stop), start, stop)


def stretches(text: str, cuts: list[int] | None = None) -> list[tuple[int, int | None]]:
    """All stretches, with at least three frames of speech and pauses of at least two."""
    finder = StretchFinder(min_speech=3, min_pause=2)
    for piece in np.split(mask(text), sorted(cuts or [])):
        finder.push(piece)
    finder.finish()
    found: list[tuple[int, int | None]] = []
    for frame in range(len(text)):
        stretch = main_of(finder, frame, frame + 1)
        if stretch and (not found or found[-1][0] != stretch.start):
            found.append((stretch.start, stretch.stop))
    return found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        (".....", []),
        ("..###..", [(2, 5)]),
        ("..##...", []),
        (".##.##..", [(1, 6)]),
        (".###..###", [(1, 4), (6, 9)]),
        (".##..#.#..##.", [(5, 8)]),
        ("####", [(0, 4)]),
    ],
)
def test_short_pauses_join_and_short_sounds_are_dropped(
    text: str, found: list[tuple[int, int]]
) -> None:
    assert stretches(text) == found


@given(text=st.text("#.", max_size=60), cuts=st.lists(st.integers(0, 60), max_size=10))
def test_any_chunking_gives_the_same(text: str, cuts: list[int]) -> None:
    assert stretches(text, cuts) == stretches(text)


@given(text=st.text("#.", min_size=1, max_size=60))
def test_what_lies_below_the_horizon_is_final(text: str) -> None:
    final = np.zeros(len(text), np.bool_)
    for start, stop in stretches(text):
        final[start:stop] = True
    for n_frames in range(1, len(text) + 1):
        finder = StretchFinder(min_speech=3, min_pause=2)
        finder.push(mask(text[:n_frames]))
        for frame in range(finder.horizon):
            assert (main_of(finder, frame, frame + 1) is not None) == final[frame]


@given(text=st.text("#.", min_size=1, max_size=60))
def test_horizon_lags_by_no_more_than_speech_and_pause(text: str) -> None:
    finder = StretchFinder(min_speech=3, min_pause=2)
    for n_frames, character in enumerate(text, start=1):
        finder.push(mask(character))
        assert n_frames - finder.horizon < 3 + 2


def test_frames_belong_to_the_stretch_with_most_of_them() -> None:
    finder = StretchFinder(min_speech=3, min_pause=2)
    finder.push(mask("####..######"))
    first, second = main_of(finder, 0, 4), main_of(finder, 3, 10)
    assert first is not None
    assert second is not None
    assert (first.start, second.start) == (0, 6)


def test_a_stretch_that_ended_right_before_some_frames_is_around_them() -> None:
    finder = StretchFinder(min_speech=3, min_pause=2)
    finder.push(mask("###...####.."))
    assert [(each.start, each.stop) for each in finder.around(3, 8)] == [(0, 3), (6, 10)]
    assert main_of(finder, 3, 5) is None
    assert [(each.start, each.stop) for each in finder.around(4, 8)] == [(6, 10)]
