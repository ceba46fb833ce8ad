"""Harmonisation follows its data file, and no emotion vanishes unseen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from serenade.corpora.labels import harmonise, label_map_for
from serenade.corpora.manifest import Utterance
from serenade.corpora.registry import CORPORA, corpus
from serenade.emotions import LABEL_SETS
from serenade.errors import LabelError

if TYPE_CHECKING:
    from pathlib import Path


def _utterances(*emotions: str) -> list[Utterance]:
    return [Utterance(f"x/{e}", f"{e}.wav", e, "s", "x") for e in emotions]


@pytest.mark.parametrize("name", LABEL_SETS)
def test_every_label_of_every_corpus_finds_its_place(name: str) -> None:
    emotions = {label for known in CORPORA for label in corpus(known).card.labels}
    kept, label_map, n_dropped = harmonise(_utterances(*sorted(emotions)), name)
    assert {utterance.emotion for utterance in kept} == set(LABEL_SETS[name])
    assert len(kept) + n_dropped == len(emotions)
    assert label_map.name.startswith(f"{name} classes")


def test_calm_becomes_neutral_only_where_the_set_has_no_calm() -> None:
    emotions = _utterances("calm", "excitement", "boredom")
    for name, expected in {
        "4": ["neutral", "happiness"],
        "7": ["neutral", "happiness"],
        "8": ["calm", "happiness"],
        "9": ["calm", "happiness", "boredom"],
    }.items():
        kept, _, n_dropped = harmonise(emotions, name)
        assert [utterance.emotion for utterance in kept] == expected
        assert n_dropped == 3 - len(expected)


def test_only_the_emotion_changes() -> None:
    kept, _, _ = harmonise(_utterances("calm"), "7")
    assert kept == [Utterance("x/calm", "calm.wav", "neutral", "s", "x")]


def test_emotion_that_the_map_does_not_name_is_an_error() -> None:
    with pytest.raises(LabelError, match=r"x/awe: .* says nothing about 'awe'"):
        harmonise(_utterances("awe"), "7")


def test_own_map_file_takes_the_place_of_the_usual_one(tmp_path: Path) -> None:
    maps = tmp_path / "maps.toml"
    maps.write_text('[4]\nname = "mine"\nrenamed = { awe = "happiness" }\ndropped = ["fear"]\n')
    kept, label_map, n_dropped = harmonise(_utterances("awe", "fear", "anger"), "4", maps=maps)
    assert [utterance.emotion for utterance in kept] == ["happiness", "anger"]
    assert (label_map.name, n_dropped) == ("mine", 1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[7]\n", r"holds no table \[4\]"),
        ("not toml", "cannot be read as a TOML"),
        ('[4]\nname = "x"\n', "exactly the keys name, renamed, dropped"),
        ('[4]\nname = "x"\nrenamed = { a = "awe" }\ndropped = []\n', "renames to 'awe'"),
        ("[4]\nname = 1\nrenamed = {}\ndropped = []\n", "name must be text, got 1"),
        ('[4]\nname = "x"\nrenamed = 1\ndropped = []\n', "renamed must be a table of emotions"),
        ('[4]\nname = "x"\nrenamed = { a = 3 }\ndropped = []\n', "renamed must be a table"),
        ('[4]\nname = "x"\nrenamed = {}\ndropped = "abc"\n', "dropped must be an array"),
        ('[4]\nname = "x"\nrenamed = {}\ndropped = [["a"]]\n', "dropped must be an array"),
        ('[4]\nname = "x"\nrenamed = {}\ndropped = ["anger"]\n', "drops 'anger', which it also"),
    ],
)
def test_unsound_map_file_is_one_clear_error(tmp_path: Path, text: str, message: str) -> None:
    maps = tmp_path / "maps.toml"
    maps.write_text(text)
    with pytest.raises(LabelError, match=message):
        label_map_for("4", maps=maps)


def test_unknown_label_set_is_one_clear_error() -> None:
    with pytest.raises(LabelError, match="unknown label set '5'; known are 4, 6, 7, 8, 9"):
        harmonise([], "5")
