from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from serenade.evaluation.fairness import age_group, measure_fairness
from serenade.evaluation.judge import Answer
from serenade.evaluation.readings import Reading, choose_labelling, closed_reading

if TYPE_CHECKING:
    from serenade.corpora.manifest import Utterance

LABELS = ("neutral", "anger")


def answer(utterance: Utterance, *, right: bool, confidence: float) -> Answer:
    other = LABELS[1 - LABELS.index(utterance.emotion)]
    said = utterance.emotion if right else other
    unsaid = LABELS[1 - LABELS.index(said)]
    return Answer(utterance, {said: confidence, unsaid: 1 - confidence}, False, 1.0, ())


def make_reading(utterances: list[Utterance], **skill: float) -> Reading:
    clips = [u for u in utterances if u.emotion in LABELS]
    answers = [
        answer(u, right=(i % 10) / 10 < skill[str(u.sex)], confidence=0.9 if i % 2 else 0.6)
        for i, u in enumerate(clips)
    ]
    return closed_reading(answers, choose_labelling("corpus", clips))


def test_gap_between_women_and_men_is_found(utterances: list[Utterance]) -> None:
    dimensions = {
        d.name: d for d in measure_fairness(make_reading(utterances, female=0.9, male=0.5), seed=0)
    }
    sex = dimensions["sex"]
    assert (sex.best, sex.worst) == ("female", "male")
    assert sex.gap.low > 0
    by_name = {member.group.name: member.group.uar.value for member in sex.groups}
    assert sex.gap.value == pytest.approx(by_name["female"] - by_name["male"])
    assert set(dimensions) == {"sex", "language", "age", "speaker"}


def test_equal_service_shows_no_gap(utterances: list[Utterance]) -> None:
    dimensions = measure_fairness(make_reading(utterances, female=0.7, male=0.7), seed=0)
    sex = next(d for d in dimensions if d.name == "sex")
    assert sex.gap.low <= 0 <= sex.gap.high or sex.gap.value < 0.05


def test_confident_errors_are_counted(utterances: list[Utterance]) -> None:
    reading = make_reading(utterances, female=0.0, male=1.0)
    sex = next(d for d in measure_fairness(reading, seed=0) if d.name == "sex")
    shares = {member.group.name: member.confident_error_share for member in sex.groups}
    assert shares == {"female": 0.5, "male": 0.0}


def test_groups_are_compared_on_the_emotions_that_all_have(utterances: list[Utterance]) -> None:
    clips = [u for u in utterances if u.emotion != "happiness" or u.language == "en"]
    answers = [Answer(u, {u.emotion: 1.0} | _others(u), False, 1.0, ()) for u in clips]
    reading = closed_reading(answers, choose_labelling("corpus", clips))
    language = next(d for d in measure_fairness(reading, seed=0) if d.name == "language")
    assert language.emotions == ("neutral", "sadness", "anger")
    assert {m.group.n_clips for m in language.groups} == {90, 60}


def _others(utterance: Utterance) -> dict[str, Any]:
    names = ("neutral", "happiness", "sadness", "anger")
    return {name: 0.0 for name in names if name != utterance.emotion}


def test_dimension_of_which_nothing_is_known_is_left_out(utterances: list[Utterance]) -> None:
    reading = make_reading(utterances, female=0.7, male=0.7)
    nameless = tuple(
        replace(a, utterance=replace(a.utterance, sex=None, age=None)) for a in reading.answers
    )
    blind = Reading(reading.name, reading.labels, nameless, reading.true, reading.probabilities)
    assert {d.name for d in measure_fairness(blind, seed=0)} == {"language", "speaker"}


def test_result_is_json(utterances: list[Utterance]) -> None:
    dimensions = measure_fairness(make_reading(utterances, female=0.9, male=0.5), seed=0)
    written = json.dumps([d.to_json() for d in dimensions], allow_nan=False)
    assert json.loads(written)[0]["dimension"] == "sex"


@pytest.mark.parametrize(
    ("age", "name"),
    [(29, "0 to 29"), (30, "30 to 44"), (59, "45 to 59"), (64, "60 and over"), (None, None)],
)
def test_age_groups(age: int | None, name: str | None) -> None:
    assert age_group(age) == name
