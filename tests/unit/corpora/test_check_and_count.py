"""The check finds each kind of problem with its line, and the counts add up."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

from serenade.corpora.manifest import Utterance
from serenade.corpora.statistics import describe
from serenade.corpora.validate import PROBLEM_KINDS, Problem, check_manifest
from serenade.errors import AudioError, ManifestError
from serenade.types import Waveform

if TYPE_CHECKING:
    from pathlib import Path

RATE = 16000


def _noise(seed: int) -> np.ndarray:
    return (0.1 * np.random.default_rng(seed).standard_normal(RATE)).astype(np.float32)


SOUNDS = {
    "a.wav": _noise(1),
    "b.wav": _noise(2),
    "silent.wav": np.zeros(RATE, np.float32),
    "clipped.wav": np.clip(20 * _noise(3), -1, 1),
    "copy_of_a.wav": _noise(1),
}


class _Reader:
    def __init__(self) -> None:
        self.calls: list[str] = []

    def __call__(self, path: Path) -> Waveform:
        self.calls.append(path.name)
        if path.name not in SOUNDS:
            raise AudioError(f"{path.name} is not audio")
        return Waveform(SOUNDS[path.name], RATE)


def _manifest(folder: Path, *lines: dict[str, object] | str) -> Path:
    for name in [*SOUNDS, "broken.wav"]:
        (folder / name).touch()
    usual = {"emotion": "anger", "corpus": "x"}
    texts = [line if isinstance(line, str) else json.dumps(usual | line) for line in lines]
    path = folder / "m.jsonl"
    path.write_text("\n".join(texts))
    return path


def _kinds(problems: list[Problem]) -> list[tuple[int, str]]:
    return [(problem.line, problem.kind) for problem in problems]


def test_sound_manifest_has_no_problems(tmp_path: Path) -> None:
    path = _manifest(tmp_path, {"id": "1", "path": "a.wav"}, {"id": "2", "path": "b.wav"})
    assert check_manifest(path, read_audio=_Reader()) == []


def test_every_kind_of_problem_is_found_on_its_line(tmp_path: Path) -> None:
    path = _manifest(
        tmp_path,
        {"id": "1", "path": "a.wav", "speaker": "anna", "split": "train"},
        "{",
        {"id": "1", "path": "b.wav"},
        {"id": "4", "path": "copy_of_a.wav", "emotion": "fear"},
        {"id": "5", "path": "copy_of_a.wav"},
        {"id": "6", "path": "silent.wav"},
        {"id": "7", "path": "clipped.wav"},
        {"id": "8", "path": "broken.wav"},
        {"id": "9", "path": "absent.wav"},
        {"id": "10", "path": "b.wav", "emotion": "awe", "start_seconds": 0.5},
        {"id": "11", "path": "b.wav", "speaker": "anna", "split": "test", "stop_seconds": 0.5},
        {"id": "12", "path": "b.wav", "start_seconds": 2},
        {"id": "13", "path": "b.wav", "stop_seconds": 0.00002},
    )
    problems = check_manifest(path, read_audio=_Reader())
    assert _kinds(problems) == [
        (2, "bad-line"),
        (3, "duplicate-id"),
        (4, "two-labels"),
        (5, "duplicate-audio"),
        (6, "silent"),
        (7, "clipped"),
        (8, "unreadable-audio"),
        (9, "missing-audio"),
        (10, "unknown-label"),
        (11, "speaker-in-two-splits"),
        (12, "unreadable-audio"),
        (13, "unreadable-audio"),
    ]
    assert {kind for _, kind in _kinds(problems)} == set(PROBLEM_KINDS)
    assert problems[2].message == "the same audio as line 1, labelled fear here, anger there"
    assert "broken.wav is not audio" in problems[6].message
    assert "there is nothing from 2.0 s on" in problems[10].message
    assert "holds no sample; give a later stop" in problems[11].message


def test_equal_speaker_names_of_two_corpora_are_two_speakers(tmp_path: Path) -> None:
    path = _manifest(
        tmp_path,
        {"id": "1", "path": "a.wav", "speaker": "1", "split": "train"},
        {"id": "2", "path": "b.wav", "speaker": "1", "split": "test", "corpus": "y"},
    )
    assert check_manifest(path, read_audio=_Reader()) == []


def test_parts_of_one_file_are_decoded_once_and_judged_apart(tmp_path: Path) -> None:
    reader = _Reader()
    path = _manifest(
        tmp_path,
        {"id": "1", "path": "a.wav", "stop_seconds": 0.5},
        {"id": "2", "path": "a.wav", "start_seconds": 0.5, "emotion": "fear"},
    )
    assert check_manifest(path, read_audio=reader) == []
    assert reader.calls == ["a.wav"]


def test_own_emotions_are_no_surprise_when_named(tmp_path: Path) -> None:
    path = _manifest(tmp_path, {"id": "1", "path": "a.wav", "emotion": "awe"})
    assert check_manifest(path, read_audio=_Reader(), emotions=["awe"]) == []


def test_empty_manifest_cannot_be_checked(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="holds no utterance"):
        check_manifest(_manifest(tmp_path), read_audio=_Reader())


def _utterance(number: int, emotion: str, speaker: str | None, corpus: str = "x") -> Utterance:
    return Utterance(f"{corpus}/{number}", f"{number}.wav", emotion, speaker, corpus, sex="male")


def test_counts_by_corpus_emotion_speaker_and_length() -> None:
    utterances = [
        _utterance(1, "fear", "b"),
        _utterance(2, "neutral", "a"),
        _utterance(3, "awe", "a"),
        _utterance(4, "fear", None),
        _utterance(5, "anger", "a", corpus="w"),
    ]
    w, x = describe(utterances, seconds_of=lambda u: 900.0)
    assert (w.corpus, w.utterances, w.speakers, w.hours) == ("w", 1, 1, 0.25)
    assert (x.utterances, x.speakers, x.hours) == (4, 2, 1.0)
    assert list(x.emotions.items()) == [("neutral", 1), ("fear", 2), ("awe", 1)]
    assert x.per_speaker == {"a": {"neutral": 1, "awe": 1}, "b": {"fear": 1}}
    assert x.sexes == {"male": 4}
    assert x.splits == {"unknown": 4}


def test_lengths_are_not_made_up_when_not_asked_for() -> None:
    assert describe([_utterance(1, "fear", "b")])[0].hours is None
