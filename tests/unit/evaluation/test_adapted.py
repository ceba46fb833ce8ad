"""Speaker-adapted evaluation: whose speech is heard, and how the figures are told apart."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from serenade.errors import EvaluationError
from serenade.evaluation.adapted import ReferenceChoice
from serenade.evaluation.evaluate import Evaluation, Setting, evaluate
from serenade.evaluation.judge import judge
from serenade.evaluation.readings import choose_labelling

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from serenade.corpora.manifest import Utterance

Fake = Any


def _evaluate(
    recognizer: Fake, utterances: Sequence[Utterance], choice: ReferenceChoice | None, **more: Any
) -> Evaluation:
    mode = "speaker-independent" if choice is None else "speaker-adapted"
    return evaluate(
        recognizer,
        utterances,
        labelling=choose_labelling("corpus", utterances),
        setting=Setting(recognizer.model_id, recognizer.labels, mode=mode),
        adapted_by=choice,
        **more,
    )


def test_every_clip_is_judged_by_a_model_that_knows_its_speaker(
    fake_recognizer: Fake, utterances: list[Utterance]
) -> None:
    recognizer = fake_recognizer(adapts_to_speakers=True)
    adapted = _evaluate(recognizer, utterances, ReferenceChoice())
    strangers = _evaluate(recognizer, utterances, None)
    assert adapted.closed.uar.value > strangers.closed.uar.value + 0.1
    assert adapted.to_json()["setting"]["mode"] == "speaker-adapted"
    assert [a.utterance.id for a in adapted.closed.reading.answers] == [u.id for u in utterances]
    assert len(recognizer.heard) == len(utterances)  # each clip is heard once as a reference


@pytest.mark.parametrize(("n_clips", "n_heard"), [(None, 20), (3, 3), (1000, 19)])
def test_the_chosen_clips_of_the_speaker_are_heard(
    fake_recognizer: Fake, utterances: list[Utterance], n_clips: int | None, n_heard: int
) -> None:
    recognizer = fake_recognizer(adapts_to_speakers=True)
    seen: list[int] = []
    real = recognizer.predict

    def spy(source: Any, *, reference: Any = None) -> Any:
        seen.append(reference.n_clips)
        return real(source, reference=reference)

    recognizer.predict = spy
    judge(recognizer, utterances, adapted_by=ReferenceChoice(n_clips), speech=utterances)
    assert set(seen) == {n_heard}


def test_clips_outside_the_labels_are_heard_as_well(
    fake_recognizer: Fake, utterances: list[Utterance]
) -> None:
    recognizer = fake_recognizer(adapts_to_speakers=True)
    others = [replace(u, emotion="calm") if u.emotion == "anger" else u for u in utterances]
    labelling = choose_labelling("corpus", [u for u in others if u.emotion != "calm"])
    setting = Setting(recognizer.model_id, recognizer.labels, mode="speaker-adapted")
    result = evaluate(
        recognizer, others, labelling=labelling, setting=setting, adapted_by=ReferenceChoice()
    )
    assert result.closed.metrics.n_clips == 150
    assert len(recognizer.heard) == 200


def test_clips_that_cannot_be_read_tell_nothing_and_fail_by_themselves(
    fake_recognizer: Fake, utterances: list[Utterance]
) -> None:
    bad = frozenset({"anger_1_0"})
    recognizer = fake_recognizer(adapts_to_speakers=True, broken=bad)
    result = judge(recognizer, utterances, adapted_by=ReferenceChoice(), speech=utterances)
    assert [failure.id for failure in result.failures] == ["ONE/anger_1_0"]
    assert len(result.answers) == 199


def test_an_adapted_evaluation_goes_on_where_it_stopped(
    fake_recognizer: Fake, utterances: list[Utterance], tmp_path: Path
) -> None:
    choice = ReferenceChoice(3, seed=1)
    file = tmp_path / "predictions.jsonl"
    recognizer = fake_recognizer(adapts_to_speakers=True)
    whole = judge(recognizer, utterances, adapted_by=choice, speech=utterances)
    judge(recognizer, utterances[:70], adapted_by=choice, speech=utterances, predictions_file=file)
    resumed = judge(
        recognizer, utterances, adapted_by=choice, speech=utterances, predictions_file=file
    )
    assert [a.probabilities for a in resumed.answers] == [a.probabilities for a in whole.answers]
    assert len(file.read_text().splitlines()) == len(utterances)


@pytest.mark.parametrize("choice", [ReferenceChoice(), ReferenceChoice(3, seed=1)])
def test_answers_by_other_clips_of_the_speaker_are_not_kept(
    choice: ReferenceChoice, fake_recognizer: Fake, utterances: list[Utterance], tmp_path: Path
) -> None:
    file = tmp_path / "predictions.jsonl"
    recognizer = fake_recognizer(adapts_to_speakers=True)
    few = utterances[:25]  # all of the first speaker and some of the second
    judge(recognizer, few, adapted_by=choice, speech=few, predictions_file=file)
    fresh, resumed = (
        judge(
            recognizer, utterances, adapted_by=choice, speech=utterances, predictions_file=kept
        ).answers
        for kept in (None, file)
    )
    assert [a.probabilities for a in resumed] == [a.probabilities for a in fresh]
    assert len(file.read_text().splitlines()) == len(few) + len(utterances) - 20


def test_answers_that_do_not_tell_the_clips_of_the_speaker_are_not_kept(
    fake_recognizer: Fake, utterances: list[Utterance], tmp_path: Path
) -> None:
    file = tmp_path / "predictions.jsonl"
    recognizer = fake_recognizer(adapts_to_speakers=True)
    adapted: Any = {"adapted_by": ReferenceChoice(), "predictions_file": file}
    first = utterances[:20]
    judge(recognizer, first, speech=first, **adapted)
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    for line in lines:
        del line["reference"]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    judge(recognizer, first, speech=first, **adapted)
    assert len(file.read_text().splitlines()) == 40


def test_predictions_of_strangers_are_never_taken_for_adapted_ones(
    fake_recognizer: Fake, utterances: list[Utterance], tmp_path: Path
) -> None:
    recognizer = fake_recognizer(adapts_to_speakers=True)
    judge(recognizer, utterances[:2], predictions_file=tmp_path / "plain.jsonl")
    choice = ReferenceChoice()
    adapted: Any = {"adapted_by": choice, "speech": utterances}
    with pytest.raises(EvaluationError, match="predictions that are not adapted to speakers"):
        judge(recognizer, utterances, predictions_file=tmp_path / "plain.jsonl", **adapted)
    judge(recognizer, utterances[:2], predictions_file=tmp_path / "adapted.jsonl", **adapted)
    with pytest.raises(EvaluationError, match="predictions that are adapted to each speaker with"):
        judge(recognizer, utterances, predictions_file=tmp_path / "adapted.jsonl")


def test_what_cannot_be_adapted_is_one_clear_error(
    fake_recognizer: Fake, utterances: list[Utterance]
) -> None:
    with pytest.raises(EvaluationError, match=r"model fake-1\.0 does not adapt to speakers"):
        _evaluate(fake_recognizer(), utterances, ReferenceChoice())
    unknown = [replace(utterances[0], speaker=None), *utterances[1:]]
    with pytest.raises(EvaluationError, match="1 clips have no speaker"):
        _evaluate(fake_recognizer(adapts_to_speakers=True), unknown, ReferenceChoice())
    with pytest.raises(EvaluationError, match="known by 1 clip or more, got 0"):
        ReferenceChoice(0)


def test_a_result_cannot_say_another_mode_than_was_measured(
    fake_recognizer: Fake, utterances: list[Utterance]
) -> None:
    recognizer = fake_recognizer(adapts_to_speakers=True)
    with pytest.raises(EvaluationError, match="the setting says speaker-independent, which is not"):
        evaluate(
            recognizer,
            utterances,
            labelling=choose_labelling("corpus", utterances),
            setting=Setting(recognizer.model_id, recognizer.labels),
            adapted_by=ReferenceChoice(),
        )
