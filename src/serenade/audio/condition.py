"""Conditioning: what happens to a clip between decoding and the model.

Every step is invariant to the gain of the recording, so a louder copy of a clip gives the same
result.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from serenade.audio.denoise import reduce_noise
from serenade.audio.frames import frame_length, frame_powers, frame_variances
from serenade.errors import AudioError
from serenade.types import Waveform

if TYPE_CHECKING:
    from serenade.types import Conditioning

_SILENCE_PEAK = 1e-6
"""Peak of what is digital silence: -120 dBFS, below the last bit of 16 and most of 24."""

_DEAD_DB = 80.0
"""Frames this far below the loudest one [dB] hold nothing that a recorded room would."""

_GATE_SHARE = 0.1
"""Frames below this share of the mean power (-10 dB) are pauses, not active speech."""


def condition(waveform: Waveform, conditioning: Conditioning, *, denoise: bool = False) -> Waveform:
    """Prepare a clip for the model.

    The steps are: remove the offset, reduce noise if asked to, trim silence, normalise the level.

    Parameters
    ----------
    waveform : Waveform
        As decoded.
    conditioning : Conditioning
        Which steps, and how far.
    denoise : bool
        Whether to reduce noise even if `conditioning` does not say so.

    Returns
    -------
    Waveform
        New samples; at least one.

    Raises
    ------
    AudioError
        If the clip is empty or holds only silence.
    """
    _check_not_silent(waveform)
    if conditioning.remove_offset:
        waveform = remove_offset(waveform)
    if denoise or conditioning.reduce_noise:
        waveform = reduce_noise(waveform)
    if conditioning.trim_below_db is not None:
        waveform = trim_silence(
            waveform,
            below_db=conditioning.trim_below_db,
            padding_seconds=conditioning.trim_padding_seconds,
        )
    if conditioning.level_dbfs is not None:
        waveform = normalise_level(waveform, level_dbfs=conditioning.level_dbfs)
    return waveform


def remove_offset(waveform: Waveform) -> Waveform:
    """Subtract the mean.

    Parameters
    ----------
    waveform : Waveform
        At least one sample.

    Returns
    -------
    Waveform
        With zero mean.
    """
    offset = waveform.samples.mean(dtype=np.float64)
    return Waveform(waveform.samples - np.float32(offset), waveform.sample_rate)


def trim_silence(
    waveform: Waveform, *, below_db: float = 40.0, padding_seconds: float = 0.05
) -> Waveform:
    """Cut what is quiet at the start and at the end.

    The padding ends where digital silence begins, so that silence that was put around a clip
    leaves no trace.

    Parameters
    ----------
    waveform : Waveform
        At least one sample.
    below_db : float
        A 10 ms frame is quiet if it lies this far below the loudest one [dB], at most 80.
    padding_seconds : float
        Kept on either side of what is not quiet [s].

    Returns
    -------
    Waveform
        From the first to the last frame that is not quiet, with the padding.
    """
    powers = frame_powers(waveform)
    is_loud = powers >= powers.max() * 10.0 ** (-below_db / 10.0)
    # Without its mean: an offset that was subtracted leaves a constant in digital silence.
    moves = frame_variances(waveform) >= powers.max() * 10.0 ** (-_DEAD_DB / 10.0)
    loud, alive = np.flatnonzero(is_loud), np.flatnonzero(is_loud | moves)
    length = frame_length(waveform.sample_rate)
    padding = round(padding_seconds * waveform.sample_rate)
    start = max(int(alive[0]) * length, int(loud[0]) * length - padding)
    stop = min((int(alive[-1]) + 1) * length, (int(loud[-1]) + 1) * length + padding)
    return Waveform(waveform.samples[start:stop], waveform.sample_rate)


def normalise_level(waveform: Waveform, *, level_dbfs: float = -26.0) -> Waveform:
    """Bring the active part of a clip to a level.

    The active part is every 10 ms frame that lies at most 10 dB below the mean power, so pauses
    do not count.

    Parameters
    ----------
    waveform : Waveform
        Not silent.
    level_dbfs : float
        Root-mean-square level to reach [dB relative to full scale].

    Returns
    -------
    Waveform
        At the level, or below it where the peak would pass full scale.

    Raises
    ------
    AudioError
        If the clip holds only silence.

    References
    ----------
    The relative gate of ITU-R BS.1770-4, on 10 ms frames and without frequency weighting.
    """
    _check_not_silent(waveform)
    powers = frame_powers(waveform)
    active = powers[powers >= _GATE_SHARE * powers.mean()]
    gain = 10.0 ** (level_dbfs / 20.0) / np.sqrt(active.mean())
    peak = np.abs(waveform.samples).max()
    gain = min(gain, 1.0 / peak)
    return Waveform(waveform.samples * np.float32(gain), waveform.sample_rate)


def _check_not_silent(waveform: Waveform) -> None:
    if waveform.samples.size == 0:
        raise AudioError("the recording holds no samples; give a longer one")
    if np.ptp(waveform.samples) < _SILENCE_PEAK:
        raise AudioError("the recording holds only silence; check the microphone or the file")
