"""Plain folders, tables and collections of corpora say what their names say, and no more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from serenade.corpora.collection import scan_collection
from serenade.corpora.parsers.folder import scan_folder
from serenade.corpora.parsers.table import scan_table
from serenade.errors import ManifestError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from serenade.corpora.corpus import ScanResult


def _touch(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def _emotions(result: ScanResult, root: Path) -> dict[str, str]:
    return {u.id.removeprefix(f"{root.name}/"): u.emotion for u in result.utterances}


def test_emotion_folders_are_read_and_other_files_reported(tmp_path: Path) -> None:
    root = _touch(
        tmp_path / "mine",
        "Angry/1.WAV",
        "happy/deep/er/2.opus",
        "My Mood/3.mp3",
        "loose.wav",
        "01Sad/4.wav",
        "Angry/notes.txt",
        "Angry/._1.wav",
    )
    result = scan_folder(root)
    assert _emotions(result, root) == {
        "Angry/1.WAV": "anger",
        "happy/deep/er/2.opus": "happiness",
        "My Mood/3.mp3": "my_mood",
    }
    assert {drop.path for drop in result.dropped} == {
        str(root / "loose.wav"),
        str(root / "01Sad/4.wav"),
    }
    assert {utterance.speaker for utterance in result.utterances} == {None}
    assert {utterance.corpus for utterance in result.utterances} == {"mine"}


def test_train_and_test_folders_set_the_split(tmp_path: Path) -> None:
    root = _touch(tmp_path, "Train/fear/a.wav", "test/fear/a.wav", "dev/sad/b.wav", "calm/c.wav")
    splits = {u.id.partition("/")[2]: u.split for u in scan_folder(root, corpus="x").utterances}
    assert splits == {
        "Train/fear/a.wav": "train",
        "test/fear/a.wav": "test",
        "dev/sad/b.wav": "validation",
        "calm/c.wav": None,
    }


def test_patterns_find_speaker_and_emotion_in_names(tmp_path: Path) -> None:
    root = _touch(tmp_path, "train/anna-angry-1.wav", "test/ben-sad-2.wav", "test/odd.wav")
    result = scan_folder(
        root, corpus="x", emotion_pattern="-([a-z]+)-", speaker_pattern=r"([^/]+)-[a-z]+-\d"
    )
    assert [(u.speaker, u.emotion, u.split) for u in result.utterances] == [
        ("ben", "sadness", "test"),
        ("anna", "anger", "train"),
    ]
    assert [drop.reason for drop in result.dropped] == ["'-([a-z]+)-' finds no emotion"]


def test_clip_without_a_speaker_is_dropped_when_speakers_are_asked_for(tmp_path: Path) -> None:
    root = _touch(tmp_path, "sad/anna_1.wav", "sad/1.wav")
    result = scan_folder(root, speaker_pattern="([a-z]+)_")
    assert [utterance.speaker for utterance in result.utterances] == ["anna"]
    assert "finds no speaker" in result.dropped[0].reason


@pytest.mark.parametrize(
    ("pattern", "message"), [("(", "not a regular expression"), ("a+", r"needs \(\.\.\.\) round")]
)
def test_bad_pattern_is_one_clear_error(tmp_path: Path, pattern: str, message: str) -> None:
    with pytest.raises(UsageError, match=f"speaker pattern .* {message}"):
        scan_folder(tmp_path, speaker_pattern=pattern)


def test_folder_without_clips_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="holds no labelled clip; expected <emotion>"):
        scan_folder(_touch(tmp_path, "notes.txt"))
    with pytest.raises(ManifestError, match=r"loose.wav: its folder names no emotion"):
        scan_folder(_touch(tmp_path, "loose.wav"))


def test_a_pattern_that_never_matches_is_told_as_the_reason(tmp_path: Path) -> None:
    root = _touch(tmp_path, "sad/1.wav")
    with pytest.raises(ManifestError, match=r"'\(zzz\)' finds no speaker"):
        scan_folder(root, speaker_pattern="(zzz)")
    with pytest.raises(ManifestError, match="finds no speaker"):  # a group that is empty
        scan_folder(root, speaker_pattern=r"([a-z]*)\d")


def test_a_language_that_is_no_code_is_told_as_the_reason(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="language 'english' must be an ISO 639 code"):
        scan_folder(_touch(tmp_path, "sad/1.wav"), language="english")


def _table(tmp_path: Path, text: str, name: str = "clips.csv") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_table_is_read_whatever_divides_its_cells(tmp_path: Path, mark: str) -> None:
    rows = ["Path,Emotion,Speaker,Gender,Age,note", "a.wav,Angry,anna,F,26.0,x", "/b.wav,sad,,,,"]
    table = _table(tmp_path, "\ufeff" + "\n".join(rows).replace(",", mark))
    first, second = scan_table(table, language="en").utterances
    assert (first.path, first.emotion, first.speaker) == (str(tmp_path / "a.wav"), "anger", "anna")
    assert (first.sex, first.age, first.language) == ("female", 26, "en")
    assert (first.id, first.corpus) == ("clips/a.wav", "clips")
    assert (second.path, second.speaker, second.sex, second.age) == ("/b.wav", None, None, None)


def test_audformat_table_gives_parts_of_files(tmp_path: Path) -> None:
    table = _table(
        tmp_path,
        "file,start,end,emotion,speaker\n"
        "audio/1.wav,0 days 00:00:00,0 days 00:00:01.500000,happiness,3\n"
        "audio/1.wav,0 days 00:01:01.5,NaT,anger,4\n"
        "audio/1.wav,2.25,3,fear,4\n",
    )
    parts = [
        (u.start_seconds, u.stop_seconds, u.emotion, u.speaker)
        for u in scan_table(table).utterances
    ]
    assert parts == [
        (0.0, 1.5, "happiness", "3"),
        (61.5, None, "anger", "4"),
        (2.25, 3.0, "fear", "4"),
    ]


def test_quoted_cells_may_hold_the_divider(tmp_path: Path) -> None:
    table = _table(tmp_path, 'path,emotion\n"a, b.wav",sad\n')
    assert scan_table(table).utterances[0].path == str(tmp_path / "a, b.wav")


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (",anger,,", "path or emotion is empty"),
        ("a.wav,,,", "path or emotion is empty"),
        ("a.wav,?!,,", "not a word"),
        ("a.wav,anger,-1,", "must be finite and not negative"),
        ("a.wav,anger,soon,", "neither seconds nor"),
        ("a.wav,anger,2,1", "must lie after start_seconds"),
        ("a.wav,anger,0,2000000000", "at most 1,000,000,000"),
        ("a\0.wav,anger,,", "holds a NUL character"),
        ("good.wav,fear,,", "was used before"),
    ],
)
def test_bad_row_is_dropped_with_line_and_reason(tmp_path: Path, row: str, reason: str) -> None:
    table = _table(tmp_path, f"path,emotion,start,end\ngood.wav,sad,,\n{row}\n")
    result = scan_table(table)
    assert [utterance.id for utterance in result.utterances] == ["clips/good.wav"]
    assert [drop.path for drop in result.dropped] == [f"{table}, line 3"]
    assert reason in result.dropped[0].reason


def test_parts_of_a_split_are_called_as_in_folders(tmp_path: Path) -> None:
    rows = "".join(f"{n}.wav,sad,{name}\n" for n, name in enumerate(["TRAIN", "dev", "Test", "x"]))
    result = scan_table(_table(tmp_path, f"path,emotion,split\n{rows}"))
    assert [utterance.split for utterance in result.utterances] == ["train", "validation", "test"]
    assert "split 'x' must be train, validation, test" in result.dropped[0].reason


@pytest.mark.parametrize("age", ["old", "inf", "-1", "200"])
def test_impossible_age_drops_the_row(tmp_path: Path, age: str) -> None:
    table = _table(tmp_path, f"path,emotion,age\na.wav,sad,20\nb.wav,sad,{age}\n")
    assert "age" in scan_table(table).dropped[0].reason


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("path,mood\na,b\n", "exactly one column called emotion or label"),
        ("path,file,emotion\na,b,c\n", "exactly one column called path or file"),
        ("", "header is empty"),
        ("path,emotion\n", "holds no usable row"),
        ("path,emotion\n\n\n,\n", "holds no usable row; .*, line 4: path or emotion is empty"),
        ('path,emotion\n"a,b\n', "not a CSV or TSV"),
    ],
)
def test_unusable_table_is_one_clear_error(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ManifestError, match=f"clips.csv: .*{message}"):
        scan_table(_table(tmp_path, text))


def test_missing_and_binary_tables_are_clear_errors(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="cannot be read"):
        scan_table(tmp_path / "absent.csv")
    (tmp_path / "b.csv").write_bytes(b"path,emotion\n\xff\xfe,sad\n")
    with pytest.raises(ManifestError, match="not a CSV or TSV file in UTF-8"):
        scan_table(tmp_path / "b.csv")


def test_collection_reads_every_sub_folder_that_is_called_like_a_corpus(tmp_path: Path) -> None:
    _touch(tmp_path, "emodb/03a01Fa.wav", "TESS/OAF_back_angry.wav", "mine/sad/1.wav")
    result = scan_collection(tmp_path)
    assert [utterance.id for utterance in result.utterances] == [
        "TESS/OAF_back_angry",
        "EMO-DB/03a01Fa",
    ]
    assert [(drop.path, drop.reason) for drop in result.dropped] == [
        (str(tmp_path / "mine"), "no corpus is called that")
    ]


def test_bad_collections_are_clear_errors(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="not a folder"):
        scan_collection(tmp_path / "absent")
    with pytest.raises(ManifestError, match="no sub-folder called like a corpus"):
        scan_collection(tmp_path)
    _touch(tmp_path, "emodb/03a01Fa.wav", "EMO-DB/03a01Fa.wav")
    with pytest.raises(ManifestError, match="are both called like EMO-DB"):
        scan_collection(tmp_path)
