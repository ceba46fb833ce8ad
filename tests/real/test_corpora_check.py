"""The check finds, by listening, every defect that the parsers know by name."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import pytest

from serenade.audio.decode import decode
from serenade.corpora.manifest import Utterance, write_manifest
from serenade.corpora.validate import check_manifest

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.real

ORIGINALS_OF_DUPLICATES = {
    "ASED/01Neutral/n1-07-01-02-53.opus",
    "ASED/03Happy/h3-01-01-02-08.opus",
    "ASED/04Sad/s4-03-01-01-23.opus",
    "ASED/05Angry/a5-07-01-02-63.opus",
}
KINDS = {"duplicate": "duplicate-audio", "silent": "silent"}


def test_every_flagged_clip_is_found(shared_data: Path, tmp_path: Path) -> None:
    with (shared_data / "manifest.csv").open(encoding="utf-8", newline="") as lines:
        rows = [
            row
            for row in csv.DictReader(lines)
            if row["flags"] or row["path"] in ORIGINALS_OF_DUPLICATES
        ]
    utterances = [
        Utterance(row["path"], str(shared_data / row["path"]), row["emotion"], "s", row["corpus"])
        for row in rows
    ]
    write_manifest(tmp_path / "m.jsonl", utterances)
    problems = check_manifest(tmp_path / "m.jsonl", read_audio=decode)
    found = {rows[problem.line - 1]["path"]: problem.kind for problem in problems}
    assert found == {row["path"]: KINDS[row["flags"]] for row in rows if row["flags"] in KINDS} | {
        "CREMA-D/AudioWAV/1013_WSI_SAD_XX.opus": "two-labels",
        "CREMA-D/AudioWAV/1017_IWW_FEA_XX.opus": "two-labels",
    }


def test_original_files_with_odd_headers_are_no_problem(shared_data: Path, tmp_path: Path) -> None:
    files = sorted((shared_data / "quirks").glob("*.wav"))
    write_manifest(
        tmp_path / "m.jsonl",
        [Utterance(path.stem, str(path), "anger", "s", "quirks") for path in files],
    )
    problems = check_manifest(tmp_path / "m.jsonl", read_audio=decode)
    assert [(files[problem.line - 1].stem, problem.kind) for problem in problems] == [
        ("1076_MTI_SAD_XX", "silent")
    ]
