"""What a command may not write into: what it reads, or one file twice."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from stat import S_ISREG
from typing import TYPE_CHECKING

from serenade.cli.inputs import STDIN
from serenade.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_File = tuple[int, int] | str
"""Device and number of a file, the same for all its names, or the path of one that is not there."""


def check_targets(targets: Mapping[str, Path | None], sources: Iterable[str]) -> None:
    """Refuse to write into a file that is read, under whatever name, before anything is opened.

    Parameters
    ----------
    targets : mapping of str to Path or None
        The file that each option writes into, if it is given.
    sources : iterable of str
        Files that are read, or ``"-"`` for standard input.

    Raises
    ------
    UsageError
        If a file is written and read, or written by two options.
    """
    options: dict[_File, str] = {}
    for option, target in targets.items():
        written = None if target is None else _identify(str(target))
        if written is None:
            continue
        if written in options:
            raise UsageError(f"{options[written]} and {option} are one file, {target}; give two")
        options[written] = option
    if not options:
        return
    for source in sources:
        read = _identify(source)
        if read is not None and read in options:
            name = "standard input" if source == STDIN else repr(source)
            raise UsageError(
                f"{options[read]} would write over {name}, which is to be read; give another file"
            )


def _identify(path: str) -> _File | None:
    """Tell a file from all others; devices, and what cannot be reached, are none."""
    try:
        status = os.fstat(sys.stdin.fileno()) if path == STDIN else Path(path).stat()
    except FileNotFoundError:
        return os.path.realpath(path)
    except (OSError, AttributeError):  # closed, or not of the operating system
        return None
    return (status.st_dev, status.st_ino) if S_ISREG(status.st_mode) else None
