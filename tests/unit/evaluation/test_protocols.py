from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from serenade.corpora.manifest import Utterance
from serenade.errors import SplitError
from serenade.evaluation import fold_results
from serenade.evaluation.protocols import PROTOCOLS, make_folds


@pytest.mark.parametrize("protocol", ["speaker-kfold", "loso", "cross-corpus", "leave-corpus-out"])
def test_honest_protocols_share_no_speaker(protocol: str, utterances: list[Utterance]) -> None:
    made = make_folds(protocol, utterances, n_folds=3)
    assert all(fold.leaks == () for fold in made.folds)
    assert made.notes == ()
    for fold in made.folds:
        assert not {u.speaker_key for u in fold.train} & {u.speaker_key for u in fold.test}


def test_every_clip_is_tested_once_by_speaker_folds(utterances: list[Utterance]) -> None:
    made = make_folds("speaker-kfold", utterances, n_folds=4, seed=1)
    tested = [u.id for fold in made.folds for u in fold.test]
    assert sorted(tested) == sorted(u.id for u in utterances)


def test_random_folds_say_that_they_leak(utterances: list[Utterance]) -> None:
    made = make_folds("random", utterances, n_folds=5)
    assert all("speakers are in both parts" in fold.leaks[0] for fold in made.folds)
    assert "5 of 5 folds of protocol random leak" in made.notes[0]


def test_folder_split_with_one_shared_speaker_is_caught(utterances: list[Utterance]) -> None:
    parts = [replace(u, split="test" if u.speaker in ("0", "6") else "train") for u in utterances]
    assert make_folds("folder", parts).fold("folder").leaks == ()
    parts[0] = replace(parts[0], split="train")
    made = make_folds("folder", parts)
    assert made.folds[0].leaks == ("1 speakers are in both parts (ONE/0)",)
    assert "leak" in made.notes[0]


def test_folder_split_without_parts_is_one_clear_error(utterances: list[Utterance]) -> None:
    with pytest.raises(SplitError, match='needs utterances with split "train"'):
        make_folds("folder", utterances)


def test_identical_audio_in_both_parts_is_caught(utterances: list[Utterance]) -> None:
    made = make_folds(
        "loso", utterances, audio_digest=lambda u: "same" if u.id.endswith("_0") else u.id
    )
    assert any("recordings are in both parts" in leak for f in made.folds for leak in f.leaks)


def test_all_pairs_of_corpora_in_both_directions(utterances: list[Utterance]) -> None:
    made = make_folds("cross-corpus", utterances)
    assert [fold.name for fold in made.folds] == ["ONE to TWO", "TWO to ONE"]


def test_one_corpus_cannot_be_crossed(utterances: list[Utterance]) -> None:
    with pytest.raises(SplitError, match="needs two or more corpora, the manifest has ONE"):
        make_folds("cross-corpus", [u for u in utterances if u.corpus == "ONE"])


def test_a_language_is_left_out_with_all_its_corpora(utterances: list[Utterance]) -> None:
    three = [replace(u, corpus="THREE", id=f"THREE/{u.id}") for u in utterances]
    spoken = [replace(u, language="de" if u.corpus == "TWO" else "en") for u in utterances + three]
    made = make_folds("leave-language-out", spoken)
    assert [fold.name for fold in made.folds] == ["without de", "without en"]
    german, english = made.folds
    assert {u.corpus for u in german.test} == {"TWO"} == {u.corpus for u in english.train}
    assert {u.corpus for u in english.test} == {"ONE", "THREE"} == {u.corpus for u in german.train}
    assert made.notes == ()
    assert fold_results.tested_corpora(made, english) == ("ONE", "THREE")


def test_languages_must_be_known_and_several(utterances: list[Utterance]) -> None:
    spoken = [replace(u, language="en") for u in utterances]
    with pytest.raises(SplitError, match="needs two or more languages, the manifest has en"):
        make_folds("leave-language-out", spoken)
    spoken[3] = replace(spoken[3], language=None)
    with pytest.raises(SplitError, match=f"language of every utterance, {spoken[3].id} has none"):
        make_folds("leave-language-out", spoken)


def write_csv(path: Path, rows: list[str]) -> Path:
    path.write_text("\n".join(["corpus,fold,part,file", *rows]) + "\n")
    return path


def test_published_csv_skips_and_counts_names_that_are_not_at_hand(
    utterances: list[Utterance], tmp_path: Path
) -> None:
    rows = [f"one,1,test,{Path(u.path).stem}" for u in utterances if u.speaker == "0"]
    folds = write_csv(tmp_path / "folds.csv", [*rows, "one,1,test,sealed_1", "three,1,test,x"])
    made = make_folds("emobox", utterances, folds_path=folds)
    fold = made.fold("one 1")
    assert (len(fold.test), len(fold.train), fold.missing, fold.leaks) == (20, 100, 1, ())
    assert made.notes == ("fold one 1 names 1 clips that are not at hand: skipped",)


def test_published_fold_that_shares_speakers_knows_it(
    utterances: list[Utterance], tmp_path: Path
) -> None:
    rows = [f"one,1,test,{Path(u.path).stem}" for u in utterances[:120:2]]
    made = make_folds("emobox", utterances, folds_path=write_csv(tmp_path / "f.csv", rows))
    assert "6 speakers are in both parts" in made.folds[0].leaks[0]


def test_fold_whose_test_clips_are_all_absent_is_left_out_with_a_note(
    utterances: list[Utterance], tmp_path: Path
) -> None:
    rows = ["one,1,test,sealed_1", f"one,2,test,{Path(utterances[0].path).stem}"]
    made = make_folds("emobox", utterances, folds_path=write_csv(tmp_path / "f.csv", rows))
    assert [fold.name for fold in made.folds] == ["one 2"]
    assert "fold one 1 is left out" in made.notes[0]


def test_folds_whose_test_clips_are_all_absent_are_one_clear_error(
    utterances: list[Utterance], tmp_path: Path
) -> None:
    path = write_csv(tmp_path / "f.csv", ["one,1,test,sealed_1"])
    with pytest.raises(SplitError, match="leaves nothing to judge: fold one 1 is left out: none"):
        make_folds("emobox", utterances, folds_path=path)


def test_emo_superb_development_part_is_for_validation(
    utterances: list[Utterance], tmp_path: Path
) -> None:
    clips = [replace(u, corpus="CREMA-D") for u in utterances if u.corpus == "ONE"]
    part = {"0": "test", "1": "development"}
    lines = [f"1,{part.get(str(u.speaker), 'train')},{Path(u.path).stem}" for u in clips]
    path = tmp_path / "superb.csv"
    path.write_text("\n".join(["fold,part,file", *lines]) + "\n")
    fold = make_folds("emo-superb", clips, folds_path=path).folds[0]
    assert (len(fold.train), len(fold.validation), len(fold.test)) == (80, 20, 20)


def test_emobox_own_layout(utterances: list[Utterance], tmp_path: Path) -> None:
    folder = tmp_path / "one" / "fold_1"
    folder.mkdir(parents=True)
    ones = [u for u in utterances if u.corpus == "ONE"]
    for part, speakers in (("train", "12345"), ("test", "0")):
        lines = [
            json.dumps({"key": f"one-{Path(u.path).stem}", "wav": f"downloads/{u.path}"})
            for u in ones
            if str(u.speaker) in speakers
        ]
        (folder / f"one_{part}_fold_1.jsonl").write_text("\n".join(lines) + "\n")
    fold = make_folds("emobox", utterances, folds_path=tmp_path).folds[0]
    assert (len(fold.train), len(fold.test), fold.missing) == (100, 20, 0)


def test_emobox_file_that_is_not_text_is_one_clear_error(
    utterances: list[Utterance], tmp_path: Path
) -> None:
    path = tmp_path / "one_test_fold_1.jsonl"
    path.write_bytes(b'{"wav": "caf\xe9.wav"}\n')
    with pytest.raises(SplitError, match="not UTF-8 text; EmoBox's folds are JSONL files"):
        make_folds("emobox", utterances, folds_path=tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a,b\n1,2\n", "fold, part and file are needed"),
        ("fold,part,file\n1,probe,x\n", "unknown part 'probe'"),
        ("fold,part,file\n", "holds no folds"),
        ("fold,part,file\n1,test,x\n1,test\n", "line 3: has no file; fold, part and file"),
        (f"fold,part,file\n1,test,{'x' * 200_000}\n", "not a CSV file of folds .field larger"),
    ],
)
def test_wrong_fold_file_is_one_clear_error(
    content: str, message: str, utterances: list[Utterance], tmp_path: Path
) -> None:
    path = tmp_path / "folds.csv"
    path.write_text(content)
    with pytest.raises(SplitError, match=message):
        make_folds("emobox", utterances, folds_path=path)


def test_folds_of_other_corpora_are_one_clear_error(
    utterances: list[Utterance], tmp_path: Path
) -> None:
    path = write_csv(tmp_path / "folds.csv", ["ravdess,1,test,x"])
    with pytest.raises(SplitError, match="of which the manifest has no clips"):
        make_folds("emobox", utterances, folds_path=path)


def test_unknown_protocol_and_missing_path_are_clear_errors(utterances: list[Utterance]) -> None:
    with pytest.raises(SplitError, match="unknown protocol 'kfold'; allowed are speaker-kfold"):
        make_folds("kfold", utterances)
    with pytest.raises(SplitError, match="needs its published folds"):
        make_folds("emobox", utterances)


def test_unknown_fold_is_one_clear_error(utterances: list[Utterance]) -> None:
    with pytest.raises(SplitError, match="has no fold 'x'; it has 'fold 1'"):
        make_folds("random", utterances).fold("x")


def test_every_protocol_says_what_it_does() -> None:
    assert all(PROTOCOLS.values())


@pytest.mark.real
def test_published_folds_leak_where_their_readme_says_so(
    shared_data: Path, shared_folds: Path
) -> None:
    utterances = read_shared_manifest(shared_data)
    made = make_folds("emobox", utterances, folds_path=shared_folds / "emobox.csv")
    leaking = {fold.name.split()[0] for fold in made.folds if fold.leaks}
    clean = {fold.name.split()[0] for fold in made.folds if not fold.leaks}
    assert leaking == {"cremad", "emodb"}
    assert clean == {"ravdess", "savee"}
    assert any("skipped" in note for note in made.notes)
    assert any("fold tess 1 is left out" in note for note in made.notes)  # all of it is sealed
    superb = make_folds("emo-superb", utterances, folds_path=shared_folds / "cremad_emo_superb.csv")
    assert len(superb.folds) == 5
    assert all(not fold.leaks and fold.validation for fold in superb.folds)
    own = make_folds("emobox", utterances, folds_path=shared_folds / "emobox-format")
    by_csv = made.fold("ravdess 1")
    assert [fold.name for fold in own.folds] == ["ravdess 1"]
    assert {u.id for u in own.folds[0].test} == {u.id for u in by_csv.test}
    assert {u.id for u in own.folds[0].train} == {u.id for u in by_csv.train}


def read_shared_manifest(shared_data: Path) -> list[Utterance]:
    lines = (shared_data / "manifest.csv").read_text(encoding="utf-8").splitlines()[1:]
    rows = [line.split(",") for line in lines]
    return [
        Utterance(id=row[1], path=row[1], emotion=row[5], speaker=row[2], corpus=row[0])
        for row in rows
    ]
