"""Change of the sample rate with soxr's high-quality filter."""

from __future__ import annotations

import numpy as np
import soxr

from serenade.audio.limits import check_rate
from serenade.types import FloatArray, Waveform

_SAMPLES_AT_A_TIME = 1 << 14
"""soxr's buffers grow with what it is given; this little stays in cache: half the time."""


class StreamResampler:
    """Resample a mono signal that arrives in pieces.

    The pieces that come out, put together, are the same for every way of cutting the input.

    Parameters
    ----------
    from_rate, to_rate : int
        Samples per second of what goes in and of what comes out [Hz].

    References
    ----------
    The SoX Resampler library, quality HQ (20 bit).
    """

    def __init__(self, *, from_rate: int, to_rate: int) -> None:
        self._stream = (
            None
            if from_rate == to_rate
            else soxr.ResampleStream(from_rate, to_rate, 1, dtype="float32", quality="HQ")
        )

    def push(self, samples: FloatArray) -> FloatArray:
        """Take the next piece and give what is ready.

        Parameters
        ----------
        samples : ndarray of shape (n_samples,), float32
            The next piece of the input, of any length.

        Returns
        -------
        ndarray of shape (n_ready,), float32
            The output lags the input by the filter's delay, so this may be empty.
        """
        if self._stream is None:
            return samples
        starts = range(0, max(1, samples.size), _SAMPLES_AT_A_TIME)
        pieces = [samples[start : start + _SAMPLES_AT_A_TIME] for start in starts]
        return np.concatenate([self._stream.resample_chunk(piece) for piece in pieces])

    def finish(self) -> FloatArray:
        """End the signal and give what the filter still holds.

        Returns
        -------
        ndarray of shape (n_ready,), float32
            The rest; in total ``round(n_in * to_rate / from_rate)`` samples have come out.
        """
        if self._stream is None:
            return np.empty(0, np.float32)
        rest: FloatArray = self._stream.resample_chunk(np.empty(0, np.float32), last=True)
        return rest


def resample(waveform: Waveform, sample_rate: int) -> Waveform:
    """Give the same sound at another sample rate.

    Parameters
    ----------
    waveform : Waveform
        At any rate from 8,000 to 192,000 Hz.
    sample_rate : int
        The rate to reach [Hz], in the same range.

    Returns
    -------
    Waveform
        ``round(n_samples * sample_rate / waveform.sample_rate)`` samples.

    Raises
    ------
    AudioError
        If one of the rates is out of range.
    """
    from_rate = check_rate(waveform.sample_rate, "the waveform")
    to_rate = check_rate(sample_rate, "the output")
    resampler = StreamResampler(from_rate=from_rate, to_rate=to_rate)
    pieces = (resampler.push(waveform.samples), resampler.finish())
    return Waveform(np.concatenate(pieces), to_rate)
