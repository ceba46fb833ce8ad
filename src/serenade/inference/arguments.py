"""Arguments of the wrong kind, told at once and not from deep inside."""

from __future__ import annotations

import numbers
import os

import numpy as np

from serenade.audio.naming import shown
from serenade.errors import UsageError
from serenade.types import Waveform

MOST_AT_ONCE = 1024
"""No machine gains by more threads or processes than this."""


def check_count(value: object, name: str) -> int:
    """Give a number of threads or processes if there can be so many.

    Parameters
    ----------
    value : object
        Right is a whole number from 1 to 1,024.
    name : str
        The argument, as the subject of the message.

    Returns
    -------
    int
        The same number.

    Raises
    ------
    UsageError
        If it is no whole number or out of range.
    """
    if isinstance(value, numbers.Integral) and 1 <= int(value) <= MOST_AT_ONCE:
        return int(value)
    raise UsageError(f"{name} must be a whole number from 1 to {MOST_AT_ONCE}, got {shown(value)}")


def check_kind(value: object, kind: type, name: str) -> None:
    """Refuse an argument that is not of the one class that is allowed.

    Parameters
    ----------
    value : object
        What the user gave.
    kind : type
        Its only right class.
    name : str
        The argument, as the subject of the message.

    Raises
    ------
    UsageError
        If it is of another class.
    """
    if not isinstance(value, kind):
        raise UsageError(f"{name} must be a {kind.__name__}, got {shown(value)}")


def check_model_name(value: object) -> None:
    """Refuse what can be neither the name nor the folder of a model.

    Parameters
    ----------
    value : object
        Right is text, a path of text, or ``None``.

    Raises
    ------
    UsageError
        If it is anything else.
    """
    if value is None or isinstance(value, str):
        return
    if not isinstance(value, os.PathLike) or not isinstance(os.fspath(value), str):
        raise UsageError(
            f"a model must be given by its name or the path of its folder, got {shown(value)}"
        )


def check_sources(sources: object) -> None:
    """Refuse one recording where a list of them is wanted.

    Parameters
    ----------
    sources : object
        Right is an iterable of recordings; an array may hold paths, but not samples.

    Raises
    ------
    UsageError
        If it is a recording itself or cannot be iterated over.
    """
    is_one = isinstance(sources, str | bytes | bytearray | memoryview | os.PathLike | Waveform)
    is_samples = isinstance(sources, np.ndarray) and sources.dtype.kind not in "OU"
    if is_one or is_samples or hasattr(sources, "read") or not hasattr(sources, "__iter__"):
        raise UsageError(
            f"sources must be a list of recordings, not a {type(sources).__name__}; for one use"
            " predict, or put it in brackets"
        )
