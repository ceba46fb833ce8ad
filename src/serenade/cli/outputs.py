"""Where records go: standard output or a file that is never left half-written."""

from __future__ import annotations

import io
import os
import sys
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, TextIO

from serenade.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


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


@contextmanager
def open_output(path: Path | None, form: Format, *, append: bool) -> Iterator[TextIO]:
    """Open what records are written to.

    Lines (JSONL, CSV) go into the file as they come. Other formats go into a new file that takes
    the place of an old one when it is complete or the user interrupts, never half-way.

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
        # a device such as /dev/stdout cannot be replaced
        if form.is_resumable or (path.exists() and not path.is_file()):
            with path.open("a" if append else "w", encoding="utf-8", newline="\n") as file:
                yield file
        else:
            with _replacing(path) as file:
                yield file
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written ({error.strerror}); give another --output"
        ) from error


@contextmanager
def _replacing(path: Path) -> Iterator[TextIO]:
    """Write a new file beside an old one, then put it in its place."""
    target = path.resolve()
    part = target.with_name(f".serenade-{os.getpid()}.part")
    try:
        with part.open("w", encoding="utf-8", newline="\n") as file:
            yield file
    except KeyboardInterrupt:
        part.replace(target)
        raise
    except Exception:
        part.unlink(missing_ok=True)
        raise
    part.replace(target)


def _standard_output(form: Format) -> TextIO:
    """Give standard output, made able to take every record."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        if form is Format.TEXT:
            sys.stdout.reconfigure(errors="backslashreplace")
        else:
            sys.stdout.reconfigure(encoding="utf-8", newline="\n")
    return sys.stdout
