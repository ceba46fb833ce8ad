"""The manifest keeps what it is given and names file and line of what it refuses."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from serenade.corpora.manifest import Utterance, read_manifest, write_manifest
from serenade.errors import ManifestError

if TYPE_CHECKING:
    from pathlib import Path

FULL = Utterance(
    id="RAVDESS/a",
    path="",
    emotion="anger",
    speaker="07",
    corpus="RAVDESS",
    start_seconds=0.5,
    stop_seconds=2.0,
    sex="male",
    language="en",
    intensity="strong",
    statement="01",
    split="train",
    age=33,
)


def _line(**changes: object) -> str:
    values = {"id": "a", "path": "a.wav", "emotion": "anger", "corpus": "x"} | changes
    return json.dumps({key: value for key, value in values.items() if value is not ...})


def test_written_manifest_reads_back_equal(tmp_path: Path) -> None:
    below = replace(FULL, path=str(tmp_path / "clips" / "ä 😀\n.wav"))
    outside = Utterance("b", str(tmp_path.parent / "b.wav"), "my_mood", None, "mine")
    write_manifest(tmp_path / "m.jsonl", [below, outside])
    assert read_manifest(tmp_path / "m.jsonl") == [below, outside]


def test_paths_below_the_manifest_are_written_relative_and_others_absolute(tmp_path: Path) -> None:
    below = replace(FULL, path=str(tmp_path / "clips" / "a.wav"))
    outside = replace(FULL, id="b", path=str(tmp_path.parent / "b.wav"))
    write_manifest(tmp_path / "m.jsonl", [below, outside])
    lines = (tmp_path / "m.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["path"] for line in lines] == [
        "clips/a.wav",
        str(tmp_path.parent / "b.wav"),
    ]


def test_links_are_kept_and_file_names_may_be_any_bytes(tmp_path: Path) -> None:
    (tmp_path / "elsewhere.wav").touch()
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "link.wav").symlink_to(tmp_path / "elsewhere.wav")
    link = replace(FULL, path=str(tmp_path / "data" / "link.wav"))
    odd = replace(FULL, id="b", path=str(tmp_path / os.fsdecode(b"\xff.wav")))
    write_manifest(tmp_path / "data" / "m.jsonl", [link, odd])
    assert '"path": "link.wav"' in (tmp_path / "data" / "m.jsonl").read_text(encoding="utf-8")
    assert read_manifest(tmp_path / "data" / "m.jsonl") == [link, odd]


def test_folder_with_manifest_and_audio_can_be_moved(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    write_manifest(tmp_path / "old" / "m.jsonl", [replace(FULL, path=str(tmp_path / "old/a.wav"))])
    (tmp_path / "old").rename(tmp_path / "new")
    assert read_manifest(tmp_path / "new" / "m.jsonl")[0].path == str(tmp_path / "new" / "a.wav")


def test_failed_write_keeps_the_old_manifest_and_leaves_nothing_behind(tmp_path: Path) -> None:
    target = tmp_path / "m.jsonl"
    target.mkdir()
    with pytest.raises(ManifestError, match="cannot be written"):
        write_manifest(target, [replace(FULL, path="a.wav")])
    assert list(tmp_path.iterdir()) == [target]


def test_manifest_can_not_be_written_to_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="cannot be written"):
        write_manifest(tmp_path / "absent" / "m.jsonl", [replace(FULL, path="a.wav")])


def test_emotion_aliases_become_canonical(tmp_path: Path) -> None:
    (tmp_path / "m.jsonl").write_text(_line(emotion="Pleasant Surprise"))
    assert read_manifest(tmp_path / "m.jsonl")[0].emotion == "surprise"


def test_speaker_key_is_unique_across_corpora() -> None:
    assert FULL.speaker_key == "RAVDESS/07"
    assert replace(FULL, speaker=None).speaker_key is None


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "line 2: not JSON"),
        ("[1]", "line 2: holds list where an object"),
        (_line(mood="x"), "line 2: unknown key 'mood'; allowed are id, path"),
        (_line(path=...), "line 2: key 'path' is missing"),
        (_line(path=""), "line 2: path must be a text"),
        (_line(speaker=7), "line 2: speaker must be a text"),
        (_line(sex="f"), "line 2: sex 'f' must be female, male"),
        (_line(emotion="?!"), "line 2: emotion '\\?!' is not a word"),
        (_line(start_seconds=-1), "line 2: start_seconds must be finite and not negative"),
        (_line(start_seconds=float("nan")), "line 2: start_seconds must be finite"),
        (_line(stop_seconds=10**400), "line 2: stop_seconds must be finite"),
        ('{"start_seconds": ' + "1" * 5000 + "}", "line 2: holds a number that is too long"),
        ("[" * 100_000, "line 2: holds a number that is too long or brackets"),
        (_line(path="a\0b"), "line 2: path holds a NUL character"),
        (_line(start_seconds=2, stop_seconds=1), "line 2: stop_seconds 1.0 must lie after"),
        (_line(stop_seconds="1"), "line 2: stop_seconds must be a number"),
        (_line(split="dev"), "line 2: split 'dev' must be train, validation, test or null"),
        (_line(language="english"), "line 2: language 'english' must be an ISO 639 code"),
        (_line(corpus="c\ud800"), "line 2: corpus .* holds half a character"),
        (_line(age=-3), "line 2: age must be whole years"),
        (_line(id="first"), "line 2: id 'first' was already used in line 1"),
    ],
)
def test_bad_line_is_one_clear_error_with_file_and_line(
    tmp_path: Path, line: str, message: str
) -> None:
    path = tmp_path / "m.jsonl"
    path.write_text(f"{_line(id='first')}\n{line}\n")
    with pytest.raises(ManifestError, match=f"m.jsonl, {message}"):
        read_manifest(path)


def test_missing_empty_and_binary_manifests_are_clear_errors(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="cannot be read"):
        read_manifest(tmp_path / "absent.jsonl")
    (tmp_path / "empty.jsonl").write_text("\n\n")
    with pytest.raises(ManifestError, match="holds no utterance"):
        read_manifest(tmp_path / "empty.jsonl")
    (tmp_path / "binary.jsonl").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ManifestError, match="not UTF-8"):
        read_manifest(tmp_path / "binary.jsonl")
