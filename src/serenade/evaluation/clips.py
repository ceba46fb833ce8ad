"""The audio of utterances."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from serenade.audio.decode import decode
from serenade.errors import AudioError
from serenade.types import Waveform

if TYPE_CHECKING:
    from serenade.corpora.manifest import Utterance


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
    waveform = decode(utterance_path(utterance, root))
    if utterance.start_seconds is None and utterance.stop_seconds is None:
        return waveform
    rate = waveform.sample_rate
    start = round((utterance.start_seconds or 0.0) * rate)
    stop = waveform.samples.size
    if utterance.stop_seconds is not None:
        stop = min(round(utterance.stop_seconds * rate), stop)
    if start >= stop:
        raise AudioError(
            f"{utterance.path}: lasts {waveform.duration_seconds:.3f} s, so there is nothing from"
            f" {utterance.start_seconds} s on; correct the start in the manifest"
        )
    return Waveform(waveform.samples[start:stop], rate)
