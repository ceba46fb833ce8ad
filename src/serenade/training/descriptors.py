"""Descriptors in the graph: log-mel, centroid, roll-off, zero crossings and chroma per frame."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from serenade.features.chroma import chroma_filter_bank
from serenade.features.spectrum import fft_frequencies
from serenade.training.frontend import LogMel, LogMelConfig, in_blocks

N_CHROMA = 12
ROLL_PERCENT = 0.85
SILENT_AMPLITUDE = 1e-10
"""Samples this close to zero have no sign, as in :mod:`serenade.features.descriptors`."""

TINY = float(np.finfo(np.float32).tiny)


class Descriptors(LogMel):
    """A log-mel front end with further rows below the bands, from the same spectrum.

    The rows are those of :mod:`serenade.features`, which a parity test holds them to. Only the
    roll-off differs, by less than one bin: it is interpolated inside the bin, so that rounding
    never moves it by a whole one.

    Parameters
    ----------
    config : LogMelConfig
        Front-end parameters.
    """

    frequencies: Tensor
    chroma_bank: Tensor
    pairs: Tensor

    def __init__(self, config: LogMelConfig) -> None:
        super().__init__(config)
        rate, n_fft = config.sample_rate, config.n_fft
        frequencies = fft_frequencies(sr=rate, n_fft=n_fft)
        chroma = chroma_filter_bank(sr=rate, n_fft=n_fft, n_chroma=N_CHROMA)
        # A frame has one pair of neighbours less than samples.
        within = np.ones((1, n_fft))
        within[0, 0] = 0.0
        self.register_buffer("frequencies", torch.from_numpy(np.array(frequencies)), False)
        self.register_buffer("chroma_bank", torch.from_numpy(np.array(chroma)), False)
        self.register_buffer("pairs", in_blocks(within, config), False)

    @property
    def n_rows(self) -> int:
        """Rows of the output: bands, centroid, roll-off, zero crossings, pitch classes."""
        return self.config.n_mels + 3 + N_CHROMA

    def forward(self, waveform: Tensor, lengths: Tensor) -> Tensor:
        """Compute all rows.

        Parameters
        ----------
        waveform : Tensor of shape (batch, n_samples)
            Zero-padded audio; what lies beyond a length is ignored.
        lengths : Tensor of shape (batch,), int64
            Samples of each waveform.

        Returns
        -------
        Tensor of shape (batch, n_mels + 15, n_frames)
            Level of the bands [dB], centroid and roll-off [kHz], zero-crossing rate and chroma
            in [0, 1].
        """
        power = self.power(waveform, lengths)
        magnitude = torch.sqrt(power)
        rows = [
            10.0 * torch.log10(torch.clamp(torch.matmul(self.bank, power), min=1e-10)),
            self._centroid(magnitude) / 1000.0,
            self._rolloff(magnitude) / 1000.0,
            self._zero_crossing_rate(waveform, lengths),
            self._chroma(power),
        ]
        return torch.cat(rows, dim=1)

    def _centroid(self, magnitude: Tensor) -> Tensor:
        weighted = torch.matmul(self.frequencies[None, :], magnitude)
        return weighted / _divisor(magnitude.sum(dim=1, keepdim=True))

    def _rolloff(self, magnitude: Tensor) -> Tensor:
        below = magnitude.cumsum(dim=1)
        total = below[:, -1:]
        wanted = ROLL_PERCENT * total
        # How much of its magnitude each bin gives until the wanted sum is reached.
        filled = torch.clamp((wanted - below + magnitude) / _divisor(magnitude), 0.0, 1.0)
        bins = torch.where(magnitude > TINY, filled, (below < wanted).to(filled.dtype))
        width = self.config.sample_rate / self.config.n_fft
        return torch.clamp(bins.sum(dim=1, keepdim=True) - 1.0, min=0.0) * width

    def _zero_crossing_rate(self, waveform: Tensor, lengths: Tensor) -> Tensor:
        negative = waveform < -SILENT_AMPLITUDE
        crossing = torch.zeros_like(waveform)
        crossing[:, 1:] = (negative[:, 1:] != negative[:, :-1]).to(waveform.dtype)
        positions = torch.arange(waveform.shape[1], device=waveform.device)
        crossing = crossing * (positions[None, :] < lengths[:, None])
        return self.over_frames(crossing, self.pairs) / self.config.n_fft

    def _chroma(self, power: Tensor) -> Tensor:
        chroma = torch.matmul(self.chroma_bank, power)
        return chroma / _divisor(chroma.amax(dim=1, keepdim=True))


def _divisor(values: Tensor) -> Tensor:
    """Put 1 where there is nothing to divide by."""
    return torch.where(values < TINY, torch.ones_like(values), values)
