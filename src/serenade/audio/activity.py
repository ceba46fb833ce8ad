"""Voice activity from energy: which 10 ms frames stand out from the noise around them.

The noise floor is the quietest moment of the seconds around a frame, so it follows a background
that changes slowly. Everything is relative, so the gain of the recording does not matter.

References
----------
R. Martin: "Noise power spectral density estimation based on optimal smoothing and minimum
statistics", IEEE Trans. Speech and Audio Processing 9(5), 2001 (the minimum of the smoothed power
as noise floor, here over the whole band).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from serenade.audio.frames import FRAME_SECONDS, frame_length, frame_powers, smooth_powers

if TYPE_CHECKING:
    import numpy.typing as npt

    from serenade.types import FloatArray, Waveform

    Mask = npt.NDArray[np.bool_]

_FLOOR_SECONDS = 4.0
"""Longer than any syllable run without a dip, shorter than most changes of background."""

_AUDIBLE_SHARE = 10.0 ** (-45.0 / 10.0)
"""Below this share of the loudest moment nothing counts, however quiet the floor is."""

_SILENCE_POWER = 1e-12
"""Power of digital silence: -120 dBFS."""


def voice_activity(
    waveform: Waveform,
    *,
    onset_db: float = 8.0,
    offset_db: float = 4.0,
    hangover_seconds: float = 0.1,
) -> Mask:
    """Mark the frames that hold voice.

    Parameters
    ----------
    waveform : Waveform
        Without offset.
    onset_db : float
        Activity begins where the smoothed level is this far above the noise floor [dB].
    offset_db : float
        It reaches, in both directions, as far as the level stays this far above the floor [dB].
    hangover_seconds : float
        It lasts this much longer, for endings that fade into the noise [s].

    Returns
    -------
    ndarray of shape (n_frames,), bool
        One value for every 10 ms frame, the last one possibly incomplete.
    """
    powers = frame_powers(waveform)
    if powers.size == 0:
        return np.zeros(0, np.bool_)
    smoothed = smooth_powers(powers)
    floor = np.maximum(_noise_floor(smoothed), max(_SILENCE_POWER, smoothed.max() * _AUDIBLE_SHARE))
    begins = smoothed > floor * 10.0 ** (onset_db / 10.0)
    lasts = smoothed > floor * 10.0 ** (offset_db / 10.0)
    active = np.zeros(lasts.size, np.bool_)
    hangover = round(hangover_seconds / FRAME_SECONDS)
    for start, stop in _runs(lasts):
        if begins[start:stop].any():
            active[start : stop + hangover] = True
    return active


def speech_segments(
    waveform: Waveform,
    *,
    min_speech_seconds: float = 0.1,
    min_pause_seconds: float = 0.3,
    onset_db: float = 8.0,
    offset_db: float = 4.0,
    hangover_seconds: float = 0.1,
) -> list[tuple[int, int]]:
    """Find the stretches of speech.

    Parameters
    ----------
    waveform : Waveform
        Without offset.
    min_speech_seconds : float
        Shorter stretches are dropped [s].
    min_pause_seconds : float
        Stretches that are closer than this are joined [s].
    onset_db, offset_db, hangover_seconds : float
        As for :func:`voice_activity`.

    Returns
    -------
    list of (int, int)
        First sample and the one after the last of each stretch, in order, without overlap.
    """
    active = voice_activity(
        waveform, onset_db=onset_db, offset_db=offset_db, hangover_seconds=hangover_seconds
    )
    length = frame_length(waveform.sample_rate)
    min_pause = min_pause_seconds * waveform.sample_rate
    min_speech = min_speech_seconds * waveform.sample_rate
    joined: list[tuple[int, int]] = []
    for first, last in _runs(active):
        start, stop = first * length, min(last * length, waveform.samples.size)
        if joined and start - joined[-1][1] < min_pause:
            joined[-1] = (joined[-1][0], stop)
        else:
            joined.append((start, stop))
    return [(start, stop) for start, stop in joined if stop - start >= min_speech]


def _noise_floor(smoothed: FloatArray) -> FloatArray:
    """Give the lowest smoothed power of the seconds around each frame."""
    half = round(_FLOOR_SECONDS / FRAME_SECONDS / 2)
    held = np.pad(smoothed, half, mode="edge")
    floor: FloatArray = np.lib.stride_tricks.sliding_window_view(held, 2 * half + 1).min(axis=1)
    return floor


def _runs(mask: Mask) -> list[tuple[int, int]]:
    """Give the first index and the one after the last of every run of true values."""
    edges = np.flatnonzero(np.diff(mask, prepend=False, append=False)).tolist()
    return list(zip(edges[::2], edges[1::2], strict=True))
