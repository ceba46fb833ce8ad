"""What is known of a speaker, shrunk towards the population."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from serenade.errors import UsageError
from serenade.model.adaptation import Adaptation, SpeakerReference

ADAPTATION = Adaptation(n_embedding=3, prior_clips=4.0, prior_clips_deviation=8.0)
EMPTY = SpeakerReference.empty("m 1", ADAPTATION)


def _reference(embeddings: np.ndarray, weight: float = 1.0) -> SpeakerReference:
    reference = EMPTY
    for embedding in embeddings.astype(np.float32):
        reference = reference.with_clip(embedding, seconds=2.0, weight=weight)
    return reference


def _clips(n: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.normal([2.0, 0.0, -1.0], [0.5, 1.0, 2.0], size=(n, 3)).astype(np.float32)


def test_without_clips_the_population_is_all_that_is_known() -> None:
    np.testing.assert_array_equal(EMPTY.mean, np.zeros(3))
    np.testing.assert_array_equal(EMPTY.deviation, np.ones(3))


def test_mean_and_deviation_are_shrunk_as_said() -> None:
    clips = _clips(6)
    reference = _reference(clips)
    mean = 6 / (6 + 4.0) * clips.mean(axis=0)
    variance = (((clips - mean) ** 2).sum(axis=0) + 8.0) / (6 + 8.0)
    np.testing.assert_allclose(reference.mean, mean, atol=1e-6)
    np.testing.assert_allclose(reference.deviation, np.sqrt(variance), atol=1e-6)
    assert reference.mean.dtype == reference.deviation.dtype == np.float32


def test_many_clips_leave_little_of_the_population() -> None:
    clips = _clips(20_000)
    reference = _reference(clips)
    np.testing.assert_allclose(reference.mean, clips.mean(axis=0), atol=1e-3)
    np.testing.assert_allclose(reference.deviation, clips.std(axis=0), atol=1e-3)


def test_one_clip_moves_little_and_never_divides_by_nothing() -> None:
    reference = _reference(np.array([[5.0, 0.0, -5.0]]))
    np.testing.assert_allclose(reference.mean, [1.0, 0.0, -1.0])
    assert np.all(reference.deviation > 0.9)


def test_references_add_up_and_a_part_can_be_taken_out() -> None:
    clips = _clips(9)
    whole, part, rest = _reference(clips), _reference(clips[:4]), _reference(clips[4:])
    for left in (part + rest, whole):
        assert left.n_clips == 9
        assert left.seconds == pytest.approx(18.0)
        np.testing.assert_allclose(left.deviation, whole.deviation, atol=1e-6)
    np.testing.assert_allclose((whole - part).mean, rest.mean, atol=1e-6)
    np.testing.assert_allclose((whole - part).deviation, rest.deviation, atol=1e-6)
    nothing = whole - whole
    np.testing.assert_array_equal(nothing.mean, np.zeros(3))
    np.testing.assert_array_equal(nothing.deviation, np.ones(3))


def test_half_a_clip_twice_is_one_clip() -> None:
    clips = _clips(5)
    halves = _reference(np.repeat(clips, 2, axis=0), weight=0.5)
    np.testing.assert_allclose(halves.mean, _reference(clips).mean, atol=1e-6)
    np.testing.assert_allclose(halves.deviation, _reference(clips).deviation, atol=1e-6)
    assert halves.heard.n_clips == 10


def test_references_of_two_models_do_not_go_together() -> None:
    with pytest.raises(UsageError, match="of m 1 and m 2 do not go together"):
        EMPTY + SpeakerReference.empty("m 2", ADAPTATION)


def test_a_reference_reaches_another_process_whole() -> None:
    reference = _reference(_clips(3))
    again = pickle.loads(pickle.dumps(reference))
    np.testing.assert_array_equal(again.mean, reference.mean)
    np.testing.assert_array_equal(again.deviation, reference.deviation)
