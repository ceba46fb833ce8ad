"""The output folder: what is kept, what is made again, what is refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from serenade.distributed.folders import open_folder
from serenade.distributed.items import Item, make_plan
from serenade.distributed.results import Results
from serenade.distributed.tables import (
    JsonlTable,
    failure_table,
    feature_table,
    prediction_table,
)
from serenade.errors import AudioError, JobError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PLAN = make_plan([Item(f"{i}.wav") for i in range(5)], shard_size=2)


def _row(i: int) -> dict[str, Any]:
    return {"schema": 1, "path": f"{i}.wav"}


def _failure(i: int) -> dict[str, Any]:
    return {**_row(i), "error": {"kind": "AudioError", "message": "no"}}


def _results(location: object, **made_with: object) -> Results:
    folder = open_folder(str(location), attempts=1)
    table = JsonlTable()
    return Results(folder, PLAN, {"model": "tiny", **made_with}, (), table, table)


def _filled(location: object) -> Results:
    results = _results(location)
    results.open(restart=False)
    results.save(0, [_row(0), _failure(1)])
    results.save(1, [_row(2), _row(3)])
    results.save(2, [_failure(4)])
    results.write_manifest()
    return results


@pytest.fixture(params=["file", "memory"])
def location(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An output folder on this machine, and one in a store."""
    if request.param == "file":
        yield str(tmp_path / "out")
        return
    fsspec = pytest.importorskip("fsspec")
    yield "memory://out"
    store = fsspec.filesystem("memory")
    if store.exists("/out"):
        store.rm("/out", recursive=True)


def test_rows_and_failures_have_tables_of_their_own(tmp_path: Path) -> None:
    _filled(tmp_path)
    names = {path.name for path in tmp_path.iterdir()}
    parts = {f"part-0000{i}.jsonl" for i in range(3)}
    assert names == parts | {"errors-00000.jsonl", "errors-00002.jsonl", "manifest.json"}
    assert (tmp_path / "part-00002.jsonl").read_bytes() == b""
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert (manifest["complete"], manifest["rows"], manifest["failed"]) == (True, 3, 2)
    assert manifest["shards"][1]["part"]["rows"] == 2
    assert manifest["shards"][1]["errors"] is None


def test_a_second_run_finds_everything_done(location: str) -> None:
    _filled(location)
    again = _results(location)
    again.open(restart=False)
    assert again.is_complete
    assert (again.n_done, again.n_failed) == (5, 2)
    assert again.records(0) == [_row(0), _failure(1)]


def test_files_of_a_run_that_died_before_its_manifest_count(tmp_path: Path) -> None:
    first = _results(tmp_path)
    first.open(restart=False)
    first.save(1, [_row(2), _row(3)])  # and then it dies
    again = _results(tmp_path)
    again.open(restart=False)
    assert list(again.finished) == [1]


@pytest.mark.parametrize("damage", ["change", "cut", "remove_errors", "remove_part"])
def test_a_shard_that_was_damaged_is_not_finished(tmp_path: Path, damage: str) -> None:
    _filled(tmp_path)
    part, errors = tmp_path / "part-00000.jsonl", tmp_path / "errors-00000.jsonl"
    match damage:
        case "change":
            part.write_bytes(part.read_bytes().replace(b"0.wav", b"9.wav"))
        case "cut":
            part.write_bytes(part.read_bytes()[:-4])
        case "remove_errors":
            errors.unlink()
        case "remove_part":
            part.unlink()
    again = _results(tmp_path)
    again.open(restart=False)
    assert list(again.finished) == [1, 2]


def test_failures_of_a_shard_that_died_before_its_rows_are_not_left(tmp_path: Path) -> None:
    _results(tmp_path).open(restart=False)
    (tmp_path / "errors-00001.jsonl").write_bytes(JsonlTable().encode([_failure(3)]))
    again = _results(tmp_path)
    again.open(restart=False)
    again.save(1, [_row(2), _row(3)])
    assert not (tmp_path / "errors-00001.jsonl").exists()


@pytest.mark.parametrize(
    ("made_with", "sentence"),
    [
        ({"model": "other"}, "model was 'tiny' and is 'other' now"),
        ({"inputs_sha256": "ab"}, "inputs_sha256 was None and is 'ab' now"),
    ],
)
def test_the_results_of_another_job_are_refused_and_kept(
    location: str, made_with: dict[str, object], sentence: str
) -> None:
    _filled(location)
    with pytest.raises(JobError, match=sentence) as error:
        _results(location, **made_with).open(restart=False)
    assert "--restart to throw away what is there" in str(error.value)
    again = _results(location)
    again.open(restart=False)
    assert again.is_complete


def test_restart_throws_away_our_files_and_no_others(tmp_path: Path) -> None:
    _filled(tmp_path)
    (tmp_path / "notes.txt").write_text("mine")
    results = _results(tmp_path, model="other")
    results.open(restart=True)
    assert {path.name for path in tmp_path.iterdir()} == {"manifest.json", "notes.txt"}
    assert not results.finished


@pytest.mark.parametrize("text", ["no", "{}", '{"made_with": 1, "shards": []}'])
def test_a_foreign_manifest_is_one_clear_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(JobError, match="is not one that serenade batch wrote"):
        _results(tmp_path).open(restart=False)


def test_parts_without_a_manifest_are_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "part-00000.jsonl").write_text("")
    with pytest.raises(JobError, match="and no manifest"):
        _results(tmp_path).open(restart=False)


def test_failures_of_parts_are_told_by_the_names_of_their_items(tmp_path: Path) -> None:
    part = Item("4.wav", 0.5, 1.5)
    results = _results(tmp_path)
    results.open(restart=False)
    results.save(0, [part.failure(AudioError("no")), Item("5.wav").failure(AudioError("no"))])
    assert [record["path"] for record in results.records(0)] == [part.name, "5.wav"]


@pytest.mark.parametrize("name", ["manifest.json", "part-00000.jsonl", "errors-00000.jsonl"])
def test_a_folder_in_the_place_of_a_file_is_one_clear_error(tmp_path: Path, name: str) -> None:
    _filled(tmp_path)
    (tmp_path / name).unlink()
    (tmp_path / name).mkdir()
    with pytest.raises(JobError, match=rf"{name} cannot be read .Is a directory.; move it away"):
        _results(tmp_path).open(restart=False)
    with pytest.raises(JobError, match=f"{name} cannot be deleted .*; move it away"):
        _results(tmp_path).open(restart=True)


def test_an_output_that_vanished_is_one_clear_error(tmp_path: Path) -> None:
    results = _results(tmp_path / "out")
    (tmp_path / "out").rmdir()
    with pytest.raises(JobError, match=r"out cannot be listed .No such file or directory.; move"):
        results.open(restart=False)


def test_a_folder_that_cannot_be_made_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(JobError, match="cannot be made"):
        open_folder(str(tmp_path / "file" / "out"), attempts=1)


def test_a_file_is_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = open_folder(str(tmp_path), attempts=1)
    folder.write("a", b"old")
    monkeypatch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left")))
    with pytest.raises(JobError, match="No space left"):
        folder.write("a", b"new")
    assert folder.read("a") == b"old"


def test_parquet_holds_the_same_rows_as_jsonl() -> None:
    pytest.importorskip("pyarrow")
    prediction = {
        "schema": 1,
        "path": "é.wav",
        "duration_s": 1.5,
        "model": "tiny 1",
        "emotion": "anger",
        "confidence": 0.75,
        "abstained": False,
        "probabilities": {"neutral": 0.25, "anger": 0.75},
        "intensity": None,
        "warnings": ["noisy"],
    }
    feature = {
        "schema": 1,
        "path": "a",
        "duration_s": 1.0,
        "front_end": "mfcc",
        "fingerprint": "f",
        "values": [0.5, -1.25],
    }
    tables = {
        prediction_table("parquet", ["neutral", "anger"]): [prediction],
        feature_table("parquet"): [feature, feature],
        failure_table("parquet"): [_failure(3) | {"start_seconds": 0.5, "stop_seconds": None}],
        prediction_table("parquet", ["neutral"]): [],
    }
    for table, records in tables.items():
        content = table.encode(records)
        assert table.decode(content) == records
        assert table.encode(records) == content
        with pytest.raises(ValueError, match=r".*"):
            table.decode(content[:-5])
