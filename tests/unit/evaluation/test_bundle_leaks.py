"""What a bundle says of its training data tells whether the model knows the voices."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from serenade.evaluation.training_leaks import bundle_leaks, run_leaks
from serenade.model.spec import TrainingData

if TYPE_CHECKING:
    from pathlib import Path

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


def test_recordings_may_go_by_another_name_in_a_corpus_of_no_list(
    clips: list[Utterance],
) -> None:
    mine = TrainingData("mine", "none", {"speaker_names": ["4"]})
    assert bundle_leaks([mine], _of(clips, "4")) is None
    assert bundle_leaks([*TRAINED, mine], _of(clips, "4")) is None
    assert bundle_leaks([], _of(clips, "4")) is None


def test_what_is_shared_for_certain_is_told_whatever_else_is_not_known(
    clips: list[Utterance],
) -> None:
    mine = TrainingData("mine", "none", {"speaker_names": ["4"]})
    leaks = bundle_leaks([*TRAINED, mine], _of(clips, "1"))
    assert leaks == ("the model was trained on 1 of the speakers (RAVDESS/1)",)


def test_every_member_of_an_ensemble_tells_its_speakers(clips: list[Utterance]) -> None:
    first, second = (
        TrainingData("RAVDESS", "none", {"speaker_names": [name]}) for name in ("1", "2")
    )
    leaks = bundle_leaks([first, second], _of(clips, "1", "4"))
    assert leaks == ("the model was trained on 1 of the speakers (RAVDESS/1)",)
    unnamed = TrainingData("RAVDESS", "none", {"speakers": 2})
    for data in ([unnamed, second], [second, unnamed]):
        assert bundle_leaks(data, _of(clips, "4")) is None


def _run(folder: Path, **split: list[str]) -> Path:
    (folder / "split.json").write_text(json.dumps({"train": [], "validation": [], **split}))
    return folder


@pytest.mark.parametrize("part", ["train", "validation"])
def test_a_run_on_clips_of_unknown_speakers_may_leak(
    part: str, clips: list[Utterance], tmp_path: Path
) -> None:
    leaks = run_leaks(_run(tmp_path, **{part: ["", "RAVDESS/9"]}), clips)
    assert leaks == (
        "the run was trained on clips of unknown speakers, so a shared one may hide there",
    )


def test_a_run_and_clips_of_other_corpora_are_compared_where_both_are_listed(
    clips: list[Utterance], tmp_path: Path
) -> None:
    assert run_leaks(_run(tmp_path, train=["mine/1"]), clips) is None
    assert run_leaks(_run(tmp_path, train=["mine/1"]), _of(clips, "2", corpus="mine")) == ()
    assert run_leaks(_run(tmp_path, train=["EMOVO/1"]), clips) == ()
    assert run_leaks(_run(tmp_path, train=["EMOVO/1"]), _of(clips, "2", corpus="mine")) is None
