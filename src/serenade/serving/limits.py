"""Limits: how much work the service takes on, and how large a recording may be."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from http import HTTPStatus
from time import monotonic
from typing import TYPE_CHECKING, Protocol, TypeVar

from serenade.audio.decode import decode_blocks, probe
from serenade.serving.problems import ProblemError, busy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

Result = TypeVar("Result")


class Level(Protocol):
    """Something that shows how many there are, such as a gauge of Prometheus."""

    def inc(self) -> None:
        """Note one more."""

    def dec(self) -> None:
        """Note one less."""


class Places:
    """A number of places; who finds none is turned away.

    Parameters
    ----------
    room : int
        How many there are, 0 or more.
    noun : str
        What takes them, in the plural.
    level : Level
        Is kept up to date.
    """

    def __init__(self, room: int, noun: str, level: Level) -> None:
        self._room = room
        self._noun = noun
        self._level = level
        self._n_taken = 0

    @contextmanager
    def take(self) -> Iterator[None]:
        """Hold a place.

        Raises
        ------
        ProblemError
            503 if there is none.
        """
        if self._n_taken >= self._room:
            raise busy(f"the service is busy with {self._room} {self._noun}; try again later")
        self._n_taken += 1
        self._level.inc()
        try:
            yield
        finally:
            self._n_taken -= 1
            self._level.dec()


class Crew:
    """A fixed number of threads that work in the order in which work comes.

    Parameters
    ----------
    size : int
        Threads, 1 or more.
    """

    def __init__(self, size: int) -> None:
        self._threads = ThreadPoolExecutor(size, thread_name_prefix="serenade")

    async def run(self, work: Callable[[], Result]) -> Result:
        """Let a thread do something.

        If the caller is cancelled, work that has not begun is dropped; work that has begun goes
        on and keeps its thread, so that the load stays bounded.

        Parameters
        ----------
        work : callable
            What to do.

        Returns
        -------
        object
            What `work` returned.
        """
        return await asyncio.wrap_future(self._threads.submit(work))

    def dismiss(self) -> None:
        """Wait for work that has begun and end the threads."""
        self._threads.shutdown(wait=True, cancel_futures=True)


class Deadline:
    """The moment at which a request is given up.

    Parameters
    ----------
    seconds : float
        How far it is away [s].
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._latest = monotonic() + seconds

    @asynccontextmanager
    async def enforce(self) -> AsyncIterator[None]:
        """Give up what is awaited meanwhile.

        Raises
        ------
        ProblemError
            503 when the time is over.
        """
        try:
            async with asyncio.timeout(self._latest - monotonic()):
                yield
        except TimeoutError:
            raise self._exceeded() from None

    def check(self) -> None:
        """Let a thread that nobody waits for any more give up by itself.

        Raises
        ------
        ProblemError
            503 when the time is over.
        """
        if monotonic() > self._latest:
            raise self._exceeded()

    def _exceeded(self) -> ProblemError:
        return busy(
            f"the request took longer than {self._seconds:g} s; send a shorter recording or try"
            " again"
        )


def check_duration(content: bytes, *, max_seconds: float, other_seconds: float = 0.0) -> float:
    """Measure a recording and refuse one that is too long, whatever its header says.

    It is decoded block by block and forgotten, so memory does not grow with its length and a small
    file that expands to hours is stopped at the limit.

    Parameters
    ----------
    content : bytes
        An audio file.
    max_seconds : float
        Longest recording [s].
    other_seconds : float
        Length of the recordings that were sent with it, which count as well [s].

    Returns
    -------
    float
        Its length [s].

    Raises
    ------
    ProblemError
        413 if it, or all together, are longer.
    AudioError
        If it cannot be decoded so far.
    """
    info = probe(content)
    most = (max_seconds - other_seconds) * info.sample_rate
    if info.n_frames is not None and info.n_frames > most:
        raise _too_long(max_seconds)
    n_samples = 0
    for block in decode_blocks(content, sample_rate=info.sample_rate, channel=0):
        n_samples += block.samples.size
        if n_samples > most:
            raise _too_long(max_seconds)
    return n_samples / info.sample_rate


def _too_long(max_seconds: float) -> ProblemError:
    return ProblemError(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "recording-too-long",
        f"what was sent is longer than {max_seconds:g} s; send the recording in parts",
    )
