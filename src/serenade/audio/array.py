"""Audio that a user already holds in memory."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from serenade.audio.decode import SAMPLE_RATE
from serenade.audio.limits import check_amplitudes, check_rate
from serenade.audio.resample import resample
from serenade.errors import AudioError
from serenade.types import FloatArray, Waveform

if TYPE_CHECKING:
    import numpy.typing as npt

_MOST_CHANNELS = 64
"""More columns than this means that the axes are swapped."""


def from_array(
    samples: npt.ArrayLike, sample_rate: int, *, target_rate: int = SAMPLE_RATE
) -> Waveform:
    """Make a waveform of an array.

    Parameters
    ----------
    samples : array of shape (n_samples,) or (n_samples, n_channels)
        Floating-point amplitudes, nominally in [-1, 1], or PCM integers (uint8, int8, int16,
        int32), which are scaled by their range. Channels are averaged.
    sample_rate : int
        Samples per second of the array [Hz]; 8,000 to 192,000.
    target_rate : int
        The rate to reach [Hz].

    Returns
    -------
    Waveform
        A copy; the array itself is not changed.

    Raises
    ------
    AudioError
        If the array is empty, has another shape or type, masked samples, or holds NaN or infinity,
        or if a rate is out of range.
    """
    if _is_masked(samples):
        raise AudioError("the array has masked samples; fill them or leave them out")
    try:
        array = np.asarray(samples)
    except ValueError as error:
        raise AudioError(
            "the array has rows of different lengths; give (n_samples,) or (n_samples, n_channels)"
        ) from error
    check_rate(sample_rate, "the array")
    if array.ndim not in (1, 2):
        raise AudioError(
            f"the array has {array.ndim} dimensions; give (n_samples,) or (n_samples, n_channels)"
        )
    if array.size == 0:
        raise AudioError("the array is empty; give at least one sample")
    if array.ndim == 2 and array.shape[1] > _MOST_CHANNELS:
        raise AudioError(
            f"the array has {array.shape[1]} channels; at most {_MOST_CHANNELS} are allowed, so"
            " if its first axis is the channels, transpose it"
        )
    amplitudes = _to_float(array)
    check_amplitudes(amplitudes, "the array")
    mono = amplitudes if amplitudes.ndim == 1 else amplitudes.mean(axis=1, dtype=np.float32)
    return resample(Waveform(mono, int(sample_rate)), target_rate)


def _is_masked(samples: object) -> bool:
    """Tell whether samples are hidden; whoever made such an array has loaded numpy.ma."""
    masked_arrays = sys.modules.get("numpy.ma")
    return masked_arrays is not None and bool(masked_arrays.is_masked(samples))


def _to_float(array: npt.NDArray[Any]) -> FloatArray:
    """Scale PCM integers to [-1, 1); copy floats."""
    if np.issubdtype(array.dtype, np.floating):
        with np.errstate(over="ignore"):  # what does not fit becomes infinite and is refused
            return array.astype(np.float32)
    if array.dtype == np.uint8:
        return (array.astype(np.float32) - 128.0) / 128.0
    if array.dtype.newbyteorder("=") in (np.int8, np.int16, np.int32):
        full_scale = 2.0 ** (8 * array.dtype.itemsize - 1)
        return array.astype(np.float32) / np.float32(full_scale)
    raise AudioError(
        f"the array is of type {array.dtype}; give floating-point samples or PCM integers"
        " (uint8, int8, int16, int32)"
    )
