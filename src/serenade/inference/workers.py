"""A batch over several processes.

Each worker is a fresh process that judges one recording at a time. A worker that dies takes only
its recording with it. Results come in the order of the recordings, and no more than a bounded
number of recordings is under way, so that memory does not grow with the batch.
"""

from __future__ import annotations

import signal
from contextlib import contextmanager, suppress
from multiprocessing import get_context
from multiprocessing.connection import wait
from typing import TYPE_CHECKING

from serenade.errors import SerenadeError, UsageError
from serenade.inference.batch import BatchSource, Outcome, attempt, path_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from multiprocessing.connection import Connection

    from serenade.types import Prediction

    Load = Callable[[], Callable[[BatchSource], Prediction]]

AHEAD_PER_WORKER = 32
"""Recordings that a worker may be ahead of the oldest unfinished one."""

_READY = "ready"
_STOP_SECONDS = 5.0


def predict_in_workers(
    load: Load, sources: Iterable[BatchSource], *, workers: int
) -> Iterator[Outcome]:
    """Predict recordings in several processes.

    Parameters
    ----------
    load : callable
        Gives in each process what judges one recording; can be pickled.
    sources : iterable of path, bytes or Waveform
        The recordings, taken as they are needed.
    workers : int
        Number of processes, 1 or more.

    Yields
    ------
    Outcome
        One per recording, in order.

    Raises
    ------
    SerenadeError
        If a worker cannot start: what `load` raised, or a `UsageError` if the process died.
    """
    pool = _Pool(load, workers)
    waiting = enumerate(sources)
    finished: dict[int, Outcome] = {}
    n_given = 0
    n_yielded = 0
    try:
        while True:
            while pool.has_room and n_given - n_yielded < AHEAD_PER_WORKER * workers:
                task = next(waiting, None)
                if task is None:
                    break
                pool.give(*task)
                n_given += 1
            if not pool.is_busy:
                return
            finished.update(pool.collect())
            while n_yielded in finished:
                outcome = finished.pop(n_yielded)
                n_yielded += 1
                yield outcome
    finally:
        pool.close()


class _Worker:
    """One process and the recording that it is judging."""

    def __init__(self, load: Load) -> None:
        context = get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=_work, args=(load, theirs), daemon=True)
        with _interrupt_blocked():
            self.process.start()
        theirs.close()
        self.index = 0
        self.source: BatchSource = ""
        self.is_ready = False

    def give(self, index: int, source: BatchSource) -> None:
        self.index = index
        self.source = source
        # A worker that died while it had nothing to do shows when its answer is awaited.
        with suppress(BrokenPipeError, ConnectionResetError):
            self.connection.send(source)

    def stop(self) -> int | None:
        """End the process and give its exit code."""
        self.process.terminate()
        self.process.join(_STOP_SECONDS)
        self.connection.close()
        return self.process.exitcode


class _Pool:
    """The processes; they are started when there is work for them."""

    def __init__(self, load: Load, size: int) -> None:
        self._load = load
        self._size = size
        self._idle: list[_Worker] = []
        self._busy: dict[Connection, _Worker] = {}

    @property
    def has_room(self) -> bool:
        return len(self._busy) < self._size

    @property
    def is_busy(self) -> bool:
        return bool(self._busy)

    def give(self, index: int, source: BatchSource) -> None:
        worker = self._take_worker()
        self._busy[worker.connection] = worker
        worker.give(index, source)

    def collect(self) -> Iterator[tuple[int, Outcome]]:
        """Wait for messages and give what is finished."""
        for connection in wait(list(self._busy)):
            worker = self._busy[connection]  # type: ignore[index]  # wait() gives what it was given
            try:
                message = worker.connection.recv()
            except (EOFError, ConnectionResetError):
                del self._busy[worker.connection]
                yield worker.index, _outcome_of_death(worker)
                continue
            if isinstance(message, SerenadeError):
                raise message
            if isinstance(message, Outcome):
                self._idle.append(self._busy.pop(worker.connection))
                yield worker.index, message
            worker.is_ready = True

    def close(self) -> None:
        for worker in (*self._idle, *self._busy.values()):
            worker.stop()

    def _take_worker(self) -> _Worker:
        while self._idle:
            worker = self._idle.pop()
            if worker.process.is_alive():
                return worker
            worker.stop()
        return _Worker(self._load)


def _work(load: Load, connection: Connection) -> None:
    """Judge what comes until the connection ends: the body of a worker process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what an interrupt means
    try:
        predict = load()
    except SerenadeError as error:
        connection.send(error)
        return
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):  # the parent is gone
        connection.send(_READY)
        while True:
            connection.send(attempt(predict, connection.recv()))


def _outcome_of_death(worker: _Worker) -> Outcome:
    worker.process.join(_STOP_SECONDS)  # its own exit code tells more than that of being stopped
    exit_code = worker.stop()
    if not worker.is_ready:
        raise UsageError(
            f"a worker process cannot start (exit code {exit_code}); in a script, put the call"
            ' under `if __name__ == "__main__":`, or use one worker'
        )
    path = path_of(worker.source)
    error = SerenadeError(
        f"the process that was judging {path!r} died (exit code {exit_code}); the file may be too"
        " much for the memory, try it alone"
    )
    return Outcome(path, None, error)


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
