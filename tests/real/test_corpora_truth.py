"""The parsers say of every real file what the truth table says, and drop the known defects."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from serenade.corpora.collection import scan_collection
from serenade.corpora.parsers.table import scan_table
from serenade.corpora.registry import corpus
from serenade.corpora.splits import check_disjoint, speaker_folds, speaker_split

pytestmark = pytest.mark.real

CORPORA = ("ASED", "CREMA-D", "EMO-DB", "RAVDESS", "SAVEE", "TESS", "TurEV-DB", "nEMO")

DROPPED = {
    "ASED": {
        "n1-07-02-02-53",
        "h3-01-02-02-08",
        "s4-03-02-01-23",
        "a5-07-02-02-63",
    },
    "CREMA-D": {
        "1076_MTI_SAD_XX",
        "1013_WSI_DIS_XX",
        "1013_WSI_SAD_XX",
        "1017_IWW_ANG_XX",
        "1017_IWW_FEA_XX",
    },
    "RAVDESS": {"03-01-03-01-02-02-07"},
}

INTENSITIES = {"level=LO": "low", "level=MD": "medium", "level=HI": "high"} | {
    "normal": "normal",
    "strong": "strong",
}

QUIRKS = {
    "RAVDESS": {"03-01-05-02-01-01-02": "anger", "03-01-02-01-01-02-01": "calm"},
    "CREMA-D": {"1001_IEO_ANG_HI": "anger"},
    "TESS": {
        "YAF_germ_angry": "anger",
        "YAF_neat_fear": "fear",
        "OAF_food_fear": "fear",
        "OAF_bite_neutral": "neutral",
    },
    "SAVEE": {"DC_a01": "anger"},
    "EMO-DB": {"03a01Fa": "happiness"},
    "nEMO": {"IC0_anger_1": "anger"},
    "TurEV-DB": {"1234_kz_acik": "anger"},
}


@pytest.fixture(scope="module")
def truth(shared_data: Path) -> dict[str, dict[str, str]]:
    """The rows of the truth table by full path."""
    with (shared_data / "manifest.csv").open(encoding="utf-8", newline="") as lines:
        return {str(shared_data / row["path"]): row for row in csv.DictReader(lines)}


@pytest.mark.parametrize("name", CORPORA)
def test_every_file_agrees_with_the_truth(
    name: str, shared_data: Path, truth: dict[str, dict[str, str]]
) -> None:
    result = corpus(name).scan(shared_data / name)
    for utterance in result.utterances:
        row = truth[utterance.path]
        tokens = row["intensity"].split(";")
        assert utterance.corpus == row["corpus"]
        assert utterance.speaker == row["speaker"]
        assert utterance.emotion == row["emotion"]
        assert utterance.language == row["language"]
        assert utterance.sex == (row["sex"] or None)
        assert utterance.intensity == next(
            (INTENSITIES[token] for token in tokens if token in INTENSITIES), None
        )


@pytest.mark.parametrize("name", CORPORA)
def test_exactly_the_known_defects_are_dropped(
    name: str, shared_data: Path, truth: dict[str, dict[str, str]]
) -> None:
    result = corpus(name).scan(shared_data / name)
    assert {Path(drop.path).stem for drop in result.dropped} == DROPPED.get(name, set())
    read = {utterance.path for utterance in result.utterances}
    assert read | {drop.path for drop in result.dropped} == {
        path for path, row in truth.items() if row["corpus"] == name
    }


def test_every_flagged_file_is_dropped(shared_data: Path, truth: dict[str, dict[str, str]]) -> None:
    read = {utterance.path for utterance in scan_collection(shared_data).utterances}
    assert not read & {path for path, row in truth.items() if row["flags"]}


def test_collection_reads_all_corpora_and_names_the_other_folders(shared_data: Path) -> None:
    result = scan_collection(shared_data)
    assert {utterance.corpus for utterance in result.utterances} == set(CORPORA)
    strangers = {Path(drop.path).name for drop in result.dropped if "called" in drop.reason}
    assert strangers == {"noise", "quirks", "rir"}


def test_truth_table_itself_can_be_read_as_a_table(
    shared_data: Path, truth: dict[str, dict[str, str]]
) -> None:
    result = scan_table(shared_data / "manifest.csv")
    assert result.dropped == ()
    assert {utterance.path for utterance in result.utterances} == set(truth)
    assert all(u.emotion == truth[u.path]["emotion"] for u in result.utterances)


@pytest.mark.parametrize("name", QUIRKS)
def test_original_files_with_defects_are_read_by_name(name: str, shared_data: Path) -> None:
    result = corpus(name).scan(shared_data / "quirks")
    assert {u.id.partition("/")[2]: u.emotion for u in result.utterances} == QUIRKS[name]
    assert len(result.utterances) + len(result.dropped) == 12


def test_silent_original_is_dropped(shared_data: Path) -> None:
    dropped = corpus("CREMA-D").scan(shared_data / "quirks").dropped
    assert [drop.reason for drop in dropped if "1076_MTI" in drop.path] == ["digital silence"]


def test_splits_of_the_real_speakers_are_disjoint_and_balanced(shared_data: Path) -> None:
    utterances = scan_collection(shared_data).utterances
    train, validation = speaker_split(utterances, validation_share=0.15, seed=1)
    check_disjoint(train, validation)
    assert {utterance.corpus for utterance in validation} == set(CORPORA)
    actors = {(u.speaker, u.sex) for u in validation if u.corpus == "CREMA-D"}
    women = sum(sex == "female" for _, sex in actors)
    assert len(actors) == 11
    assert abs(women - len(actors) * 33 / 76) <= 1
    for fold_train, fold_test in speaker_folds(utterances, n_folds=5, seed=1):
        check_disjoint(fold_train, fold_test)
        assert 0.1 < len(fold_test) / len(utterances) < 0.35
