"""A pool of processes: order, deaths, second attempts."""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
import time
from contextlib import chdir, contextmanager
from functools import partial
from typing import TYPE_CHECKING

import pytest

from serenade.errors import ModelError, UsageError
from serenade.inference.pool import WorkerPool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path


def _load(folder: Path) -> Callable[[str], str]:
    (folder / f"loaded-{os.getpid()}").touch()
    return partial(_do, folder)


def _do(folder: Path, task: str) -> str:
    """Answer; a task that says so kills the process, for ever or once."""
    if task == "kill" or (task == "kill once" and not (folder / "killed").exists()):
        (folder / "killed").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    if task == "slow":
        time.sleep(0.3)
    return f"did {task}"


def _refuse() -> Callable[[str], str]:
    raise ModelError("no model")


def _died(task: str, exit_code: int | None) -> str:
    return f"{task} died of {exit_code}"


@pytest.fixture
def pool(tmp_path: Path) -> Iterator[WorkerPool[str, str]]:
    """Two workers, two attempts."""
    pool: WorkerPool[str, str] = WorkerPool(
        partial(_load, tmp_path), workers=2, died=_died, attempts=2
    )
    yield pool
    pool.close()


def test_results_come_in_order_and_workers_stay_loaded(
    pool: WorkerPool[str, str], tmp_path: Path
) -> None:
    assert list(pool.run(["slow", "a", "b"])) == ["did slow", "did a", "did b"]
    assert list(pool.run(["c"])) == ["did c"]
    assert len(list(tmp_path.glob("loaded-*"))) == 2


def test_a_task_whose_worker_died_is_done_by_another(pool: WorkerPool[str, str]) -> None:
    assert list(pool.run(["a", "kill once", "b"])) == ["did a", "did kill once", "did b"]


def test_a_task_that_kills_every_worker_is_given_up(pool: WorkerPool[str, str]) -> None:
    assert list(pool.run(["kill", "a"])) == ["kill died of -9", "did a"]


def test_a_death_costs_only_the_task_that_a_worker_was_at(pool: WorkerPool[str, str]) -> None:
    """Quick tasks are given ahead, so a worker that dies has another one in hand."""
    tasks = [f"{number}" for number in range(40)]
    tasks[20] = "kill"
    expected = [f"did {task}" for task in tasks]
    expected[20] = "kill died of -9"
    assert list(pool.run(tasks)) == expected


def test_a_worker_is_given_a_task_ahead_only_while_its_tasks_are_quick(tmp_path: Path) -> None:
    """A task taken behind a slow one would wait for it while another worker is free."""
    pool: WorkerPool[str, str] = WorkerPool(partial(_load, tmp_path), workers=1, died=_died)
    taken: list[str] = []

    def tasks() -> Iterator[str]:
        for task in ("a", "b", "slow", "c", "d"):
            taken.append(task)
            yield task

    seen = {result: list(taken) for result in pool.run(tasks())}
    pool.close()
    assert seen["did b"] == ["a", "b", "slow"]  # the first said nothing yet, then one ahead
    assert seen["did slow"] == ["a", "b", "slow", "c"]
    assert seen["did c"] == ["a", "b", "slow", "c"]


def test_tasks_and_results_larger_than_a_pipe_pass_each_other(tmp_path: Path) -> None:
    pool: WorkerPool[str, str] = WorkerPool(partial(_load, tmp_path), workers=2, died=_died)
    tasks = [str(number) * 500_000 for number in range(8)]
    assert list(pool.run(tasks)) == [f"did {task}" for task in tasks]
    pool.close()


def test_a_run_that_is_left_early_leaves_nothing_for_the_next(pool: WorkerPool[str, str]) -> None:
    first = pool.run(["a", "slow", "slow"])
    assert next(first) == "did a"
    first.close()  # type: ignore[attr-defined]  # it is a generator
    assert list(pool.run(["b"])) == ["did b"]


def test_what_cannot_be_loaded_is_raised() -> None:
    pool: WorkerPool[str, str] = WorkerPool(_refuse, workers=1, died=_died)
    with pytest.raises(ModelError, match="no model"):
        list(pool.run(["a"]))
    pool.close()


def test_tasks_that_fail_to_come_cost_no_result_of_those_before(
    pool: WorkerPool[str, str],
) -> None:
    def tasks() -> Iterator[str]:
        yield from ("slow", "a", "b")
        raise LookupError("no more")

    results = pool.run(tasks())
    assert [next(results) for _ in range(3)] == ["did slow", "did a", "did b"]
    with pytest.raises(LookupError, match="no more"):
        next(results)
    assert list(pool.run(["c"])) == ["did c"]


@contextmanager
def _no_descriptor_left(_: Path) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


@contextmanager
def _working_folder_gone(tmp_path: Path) -> Iterator[None]:
    gone = tmp_path / "gone"
    gone.mkdir()
    with chdir(tmp_path):
        os.chdir(gone)
        gone.rmdir()
        yield


@contextmanager
def _in_a_daemon(_: Path) -> Iterator[None]:
    settings = multiprocessing.current_process()._config  # type: ignore[attr-defined]
    settings["daemon"] = True
    try:
        yield
    finally:
        del settings["daemon"]


@pytest.mark.parametrize(
    ("hindrance", "reason"),
    [
        (_no_descriptor_left, "Too many open files"),
        (_working_folder_gone, "No such file or directory"),
        (_in_a_daemon, "daemonic processes are not allowed to have children"),
    ],
)
def test_a_process_that_cannot_start_is_one_clear_error(
    hindrance: Callable[[Path], AbstractContextManager[None]], reason: str, tmp_path: Path
) -> None:
    pool: WorkerPool[str, str] = WorkerPool(partial(_load, tmp_path), workers=2, died=_died)
    message = rf"a worker process cannot start \({reason}\); use fewer workers, or one"
    with hindrance(tmp_path), pytest.raises(UsageError, match=message):
        list(pool.run(["a"]))
    assert list(pool.run(["a"])) == ["did a"]
    pool.close()
