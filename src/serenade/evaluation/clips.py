"""The audio of utterances."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from serenade.audio.part import decode_part

if TYPE_CHECKING:
    from serenade.corpora.manifest import Utterance
    from serenade.types import Waveform


def utterance_source(utterance: Utterance, root: Path | None) -> Path | Waveform:
    """Give what a recogniser hears of an utterance.

    Parameters
    ----------
    utterance : Utterance
        With or without start and stop.
    root : Path, optional
        Folder that a relative path starts from.

    Returns
    -------
    Path or Waveform
        The whole file, or the part that is meant.

    Raises
    ------
    AudioError
        If only a part is meant and cannot be read.
    """
    if utterance.start_seconds is None and utterance.stop_seconds is None:
        return utterance_path(utterance, root)
    return utterance_waveform(utterance, root)


def utterance_path(utterance: Utterance, root: Path | None) -> Path:
    """Find the file of an utterance.

    Parameters
    ----------
    utterance : Utterance
        Any.
    root : Path, optional
        Folder that a relative path starts from.

    Returns
    -------
    Path
        The file, which may hold more than the utterance.
    """
    return Path(utterance.path) if root is None else root / utterance.path


def utterance_waveform(utterance: Utterance, root: Path | None) -> Waveform:
    """Decode the part of a file that an utterance means.

    Parameters
    ----------
    utterance : Utterance
        With or without start and stop.
    root : Path, optional
        Folder that a relative path starts from.

    Returns
    -------
    Waveform
        16 kHz mono.

    Raises
    ------
    AudioError
        If the file cannot be read or is shorter than the part.
    """
    return decode_part(
        utterance_path(utterance, root),
        start_seconds=utterance.start_seconds,
        stop_seconds=utterance.stop_seconds,
    )
