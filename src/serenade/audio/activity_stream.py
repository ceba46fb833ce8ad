"""Voice activity from energy for a signal that arrives in pieces.

The rule is that of :mod:`serenade.audio.activity` with what a stream can know: the noise floor is
the quietest moment from some seconds before a frame to a moment after it, and the loudest
moment that decides what is audible fades with time. A decision is final when it is given.

References
----------
R. Martin: "Noise power spectral density estimation based on optimal smoothing and minimum
statistics", IEEE Trans. Speech and Audio Processing 9(5), 2001.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from serenade.audio.frames import FRAME_SECONDS, frame_length, frame_powers
from serenade.types import Waveform

if TYPE_CHECKING:
    import numpy.typing as npt

    from serenade.types import FloatArray

    Mask = npt.NDArray[np.bool_]

_FLOOR_FRAMES = round(3.5 / FRAME_SECONDS)
"""How far the noise floor looks back."""

_LOOKAHEAD_FRAMES = round(0.3 / FRAME_SECONDS)
"""How far the noise floor looks ahead: a word that starts the signal has a dip within this."""

_REACH_FRAMES = round(0.2 / FRAME_SECONDS)
"""How far activity reaches back from the frame that passes the onset."""

_SMOOTHED_FRAMES = 5

_AUDIBLE_DB = -45.0
"""This far below the loudest moment nothing counts, however quiet the floor is."""

_FADE_DB = 1.0 * FRAME_SECONDS
"""The loudest moment fades by 1 dB a second, so that a bang does not deafen for long."""

_SILENCE_DB = -120.0


class EnergyActivity:
    """Mark the 10 ms frames of a signal that hold voice.

    Parameters
    ----------
    sample_rate : int
        Samples per second [Hz].
    onset_db : float
        Activity begins where the smoothed level is this far above the noise floor [dB].
    offset_db : float
        It lasts as long as the level stays this far above the floor [dB].
    hangover_seconds : float
        It lasts this much longer, for endings that fade into the noise [s].
    """

    def __init__(
        self,
        *,
        sample_rate: int,
        onset_db: float = 12.0,
        offset_db: float = 6.0,
        hangover_seconds: float = 0.1,
    ) -> None:
        self._sample_rate = sample_rate
        self._onset_db = onset_db
        self._offset_db = offset_db
        self._hangover = round(hangover_seconds / FRAME_SECONDS)
        self._samples = np.empty(0, np.float32)
        self._powers = np.empty(0, np.float32)
        self._levels = np.empty(0, np.float64)
        self._peaks = np.empty(0, np.float64)
        self._n_decided = 0
        self._is_active = False
        self._since_active = self._hangover + 1

    def push(self, samples: FloatArray) -> Mask:
        """Take the next piece and give what is decided by it.

        Parameters
        ----------
        samples : ndarray of shape (n_samples,), float32
            The next piece, of any length.

        Returns
        -------
        ndarray of shape (n_frames,), bool
            Activity of the frames after those that were given before; decisions lag the signal by
            0.52 s.
        """
        samples = np.concatenate((self._samples, samples))
        length = frame_length(self._sample_rate)
        n_whole = samples.size - samples.size % length
        self._samples = samples[n_whole:]
        self._measure(samples[:n_whole])
        self._smooth(is_last=False)
        return self._decide(self._levels.size - _LOOKAHEAD_FRAMES - _REACH_FRAMES)

    def finish(self) -> Mask:
        """End the signal.

        Returns
        -------
        ndarray of shape (n_frames,), bool
            Activity of the frames that were not yet given, the last one possibly incomplete.
        """
        self._measure(self._samples)
        self._samples = self._samples[:0]
        self._smooth(is_last=True)
        return self._decide(self._levels.size)

    def _measure(self, samples: FloatArray) -> None:
        """Add the powers of frames, each without its mean, so that an offset does not count."""
        length = frame_length(self._sample_rate)
        whole = samples[: samples.size - samples.size % length].reshape(-1, length)
        centred = (whole - whole.mean(axis=1, keepdims=True)).reshape(-1)
        rest = samples[whole.size :]
        if rest.size:
            centred = np.concatenate((centred, rest - rest.mean()))
        powers = frame_powers(Waveform(centred, self._sample_rate))
        held = powers[:1].repeat(_SMOOTHED_FRAMES // 2) if not self._powers.size else powers[:0]
        self._powers = np.concatenate((self._powers, held, powers))

    def _smooth(self, *, is_last: bool) -> None:
        """Turn powers into smoothed levels [dB] and faded peaks [dB]."""
        if is_last:
            held = self._powers[-1:].repeat(_SMOOTHED_FRAMES // 2)
            self._powers = np.concatenate((self._powers, held))
        n_new = self._powers.size - _SMOOTHED_FRAMES + 1
        if n_new < 1:
            return
        windows = np.lib.stride_tricks.sliding_window_view(self._powers, _SMOOTHED_FRAMES)
        silence = 10.0 ** (_SILENCE_DB / 10.0)
        levels = 10.0 * np.log10(np.maximum(windows.mean(axis=1, dtype=np.float64), silence))
        self._powers = self._powers[n_new:]
        before = self._peaks[-1] if self._peaks.size else _SILENCE_DB
        fading = _FADE_DB * np.arange(n_new + 1)
        rising = np.concatenate(([before], levels)) + fading
        peaks = (np.maximum.accumulate(rising) - fading)[1:]
        self._levels = np.concatenate((self._levels, levels))
        self._peaks = np.concatenate((self._peaks, peaks))

    def _decide(self, stop: int) -> Mask:
        """Decide the frames from the first undecided one to `stop`, counted in `_levels`."""
        start = self._n_decided
        if stop <= start:
            return np.zeros(0, np.bool_)
        begins, lasts = self._compare(start, min(stop + _REACH_FRAMES, self._levels.size))
        n = stop - start
        soon = np.pad(begins, (0, n + _REACH_FRAMES - begins.size))
        ahead = np.lib.stride_tricks.sliding_window_view(soon, _REACH_FRAMES + 1)
        active = self._hold(ahead.any(axis=1) & lasts[:n], lasts[:n])
        dropped = max(0, stop - _FLOOR_FRAMES)
        self._levels = self._levels[dropped:]
        self._peaks = self._peaks[dropped:]
        self._n_decided = stop - dropped
        return active

    def _compare(self, start: int, stop: int) -> tuple[Mask, Mask]:
        """Tell which frames pass the onset and which the offset."""
        first = max(0, start - _FLOOR_FRAMES)
        levels = self._levels[first : stop + _LOOKAHEAD_FRAMES]
        before = _FLOOR_FRAMES - (start - first)
        after = stop + _LOOKAHEAD_FRAMES - first - levels.size
        held = np.pad(levels, (before, after), mode="edge")
        spans = np.lib.stride_tricks.sliding_window_view(
            held, _FLOOR_FRAMES + 1 + _LOOKAHEAD_FRAMES
        )
        peaks = self._peaks[start + _LOOKAHEAD_FRAMES : stop + _LOOKAHEAD_FRAMES]
        peaks = np.concatenate((peaks, self._peaks[-1:].repeat(stop - start - peaks.size)))
        floor = np.maximum(spans.min(axis=1), peaks + _AUDIBLE_DB)
        above = self._levels[start:stop] - floor
        return above > self._onset_db, above > self._offset_db

    def _hold(self, seeds: Mask, lasts: Mask) -> Mask:
        """Let activity last from each seed to the end of its run, and a hangover longer."""
        frames = np.arange(1, seeds.size + 1)
        seeded = np.maximum.accumulate(np.where(seeds, frames, -1 + self._is_active))
        broken = np.maximum.accumulate(np.where(lasts, -1, frames))
        active = seeded > broken
        self._is_active = bool(active[-1])
        last_active = np.maximum.accumulate(np.where(active, frames, -self._since_active))
        since = frames - last_active
        self._since_active = int(min(since[-1], self._hangover + 1))
        held: Mask = since <= self._hangover
        return held
