"""Cutting samples into overlapping frames, as rows or as columns of a matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import as_strided

from serenade.errors import AudioError, UsageError
from serenade.features.checks import LONGEST_FRAME, as_samples, check_count

if TYPE_CHECKING:
    from serenade.types import FloatArray

PAD_MODES = ("constant", "edge", "reflect", "symmetric")
"""How a signal is continued beyond its ends; ``"constant"`` means zeros."""


def frame(
    y: npt.ArrayLike,
    *,
    frame_length: int,
    hop_length: int,
    center: bool = True,
    pad_mode: str = "constant",
) -> FloatArray:
    """Cut samples into overlapping frames.

    Parameters
    ----------
    y : array_like of shape (n_samples,), floating point
        Amplitude, nominally in [-1, 1].
    frame_length : int
        Length of a frame [samples], at least 2.
    hop_length : int
        Distance between frames [samples], at least 1.
    center : bool
        Whether frames are centred, as in :func:`serenade.features.spectrum.stft`.
    pad_mode : str
        One of :data:`PAD_MODES`; used when `center` is true.

    Returns
    -------
    ndarray of shape (n_frames, frame_length), float32
        A read-only view: the frames share memory.

    Raises
    ------
    AudioError
        If the samples are unusable, or too few for one frame that is not centred.
    UsageError
        If a parameter is out of range.
    """
    check_count("hop_length", hop_length)
    samples = continued(y, frame_length=frame_length, center=center, pad_mode=pad_mode)
    return frames_as_rows(samples, frame_length=frame_length, hop_length=hop_length)


def continued(
    y: npt.ArrayLike, *, frame_length: int, center: bool = True, pad_mode: str = "constant"
) -> FloatArray:
    """Continue samples beyond their ends, so that the first frame is centred on the first sample.

    Parameters
    ----------
    y, frame_length, center, pad_mode
        As in :func:`frame`.

    Returns
    -------
    ndarray of shape (n_samples + 2 * (frame_length // 2),), float32
        At least one frame; without `center`, the samples as they are.

    Raises
    ------
    AudioError, UsageError
        As in :func:`frame`.
    """
    check_count("frame_length", frame_length, at_least=2, at_most=LONGEST_FRAME)
    if pad_mode not in PAD_MODES:
        raise UsageError(f"pad_mode must be one of {', '.join(PAD_MODES)}, got {pad_mode!r}")
    samples = as_samples(y)
    if center:
        samples = _padded(samples, frame_length // 2, pad_mode)
    if samples.shape[0] < frame_length:
        raise AudioError(
            f"{samples.shape[0]} samples are too few for one frame of {frame_length};"
            " use center=True or shorter frames"
        )
    return samples


def _padded(samples: FloatArray, width: int, pad_mode: str) -> FloatArray:
    # np.pad takes five times as long to add constant values.
    if pad_mode == "constant":
        silence = np.zeros(width, dtype=np.float32)
        return np.concatenate([silence, samples, silence])
    if pad_mode == "edge":
        before, after = np.full(width, samples[0]), np.full(width, samples[-1])
        return np.concatenate([before, samples, after])
    return np.pad(samples, width, mode=pad_mode)  # type: ignore[call-overload, no-any-return]


def count_frames(samples: FloatArray, *, frame_length: int, hop_length: int) -> int:
    """Count the frames that fit.

    Parameters
    ----------
    samples : ndarray of shape (n_samples,), float32
        At least one frame.
    frame_length, hop_length : int
        Length of and distance between frames [samples].

    Returns
    -------
    int
        Number of frames.
    """
    n_samples: int = samples.shape[0]
    return 1 + (n_samples - frame_length) // hop_length


def frames_as_rows(samples: FloatArray, *, frame_length: int, hop_length: int) -> FloatArray:
    """Give frames as the rows of a matrix.

    Parameters
    ----------
    samples : ndarray of shape (n_samples,), float32
        At least one frame, contiguous.
    frame_length, hop_length : int
        Length of and distance between frames [samples].

    Returns
    -------
    ndarray of shape (n_frames, frame_length), float32
        A read-only view: the frames share memory.
    """
    n_frames = count_frames(samples, frame_length=frame_length, hop_length=hop_length)
    return as_strided(
        samples,
        shape=(n_frames, frame_length),
        strides=(hop_length * samples.itemsize, samples.itemsize),
        writeable=False,
    )


def put_frames_in_columns(
    columns: FloatArray, samples: FloatArray, window: FloatArray, *, hop_length: int
) -> None:
    """Write weighted frames into the columns of a matrix.

    What is one hop further on in a frame is at the beginning of the next frame. So the samples are
    turned into columns of one hop each, and the rows of those, moved on by a frame for each hop,
    make up the result: three times as fast as turning every frame.

    Parameters
    ----------
    columns : ndarray of shape (frame_length, n_frames), float32
        Overwritten.
    samples : ndarray of shape (n_samples,), float32
        `n_frames` frames or more.
    window : ndarray of shape (frame_length,), float32
        Weight of each sample of a frame.
    hop_length : int
        Distance between frames [samples].
    """
    length, n_frames = columns.shape
    n_hops = n_frames + (length - 1) // hop_length
    samples = samples[: n_hops * hop_length]
    n_whole = samples.shape[0] // hop_length
    rest = samples[n_whole * hop_length :]
    hops = np.empty((hop_length, n_hops), dtype=np.float32)
    hops[:, :n_whole] = samples[: n_whole * hop_length].reshape(n_whole, hop_length).T
    hops[: rest.shape[0], n_whole:] = rest[:, None]
    for hop, start in enumerate(range(0, length, hop_length)):
        weights = window[start : start + hop_length, None]
        rows = hops[: weights.shape[0], hop : hop + n_frames]
        np.multiply(rows, weights, out=columns[start : start + weights.shape[0]])
