from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from serenade.errors import EvaluationError
from serenade.evaluation.compare import Comparison, compare
from serenade.evaluation.evaluate import Setting
from serenade.evaluation.judge import Judgement, judge
from serenade.evaluation.readings import choose_labelling

if TYPE_CHECKING:
    from serenade.corpora.manifest import Utterance

Fake = Any


def run(a: Fake, b: Fake, utterances: list[Utterance]) -> Comparison:
    return compare(
        judge(a, utterances),
        judge(b, utterances),
        labelling=choose_labelling("corpus", utterances),
        setting_a=Setting(a.model_id, a.labels),
        setting_b=Setting(b.model_id, b.labels),
    )


def test_better_model_is_shown_better_with_an_interval_above_zero(
    fake_recognizer: Fake, utterances: list[Utterance]
) -> None:
    result = run(fake_recognizer(skill=0.3), fake_recognizer(skill=0.95), utterances)
    uar = result.differences[0]
    assert (uar.reading, uar.group, uar.figure) == ("closed", "all", "uar")
    assert uar.difference.low > 0
    assert uar.verdict == "B is better"
    assert uar.difference.value == pytest.approx(uar.b.value - uar.a.value)
    back = run(fake_recognizer(skill=0.95), fake_recognizer(skill=0.3), utterances)
    assert back.differences[0].verdict == "A is better"


def test_each_corpus_is_compared_by_itself(
    fake_recognizer: Fake, utterances: list[Utterance]
) -> None:
    result = run(fake_recognizer(), fake_recognizer(skill=0.9), utterances)
    groups = {d.group: d.n_clips for d in result.differences if d.reading == "closed"}
    assert groups == {"all": 200, "ONE": 120, "TWO": 80}


def test_model_against_itself_shows_no_difference(
    fake_recognizer: Fake, utterances: list[Utterance]
) -> None:
    result = run(fake_recognizer(), fake_recognizer(), utterances)
    assert {d.verdict for d in result.differences} == {"no difference shown"}


def test_models_with_other_emotions_are_compared_in_both_readings(
    fake_recognizer: Fake, utterances: list[Utterance]
) -> None:
    small = fake_recognizer(labels=("anger", "sadness", "happiness", "neutral"), model_id="small-1")
    result = run(fake_recognizer(), small, utterances)
    opened = {d.figure: d for d in result.differences if (d.reading, d.group) == ("open", "all")}
    closed = {d.figure: d for d in result.differences if (d.reading, d.group) == ("closed", "all")}
    assert opened["uar"].b.value == pytest.approx(closed["uar"].b.value)
    assert opened["uar"].a.value < closed["uar"].a.value


def test_clips_that_one_model_cannot_judge_are_counted(
    fake_recognizer: Fake, utterances: list[Utterance]
) -> None:
    broken = fake_recognizer(broken=frozenset({"anger_0_0", "anger_0_1"}))
    result = run(fake_recognizer(), broken, utterances)
    assert result.n_left_out == 2
    assert json.loads(json.dumps(result.to_json(), allow_nan=False))["left_out"] == 2


def test_nothing_in_common_is_one_clear_error(
    fake_recognizer: Fake, utterances: list[Utterance]
) -> None:
    setting = Setting("m", ("a", "b"))
    with pytest.raises(EvaluationError, match="no clip that both models could judge"):
        compare(
            judge(fake_recognizer(), utterances[:5]),
            Judgement((), ()),
            labelling=choose_labelling("corpus", utterances),
            setting_a=setting,
            setting_b=setting,
        )
