"""Which recordings the arguments of a command mean."""

from __future__ import annotations

import glob
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from serenade.errors import AudioError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

STDIN = "-"


class Input(NamedTuple):
    """A recording, or an argument that means none.

    Parameters
    ----------
    path : str
        Path of the recording, ``"-"`` for standard input, or the argument.
    problem : AudioError or None
        Why there is nothing to read.
    """

    path: str
    problem: AudioError | None = None


def find_inputs(arguments: Iterable[str]) -> list[Input]:
    """Find the recordings that arguments mean.

    A folder means the audio files anywhere below it, but for hidden ones; a pattern means the files
    and folders that match it, where no file has exactly that name; anything else is taken as the
    path of a recording.

    Parameters
    ----------
    arguments : iterable of str
        Files, folders, patterns with ``*``, ``**``, ``?`` or ``[...]``, or ``"-"``.

    Returns
    -------
    list of Input
        Sorted by path, each path once.
    """
    found: dict[str, Input] = {}
    for argument in arguments:
        for item in _expand(argument):
            found.setdefault(item.path, item)
    return [found[path] for path in sorted(found, key=os.fsencode)]


def means_one_file(arguments: list[str]) -> bool:
    """Tell whether arguments mean one recording, whatever folders hold.

    Parameters
    ----------
    arguments : list of str
        As for :func:`find_inputs`.

    Returns
    -------
    bool
        Whether there is one argument and it is neither a folder nor a pattern.
    """
    return len(arguments) == 1 and not (_is_folder(arguments[0]) or _is_pattern(arguments[0]))


def read_standard_input() -> bytes:
    """Read the recording on standard input.

    Returns
    -------
    bytes
        All of it.

    Raises
    ------
    AudioError
        If it cannot be read.
    """
    try:
        return sys.stdin.buffer.read()
    except OSError as error:
        reason = f"standard input cannot be read ({error.strerror})"
        raise AudioError(f"{reason}; pipe a recording in or give a file") from error


def _expand(argument: str) -> Iterator[Input]:
    if _is_folder(argument):
        yield from _search_folder(argument)
    elif _is_pattern(argument):
        matches = glob.glob(argument, recursive=True)  # noqa: PTH207 - Path.glob takes no absolute pattern
        if not matches:
            yield Input(argument, AudioError(f"no file matches the pattern {argument!r}"))
        for match in matches:
            if _is_folder(match):
                yield from _search_folder(match)
            else:
                yield Input(match)
    elif argument == STDIN and sys.stdin is None:
        yield Input(
            argument, AudioError("standard input is closed; pipe a recording in or give a file")
        )
    else:
        yield Input(argument)


def _is_folder(path: str) -> bool:
    return os.path.isdir(path)  # noqa: PTH112 - Path.is_dir fails where a parent may not be read


def _is_pattern(argument: str) -> bool:
    return argument != STDIN and not os.path.lexists(argument) and glob.has_magic(argument)


def _search_folder(folder: str) -> Iterator[Input]:
    # the list belongs to the corpora, which only a folder needs
    from serenade.corpora.corpus import AUDIO_EXTENSIONS

    unreadable: list[OSError] = []
    n_found = 0
    for parent, subfolders, names in os.walk(folder, onerror=unreadable.append):
        subfolders[:] = [name for name in subfolders if not name.startswith(".")]
        for name in names:
            if not name.startswith(".") and name.lower().endswith(AUDIO_EXTENSIONS):
                n_found += 1
                yield Input(str(Path(parent, name)))
    for error in unreadable:
        reason = f"folder {error.filename!r} may not be read ({error.strerror})"
        yield Input(str(error.filename), AudioError(f"{reason}; check its permissions"))
    if not n_found and not unreadable:
        yield Input(
            folder,
            AudioError(
                f"folder {folder!r} holds no audio files ({', '.join(AUDIO_EXTENSIONS)}); give the"
                " files themselves if they have other names"
            ),
        )
