"""Power of short frames, the measure that everything about level and activity starts from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from serenade.types import FloatArray, Waveform

FRAME_SECONDS = 0.01


def frame_length(sample_rate: int) -> int:
    """Give the length of a 10 ms frame.

    Parameters
    ----------
    sample_rate : int
        Samples per second [Hz].

    Returns
    -------
    int
        Samples per frame.
    """
    return round(FRAME_SECONDS * sample_rate)


def frame_powers(waveform: Waveform) -> FloatArray:
    """Measure the mean square of every 10 ms frame.

    Parameters
    ----------
    waveform : Waveform
        Of any length.

    Returns
    -------
    ndarray of shape (n_frames,), float32
        Frames do not overlap; the last one is filled up with zeros, so that
        ``n_frames = ceil(n_samples / frame length)``.
    """
    framed = _framed(waveform)
    powers: FloatArray = np.einsum("ij,ij->i", framed, framed) / np.float32(framed.shape[1])
    return powers


def frame_variances(waveform: Waveform) -> FloatArray:
    """Measure the mean square of every 10 ms frame about its own mean.

    Parameters
    ----------
    waveform : Waveform
        Of any length.

    Returns
    -------
    ndarray of shape (n_frames,), float32
        Of the frames of :func:`frame_powers`; 0 where nothing moves.
    """
    variances: FloatArray = _framed(waveform).var(axis=1)
    return variances


def _framed(waveform: Waveform) -> FloatArray:
    length = frame_length(waveform.sample_rate)
    missing = -waveform.samples.size % length
    samples = np.pad(waveform.samples, (0, missing)) if missing else waveform.samples
    return samples.reshape(-1, length)


def smooth_powers(powers: FloatArray, *, n_frames: int = 5) -> FloatArray:
    """Average frame powers over their neighbours.

    Parameters
    ----------
    powers : ndarray of shape (n,), float32
        As :func:`frame_powers` gives them; at least one.
    n_frames : int
        Odd number of frames in each average.

    Returns
    -------
    ndarray of shape (n,), float32
        Centred averages; the first and last value are held beyond the edges.
    """
    held = np.pad(powers, n_frames // 2, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(held, n_frames)
    smoothed: FloatArray = windows.mean(axis=1, dtype=np.float32)
    return smoothed
