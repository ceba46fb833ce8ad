"""Reduction of steady noise, which leaves alone what it cannot improve.

A steady noise shows in every pause, so its spectrum is read from the quiet moments of each
frequency; a Wiener filter then weighs every frequency by how far the speech stands above it.
Noise that comes and goes leaves no such trace. Then, and where the recording is clean, the
estimated noise is small and the samples are given back untouched.

References
----------
V. Stahl, A. Fischer, R. Bippus: "Quantile based noise estimation for spectral subtraction and
Wiener filtering", ICASSP 2000 (the noise spectrum).
Y. Ephraim, D. Malah: "Speech enhancement using a minimum mean-square error short-time spectral
amplitude estimator", IEEE Trans. ASSP 32(6), 1984 (the decision-directed signal-to-noise ratio).
P. Scalart, J. Vieira Filho: "Speech enhancement based on a priori signal to noise estimation",
ICASSP 1996 (its use with the Wiener gain).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from serenade.types import Waveform

if TYPE_CHECKING:
    import numpy.typing as npt

    from serenade.types import FloatArray

    ComplexArray = npt.NDArray[np.complex64]

_SECTION_SECONDS = 10.0
_OVERLAP_SECONDS = 1.0
"""Longer recordings are treated in sections, each with its own noise, and faded over."""

_WINDOW_SECONDS = 0.032
_HOPS_PER_WINDOW = 4

_SMOOTHED_FRAMES = 8
_LEAST_FRAMES = 4 * _SMOOTHED_FRAMES
"""Below this (0.25 s) there are no pauses to read the noise from."""

_QUANTILE = 0.2
_QUANTILE_TO_MEAN = 1.5
"""A low quantile of a smoothed noise power lies below its mean, and pauses are short."""

_SMOOTHING = 0.98
_LEAST_GAIN = 10.0 ** (-10.0 / 20.0)
"""Some noise is left, which hides artefacts and keeps quiet speech."""

_FULL_BELOW_DB = 1.0
_NONE_ABOVE_DB = 12.0
"""Signal-to-noise ratios between which the effect fades out.

Above, speech would suffer more than noise. The fade is long so that the natural background of a
recording is not cut out of it where the noise that disturbs is another, which cannot be reduced.
"""


def reduce_noise(waveform: Waveform) -> Waveform:
    """Lower the steady noise of a recording.

    Parameters
    ----------
    waveform : Waveform
        Of any length and level; the result does not depend on the level.

    Returns
    -------
    Waveform
        Of the same length. The same samples where the recording is shorter than 0.25 s, has an
        estimated signal-to-noise ratio above 12 dB, or holds no steady noise.
    """
    section = round(_SECTION_SECONDS * waveform.sample_rate)
    overlap = round(_OVERLAP_SECONDS * waveform.sample_rate)
    n_fft = 1 << round(np.log2(_WINDOW_SECONDS * waveform.sample_rate))
    samples = waveform.samples.copy()
    fade = np.linspace(0.0, 1.0, overlap, dtype=np.float32)
    for start in range(0, max(1, samples.size - overlap), section - overlap):
        cleaned = _clean(waveform.samples[start : start + section], n_fft)
        if start > 0:
            before = samples[start : start + overlap]
            cleaned[:overlap] = before + fade * (cleaned[:overlap] - before)
        samples[start : start + section] = cleaned
    return Waveform(samples, waveform.sample_rate)


def _clean(samples: FloatArray, n_fft: int) -> FloatArray:
    """Treat one section as having one noise."""
    spectra = _analyse(samples, n_fft)
    powers = np.abs(spectra) ** 2
    # frames that the signal fills; those at the edges hold padding
    whole = powers[_HOPS_PER_WINDOW:-_HOPS_PER_WINDOW]
    if len(whole) < _LEAST_FRAMES:
        return samples.copy()
    noise = _noise_powers(whole)
    share = _share_of_effect(whole, noise)
    if share == 0.0:
        return samples.copy()
    filtered = _synthesise(spectra * _gains(powers, noise), n_fft, samples.size)
    cleaned: FloatArray = samples + np.float32(share) * (filtered - samples)
    return cleaned


def _noise_powers(powers: FloatArray) -> FloatArray:
    """Estimate the noise of each frequency, shape (n_bins,), from powers (n_frames, n_bins)."""
    sums = np.cumsum(powers, axis=0, dtype=np.float64)
    smoothed = (sums[_SMOOTHED_FRAMES:] - sums[:-_SMOOTHED_FRAMES]) / _SMOOTHED_FRAMES
    noise = _QUANTILE_TO_MEAN * np.quantile(smoothed, _QUANTILE, axis=0)
    return np.asarray(noise, dtype=np.float32)


def _share_of_effect(powers: FloatArray, noise: FloatArray) -> float:
    """Say how much of the effect is wanted, from 0 to 1."""
    noise_power = float(noise.sum(dtype=np.float64))
    total_power = float(powers.sum(dtype=np.float64)) / len(powers)
    if noise_power <= total_power * 10.0 ** (-_NONE_ABOVE_DB / 10.0):
        return 0.0
    speech_power = total_power - noise_power
    if speech_power <= 0.0:
        return 1.0
    snr_db = 10.0 * np.log10(speech_power / noise_power)
    return float(np.clip((_NONE_ABOVE_DB - snr_db) / (_NONE_ABOVE_DB - _FULL_BELOW_DB), 0.0, 1.0))


def _gains(powers: FloatArray, noise: FloatArray) -> FloatArray:
    """Give the Wiener gain of every frame and frequency, shape (n_frames, n_bins)."""
    # a frequency that a codec emptied has no noise, and nothing to divide by
    ratios = powers / np.maximum(noise, 1e-6 * noise.max())
    gains: FloatArray = np.empty_like(ratios)
    kept_ratio = np.zeros_like(noise)
    for ratio, gain in zip(ratios, gains, strict=True):
        instant = np.maximum(ratio - 1.0, 0.0)
        speech_ratio = _SMOOTHING * kept_ratio + (1.0 - _SMOOTHING) * instant
        np.maximum(speech_ratio / (1.0 + speech_ratio), _LEAST_GAIN, out=gain)
        kept_ratio = gain * gain * ratio
    return gains


def _window(n_fft: int) -> FloatArray:
    """Give a square-root Hann window, which makes analysis and synthesis a Hann window."""
    window: FloatArray = np.sqrt(np.hanning(n_fft + 1)[:-1]).astype(np.float32)
    return window


def _analyse(samples: FloatArray, n_fft: int) -> ComplexArray:
    """Give the short-time spectra, shape (n_frames, n_bins), edges padded."""
    hop = n_fft // _HOPS_PER_WINDOW
    padded = np.pad(samples, (n_fft, n_fft - samples.size % -hop))
    frames = np.lib.stride_tricks.sliding_window_view(padded, n_fft)[::hop]
    return np.fft.rfft(frames * _window(n_fft), axis=1).astype(np.complex64)


def _synthesise(spectra: ComplexArray, n_fft: int, n_samples: int) -> FloatArray:
    """Put the signal together again by overlapping and adding."""
    hop = n_fft // _HOPS_PER_WINDOW
    frames = np.fft.irfft(spectra, n_fft, axis=1).astype(np.float32) * _window(n_fft)
    sums = np.zeros((len(frames) + _HOPS_PER_WINDOW - 1, hop), np.float32)
    for part in range(_HOPS_PER_WINDOW):
        sums[part : part + len(frames)] += frames[:, part * hop : (part + 1) * hop]
    gain_of_windows = _HOPS_PER_WINDOW / 2
    signal: FloatArray = sums.reshape(-1)[n_fft : n_fft + n_samples] / np.float32(gain_of_windows)
    return signal
