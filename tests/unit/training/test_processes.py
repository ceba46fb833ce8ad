"""Several processes: the result of one, one writer, the same weights after a kill, devices."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from tests.training_worker import train

from serenade.errors import UsageError
from serenade.training.checkpoint import load_checkpoint
from serenade.training.processes import ALONE, Processes, choose_device, open_processes

WORKER = Path(__file__).parents[2] / "training_worker.py"
LOSS_TOLERANCE = 2e-4
WEIGHT_TOLERANCE = 1e-3
"""After all steps, in which a weight may move by 1e-2. Two processes round sums in another
order, and Adam enlarges that where a gradient is small."""

WITHOUT_EFFECT = "pool.2.bias"
"""A shift of all scores before a softmax: its gradient is rounding alone."""


def _start_two(folder: Path, *arguments: str) -> list[subprocess.Popen[str]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shared = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": "2"}
    return [
        subprocess.Popen(
            [sys.executable, str(WORKER), str(folder), *arguments],
            env=os.environ | shared | {"RANK": rank, "LOCAL_RANK": rank, "OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in ("0", "1")
    ]


def _run_two(folder: Path) -> None:
    processes = _start_two(folder)
    said = [process.communicate(timeout=500)[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], said


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("two")
    _run_two(folder)
    return folder


@pytest.mark.slow
def test_two_processes_give_the_result_of_one(two: Path, tmp_path: Path) -> None:
    train(tmp_path, ALONE)
    expected, alone = load_checkpoint(tmp_path / "last.safetensors")
    got, together = load_checkpoint(two / "last.safetensors")
    assert got.keys() == expected.keys()
    for name, tensor in expected.items():
        if not name.startswith("optimiser/") and not name.endswith(WITHOUT_EFFECT):
            difference = float((got[name].double() - tensor.double()).abs().max())
            assert difference < WEIGHT_TOLERANCE, f"{name} differs by {difference}"
    assert together["step"] == alone["step"]
    for ours, theirs in zip(together["history"], alone["history"], strict=True):
        for figure in ("train_loss", "validation_loss"):
            assert ours[figure] == pytest.approx(theirs[figure], abs=LOSS_TOLERANCE)


@pytest.mark.slow
def test_two_processes_that_were_killed_go_on_to_the_same_weights(
    two: Path, tmp_path: Path
) -> None:
    main, other = _start_two(tmp_path, "1")
    assert main.wait(timeout=500) == 3
    other.kill()
    main.communicate()
    other.communicate()
    assert load_checkpoint(tmp_path / "last.safetensors")[1]["epoch"] == 1
    _run_two(tmp_path)
    expected, _ = load_checkpoint(two / "last.safetensors")
    got, _ = load_checkpoint(tmp_path / "last.safetensors")
    assert all(expected[name].equal(got[name]) for name in expected)


@pytest.mark.parametrize("count", [2, 3, 7])
@pytest.mark.parametrize("n_rows", [1, 3, 8, 64])
def test_the_rows_of_all_processes_are_the_batch(count: int, n_rows: int) -> None:
    shares = [Processes(rank, count).rows(n_rows).tolist() for rank in range(count)]
    n_together = Processes(0, count).n_computed(n_rows)
    assert n_together == sum(len(share) for share in shares)
    times = [sum(share.count(row) for share in shares) for row in range(n_rows)]
    assert set(times) == {n_together // n_rows}
    assert all(shares)


def test_alone_nothing_is_waited_for(tmp_path: Path) -> None:
    with open_processes("cpu") as processes:
        assert processes == ALONE
        assert processes.largest(3) == 3
        assert processes.read(tmp_path / "nothing") is None
        with processes.one_first():
            processes.wait()


def test_a_device_that_is_not_there_is_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert choose_device("auto") == torch.device("cpu")
    with pytest.raises(UsageError, match="device 'cuda' is not there"):
        choose_device("cuda")
    with pytest.raises(UsageError, match="device 'mps' is not there"):
        choose_device("mps")
    with pytest.raises(UsageError, match="choose one of auto, cpu, cuda, mps"):
        choose_device("tpu")


def test_a_process_without_a_cuda_device_is_one_clear_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(UsageError, match="process 2 of this machine has no CUDA device"):
        choose_device("cuda", local_rank=2)
