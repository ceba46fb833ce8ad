"""How usable a recording is."""

from __future__ import annotations

import math

import numpy as np

from serenade.audio.activity import voice_activity
from serenade.audio.condition import remove_offset
from serenade.audio.frames import frame_powers, smooth_powers
from serenade.errors import AudioError
from serenade.types import FloatArray, Quality, Waveform

_CLIPPED_FROM = 0.999
"""Resampling and averaging move clipped samples a little off full scale."""

_NOISE_PERCENTILE = 10.0
_SNR_RANGE_DB = (-20.0, 100.0)


def measure_quality(waveform: Waveform) -> Quality:
    """Measure a recording as it was decoded, before conditioning.

    Parameters
    ----------
    waveform : Waveform
        At least one sample.

    Returns
    -------
    Quality
        ``level_dbfs`` and ``clipping_share`` count all samples. ``snr_db`` compares the mean power
        with the level of the quietest tenth of the recording; it lies in [-20, 100] and is too low
        for a clip without pauses.

    Raises
    ------
    AudioError
        If the waveform is empty.

    References
    ----------
    The signal-to-noise ratio follows the idea of NIST's STNR (speech quality assurance package):
    the noise is a low percentile of the distribution of short-time energies.
    """
    if waveform.samples.size == 0:
        raise AudioError("the recording holds no samples; give a longer one")
    mean_square = float(np.mean(np.square(waveform.samples, dtype=np.float64)))
    centred = remove_offset(waveform)
    return Quality(
        duration_seconds=waveform.duration_seconds,
        level_dbfs=10.0 * math.log10(mean_square) if mean_square > 0 else -math.inf,
        clipping_share=float(np.mean(np.abs(waveform.samples) >= _CLIPPED_FROM)),
        snr_db=_snr_db(frame_powers(centred)),
        speech_share=float(np.mean(voice_activity(centred))),
    )


def _snr_db(powers: FloatArray) -> float:
    lowest, highest = _SNR_RANGE_DB
    noise = _percentile(smooth_powers(powers), _NOISE_PERCENTILE)
    speech = float(powers.mean()) - noise
    if speech <= 0:
        return lowest
    if noise == 0:
        return highest
    return min(max(10.0 * math.log10(speech / noise), lowest), highest)


def _percentile(values: FloatArray, percent: float) -> float:
    """Do what :func:`numpy.percentile` does, whose first call imports all of ``numpy.ma``.

    That is a twentieth of the time of one prediction in a fresh process.
    """
    ranks = np.arange(values.size)
    return float(np.interp(percent / 100.0 * (values.size - 1), ranks, np.sort(values)))
