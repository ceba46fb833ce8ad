"""Where records go: standard output or a file that is never left half-written."""

from __future__ import annotations

import io
import os
import sys
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TextIO

from serenade.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from _typeshed import ReadableBuffer


class Format(StrEnum):
    """How predictions are written."""

    TEXT = "text"
    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"

    @property
    def is_resumable(self) -> bool:
        """Whether every line stands for itself, so that a file can be gone on with."""
        return self in (Format.JSONL, Format.CSV)


class Done(NamedTuple):
    """What an output holds already.

    Parameters
    ----------
    paths : set of str
        Its recordings, good or failed.
    n_failed : int
        How many of them failed.
    """

    paths: set[str]
    n_failed: int


@contextmanager
def open_output(path: Path | None, form: Format, *, append: bool) -> Iterator[TextIO]:
    """Open what records are written to.

    Lines (JSONL, CSV) go into the file as they come. Other formats go into a new file that takes
    the place of an old one when it is complete or the user interrupts, never half-way. An old file
    stays as it is until something is written, and where an exception ends the block.

    Parameters
    ----------
    path : Path or None
        The file, or ``None`` for standard output.
    form : Format
        How predictions are written.
    append : bool
        Whether lines are added to those that are there.

    Yields
    ------
    TextIO
        The open file.

    Raises
    ------
    UsageError
        If the file cannot be written.
    """
    if path is None:
        yield _standard_output(form)
        return
    try:
        opened: AbstractContextManager[TextIO]
        if append or (path.exists() and not path.is_file()):
            # a device such as /dev/stdout cannot be replaced
            opened = path.open("a" if append else "w", encoding="utf-8", newline="\n")
        elif form.is_resumable:
            raw = io.BufferedWriter(_OldUntilWritten(path))
            opened = io.TextIOWrapper(raw, encoding="utf-8", newline="\n")
        else:
            opened = _replacing(path)
        with opened as file:
            yield file
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written ({error.strerror}); give another --output"
        ) from error


@contextmanager
def _replacing(path: Path) -> Iterator[TextIO]:
    """Write a new file beside an old one, then put it in its place."""
    target = Path(os.path.realpath(path))
    part = target.with_name(f".serenade-{os.getpid()}.part")
    try:
        with part.open("w", encoding="utf-8", newline="\n") as file:
            yield file
    except KeyboardInterrupt:
        if part.stat().st_size:
            part.replace(target)
        else:
            part.unlink()
        raise
    except Exception:
        part.unlink(missing_ok=True)
        raise
    part.replace(target)


class _OldUntilWritten(io.FileIO):
    """A file that loses what it held when the first bytes are written."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "a")
        self._is_old = True

    def write(self, content: ReadableBuffer, /) -> int:
        if self._is_old:
            self.truncate(0)
            self._is_old = False
        return super().write(content)


def _standard_output(form: Format) -> TextIO:
    """Give standard output, made able to take every record."""
    if sys.stdout is None:
        raise UsageError("standard output is closed; open it or give --output")
    if isinstance(sys.stdout, io.TextIOWrapper):
        if form is Format.TEXT:
            sys.stdout.reconfigure(errors="backslashreplace")
        else:
            sys.stdout.reconfigure(encoding="utf-8", newline="\n")
    return sys.stdout
