"""Cepstral coefficients in the graph, from a log-mel spectrogram, and their change over time.

Both are linear, so their weights are taken from :mod:`serenade.features.cepstrum` by giving it
unit vectors: there is one formula, in one place.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from serenade.features.cepstrum import delta, mfcc

DYNAMIC_RANGE_DB = 80.0
"""Bands count as this far below the loudest one of the clip at most."""

WIDTH = 9
"""Frames that a derivative is fitted to."""


class Cepstrum(nn.Module):
    """Mel-frequency cepstral coefficients.

    Parameters
    ----------
    n_mels : int
        Bands of the spectrogram.
    n_mfcc : int
        Coefficients, at most `n_mels`.
    """

    cosines: Tensor

    def __init__(self, *, n_mels: int, n_mfcc: int) -> None:
        super().__init__()
        cosines = mfcc(sr=16_000, S=np.eye(n_mels), n_mfcc=n_mfcc)
        self.register_buffer("cosines", torch.from_numpy(cosines), persistent=False)

    def forward(self, floored: Tensor) -> Tensor:
        """Transform every frame.

        Parameters
        ----------
        floored : Tensor of shape (batch, n_mels, n_frames)
            From :func:`floor_level` [dB].

        Returns
        -------
        Tensor of shape (batch, n_mfcc, n_frames)
            Coefficients; the first is the level.
        """
        return torch.matmul(self.cosines, floored)


def floor_level(log_mel: Tensor, mask: Tensor) -> Tensor:
    """Lift what lies far below the loudest band of the clip, as librosa's ``top_db`` does.

    Parameters
    ----------
    log_mel : Tensor of shape (batch, n_mels, n_frames)
        Level [dB].
    mask : Tensor of shape (batch, n_frames), bool
        Valid frames.

    Returns
    -------
    Tensor of shape (batch, n_mels, n_frames)
        Level [dB]; zero beyond the valid frames.
    """
    valid = mask[:, None, :]
    loudest = log_mel.masked_fill(~valid, -1e4).amax(dim=(1, 2), keepdim=True)
    return torch.maximum(log_mel, loudest - DYNAMIC_RANGE_DB) * valid


class Delta(nn.Module):
    """Derivative over time of every row, fitted to nine frames.

    In the first and last four frames the fit to the nearest nine frames counts. Clips of fewer
    than nine frames have no change: zero.

    Parameters
    ----------
    order : int
        1 for the slope, 2 for the curvature.
    """

    weights: Tensor

    def __init__(self, *, order: int) -> None:
        super().__init__()
        weights = delta(np.eye(WIDTH), width=WIDTH, order=order)[:, WIDTH // 2]
        self.register_buffer("weights", torch.from_numpy(weights.copy()), persistent=False)

    def forward(self, rows: Tensor, n_frames: Tensor) -> Tensor:
        """Differentiate.

        Parameters
        ----------
        rows : Tensor of shape (batch, n_rows, n_frames)
            Features; zero beyond the valid frames.
        n_frames : Tensor of shape (batch,), int64
            Valid frames.

        Returns
        -------
        Tensor of shape (batch, n_rows, n_frames)
            Change per frame.
        """
        half, n_rows, longest = WIDTH // 2, rows.shape[1], rows.shape[2]
        kernel = self.weights[None, None, :].expand(n_rows, 1, WIDTH)
        slid = functional.conv1d(rows, kernel, padding=half, groups=n_rows)
        whole = torch.arange(longest, device=rows.device)[None, :].clamp(min=half)
        whole = torch.minimum(whole, (n_frames[:, None] - 1 - half).clamp(min=0))
        derivative = slid.gather(2, whole[:, None, :].expand(-1, n_rows, -1))
        return derivative * (n_frames >= WIDTH)[:, None, None]
