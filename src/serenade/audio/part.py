"""A part of a recording."""

from __future__ import annotations

from typing import TYPE_CHECKING

from serenade.audio.decode import decode
from serenade.audio.naming import name_of
from serenade.errors import AudioError
from serenade.types import Waveform

if TYPE_CHECKING:
    from serenade.audio.naming import AudioSource

_MARGIN_SECONDS = 0.5
"""Decoded beyond the part, so that its last samples do not know that decoding stopped."""


def decode_part(
    source: AudioSource, *, start_seconds: float | None, stop_seconds: float | None
) -> Waveform:
    """Decode a part of an audio file.

    Parameters
    ----------
    source : path, bytes or binary stream
        As for :func:`serenade.audio.decode.decode`.
    start_seconds, stop_seconds : float or None
        The part [s], from 0 on; ``None`` for the beginning and the end. It ends where the source
        ends, if that is before the stop.

    Returns
    -------
    Waveform
        16 kHz mono, at least one sample.

    Raises
    ------
    AudioError
        If the source cannot be decoded or ends before the part begins, or the part is shorter
        than a sample.
    """
    enough = None if stop_seconds is None else stop_seconds + _MARGIN_SECONDS
    return part_of(
        decode(source, max_seconds=enough),
        start_seconds=start_seconds,
        stop_seconds=stop_seconds,
        name=name_of(source),
    )


def part_of(
    waveform: Waveform, *, start_seconds: float | None, stop_seconds: float | None, name: str
) -> Waveform:
    """Cut a part out of a decoded recording.

    Parameters
    ----------
    waveform : Waveform
        The recording.
    start_seconds, stop_seconds : float or None
        As in :func:`decode_part`.
    name : str
        What messages call the recording.

    Returns
    -------
    Waveform
        At least one sample.

    Raises
    ------
    AudioError
        If the recording ends before the part begins, or the part is shorter than a sample.
    """
    first = _sample_at(start_seconds or 0.0, waveform)
    last = waveform.samples.size if stop_seconds is None else _sample_at(stop_seconds, waveform)
    if first == waveform.samples.size:
        raise AudioError(
            f"{name} lasts {waveform.duration_seconds:.3f} s, so there is nothing from"
            f" {start_seconds} s on; correct the start"
        )
    if last <= first:
        raise AudioError(
            f"the part of {name} from {start_seconds or 0.0} s to {stop_seconds} s holds"
            " no sample; give a later stop"
        )
    return Waveform(waveform.samples[first:last], waveform.sample_rate)


def _sample_at(seconds: float, waveform: Waveform) -> int:
    """Give the number of the sample at a time, or of samples where the time is after the end."""
    if seconds >= waveform.duration_seconds:
        return waveform.samples.size
    return round(seconds * waveform.sample_rate)
