"""Batch jobs on the command line, with the engine of one machine."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
import soundfile
from tests.tiny_bundle import TONES_HZ, tone, write_tiny_bundle

if TYPE_CHECKING:
    from tests.e2e.conftest import Serenade

SERENADE = [sys.executable, "-m", "serenade"]


def _write_job(folder: Path, tiny_bundle: Path, **values: object) -> Path:
    table = {"input": "voices", "output": "out", "model": str(tiny_bundle), **values}
    path = folder / "job.toml"
    path.write_text("".join(f"{key} = {json.dumps(value)}\n" for key, value in table.items()))
    return path


def _rows(folder: Path, kind: str = "part") -> list[dict[str, Any]]:
    files = sorted(folder.glob(f"{kind}-*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


def test_rows_are_those_of_predict_and_failures_have_their_own_table(
    serenade: Serenade, tiny_bundle: Path, voices: Path, tmp_path: Path, repository: Path
) -> None:
    (voices / "broken.wav").write_text("not audio")
    result = serenade("batch", _write_job(tmp_path, tiny_bundle, shard_size=2))
    assert result.code == 1
    assert "5/5 recordings" in result.err
    assert "1 of them failed; done" in result.err
    direct = serenade("predict", "--model", tiny_bundle, voices, "--format", "jsonl")
    wanted = [json.loads(line) for line in direct.out.splitlines()]
    assert _rows(tmp_path / "out") == [record for record in wanted if "error" not in record]
    failures = _rows(tmp_path / "out", "errors")
    assert failures == [record for record in wanted if "error" in record]
    schema = json.loads((repository / "docs" / "prediction.schema.json").read_text())
    for record in _rows(tmp_path / "out") + failures:
        jsonschema.validate(record, schema)


def test_what_is_finished_is_not_done_again(
    serenade: Serenade, tiny_bundle: Path, voices: Path, tmp_path: Path
) -> None:
    job = _write_job(tmp_path, tiny_bundle, shard_size=1)
    assert serenade("batch", job).code == 0
    (tmp_path / "out" / "part-00002.jsonl").unlink()
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").glob("part-*")}
    result = serenade("batch", job)
    assert result.code == 0
    assert "3 of 4 recordings are done already" in result.err
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert len(_rows(tmp_path / "out")) == 4


def test_another_model_with_the_same_name_is_refused_unless_restarted(
    serenade: Serenade, tiny_bundle: Path, voices: Path, tmp_path: Path
) -> None:
    assert serenade("batch", _write_job(tmp_path, tiny_bundle)).code == 0
    other = write_tiny_bundle(tmp_path / "other")
    (other / "CARD.md").write_text("changed")
    from serenade.model.bundle import write_checksums

    write_checksums(other)
    job = _write_job(tmp_path, other)
    result = serenade("batch", job)
    assert result.code == 2
    assert result.err.count("\n") == 1
    assert "another job: model_checksum was" in result.err
    assert serenade("batch", job, "--restart").code == 0


def test_another_list_of_inputs_is_refused(
    serenade: Serenade, tiny_bundle: Path, voices: Path, tmp_path: Path
) -> None:
    job = _write_job(tmp_path, tiny_bundle)
    assert serenade("batch", job).code == 0
    soundfile.write(voices / "new.wav", tone(1000.0, seconds=1.0), 16000)
    result = serenade("batch", job)
    assert result.code == 2
    assert "another job: inputs was 4 and is 5 now" in result.err


def test_parquet_has_the_same_rows(
    serenade: Serenade, tiny_bundle: Path, voices: Path, tmp_path: Path
) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    assert serenade("batch", _write_job(tmp_path, tiny_bundle)).code == 0
    job = _write_job(tmp_path, tiny_bundle, output="table", format="parquet")
    assert serenade("batch", job).code == 0
    table = parquet.read_table(tmp_path / "table" / "part-00000.parquet")
    assert table.to_pylist() == _rows(tmp_path / "out")


def test_parts_of_recordings_are_judged_as_evaluate_judges_them(
    serenade: Serenade, tiny_bundle: Path, voices: Path, tmp_path: Path
) -> None:
    two_tones = [*tone(200.0, seconds=1.0), *tone(6000.0, seconds=1.0)]
    soundfile.write(voices / "both.wav", two_tones, 16000)
    manifest = tmp_path / "parts.jsonl"
    common = {"path": "voices/both.wav", "speaker": "a", "corpus": "x"}
    lines = [
        {**common, "id": "1", "emotion": "sadness", "stop_seconds": 0.9},
        {**common, "id": "2", "emotion": "anger", "start_seconds": 1.1, "stop_seconds": 1.9},
    ]
    manifest.write_text("".join(json.dumps(line) + "\n" for line in lines))
    job = _write_job(tmp_path, tiny_bundle, input="parts.jsonl", task="evaluate")
    result = serenade("batch", job)
    assert result.code == 0, result.err
    rows = _rows(tmp_path / "out")
    assert [row["emotion"] for row in rows] == ["sadness", "anger"]
    assert rows[1]["path"].endswith("voices/both.wav#t=1.1,1.9")
    batch = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    direct = json.loads(serenade("evaluate", tiny_bundle, manifest, "--format", "json").out)
    assert batch["headline"] == direct["headline"]
    assert batch["breakdown"] == direct["breakdown"]
    assert batch["headline"]["uar"]["value"] == 1.0
    assert "2 clips of 1 speakers" in result.out


def test_an_evaluation_without_truth_is_refused_before_any_work(
    serenade: Serenade, tiny_bundle: Path, voices: Path, tmp_path: Path
) -> None:
    result = serenade("batch", _write_job(tmp_path, tiny_bundle, task="evaluate"))
    assert result.code == 2
    assert "an evaluation needs the truth" in result.err
    assert not (tmp_path / "out").exists()


def test_features_are_those_of_the_front_end(
    serenade: Serenade, tiny_bundle: Path, voices: Path, tmp_path: Path
) -> None:
    import numpy as np

    from serenade.audio.condition import condition
    from serenade.audio.decode import decode
    from serenade.features.frontends import FRONT_ENDS, functional_vector
    from serenade.types import Conditioning

    assert serenade("batch", _write_job(tmp_path, tiny_bundle, task="features")).code == 0
    row = _rows(tmp_path / "out")[0]
    clip = condition(decode(row["path"]), Conditioning())
    values, names = functional_vector(clip, FRONT_ENDS["mfcc"])
    assert np.array_equal(np.float32(row["values"]), values)
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["columns"] == list(names)


def test_a_recording_beyond_the_limit_is_a_failure(
    serenade: Serenade, tiny_bundle: Path, voices: Path, tmp_path: Path
) -> None:
    result = serenade("batch", _write_job(tmp_path, tiny_bundle, max_seconds=0.5))
    assert result.code == 2
    (message, *_) = {row["error"]["message"] for row in _rows(tmp_path / "out", "errors")}
    assert message.startswith("the recording is longer than 0.5 s")


def test_failures_are_the_input_of_the_next_job(
    serenade: Serenade,
    tiny_bundle: Path,
    voices: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    soundfile.write(voices / "long.wav", tone(TONES_HZ["sadness"], seconds=3.0), 16000)
    lines: list[dict[str, Any]] = [
        {"path": "voices/long.wav"},
        {"path": "voices/long.wav", "start_seconds": 0},
        {"path": "voices/long.wav", "start_seconds": 0.1234567, "stop_seconds": 2.5},
        {"path": "voices/long.wav", "start_seconds": 1, "stop_seconds": 1.5},
        {"path": "voices/absent.wav"},
        {"path": "voices/long.wav", "start_seconds": 50},
    ]
    (tmp_path / "m.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    monkeypatch.chdir(tmp_path.parent)
    _write_job(tmp_path, tiny_bundle, input="m.jsonl", max_seconds=1)
    assert serenade("batch", f"{tmp_path.name}/job.toml").code == 1
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    errors = (tmp_path / "out" / "errors-00000.jsonl").read_bytes()
    (elsewhere / "failed.jsonl").write_bytes(errors)
    _write_job(elsewhere, tiny_bundle, input="failed.jsonl")
    assert serenade("batch", f"{tmp_path.name}/elsewhere/job.toml").code == 1
    path = str(voices / "long.wav")
    named = [row["path"] for row in _rows(elsewhere / "out")]
    assert named == [path, f"{path}#t=0", f"{path}#t=0.1234567,2.5"]
    again = _rows(elsewhere / "out", "errors")
    assert again == [json.loads(line) for line in errors.splitlines()][-2:]


def test_a_folder_in_the_place_of_the_manifest_is_one_sentence(
    serenade: Serenade, tiny_bundle: Path, voices: Path, tmp_path: Path
) -> None:
    (tmp_path / "out" / "manifest.json").mkdir(parents=True)
    result = serenade("batch", _write_job(tmp_path, tiny_bundle))
    assert result.code == 2
    assert result.err.count("\n") == 1
    assert "manifest.json cannot be read (Is a directory); move it away" in result.err


def test_what_only_this_process_can_read_and_write(
    serenade: Serenade, tiny_bundle: Path, voices: Path, tmp_path: Path
) -> None:
    fsspec = pytest.importorskip("fsspec")
    store = fsspec.filesystem("memory")
    store.pipe_file("/calls/a.wav", (voices / "sadness.wav").read_bytes())
    job = _write_job(tmp_path, tiny_bundle, input="memory://calls", output="memory://results")
    try:
        assert serenade("batch", job).code == 0
        row = json.loads(store.cat_file("/results/part-00000.jsonl"))
        assert (row["path"], row["emotion"]) == ("memory://calls/a.wav", "sadness")
    finally:
        store.rm("/calls", recursive=True)
        store.rm("/results", recursive=True)


def test_address_without_ray_is_refused(
    serenade: Serenade, tiny_bundle: Path, voices: Path, tmp_path: Path
) -> None:
    result = serenade("batch", _write_job(tmp_path, tiny_bundle), "--address", "auto")
    assert result.code == 2
    assert "--address is only for --engine ray" in result.err


@pytest.fixture
def many(tmp_path: Path, tiny_bundle: Path) -> Path:
    """A job of 640 recordings in 40 shards."""
    for emotion, frequency in TONES_HZ.items():
        soundfile.write(tmp_path / f"{emotion}.wav", tone(frequency, seconds=3.0), 16000)
    names = [f"{emotion}.wav" for emotion in TONES_HZ] * 160
    (tmp_path / "list.txt").write_text("\n".join(names))
    return _write_job(tmp_path, tiny_bundle, input="list.txt", shard_size=16)


def test_ctrl_c_saves_the_running_shards_and_the_next_run_does_the_rest(many: Path) -> None:
    process = _start(many)
    _wait_for_parts(many, 2)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "stopping when the running shards are saved; press again to stop at once" in err
    assert "stopped; run the command again to go on" in err
    assert "Traceback" not in err
    n_saved = len(list(_out(many).glob("part-*")))
    assert 2 <= n_saved < 40
    _finish(many, n_saved)


def test_a_killed_job_goes_on_where_it_was(many: Path) -> None:
    process = _start(many)
    _wait_for_parts(many, 3)
    process.kill()
    process.communicate()
    _finish(many, len(list(_out(many).glob("part-*"))))


def test_a_killed_worker_loses_nothing(many: Path) -> None:
    process = _start(many)
    _wait_for_parts(many, 2)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    workers = [int(c) for c in children if b"spawn_main" in Path(f"/proc/{c}/cmdline").read_bytes()]
    os.kill(workers[0], signal.SIGKILL)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert [row["emotion"] for row in _rows(_out(many))] == [*TONES_HZ] * 160


def _start(job: Path) -> subprocess.Popen[str]:
    # a shell makes background jobs ignore SIGINT, and children inherit that
    undo = (
        "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL);"
        "os.execv(sys.argv[1], sys.argv[1:])"
    )
    command = [sys.executable, "-c", undo, *SERENADE, "batch", str(job), "--workers", "2"]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def _out(job: Path) -> Path:
    return job.parent / "out"


def _wait_for_parts(job: Path, n_parts: int) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if len(list(_out(job).glob("part-*"))) >= n_parts:
            return
        time.sleep(0.005)
    pytest.fail(f"there never were {n_parts} parts")


def _finish(job: Path, n_saved: int) -> None:
    result = subprocess.run(
        [*SERENADE, "batch", str(job)], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    assert f"{16 * n_saved} of 640 recordings are done already" in result.stderr
    assert [row["emotion"] for row in _rows(_out(job))] == [*TONES_HZ] * 160
    assert not list(_out(job).glob("errors-*"))
