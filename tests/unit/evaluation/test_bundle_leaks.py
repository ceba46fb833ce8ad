"""What a bundle says of its training data tells whether the model knows the voices."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from serenade.evaluation.training_leaks import bundle_leaks
from serenade.model.spec import TrainingData

if TYPE_CHECKING:
    from serenade.corpora.manifest import Utterance

TRAINED = [
    TrainingData("RAVDESS", "none", {"speakers": 2, "speaker_names": ["1", "2"]}),
    TrainingData("TESS", "none", {"speakers": 2}),
]


@pytest.fixture
def clips(utterances: list[Utterance]) -> list[Utterance]:
    return [replace(u, corpus="RAVDESS") for u in utterances if u.corpus == "ONE"]


def _of(clips: list[Utterance], *speakers: str, **changes: Any) -> list[Utterance]:
    return [replace(clip, **changes) for clip in clips if clip.speaker in speakers]


def test_a_voice_that_the_model_was_trained_on_is_a_leak(clips: list[Utterance]) -> None:
    leaks = bundle_leaks(TRAINED, _of(clips, "1", "4", "5"))
    assert leaks == ("the model was trained on 1 of the speakers (RAVDESS/1)",)


def test_other_voices_of_the_same_corpus_are_new_to_the_model(clips: list[Utterance]) -> None:
    assert bundle_leaks(TRAINED, _of(clips, "4", "5")) == ()


def test_a_corpus_that_is_known_and_was_not_used_is_new_to_the_model(
    clips: list[Utterance],
) -> None:
    assert bundle_leaks(TRAINED, _of(clips, "1", corpus="EMOVO")) == ()


def test_what_the_bundle_does_not_tell_is_not_known(clips: list[Utterance]) -> None:
    assert bundle_leaks(TRAINED, _of(clips, "4", corpus="TESS")) is None
    assert bundle_leaks(TRAINED, _of(clips, "4", corpus="my own")) is None
    assert bundle_leaks(TRAINED, [replace(clips[0], speaker=None)]) is None
