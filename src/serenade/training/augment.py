"""Random changes of a training clip, made on its log-mel spectrogram.

Noise, reverberation and filters act on power, so on the power mel spectrogram they are nearly what
they are on the waveform, at a hundredth of the cost; a change of pitch moves the frequency axis and
a change of tempo the time axis. Every change is drawn from the generator that is passed in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from serenade.features.mel import hz_to_mel, mel_to_hz

if TYPE_CHECKING:
    from collections.abc import Sequence

    from serenade.training.frontend import LogMelConfig
    from serenade.training.recipe import AugmentationRecipe
    from serenade.types import FloatArray

FRAMES_PER_SECOND = 100
TELEPHONE_BAND_HZ = (300.0, 3400.0)
COLOUR_DB = 8.0
TELEPHONE_NYQUIST_HZ = 4000.0
TELEPHONE_DB = 53.0
"""How far a line's filter pushes down what is outside its band; above half of its sample rate
nothing is left."""

FLOOR_DB = -100.0
"""Least that a log-mel spectrogram has."""

CODEC_CUTOFF_HZ = (3500.0, 7500.0)
CODEC_RANGE_DB = (20.0, 45.0)
CODEC_STEP_DB = (1.5, 6.0)
CODEC_HOLE_DB = 30.0
"""How far a lossy codec pushes down what it drops."""


@dataclass(frozen=True, slots=True)
class MelAugmenter:
    """Draws a changed copy of a log-mel spectrogram.

    Parameters
    ----------
    recipe : AugmentationRecipe
        Probabilities and ranges.
    centres_hz : ndarray of shape (n_mels,)
        Centre of every mel band [Hz].
    noises : sequence of ndarray of shape (n_mels, n_frames)
        Log-mel spectrograms of noise recordings [dB].
    frames_per_second : float
        Of all of these spectrograms [Hz].
    """

    recipe: AugmentationRecipe
    centres_hz: npt.NDArray[np.float64]
    noises: Sequence[FloatArray]
    frames_per_second: float = FRAMES_PER_SECOND

    def __call__(self, log_mel: FloatArray, rng: np.random.Generator) -> FloatArray:
        """Change one clip.

        Parameters
        ----------
        log_mel : ndarray of shape (n_mels, n_frames)
            Log-mel spectrogram [dB].
        rng : Generator
            Source of all randomness.

        Returns
        -------
        ndarray of shape (n_mels, n_frames_out), float32
            The changed clip [dB].
        """
        recipe = self.recipe
        x = stretch(log_mel, 1.0 + recipe.tempo * rng.uniform(-1.0, 1.0))
        x = shift_pitch(x, 1.0 + recipe.pitch * rng.uniform(-1.0, 1.0), self.centres_hz)
        if rng.random() < recipe.cut:
            x = cut(x, round(recipe.shortest_seconds * self.frames_per_second), rng)
        if rng.random() < recipe.reverberation:
            x = reverberate(
                x,
                rng.uniform(0.15, 0.8),
                rng.uniform(-18.0, -4.0),
                frames_per_second=self.frames_per_second,
            )
        if rng.random() < recipe.noise:
            x = add_noise(x, self._noise(x.shape, rng), rng.uniform(*recipe.snr_db))
        if rng.random() < recipe.colour:
            x = x + colour(self.centres_hz, rng)[:, None]
        if rng.random() < recipe.telephone:
            x = np.maximum(x + telephone(self.centres_hz)[:, None], np.float32(FLOOR_DB))
        if recipe.codec > 0 and rng.random() < recipe.codec:
            x = code(x, self.centres_hz, rng)
        if recipe.gain_db > 0:
            x = x + np.float32(rng.uniform(-recipe.gain_db, recipe.gain_db))
        return mask(x, recipe.time_masks, recipe.frequency_masks, rng).astype(np.float32)

    def _noise(self, shape: tuple[int, ...], rng: np.random.Generator) -> FloatArray:
        """Noise of the wanted shape: a recording if there are any, else coloured noise [dB]."""
        n_mels, n_frames = shape
        if self.noises and rng.random() < 0.8:
            noise = self.noises[int(rng.integers(len(self.noises)))]
            start = int(rng.integers(noise.shape[1]))
            columns = (start + np.arange(n_frames)) % noise.shape[1]
            return noise[:, columns]
        level = colour(self.centres_hz, rng)[:, None]
        flutter = 10.0 * np.log10(rng.gamma(4.0, 0.25, size=(n_mels, n_frames)) + 1e-3)
        return (level + flutter).astype(np.float32)


def mel_centres(config: LogMelConfig) -> npt.NDArray[np.float64]:
    """Give the centre frequency of every mel band.

    Parameters
    ----------
    config : LogMelConfig
        Front end.

    Returns
    -------
    ndarray of shape (n_mels,)
        Rising [Hz].
    """
    low, high = hz_to_mel([config.fmin, config.fmax])
    return mel_to_hz(np.linspace(low, high, config.n_mels + 2))[1:-1]


def stretch(log_mel: FloatArray, rate: float) -> FloatArray:
    """Change the tempo by linear interpolation over time.

    Parameters
    ----------
    log_mel : ndarray of shape (n_mels, n_frames)
        Log-mel spectrogram [dB].
    rate : float
        Above 1 is faster.

    Returns
    -------
    ndarray of shape (n_mels, round(n_frames / rate))
        At least two frames.
    """
    n_frames = log_mel.shape[1]
    n_out = max(2, round(n_frames / rate))
    return _interpolate(log_mel.T, np.linspace(0.0, n_frames - 1.0, n_out)).T


def shift_pitch(
    log_mel: FloatArray, ratio: float, centres_hz: npt.NDArray[np.float64]
) -> FloatArray:
    """Move the frequency axis, as another vocal tract and another voice do.

    Parameters
    ----------
    log_mel : ndarray of shape (n_mels, n_frames)
        Log-mel spectrogram [dB].
    ratio : float
        Above 1 moves energy up.
    centres_hz : ndarray of shape (n_mels,)
        Centre of every mel band [Hz].

    Returns
    -------
    ndarray of shape (n_mels, n_frames)
        Log-mel spectrogram [dB].
    """
    positions = np.interp(centres_hz / ratio, centres_hz, np.arange(centres_hz.size))
    return _interpolate(log_mel, positions)


def cut(log_mel: FloatArray, shortest: int, rng: np.random.Generator) -> FloatArray:
    """Keep a random stretch.

    Parameters
    ----------
    log_mel : ndarray of shape (n_mels, n_frames)
        Log-mel spectrogram [dB].
    shortest : int
        Frames that are left at least.
    rng : Generator
        Source of randomness.

    Returns
    -------
    ndarray of shape (n_mels, n_frames_out)
        A view.
    """
    n_frames = log_mel.shape[1]
    if n_frames <= shortest:
        return log_mel
    length = int(rng.integers(shortest, n_frames + 1))
    start = int(rng.integers(0, n_frames - length + 1))
    return log_mel[:, start : start + length]


def reverberate(
    log_mel: FloatArray,
    decay_seconds: float,
    late_db: float,
    *,
    frames_per_second: float = FRAMES_PER_SECOND,
) -> FloatArray:
    """Add a diffuse exponential tail to every band.

    Parameters
    ----------
    log_mel : ndarray of shape (n_mels, n_frames)
        Log-mel spectrogram [dB].
    decay_seconds : float
        Time in which the tail falls by 60 dB [s].
    late_db : float
        Level of the tail's first frame against the direct sound [dB].
    frames_per_second : float
        Of the spectrogram [Hz].

    Returns
    -------
    ndarray of shape (n_mels, n_frames)
        Log-mel spectrogram [dB].
    """
    n_frames = log_mel.shape[1]
    times = np.arange(1, max(2, round(decay_seconds * frames_per_second))) / frames_per_second
    tail = 10.0 ** ((late_db - 60.0 * times / decay_seconds) / 10.0)
    response = np.concatenate([[1.0], tail])[:n_frames]
    size = 1 << int(np.ceil(np.log2(n_frames + response.size)))
    power = _power(log_mel)
    spectrum = np.fft.rfft(power, size, axis=1) * np.fft.rfft(response, size)
    return _decibels(np.fft.irfft(spectrum, size, axis=1)[:, :n_frames])


def add_noise(log_mel: FloatArray, noise: FloatArray, snr_db: float) -> FloatArray:
    """Add noise at a signal-to-noise ratio.

    Parameters
    ----------
    log_mel, noise : ndarray of shape (n_mels, n_frames)
        Log-mel spectrograms [dB].
    snr_db : float
        Ratio of the mean powers [dB].

    Returns
    -------
    ndarray of shape (n_mels, n_frames)
        Log-mel spectrogram [dB].
    """
    speech_power, noise_power = _power(log_mel), _power(noise)
    gain = speech_power.mean() / (noise_power.mean() + 1e-20) * 10.0 ** (-snr_db / 10.0)
    return _decibels(speech_power + gain * noise_power)


def colour(centres_hz: npt.NDArray[np.float64], rng: np.random.Generator) -> FloatArray:
    """Draw a smooth filter, as microphones and rooms have.

    Parameters
    ----------
    centres_hz : ndarray of shape (n_mels,)
        Centre of every mel band [Hz].
    rng : Generator
        Source of randomness.

    Returns
    -------
    ndarray of shape (n_mels,), float32
        Gain [dB] within about ±8.
    """
    knots = np.linspace(np.log(centres_hz[0]), np.log(centres_hz[-1]), 5)
    gains = rng.uniform(-COLOUR_DB, COLOUR_DB, size=5)
    return np.interp(np.log(centres_hz), knots, gains).astype(np.float32)


def telephone(centres_hz: npt.NDArray[np.float64]) -> FloatArray:
    """Give the gain of a telephone band, 300 to 3,400 Hz.

    Parameters
    ----------
    centres_hz : ndarray of shape (n_mels,)
        Centre of every mel band [Hz].

    Returns
    -------
    ndarray of shape (n_mels,), float32
        Gain [dB].
    """
    low, high = TELEPHONE_BAND_HZ
    outside = (centres_hz < low) | (centres_hz > high)
    gain = np.where(outside, -TELEPHONE_DB, 0.0)
    # A gain that only moved these bands down would leave their patterns to a network that takes
    # each band's mean out.
    return np.where(centres_hz > TELEPHONE_NYQUIST_HZ, 2 * FLOOR_DB, gain).astype(np.float32)


def code(
    log_mel: FloatArray, centres_hz: npt.NDArray[np.float64], rng: np.random.Generator
) -> FloatArray:
    """Leave what a lossy codec at a low bit rate leaves.

    Bands above a cutoff and cells far below the loudest of their frame become holes; the level of
    what stays is rounded to coarse steps.

    Parameters
    ----------
    log_mel : ndarray of shape (n_mels, n_frames)
        Log-mel spectrogram [dB].
    centres_hz : ndarray of shape (n_mels,)
        Centre of every mel band [Hz].
    rng : Generator
        Draws cutoff, range and step.

    Returns
    -------
    ndarray of shape (n_mels, n_frames), float32
        Log-mel spectrogram [dB].
    """
    cutoff_hz = rng.uniform(*CODEC_CUTOFF_HZ)
    range_db = rng.uniform(*CODEC_RANGE_DB)
    step_db = rng.uniform(*CODEC_STEP_DB)
    coarse = step_db * np.round(log_mel / step_db)
    dropped = log_mel < log_mel.max(axis=0, keepdims=True) - range_db
    dropped |= (centres_hz > cutoff_hz)[:, None]
    return np.where(dropped, log_mel - CODEC_HOLE_DB, coarse).astype(np.float32)


def mask(
    log_mel: FloatArray, time_masks: int, frequency_masks: int, rng: np.random.Generator
) -> FloatArray:
    """Cover random stretches of time and bands with the clip's mean.

    Parameters
    ----------
    log_mel : ndarray of shape (n_mels, n_frames)
        Log-mel spectrogram [dB].
    time_masks, frequency_masks : int
        How many of each; a mask covers at most 12 % of the time or 8 bands.
    rng : Generator
        Source of randomness.

    Returns
    -------
    ndarray of shape (n_mels, n_frames)
        A copy.

    References
    ----------
    Park et al., "SpecAugment: a simple data augmentation method for automatic speech recognition",
    Interspeech 2019.
    """
    masked = log_mel.copy()
    n_mels, n_frames = masked.shape
    fill = masked.mean()
    for _ in range(time_masks):
        length = int(rng.integers(0, max(1, n_frames // 8) + 1))
        start = int(rng.integers(0, n_frames - length + 1))
        masked[:, start : start + length] = fill
    for _ in range(frequency_masks):
        height = int(rng.integers(0, 9))
        start = int(rng.integers(0, n_mels - height + 1))
        masked[start : start + height] = fill
    return masked


def _power(log_mel: FloatArray) -> FloatArray:
    power: FloatArray = np.power(np.float32(10.0), log_mel * np.float32(0.1))
    return power


def _decibels(power: npt.NDArray[np.floating]) -> FloatArray:
    level: FloatArray = (10.0 * np.log10(np.maximum(power, 10.0 ** (0.1 * FLOOR_DB)))).astype(
        np.float32
    )
    return level


def _interpolate(rows: FloatArray, positions: npt.NDArray[np.float64]) -> FloatArray:
    """Rows at fractional positions, by linear interpolation."""
    low = np.clip(positions.astype(np.int64), 0, rows.shape[0] - 1)
    high = np.minimum(low + 1, rows.shape[0] - 1)
    share = (positions - low).astype(np.float32)[:, None]
    between: FloatArray = rows[low] * (1.0 - share) + rows[high] * share
    return between
