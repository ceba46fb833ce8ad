"""Limits: how much work the service takes on, and how large a recording may be."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from serenade.audio.decode import decode_blocks, probe
from serenade.serving.problems import ProblemError, busy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class Gate:
    """Lets in as many requests as can be worked on or wait, and turns the others away.

    Work is done by a fixed number of threads, in the order in which it came.

    Parameters
    ----------
    concurrency : int
        Threads that work at the same time, 1 or more.
    queue : int
        Requests that may be in beyond that.
    """

    def __init__(self, *, concurrency: int, queue: int) -> None:
        self._room = concurrency + queue
        self._admitted = 0
        self._threads = ThreadPoolExecutor(concurrency, thread_name_prefix="serenade")

    @property
    def admitted(self) -> int:
        """Requests that are in."""
        return self._admitted

    @contextmanager
    def admit(self) -> Iterator[None]:
        """Hold a place while a request is read and answered.

        Raises
        ------
        ProblemError
            503 if there is no place.
        """
        if self._admitted >= self._room:
            raise busy(f"the service is busy with {self._room} requests; try again later")
        self._admitted += 1
        try:
            yield
        finally:
            self._admitted -= 1

    async def run(
        self,
        work: Callable[Arguments, Result],
        *args: Arguments.args,
        **kwargs: Arguments.kwargs,
    ) -> Result:
        """Let a thread do something.

        If the caller is cancelled, work that has not begun is dropped; work that has begun goes
        on and keeps its thread, so that the load stays bounded.

        Parameters
        ----------
        work : callable
            What to do.
        *args, **kwargs
            Its arguments.

        Returns
        -------
        object
            What `work` returned.
        """
        return await asyncio.wrap_future(self._threads.submit(work, *args, **kwargs))

    def close(self) -> None:
        """Wait for work that has begun and end the threads."""
        self._threads.shutdown(wait=True, cancel_futures=True)


@asynccontextmanager
async def deadline(seconds: float) -> AsyncIterator[None]:
    """Give up after a time.

    Parameters
    ----------
    seconds : float
        Longest time [s].

    Raises
    ------
    ProblemError
        503 when the time is over.
    """
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise busy(
            f"the request took longer than {seconds:g} s; send a shorter recording or try again"
        ) from None


def check_duration(content: bytes, *, max_seconds: float) -> None:
    """Refuse a recording that is too long, whatever its header says.

    It is decoded block by block and forgotten, so memory does not grow with its length and a small
    file that expands to hours is stopped at the limit.

    Parameters
    ----------
    content : bytes
        An audio file.
    max_seconds : float
        Longest recording [s].

    Raises
    ------
    ProblemError
        413 if it is longer.
    AudioError
        If it cannot be decoded so far.
    """
    info = probe(content)
    n_left = max_seconds * info.sample_rate
    if info.n_frames is not None and info.n_frames > n_left:
        raise _too_long(max_seconds)
    for block in decode_blocks(content, sample_rate=info.sample_rate, channel=0):
        n_left -= block.samples.size
        if n_left < 0:
            raise _too_long(max_seconds)


def _too_long(max_seconds: float) -> ProblemError:
    return ProblemError(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "recording-too-long",
        f"the recording is longer than {max_seconds:g} s; send it in parts",
    )
