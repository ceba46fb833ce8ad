"""How an audio source, or a wrong value, is named in messages."""

from __future__ import annotations

import numbers
import os
from typing import BinaryIO

from serenade.errors import AudioError

AudioSource = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO
"""A path, the content of a file, or an open binary stream."""

_LONGEST_VALUE = 60
"""Longer values are cut short in messages."""


def name_of(source: AudioSource) -> str:
    """Name a source on one printable line.

    Parameters
    ----------
    source : path, bytes or binary stream
        What the user gave.

    Returns
    -------
    str
        A path in quotes with line breaks, control characters and bytes that are no text escaped;
        a plain description for anything without a path.

    Raises
    ------
    AudioError
        If the path is empty, which names nothing.
    """
    if isinstance(source, bytes | bytearray | memoryview):
        return "the given data"
    if isinstance(source, str | os.PathLike):
        path = os.fspath(source)
        if not path:
            raise AudioError("the path is empty; give the path of a recording")
        # repr escapes lone surrogates (bytes that are no UTF-8) and control characters, keeps emoji
        return repr(path)
    return "the given stream"


def shown(value: object) -> str:
    """Show a wrong value on one short line.

    Parameters
    ----------
    value : object
        What the user gave.

    Returns
    -------
    str
        A number plain, anything else as Python writes it.
    """
    try:
        text = str(value) if isinstance(value, numbers.Number) else repr(value)
    except ValueError:  # it has more digits than Python writes
        return "a number of thousands of digits"
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_VALUE else f"{line[:_LONGEST_VALUE]}..."
