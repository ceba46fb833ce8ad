from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score

from serenade.corpora.manifest import Utterance
from serenade.errors import EvaluationError, ModelError
from serenade.evaluation.evaluate import Evaluation, Setting, bundle_checksum, evaluate
from serenade.evaluation.readings import choose_labelling

if TYPE_CHECKING:
    from pathlib import Path

Fake = Any


def run(
    recognizer: Fake, utterances: list[Utterance], *, labels: str = "corpus", **setting: Any
) -> Evaluation:
    return evaluate(
        recognizer,
        utterances,
        labelling=choose_labelling(labels, utterances),
        setting=Setting(recognizer.model_id, recognizer.labels, seed=3, **setting),
    )


def test_headline_is_the_closed_uar_of_the_recognisers_own_answers(
    fake_recognizer: Fake, utterances: list[Utterance]
) -> None:
    result = run(fake_recognizer(), utterances)
    recognizer = fake_recognizer()
    emotions = ("neutral", "happiness", "sadness", "anger")
    predicted = []
    for utterance in utterances:
        probabilities = recognizer.predict(utterance.path).probabilities
        predicted.append(max(emotions, key=lambda emotion: probabilities[emotion]))
    expected = balanced_accuracy_score([u.emotion for u in utterances], predicted)
    assert result.closed.uar.value == pytest.approx(expected, abs=1e-12)
    assert result.closed.metrics.uar == pytest.approx(expected, abs=1e-12)
    assert result.open.uar.value < result.closed.uar.value


def test_breakdown_covers_every_dimension_and_every_clip(
    fake_recognizer: Fake, utterances: list[Utterance]
) -> None:
    result = run(fake_recognizer(), utterances)
    assert set(result.breakdown) == {
        "corpus",
        "emotion",
        "speaker",
        "sex",
        "language",
        "intensity",
        "duration",
    }
    for groups in result.breakdown.values():
        assert sum(group.n_clips for group in groups) == len(utterances)
    one = next(group for group in result.breakdown["corpus"] if group.name == "ONE")
    alone = run(fake_recognizer(), [u for u in utterances if u.corpus == "ONE"])
    assert one.uar.value == pytest.approx(alone.closed.uar.value)
    assert one.n_speakers == 6


def test_recall_of_an_emotion_is_its_group_of_the_breakdown(
    fake_recognizer: Fake, utterances: list[Utterance]
) -> None:
    result = run(fake_recognizer(), utterances)
    recall = {score.emotion: score.recall for score in result.closed.metrics.classes}
    for group in result.breakdown["emotion"]:
        assert group.accuracy.value == pytest.approx(recall[group.name])


def test_failed_and_left_out_clips_are_counted_never_dropped(
    fake_recognizer: Fake, utterances: list[Utterance]
) -> None:
    bored = Utterance(id="b", path="boredom_1.wav", emotion="boredom", speaker="1", corpus="ONE")
    recognizer = fake_recognizer(broken=frozenset({"anger_0_0"}))
    result = run(recognizer, [*utterances, bored], labels="4").to_json()
    assert result["left_out"] == {"boredom": 1}
    assert result["failed"] == 1
    assert result["failures"][0]["id"] == "ONE/anger_0_0"
    assert result["clips"] == len(utterances) - 1


def test_emotion_that_the_model_lacks_is_named(
    fake_recognizer: Fake, utterances: list[Utterance]
) -> None:
    bored = Utterance(id="b", path="boredom_1.wav", emotion="boredom", speaker="1", corpus="ONE")
    assert run(fake_recognizer(), [*utterances, bored]).unknown_to_model == ("boredom",)


def test_result_holds_all_that_is_needed_to_repeat_it(
    fake_recognizer: Fake, utterances: list[Utterance]
) -> None:
    result = run(
        fake_recognizer(), utterances, model_checksum="abc", protocol="folder", command="serenade …"
    )
    written = json.loads(json.dumps(result.to_json(), allow_nan=False))
    setting = written["setting"]
    assert setting["model"] == "fake-1.0"
    assert setting["model_checksum"] == "abc"
    assert setting["protocol"] == "folder"
    assert setting["seed"] == 3
    assert setting["command"] == "serenade …"
    assert setting["mode"] == "speaker-independent"
    assert written["labelling"]["map"] == "as labelled"
    assert (written["clips"], written["speakers"]) == (200, 10)
    assert set(written["readings"]) == {"closed", "open"}


def test_leaking_split_says_so_in_the_result(
    fake_recognizer: Fake, utterances: list[Utterance]
) -> None:
    result = run(fake_recognizer(), utterances, leaks=("2 speakers are in both parts (a, b)",))
    statement = result.to_json()["setting"]["leak_statement"]
    assert statement.startswith("THIS SPLIT LEAKS")
    assert "2 speakers" in statement


def test_unknown_training_data_is_not_taken_for_a_clean_split(
    fake_recognizer: Fake, utterances: list[Utterance]
) -> None:
    assert run(fake_recognizer(), utterances).setting.leak_statement.startswith("Not known")


def test_abstention_is_reported(fake_recognizer: Fake, utterances: list[Utterance]) -> None:
    result = run(fake_recognizer(), utterances)
    recognizer = fake_recognizer()
    abstained = [recognizer.predict(u.path).abstained for u in utterances]
    assert result.answered_share == pytest.approx(1 - np.mean(abstained))
    assert result.answered_accuracy is not None
    assert result.answered_accuracy > result.open.metrics.accuracy


def test_unknown_mode_is_one_clear_error() -> None:
    with pytest.raises(EvaluationError, match="mode 'cheating' must be one of"):
        Setting("m", ("a", "b"), mode="cheating")


def test_checksum_changes_with_the_bundle(tmp_path: Path) -> None:
    (tmp_path / "SHA256SUMS").write_text("aa  model.onnx\n")
    first = bundle_checksum(tmp_path)
    (tmp_path / "SHA256SUMS").write_text("bb  model.onnx\n")
    assert len(first) == 64
    assert bundle_checksum(tmp_path) != first
    with pytest.raises(ModelError, match="no complete bundle"):
        bundle_checksum(tmp_path / "absent")
