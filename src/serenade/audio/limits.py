"""What audio may be: the sample rates and the amplitudes that are accepted."""

from __future__ import annotations

import math
import numbers
from typing import TYPE_CHECKING

import numpy as np

from serenade.audio.naming import shown
from serenade.errors import AudioError

if TYPE_CHECKING:
    from serenade.types import FloatArray

LOWEST_RATE = 8_000
HIGHEST_RATE = 192_000

_LARGEST_AMPLITUDE = 1e6
"""Floating-point audio may pass full scale, but no recording does so by this factor."""


def check_rate(sample_rate: object, name: str) -> int:
    """Give a sample rate as an integer if it is one that can be worked with.

    Parameters
    ----------
    sample_rate : object
        Samples per second [Hz]; right is a whole number from 8,000 to 192,000.
    name : str
        Whose rate it is, as the subject of the message.

    Returns
    -------
    int
        The same rate.

    Raises
    ------
    AudioError
        If the rate is out of range or not a whole number.
    """
    try:
        rate = float(sample_rate) if isinstance(sample_rate, numbers.Real) else math.nan
    except OverflowError:
        rate = math.inf
    if LOWEST_RATE <= rate <= HIGHEST_RATE and rate.is_integer():
        return int(rate)
    raise AudioError(
        f"{name} has a sample rate of {shown(sample_rate)} Hz; allowed are whole numbers from"
        f" {LOWEST_RATE} to {HIGHEST_RATE} Hz"
    )


def check_amplitudes(samples: FloatArray, name: str) -> None:
    """Refuse samples that no recording can hold.

    Parameters
    ----------
    samples : ndarray of any shape, float32
        Not empty.
    name : str
        Whose samples they are, as the subject of the message.

    Raises
    ------
    AudioError
        If a sample is NaN, infinite or beyond a million times full scale.
    """
    # written so that NaN, for which every comparison is false, is refused too
    if not np.abs(samples).max() <= _LARGEST_AMPLITUDE:
        raise AudioError(
            f"{name} holds samples that are NaN, infinite or beyond {_LARGEST_AMPLITUDE:,.0f}"
            " times full scale; export it again"
        )
