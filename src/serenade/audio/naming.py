"""How an audio source is named in messages."""

from __future__ import annotations

import os
from typing import BinaryIO

AudioSource = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO
"""A path, the content of a file, or an open binary stream."""


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
    """
    if isinstance(source, bytes | bytearray | memoryview):
        return "the given data"
    if isinstance(source, str | os.PathLike):
        # repr escapes lone surrogates (bytes that are no UTF-8) and control characters, keeps emoji
        return repr(os.fspath(source))
    return "the given stream"
