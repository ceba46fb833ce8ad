"""Ways in which recordings go bad: noise, rooms, telephones, codecs, gain, speed and cuts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from serenade.audio.codec import encode
from serenade.audio.decode import decode
from serenade.audio.resample import resample
from serenade.types import Waveform

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from serenade.types import FloatArray

TELEPHONE_BAND_HZ = (300.0, 3400.0)
"""Pass band of a telephone line (ITU-T G.120) [Hz]."""

TELEPHONE_RATE = 8_000
"""Sample rate of a telephone line [Hz]."""

_FIR_HALF_LENGTH = 160


def add_noise(waveform: Waveform, noise: FloatArray, *, snr_db: float) -> Waveform:
    """Add noise at a ratio of signal to noise.

    Parameters
    ----------
    waveform : Waveform
        Speech.
    noise : ndarray of shape (n_noise,), float32
        At the same sample rate; repeated or cut to the length of the speech.
    snr_db : float
        Power of the speech over that of the noise, over the whole clip [dB].

    Returns
    -------
    Waveform
        Unchanged where one of the two is silent.
    """
    samples = waveform.samples
    fitted = np.resize(noise, samples.shape)
    speech_level, noise_level = _level(samples), _level(fitted)
    if speech_level == 0.0 or noise_level == 0.0:
        return waveform
    gain = speech_level / noise_level * 10.0 ** (-snr_db / 20.0)
    return _with(waveform, samples + gain * fitted)


def white_noise(n_samples: int, rng: np.random.Generator) -> FloatArray:
    """Draw white noise.

    Parameters
    ----------
    n_samples : int
        Length [samples].
    rng : Generator
        Source of randomness.

    Returns
    -------
    ndarray of shape (n_samples,), float32
        Standard normal.
    """
    return rng.standard_normal(n_samples, dtype=np.float32)


def babble(voices: Sequence[FloatArray], n_samples: int) -> FloatArray:
    """Let several voices talk at once.

    Parameters
    ----------
    voices : sequence of ndarray, float32
        Each is brought to the same level and repeated or cut to the length.
    n_samples : int
        Length [samples].

    Returns
    -------
    ndarray of shape (n_samples,), float32
        Their sum.
    """
    total = np.zeros(n_samples, dtype=np.float32)
    for voice in voices:
        level = _level(voice)
        if level > 0.0:
            total += np.resize(voice, n_samples) / np.float32(level)
    return total


def reverberate(waveform: Waveform, response: FloatArray) -> Waveform:
    """Put speech into a room.

    Parameters
    ----------
    waveform : Waveform
        Speech.
    response : ndarray of shape (n_response,), float32
        Impulse response of the room at the same sample rate.

    Returns
    -------
    Waveform
        As long and as loud as before; the direct sound keeps its place.
    """
    samples = waveform.samples
    size = samples.size + response.size - 1
    wet = np.fft.irfft(np.fft.rfft(samples, size) * np.fft.rfft(response, size), size)
    direct = int(np.abs(response).argmax())
    heard = wet[direct : direct + samples.size]
    level = _level(heard)
    return _with(waveform, heard * (_level(samples) / level) if level > 0.0 else heard)


def room_response(
    *, reverberation_seconds: float, sample_rate: int, rng: np.random.Generator
) -> FloatArray:
    """Make up the impulse response of a room: noise that dies away behind a direct sound.

    Parameters
    ----------
    reverberation_seconds : float
        Time in which the sound falls by 60 dB (RT60), above 0 [s].
    sample_rate : int
        Samples per second [Hz].
    rng : Generator
        Source of randomness.

    Returns
    -------
    ndarray of shape (n_response,), float32
        The direct sound first, with as much energy as the rest.

    References
    ----------
    J. A. Moorer, "About this reverberation business", Computer Music Journal 3(2), 1979.
    """
    n_samples = max(round(reverberation_seconds * sample_rate), 2)
    decay = 10.0 ** (-3.0 * np.arange(1, n_samples) / n_samples)
    tail = rng.standard_normal(n_samples - 1) * decay
    tail /= np.sqrt(np.square(tail).sum())
    return np.concatenate([[1.0], tail]).astype(np.float32)


def telephone(waveform: Waveform) -> Waveform:
    """Send speech down a telephone line and back to its sample rate.

    Parameters
    ----------
    waveform : Waveform
        Speech.

    Returns
    -------
    Waveform
        Only :data:`TELEPHONE_BAND_HZ` is left.
    """
    narrow = resample(waveform, TELEPHONE_RATE)
    kernel = band_pass(*TELEPHONE_BAND_HZ, sample_rate=TELEPHONE_RATE)
    filtered = np.convolve(narrow.samples, kernel)[_FIR_HALF_LENGTH:][: narrow.samples.size]
    wide = resample(_with(narrow, filtered), waveform.sample_rate)
    return _with(waveform, wide.samples[: waveform.samples.size])


def band_pass(low_hz: float, high_hz: float, *, sample_rate: int) -> npt.NDArray[np.float64]:
    """Design a band-pass filter as a windowed sinc.

    Parameters
    ----------
    low_hz, high_hz : float
        Where the gain is a half [Hz].
    sample_rate : int
        Samples per second [Hz].

    Returns
    -------
    ndarray of shape (321,), float64
        Symmetric impulse response, so that it delays all frequencies by 160 samples.

    References
    ----------
    A. V. Oppenheim and R. W. Schafer, "Discrete-time signal processing", 3rd ed., section 7.5.
    """
    time = np.arange(-_FIR_HALF_LENGTH, _FIR_HALF_LENGTH + 1)
    low, high = low_hz / sample_rate, high_hz / sample_rate
    ideal = 2 * high * np.sinc(2 * high * time) - 2 * low * np.sinc(2 * low * time)
    response: npt.NDArray[np.float64] = ideal * np.hamming(time.size)
    return response


def compress(waveform: Waveform, container: str, *, kbits_per_second: float) -> Waveform:
    """Encode and decode speech.

    Parameters
    ----------
    waveform : Waveform
        Speech at 16 kHz.
    container : str
        ``"mp3"`` or ``"opus"``.
    kbits_per_second : float
        Bit rate [kbit/s].

    Returns
    -------
    Waveform
        What is left.
    """
    return decode(encode(waveform, container, kbits_per_second=kbits_per_second))


def change_gain(waveform: Waveform, *, gain_db: float) -> Waveform:
    """Make speech louder or quieter without clipping it.

    Parameters
    ----------
    waveform : Waveform
        Speech.
    gain_db : float
        Gain [dB].

    Returns
    -------
    Waveform
        May pass full scale.
    """
    return _with(waveform, waveform.samples * 10.0 ** (gain_db / 20.0))


def clip_loudest(waveform: Waveform, *, share: float) -> Waveform:
    """Cut off the loudest samples.

    Parameters
    ----------
    waveform : Waveform
        Speech.
    share : float
        Share of the samples that are cut off, in (0, 1).

    Returns
    -------
    Waveform
        With full scale at the level of the cut.
    """
    limit = float(np.quantile(np.abs(waveform.samples), 1.0 - share))
    if limit == 0.0:
        return waveform
    return _with(waveform, np.clip(waveform.samples / limit, -1.0, 1.0))


def change_speed(waveform: Waveform, *, factor: float) -> Waveform:
    """Play speech faster or slower, which moves its pitch as well.

    Parameters
    ----------
    waveform : Waveform
        Speech.
    factor : float
        Above 1 is faster and higher.

    Returns
    -------
    Waveform
        Of another length.
    """
    rate = waveform.sample_rate
    played = Waveform(waveform.samples, round(rate * factor))
    return resample(played, rate)


def cut(waveform: Waveform, *, seconds: float, at: float = 0.5) -> Waveform:
    """Keep a part of a clip.

    Parameters
    ----------
    waveform : Waveform
        Speech.
    seconds : float
        What to keep [s]; a shorter clip stays as it is.
    at : float
        Where the part lies, from 0, at the start, to 1, at the end.

    Returns
    -------
    Waveform
        At most as long as that.
    """
    n_kept = min(round(seconds * waveform.sample_rate), waveform.samples.size)
    start = int(at * (waveform.samples.size - n_kept))
    return _with(waveform, waveform.samples[start : start + n_kept])


def _level(samples: npt.NDArray[np.floating[Any]]) -> float:
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64)))) if samples.size else 0.0


def _with(waveform: Waveform, samples: npt.NDArray[np.floating[Any]]) -> Waveform:
    return Waveform(samples.astype(np.float32), waveform.sample_rate)
