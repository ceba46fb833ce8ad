"""The teacher: hints are whitened components, soft labels come from strangers to the speaker."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from serenade.training.recipe import TeacherRecipe
from serenade.training.teacher import make_hints, soft_labels

if TYPE_CHECKING:
    import numpy.typing as npt

    from serenade.types import FloatArray

N_CLIPS, N_SPEAKERS = 240, 8


@pytest.fixture
def speakers() -> npt.NDArray[np.str_]:
    return np.array([f"toy/{i % N_SPEAKERS}" for i in range(N_CLIPS)])


@pytest.fixture
def targets() -> npt.NDArray[np.float32]:
    classes = (np.arange(N_CLIPS) // N_SPEAKERS) % 3
    return np.eye(4, dtype=np.float32)[classes]


def _emotional(targets: npt.NDArray[np.float32], noise: float) -> FloatArray:
    rng = np.random.default_rng(0)
    directions = rng.normal(size=(4, 30))
    return (targets @ directions + noise * rng.normal(size=(N_CLIPS, 30))).astype(np.float32)


def test_hints_are_uncorrelated_with_unit_deviation() -> None:
    rng = np.random.default_rng(1)
    statistics = rng.normal(size=(500, 40)) @ rng.normal(size=(40, 60))
    hints = make_hints(statistics.astype(np.float32), TeacherRecipe(n_hints=10), seed=0)
    assert hints.shape == (500, 10)
    np.testing.assert_allclose(np.cov(hints.T, ddof=1), np.eye(10), atol=2e-3)


def test_soft_labels_follow_what_is_common_to_all_speakers(
    targets: npt.NDArray[np.float32], speakers: npt.NDArray[np.str_]
) -> None:
    answers = soft_labels(_emotional(targets, 0.5), targets, speakers, TeacherRecipe())
    np.testing.assert_allclose(answers.sum(axis=1), 1.0, atol=1e-5)
    assert (answers.argmax(axis=1) == targets.argmax(axis=1)).mean() > 0.95
    assert (answers[:, 3] == 0.0).all()


def test_soft_labels_know_nothing_that_only_the_speaker_gives_away(
    targets: npt.NDArray[np.float32], speakers: npt.NDArray[np.str_]
) -> None:
    """Each speaker has one emotion: a teacher that knew the speaker would be always right."""
    by_speaker = np.eye(4, dtype=np.float32)[np.array([int(s[-1]) % 2 for s in speakers])]
    voices = np.random.default_rng(2).normal(size=(N_SPEAKERS, 30))
    rng = np.random.default_rng(3)
    statistics = voices[[int(s[-1]) for s in speakers]] + 0.1 * rng.normal(size=(N_CLIPS, 30))
    answers = soft_labels(statistics.astype(np.float32), by_speaker, speakers, TeacherRecipe())
    right = (answers.argmax(axis=1) == by_speaker.argmax(axis=1)).mean()
    assert right < 0.8


def test_a_single_speaker_keeps_the_labels(targets: npt.NDArray[np.float32]) -> None:
    alone = np.array(["toy/0"] * N_CLIPS)
    answers = soft_labels(_emotional(targets, 0.5), targets, alone, TeacherRecipe())
    np.testing.assert_array_equal(answers, targets)
