from __future__ import annotations

import numpy as np
import pytest

from serenade.corpora.labels import label_map_for
from serenade.corpora.manifest import Utterance
from serenade.emotions import LabelMap
from serenade.errors import EvaluationError
from serenade.evaluation.judge import Answer
from serenade.evaluation.readings import (
    choose_labelling,
    closed_reading,
    left_out,
    open_reading,
)


def answer(emotion: str, **probabilities: float) -> Answer:
    utterance = Utterance(id=emotion, path="x.wav", emotion=emotion, speaker="1", corpus="c")
    return Answer(utterance, probabilities, False, 1.0, ())


MODEL = [
    answer("neutral", neutral=0.2, calm=0.4, anger=0.1, fear=0.3),
    answer("anger", neutral=0.1, calm=0.1, anger=0.3, fear=0.5),
]


def test_closed_reading_sets_other_emotions_aside_and_scales_the_rest() -> None:
    labelling = choose_labelling("corpus", [a.utterance for a in MODEL])
    reading = closed_reading(MODEL, labelling)
    assert reading.labels == ("neutral", "anger")
    np.testing.assert_allclose(reading.probabilities, [[2 / 3, 1 / 3], [0.25, 0.75]])
    assert reading.predicted.tolist() == reading.true.tolist() == [0, 1]


def test_open_reading_keeps_every_emotion_so_an_outside_answer_is_wrong() -> None:
    labelling = choose_labelling("corpus", [a.utterance for a in MODEL])
    reading = open_reading(MODEL, labelling)
    assert reading.labels == ("neutral", "anger", "calm", "fear")
    np.testing.assert_allclose(reading.probabilities[0], [0.2, 0.1, 0.4, 0.3])
    assert reading.predicted.tolist() == [2, 3]


def test_merged_emotions_add_up_in_both_readings() -> None:
    labelling = choose_labelling("4", [a.utterance for a in MODEL])
    assert labelling.label_map == label_map_for("4")
    closed = closed_reading(MODEL, labelling)
    np.testing.assert_allclose(closed.probabilities[0, 0], 0.6 / 0.7)
    opened = open_reading(MODEL, labelling)
    assert opened.labels == ("neutral", "happiness", "sadness", "anger", "fear")
    np.testing.assert_allclose(opened.probabilities[0], [0.6, 0, 0, 0.1, 0.3])


def test_truth_is_merged_like_the_model() -> None:
    clips = [*MODEL, answer("calm", neutral=0.9, calm=0, anger=0.1, fear=0)]
    labelling = choose_labelling("4", [a.utterance for a in clips])
    reading = closed_reading(clips, labelling)
    assert reading.true.tolist() == [0, 3, 0]


def test_clips_outside_the_set_are_counted() -> None:
    utterances = [answer(e).utterance for e in ("neutral", "anger", "boredom", "boredom", "fear")]
    labelling = choose_labelling("4", utterances)
    assert left_out(utterances, labelling) == {"boredom": 2, "fear": 1}


def test_map_given_by_the_caller_is_used_and_named() -> None:
    utterances = [answer(e).utterance for e in ("neutral", "calm", "anger", "fear")]
    merge = LabelMap("arousal", {"calm": "neutral", "fear": "anger"})
    labelling = choose_labelling("corpus", utterances, label_map=merge)
    assert labelling.labels == ("neutral", "anger")
    assert labelling.to_json()["renamed"] == {"calm": "neutral", "fear": "anger"}


def test_no_probability_for_any_emotion_is_shared_alike() -> None:
    clips = [MODEL[0], answer("anger", neutral=0.0, calm=0.5, anger=0.0, fear=0.5)]
    labelling = choose_labelling("corpus", [a.utterance for a in clips])
    np.testing.assert_allclose(closed_reading(clips, labelling).probabilities[1], [0.5, 0.5])


def test_model_without_any_of_the_emotions_is_one_clear_error() -> None:
    clips = [answer("surprise", calm=1.0, fear=0.0), answer("disgust", calm=0.5, fear=0.5)]
    labelling = choose_labelling("corpus", [a.utterance for a in clips])
    with pytest.raises(EvaluationError, match="knows none of the emotions"):
        closed_reading(clips, labelling)


def test_unknown_label_set_is_one_clear_error() -> None:
    with pytest.raises(EvaluationError, match="unknown label set '5'; allowed are corpus, 4, 6"):
        choose_labelling("5", [])


def test_single_emotion_is_one_clear_error() -> None:
    with pytest.raises(EvaluationError, match="fewer than two"):
        choose_labelling("corpus", [answer("anger").utterance])
