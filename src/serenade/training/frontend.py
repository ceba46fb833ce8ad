"""The log-mel front end in torch: part of every exported graph, used in training as well."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from serenade.features.mel import mel_filter_bank
from serenade.features.spectrum import get_window


@dataclass(frozen=True, slots=True)
class LogMelConfig:
    """Parameters of the log-mel front end; names as in librosa.

    Parameters
    ----------
    n_mels : int
        Mel bands.
    n_fft : int
        Samples of a frame, all of them under the Hann window.
    hop_length : int
        Samples between frames.
    fmin, fmax : float
        Edges of the filter bank [Hz].
    scale : {"db", "whisper"}
        ``"db"``: ``10 log10(max(power, 1e-10))``. ``"whisper"``: base-10 logarithm with the floor
        eight below the utterance's maximum, then ``(x + 4) / 4`` (Radford et al. 2022).
    sample_rate : int
        Samples per second [Hz].
    """

    n_mels: int = 64
    n_fft: int = 400
    hop_length: int = 160
    fmin: float = 0.0
    fmax: float = 8000.0
    scale: Literal["db", "whisper"] = "db"
    sample_rate: int = 16_000


class LogMel(nn.Module):
    """Waveform to log-mel spectrogram with plain convolutions, so that it exports to ONNX.

    The discrete Fourier transform is a convolution over blocks of one hop: a frame of `n_fft`
    samples spans ``ceil(n_fft / hop_length)`` blocks. Frames are centred and the signal is padded
    with zeros, as ``librosa.feature.melspectrogram(center=True, pad_mode="constant")`` does.

    Parameters
    ----------
    config : LogMelConfig
        Front-end parameters.
    """

    dft: Tensor
    bank: Tensor

    def __init__(self, config: LogMelConfig) -> None:
        super().__init__()
        self.config = config
        self.n_bins = config.n_fft // 2 + 1
        self.blocks_per_frame = -(-config.n_fft // config.hop_length)
        self.register_buffer("dft", _dft_kernel(config), persistent=False)
        bank = mel_filter_bank(
            sr=config.sample_rate,
            n_fft=config.n_fft,
            n_mels=config.n_mels,
            fmin=config.fmin,
            fmax=config.fmax,
        )
        self.register_buffer("bank", torch.from_numpy(np.array(bank)), persistent=False)

    def n_frames(self, lengths: Tensor) -> Tensor:
        """Give the number of whole frames of each waveform.

        Parameters
        ----------
        lengths : Tensor of shape (batch,), int64
            Samples.

        Returns
        -------
        Tensor of shape (batch,), int64
            ``lengths // hop_length``.
        """
        return lengths // self.config.hop_length

    def forward(self, waveform: Tensor, lengths: Tensor) -> Tensor:
        """Compute the log-mel spectrogram.

        Parameters
        ----------
        waveform : Tensor of shape (batch, n_samples)
            Zero-padded audio; what lies beyond a length is ignored.
        lengths : Tensor of shape (batch,), int64
            Samples of each waveform.

        Returns
        -------
        Tensor of shape (batch, n_mels, n_frames)
            ``n_frames = n_samples // hop_length``; `n_samples` must be at least one hop.
        """
        power = self.mel_power(waveform, lengths)
        if self.config.scale == "db":
            return 10.0 * torch.log10(torch.clamp(power, min=1e-10))
        logarithm = torch.log10(torch.clamp(power, min=1e-10))
        loudest = logarithm.amax(dim=(1, 2), keepdim=True)
        return (torch.maximum(logarithm, loudest - 8.0) + 4.0) / 4.0

    def mel_power(self, waveform: Tensor, lengths: Tensor) -> Tensor:
        """Compute the power mel spectrogram.

        Parameters
        ----------
        waveform : Tensor of shape (batch, n_samples)
            Zero-padded audio.
        lengths : Tensor of shape (batch,), int64
            Samples of each waveform.

        Returns
        -------
        Tensor of shape (batch, n_mels, n_frames)
            Non-negative.
        """
        return torch.matmul(self.bank, self.power(waveform, lengths))

    def power(self, waveform: Tensor, lengths: Tensor) -> Tensor:
        """Compute the power spectrogram.

        Parameters
        ----------
        waveform : Tensor of shape (batch, n_samples)
            Zero-padded audio.
        lengths : Tensor of shape (batch,), int64
            Samples of each waveform.

        Returns
        -------
        Tensor of shape (batch, n_fft // 2 + 1, n_frames)
            Non-negative.
        """
        positions = torch.arange(waveform.shape[1], device=waveform.device)
        audible = waveform * (positions[None, :] < lengths[:, None])
        spectrum = self.over_frames(audible, self.dft)
        return spectrum[:, : self.n_bins].square() + spectrum[:, self.n_bins :].square()

    def over_frames(self, signal: Tensor, kernel: Tensor) -> Tensor:
        """Give weighted sums over the samples of every centred frame.

        Parameters
        ----------
        signal : Tensor of shape (batch, n_samples)
            Counts as zero beyond its ends.
        kernel : Tensor of shape (n_rows, hop_length, blocks_per_frame)
            Weights, cut into blocks of one hop.

        Returns
        -------
        Tensor of shape (batch, n_rows, n_frames)
            ``n_frames = n_samples // hop_length``.
        """
        hop = self.config.hop_length
        padded = functional.pad(signal, (self.config.n_fft // 2, self.blocks_per_frame * hop + hop))
        n_blocks = padded.shape[1] // hop
        blocks = padded[:, : n_blocks * hop].reshape(padded.shape[0], n_blocks, hop)
        sums = functional.conv1d(blocks.transpose(1, 2), kernel)
        return sums[:, :, : signal.shape[1] // hop]


def _dft_kernel(config: LogMelConfig) -> Tensor:
    """Windowed cosine and sine rows, cut into blocks of one hop: (2 * n_bins, hop, blocks)."""
    n_fft = config.n_fft
    angles = 2.0 * np.pi * np.outer(np.arange(n_fft // 2 + 1), np.arange(n_fft)) / n_fft
    window = get_window("hann", win_length=n_fft)
    return in_blocks(np.concatenate([np.cos(angles), -np.sin(angles)]) * window, config)


def in_blocks(rows: npt.NDArray[np.float64], config: LogMelConfig) -> Tensor:
    """Cut weights over the samples of a frame into blocks of one hop.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_fft)
        Weights.
    config : LogMelConfig
        Length of frames and hops.

    Returns
    -------
    Tensor of shape (n_rows, hop_length, blocks_per_frame), float32
        Kernel of :meth:`LogMel.over_frames`.
    """
    n_blocks = -(-config.n_fft // config.hop_length)
    padded = np.zeros((rows.shape[0], n_blocks * config.hop_length))
    padded[:, : config.n_fft] = rows
    kernel = padded.reshape(rows.shape[0], n_blocks, config.hop_length).transpose(0, 2, 1)
    return torch.from_numpy(kernel.astype(np.float32))
