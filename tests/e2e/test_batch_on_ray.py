"""Batch jobs on real Ray clusters, of two node processes where something is killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import soundfile
from tests.tiny_bundle import TONES_HZ, tone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.e2e.conftest import Serenade

pytest.importorskip("ray", reason='needs ray: pip install "serenade[ray]"')

pytestmark = pytest.mark.slow

SERENADE = [sys.executable, "-m", "serenade"]
SHARD_SIZE = 8
N_ITEMS = 20 * SHARD_SIZE + 3
PATIENCE_SECONDS = 300.0  # for a machine that does many other things

ON_ONE_CONNECTION = """
import sys, ray
from serenade.cli.main import run
ray.init(address=sys.argv[1], log_to_driver=False)
codes = []
for job in sys.argv[2:]:
    sys.argv = ["serenade", "batch", job, "--engine", "ray", "--workers", "1"]
    try:
        run()
    except SystemExit as end:
        codes.append(end.code)
print(codes)
"""
"""A program of a user: several jobs after one another, which is quicker than a driver for each."""


@pytest.fixture(scope="module")
def job(tiny_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Give a job file for an output folder; its items take long enough to be killed in between."""
    folder = tmp_path_factory.mktemp("job")
    for emotion, frequency in TONES_HZ.items():
        soundfile.write(folder / f"{emotion}.wav", tone(frequency, seconds=20.0), 16000)
    (folder / "broken.wav").write_text("not audio")
    names = [*(f"{emotion}.wav" for emotion in TONES_HZ), "broken.wav", "absent.wav"]
    lines = [names[i % len(names)] for i in range(N_ITEMS)]
    (folder / "list.txt").write_text("\n".join(lines))

    def write(output: str) -> Path:
        path = folder / f"{output}.toml"
        path.write_text(
            f'input = "list.txt"\noutput = "{output}"\nmodel = "{tiny_bundle}"\n'
            f"shard_size = {SHARD_SIZE}\n"
        )
        return path

    return write


@pytest.fixture(scope="module")
def expected(job: Callable[[str], Path]) -> dict[str, bytes]:
    """The files of the job, made by the engine of one machine."""
    path = job("local")
    assert subprocess.run([*SERENADE, "batch", str(path)], check=False).returncode == 1
    return _files(path)


@pytest.fixture(scope="module", autouse=True)
def ray_settings() -> Iterator[None]:
    """Send nothing anywhere, and do not let workers starve on a machine that is busy."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("RAY_worker_niceness", "0")  # 15 otherwise
        yield


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A Ray cluster of two node processes with a core each."""
    from ray.cluster_utils import Cluster

    node: dict[str, Any] = {"num_cpus": 1, "object_store_memory": 100 * 1024**2}
    cluster: Any = Cluster(
        initialize_head=True, head_node_args={**node, "include_dashboard": False}
    )
    cluster.add_node(**node)
    yield cluster
    cluster.shutdown()


def test_the_death_of_a_process_an_actor_and_a_node_loses_and_repeats_nothing(
    job: Callable[[str], Path], expected: dict[str, bytes], cluster: Any
) -> None:
    path = job("killed")
    driver = _start(path, "--address", cluster.address)
    _wait_for_parts(path, driver, 2)
    os.kill(_children(_actors()[0])[0], signal.SIGKILL)
    _wait_for_parts(path, driver, 6)
    os.kill(_actors()[0], signal.SIGKILL)
    _wait_for_parts(path, driver, 10)
    cluster.remove_node(cluster.list_all_nodes()[-1], allow_graceful=False)
    driver.communicate(timeout=PATIENCE_SECONDS)
    assert driver.returncode == 1
    assert _files(path) == expected
    assert _inputs_of(path) == N_ITEMS


def test_a_driver_that_is_killed_goes_on_where_it_was(
    job: Callable[[str], Path], expected: dict[str, bytes], cluster: Any
) -> None:
    path = job("driver")
    driver = _start(path, "--address", cluster.address)
    _wait_for_parts(path, driver, 5)
    driver.kill()
    driver.communicate()
    written = _parts(path)
    again = _start(path, "--address", cluster.address)
    _, err = again.communicate(timeout=PATIENCE_SECONDS)
    assert again.returncode == 1, err
    assert f"{len(written) * SHARD_SIZE} of {N_ITEMS} recordings are done already" in err
    assert written.items() <= _parts(path).items(), "a finished shard was written again"
    assert _files(path) == expected


def test_features_and_evaluations_are_those_of_the_other_engine(
    serenade: Serenade, tiny_bundle: Path, tmp_path: Path, cluster: Any
) -> None:
    _write_manifest(tmp_path)
    kinds = [("features", "jsonl"), ("features", "parquet"), ("evaluate", "jsonl")]
    jobs = {
        engine: [_write_task(tmp_path, tiny_bundle, engine, *kind) for kind in kinds]
        for engine in ("ray", "local")
    }
    for job in jobs["local"]:
        assert serenade("batch", job).code == 1  # some failed
    driver = subprocess.run(
        [sys.executable, "-c", ON_ONE_CONNECTION, cluster.address, *map(str, jobs["ray"])],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
    )
    assert driver.stdout.splitlines()[-1:] == ["[1, 1, 1]"], driver.stderr
    assert "8 clips of 2 speakers" in driver.stdout
    for on_ray, here in zip(jobs["ray"], jobs["local"], strict=True):
        assert len(_files(here)) > 3
        assert _files(on_ray) == _files(here)
    on_ray, here = (
        json.loads((engine[-1].with_suffix("") / "evaluation.json").read_text())
        for engine in (jobs["ray"], jobs["local"])
    )
    assert on_ray == here
    assert on_ray["headline"]["uar"]["value"] == 1.0


def test_a_job_that_was_stopped_on_a_cluster_started_here_is_finished_by_the_other_engine(
    job: Callable[[str], Path], expected: dict[str, bytes]
) -> None:
    path = job("stopped")
    driver = _start(path, "--workers", "1")
    _wait_for_parts(path, driver, 2)
    driver.send_signal(signal.SIGINT)
    _, err = driver.communicate(timeout=PATIENCE_SECONDS)
    assert driver.returncode == 130, err
    assert "stopping when the running shards are saved" in err
    assert "Traceback" not in err
    n_before = len(_parts(path))
    assert 2 <= n_before < len(expected)
    finish = subprocess.run([*SERENADE, "batch", str(path)], check=False)
    assert finish.returncode == 1
    assert _files(path) == expected


def _write_manifest(folder: Path) -> None:
    """Write clips with a known emotion, one of which is not there, and their manifest."""
    lines = []
    for number, emotion in enumerate([*TONES_HZ, *TONES_HZ]):
        name = f"{emotion}{number}.wav"
        soundfile.write(folder / name, tone(TONES_HZ[emotion], seconds=1.0), 16000)
        lines.append({"path": name, "emotion": emotion})
    lines.append({"path": "absent.wav", "emotion": "anger"})
    rest = [{"id": str(i), "speaker": "ab"[i % 2], "corpus": "tones"} for i in range(len(lines))]
    text = "".join(json.dumps(a | b) + "\n" for a, b in zip(lines, rest, strict=True))
    (folder / "all.jsonl").write_text(text)


def _write_task(folder: Path, model: Path, engine: str, task: str, form: str) -> Path:
    path = folder / f"{engine}-{task}-{form}.toml"
    path.write_text(
        f'input = "all.jsonl"\noutput = "{path.stem}"\ntask = "{task}"\nmodel = "{model}"\n'
        f'format = "{form}"\nshard_size = 2\n'
    )
    return path


def _start(path: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [*SERENADE, "batch", str(path), "--engine", "ray", *arguments]
    # a shell makes background jobs ignore SIGINT, and children inherit that
    undo = (
        "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL);"
        "os.execv(sys.argv[1], sys.argv[1:])"
    )
    return subprocess.Popen(
        [sys.executable, "-c", undo, *command], stderr=subprocess.PIPE, text=True
    )


def _wait_for_parts(path: Path, driver: subprocess.Popen[str], n_parts: int) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if len(_parts(path)) >= n_parts:
            return
        if driver.poll() is not None:
            pytest.fail(f"the job ended too early: {driver.communicate()[1]}")
        time.sleep(0.02)
    driver.kill()
    pytest.fail(f"there never were {n_parts} parts: {driver.communicate()[1]}")


def _parts(path: Path) -> dict[str, int]:
    """When each file of rows was written."""
    return {part.name: part.stat().st_mtime_ns for part in path.with_suffix("").glob("part-*")}


def _files(path: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in path.with_suffix("").glob("*-0*.*")}


def _inputs_of(path: Path) -> int:
    manifest = json.loads((path.with_suffix("") / "manifest.json").read_text())
    assert manifest["complete"]
    return int(manifest["rows"] + manifest["failed"])


def _actors() -> list[int]:
    """Process ids of the actors that do shards."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
        except OSError:
            continue
        if command.startswith(b"ray::") and b"_ShardWorker" in command:
            found.append(int(process.name))
    return sorted(found)


def _children(process: int) -> list[int]:
    """Process ids of the workers that an actor started."""
    children = []
    for thread in Path(f"/proc/{process}/task").iterdir():
        children += [int(child) for child in (thread / "children").read_text().split()]
    return [c for c in children if b"spawn_main" in Path(f"/proc/{c}/cmdline").read_bytes()]
