from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from serenade.corpora.manifest import Utterance
from serenade.errors import AudioError, EvaluationError
from serenade.evaluation.clips import utterance_waveform
from serenade.evaluation.judge import judge

Fake = Any


def test_every_utterance_is_an_answer_or_a_failure_with_its_reason(
    fake_recognizer: Fake, utterances: list[Utterance]
) -> None:
    broken = frozenset({"anger_3_1", "sadness_7_0"})
    result = judge(fake_recognizer(broken=broken), utterances)
    assert len(result.answers) + len(result.failures) == len(utterances)
    assert {failure.id for failure in result.failures} == {"ONE/anger_3_1", "TWO/sadness_7_0"}
    assert result.failures[0].kind == "AudioError"
    assert "cannot be decoded" in result.failures[0].message
    expected = [u.id for u in utterances if Path(u.path).stem not in broken]
    assert [answer.utterance.id for answer in result.answers] == expected


def test_killed_run_goes_on_where_it_stopped(
    fake_recognizer: Fake, utterances: list[Utterance], tmp_path: Path
) -> None:
    file = tmp_path / "predictions.jsonl"
    with pytest.raises(KeyboardInterrupt):
        judge(fake_recognizer(stop_after=50), utterances, predictions_file=file)
    second = fake_recognizer()
    resumed = judge(second, utterances, predictions_file=file)
    assert len(second.judged) == len(utterances) - 50
    whole = judge(fake_recognizer(), utterances)
    assert [a.probabilities for a in resumed.answers] == [a.probabilities for a in whole.answers]


def test_half_a_line_left_by_a_kill_is_judged_again(
    fake_recognizer: Fake, utterances: list[Utterance], tmp_path: Path
) -> None:
    file = tmp_path / "predictions.jsonl"
    judge(fake_recognizer(), utterances, predictions_file=file)
    content = file.read_bytes()
    file.write_bytes(content[:-20])
    second = fake_recognizer()
    judge(second, utterances, predictions_file=file)
    assert len(second.judged) == 1
    assert len([json.loads(line) for line in file.read_text().splitlines()]) == len(utterances)


def test_failures_are_tried_again(
    fake_recognizer: Fake, utterances: list[Utterance], tmp_path: Path
) -> None:
    file = tmp_path / "predictions.jsonl"
    judge(fake_recognizer(broken=frozenset({"anger_3_1"})), utterances, predictions_file=file)
    second = fake_recognizer()
    assert judge(second, utterances, predictions_file=file).failures == ()
    assert second.judged == ["anger_3_1"]


def test_clip_that_moved_is_judged_again(
    fake_recognizer: Fake, utterances: list[Utterance], tmp_path: Path
) -> None:
    file = tmp_path / "predictions.jsonl"
    judge(fake_recognizer(), utterances[:1], predictions_file=file)
    moved = Utterance(
        id=utterances[0].id, path="other.wav", emotion="anger", speaker="1", corpus="ONE"
    )
    second = fake_recognizer()
    judge(second, [moved], predictions_file=file)
    assert second.judged == ["other"]


def test_predictions_of_another_model_are_refused(
    fake_recognizer: Fake, utterances: list[Utterance], tmp_path: Path
) -> None:
    file = tmp_path / "predictions.jsonl"
    judge(fake_recognizer(), utterances[:2], predictions_file=file)
    with pytest.raises(EvaluationError, match=r"holds predictions of fake-1\.0, not of fake-2\.0"):
        judge(fake_recognizer(model_id="fake-2.0"), utterances[:2], predictions_file=file)


def test_predictions_of_other_weights_of_the_same_name_are_refused(
    fake_recognizer: Fake, utterances: list[Utterance], tmp_path: Path
) -> None:
    file = tmp_path / "predictions.jsonl"
    first = utterances[:2]
    judge(fake_recognizer(), first, predictions_file=file, model_checksum="aa")
    judge(fake_recognizer(), first, predictions_file=file, model_checksum="aa")
    with pytest.raises(EvaluationError, match=r"fake-1\.0 with other weights"):
        judge(fake_recognizer(), first, predictions_file=file, model_checksum="bb")


def test_foreign_file_is_one_clear_error(
    fake_recognizer: Fake, utterances: list[Utterance], tmp_path: Path
) -> None:
    file = tmp_path / "predictions.jsonl"
    file.write_text("[1, 2]\n")
    with pytest.raises(EvaluationError, match="line 1: not a line that serenade evaluate wrote"):
        judge(fake_recognizer(), utterances, predictions_file=file)


@pytest.mark.parametrize("content", [b"RIFF no line end", b"\xff\xfe\n", b"[" * 50_000 + b"\n"])
def test_foreign_file_is_left_as_it_is(
    content: bytes, fake_recognizer: Fake, utterances: list[Utterance], tmp_path: Path
) -> None:
    file = tmp_path / "foreign"
    file.write_bytes(content)
    with pytest.raises(EvaluationError, match="line 1: not a line that serenade evaluate wrote"):
        judge(fake_recognizer(), utterances, predictions_file=file)
    assert file.read_bytes() == content


@pytest.mark.parametrize("place", [".", "a file/predictions.jsonl"])
def test_place_where_no_predictions_can_be_kept_is_one_clear_error(
    place: str, fake_recognizer: Fake, utterances: list[Utterance], tmp_path: Path
) -> None:
    (tmp_path / "a file").write_text("")
    with pytest.raises(EvaluationError, match="the predictions cannot be kept there"):
        judge(fake_recognizer(), utterances, predictions_file=tmp_path / place)


@pytest.mark.parametrize("name", ["caf\udce9", "line\u2028separator"])
def test_any_file_name_is_kept_and_not_judged_again(
    name: str, fake_recognizer: Fake, tmp_path: Path
) -> None:
    file = tmp_path / "predictions.jsonl"
    clip = Utterance(name, f"{name}.wav", "anger", "1", "ONE")
    prediction = fake_recognizer().predict("anger_1_0.wav")  # it takes no name that is not text
    first, second = fake_recognizer(), fake_recognizer()
    for fake in (first, second):
        fake.predict = lambda _, prediction=prediction: prediction
        judge(fake, [clip], predictions_file=file)
    assert (len(first.judged), second.judged) == (1, [])


def test_empty_manifest_is_one_clear_error(fake_recognizer: Fake) -> None:
    with pytest.raises(EvaluationError, match="no utterance to evaluate"):
        judge(fake_recognizer(), [])


def test_part_of_a_file_is_cut_to_the_sample(tmp_path: Path) -> None:
    ramp = np.linspace(-0.5, 0.5, 16000, dtype=np.float32)
    soundfile.write(tmp_path / "long.wav", ramp, 16000, subtype="FLOAT")
    part = Utterance(
        id="a",
        path="long.wav",
        emotion="anger",
        speaker=None,
        corpus="c",
        start_seconds=0.25,
        stop_seconds=0.5,
    )
    waveform = utterance_waveform(part, tmp_path)
    np.testing.assert_array_equal(waveform.samples, ramp[4000:8000])


def test_part_beyond_the_end_is_a_failure_not_silence(
    fake_recognizer: Fake, tmp_path: Path
) -> None:
    soundfile.write(tmp_path / "short.wav", np.full(8000, 0.1), 16000)
    part = Utterance(
        id="a", path="short.wav", emotion="anger", speaker=None, corpus="c", start_seconds=3.0
    )
    with pytest.raises(AudioError, match=r"there is nothing from 3\.0 s on"):
        utterance_waveform(part, tmp_path)
    result = judge(fake_recognizer(), [part], root=tmp_path)
    assert [failure.kind for failure in result.failures] == ["AudioError"]
