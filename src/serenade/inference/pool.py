"""Processes that do tasks one at a time and in order.

A worker that dies takes only its task with it, and even that is given to another worker if
several attempts are allowed. A worker whose tasks are quick is given the next one while it is at
one, so that it does not wait for the way there and back. No more than a bounded number of tasks is
under way, so that memory does not grow with their number.
"""

from __future__ import annotations

import signal
from collections import deque
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context
from multiprocessing.connection import wait
from queue import SimpleQueue
from threading import Thread
from time import monotonic
from typing import TYPE_CHECKING, Generic, NoReturn, TypeVar

from serenade.errors import SerenadeError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from multiprocessing.connection import Connection

Task = TypeVar("Task")
Result = TypeVar("Result")

AHEAD_PER_WORKER = 32
"""Tasks that a worker may be ahead of the oldest unfinished one."""

QUICK_SECONDS = 0.1
"""A worker whose last task took less is given one ahead; it can wait no longer than that for it."""

_STOP_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class _Given(Generic[Task]):
    """A task, its place among all, and how many workers it has been given to."""

    index: int
    task: Task
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class _Ready:
    """A worker has loaded what it needs."""


@dataclass(frozen=True, slots=True)
class _Refusal:
    """A worker cannot load what it needs."""

    error: SerenadeError


@dataclass(frozen=True, slots=True)
class _Done(Generic[Result]):
    """A worker has done its oldest task, in some seconds."""

    result: Result
    seconds: float


class WorkerPool(Generic[Task, Result]):
    """Processes that are started when there is work for them and stay until the pool is closed.

    Parameters
    ----------
    load : callable
        Gives in each process what does a task; can be pickled.
    workers : int
        Number of processes, 1 or more.
    died : callable
        Gives the result of a task whose worker died, from the task and the exit code.
    attempts : int
        How many workers a task may cost, 1 or more.
    """

    def __init__(
        self,
        load: Callable[[], Callable[[Task], Result]],
        *,
        workers: int,
        died: Callable[[Task, int | None], Result],
        attempts: int = 1,
    ) -> None:
        self._load = load
        self._size = workers
        self._died = died
        self._attempts = attempts
        self._idle: list[_Worker[Task, Result]] = []
        self._busy: dict[Connection, _Worker[Task, Result]] = {}

    def run(self, tasks: Iterable[Task]) -> Iterator[Result]:
        """Do tasks; a pool does one iterable at a time.

        Parameters
        ----------
        tasks : iterable
            Taken as they are needed; each can be pickled.

        Yields
        ------
        object
            One result per task, in order.

        Raises
        ------
        SerenadeError
            If a worker cannot start: what `load` raised, or a `UsageError` if the process died.
        Exception
            What `tasks` raised, after the results of the tasks before it.
        """
        waiting = enumerate(tasks)
        failure: Exception | None = None
        finished: dict[int, Result] = {}
        n_given = 0
        n_yielded = 0
        try:
            while True:
                most_given = n_yielded + AHEAD_PER_WORKER * self._size
                while failure is None and self._has_room and n_given < most_given:
                    try:
                        task = next(waiting, None)
                    except Exception as error:  # noqa: BLE001 - whatever it is, it is raised below
                        failure = error
                        break
                    if task is None:
                        break
                    self._give(_Given(*task))
                    n_given += 1
                if not self._busy:
                    if failure is not None:
                        raise failure
                    return
                finished.update(self._collect())
                while n_yielded in finished:
                    result = finished.pop(n_yielded)
                    n_yielded += 1
                    yield result
        finally:
            self._drop_busy()

    def close(self) -> None:
        """End the processes."""
        self._drop_busy()
        for worker in self._idle:
            worker.stop()
        self._idle.clear()

    @property
    def _has_room(self) -> bool:
        return len(self._busy) < self._size or any(w.takes_another for w in self._busy.values())

    def _give(self, given: _Given[Task]) -> None:
        if len(self._busy) < self._size:
            worker = self._take_worker()
            self._busy[worker.connection] = worker
        else:
            worker = next(w for w in self._busy.values() if w.takes_another)
        worker.give(given)

    def _collect(self) -> Iterator[tuple[int, Result]]:
        """Wait for messages and give what is finished."""
        for connection in wait(list(self._busy)):
            worker = self._busy[connection]  # type: ignore[index]  # wait() gives what it was given
            try:
                message = worker.connection.recv()
            except (EOFError, ConnectionResetError):
                del self._busy[worker.connection]
                yield from self._recover(worker)
                continue
            if isinstance(message, _Refusal):
                raise message.error
            if isinstance(message, _Done):
                yield worker.finish(message.seconds), message.result
                if not worker.given:
                    self._idle.append(self._busy.pop(worker.connection))
            worker.is_ready = True

    def _recover(self, dead: _Worker[Task, Result]) -> Iterator[tuple[int, Result]]:
        """Give the tasks of a dead worker to another one, or give up the one that it was at."""
        exit_code = dead.bury()
        if not dead.is_ready:
            raise UsageError(
                f"a worker process cannot start (exit code {exit_code}); in a script, put the call"
                ' under `if __name__ == "__main__":`, or use one worker'
            )
        at_fault, *others = dead.given
        if at_fault.attempt < self._attempts:
            others.insert(0, replace(at_fault, attempt=at_fault.attempt + 1))
        else:
            yield at_fault.index, self._died(at_fault.task, exit_code)
        if others:
            worker = self._take_worker()
            self._busy[worker.connection] = worker
            for given in others:
                worker.give(given)

    def _take_worker(self) -> _Worker[Task, Result]:
        while self._idle:
            worker = self._idle.pop()
            if worker.process.is_alive():
                return worker
            worker.stop()
        return _Worker(self._load)

    def _drop_busy(self) -> None:
        """End the workers whose results nobody waits for any more."""
        for worker in self._busy.values():
            worker.stop()
        self._busy.clear()


class _Worker(Generic[Task, Result]):
    """One process and the tasks that it has, the one that it is at first."""

    def __init__(self, load: Callable[[], Callable[[Task], Result]]) -> None:
        context = get_context("spawn")
        try:
            self.connection, theirs = context.Pipe()
            self.process = context.Process(target=_work, args=(load, theirs), daemon=True)
            with _interrupt_blocked():
                self.process.start()
        except (OSError, AssertionError) as error:  # the latter within a daemon process
            reason = getattr(error, "strerror", None) or error
            raise UsageError(
                f"a worker process cannot start ({reason}); use fewer workers, or one"
            ) from error
        theirs.close()
        self.is_ready = False
        self.given: deque[_Given[Task]] = deque()
        self._is_quick = False

    @property
    def takes_another(self) -> bool:
        """Whether it may be given a task while it is at one."""
        return self._is_quick and len(self.given) < 2

    def give(self, given: _Given[Task]) -> None:
        self.given.append(given)
        # A worker that died while it had nothing to do shows when its answer is awaited.
        with suppress(BrokenPipeError, ConnectionResetError):
            self.connection.send(given.task)

    def finish(self, seconds: float) -> int:
        """Take the oldest task off the list and give its place."""
        self._is_quick = seconds < QUICK_SECONDS
        return self.given.popleft().index

    def stop(self) -> int | None:
        """End the process and give its exit code."""
        self.process.terminate()
        return self.bury()

    def bury(self) -> int | None:
        """Wait for the end of a process that is dying and give its exit code."""
        self.process.join(_STOP_SECONDS)  # its own code tells more than that of being stopped
        if self.process.is_alive():
            self.process.terminate()
            self.process.join(_STOP_SECONDS)
        self.connection.close()
        return self.process.exitcode


def _work(load: Callable[[], Callable[[Task], Result]], connection: Connection) -> None:
    """Do what comes until the connection ends: the body of a worker process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what an interrupt means
    try:
        do = load()
    except SerenadeError as error:
        connection.send(_Refusal(error))
        return
    tasks: SimpleQueue[Callable[[], Task]] = SimpleQueue()
    # Taken from the connection at once: else the parent would wait until a large one is wanted.
    Thread(target=_receive, args=(connection, tasks), daemon=True).start()
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):  # the parent is gone
        connection.send(_Ready())
        while True:
            task = tasks.get()()
            started = monotonic()
            result = do(task)
            connection.send(_Done(result, monotonic() - started))


def _receive(connection: Connection, tasks: SimpleQueue[Callable[[], Task]]) -> None:
    """Queue tasks as they come, and at the end of the connection what raises its error."""
    while True:
        try:
            task: Task = connection.recv()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is raised where tasks are done
            tasks.put(partial(_raise, error))
            return
        tasks.put(partial(_same, task))


def _raise(error: Exception) -> NoReturn:
    raise error


def _same(task: Task) -> Task:
    return task


@contextmanager
def _interrupt_blocked() -> Iterator[None]:
    """Let a process that is started meanwhile inherit that it ignores Ctrl-C while it starts."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    try:
        # inside, since an interrupt that came just before is raised by this very call
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
