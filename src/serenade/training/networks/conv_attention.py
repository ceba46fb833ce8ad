"""A compact network from scratch: convolutions over the log-mel, attention, statistics pooling.

Input (batch, 64 mel bands, frames at 100 a second); the convolutions leave 12.5 frames a second.
Every operation masks what lies beyond a clip's end, so the result does not depend on the batch.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from serenade.training.frontend import LogMel, LogMelConfig
from serenade.training.networks.base import SpeechNetwork, frame_mask, load_initial_weights

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from serenade.training.recipe import NetworkRecipe

N_HEADS = 4


@dataclass(frozen=True, slots=True)
class _Stage:
    """A convolution of the stem; kernels and strides over (bands, frames)."""

    n_channels: int
    kernel: tuple[int, int]
    stride: tuple[int, int]


def _stages(width: int) -> tuple[_Stage, ...]:
    """Give the convolutions of the stem, which widen towards the blocks and a little beyond."""
    return (
        _Stage(width // 4, kernel=(5, 7), stride=(4, 4)),
        _Stage(width // 2, kernel=(3, 3), stride=(2, 1)),
        _Stage(width, kernel=(3, 3), stride=(2, 2)),
        _Stage(width * 5 // 4, kernel=(3, 3), stride=(2, 1)),
    )


class ConvAttention(SpeechNetwork):
    """Convolutional stem, attention blocks and attentive statistics pooling.

    The embedding is in units of the training clips, so that a speaker's own can take their place.

    Parameters
    ----------
    n_labels : int
        Outputs.
    width : int
        Channels of the attention blocks, and measure of the stem's; a multiple of 4.
    depth : int
        Attention blocks.
    dropout : float
        In [0, 1).

    References
    ----------
    Okabe, Koshinaka and Shinoda, "Attentive statistics pooling for deep speaker embedding",
    Interspeech 2018.
    """

    adapts = True

    def __init__(self, *, n_labels: int, width: int, depth: int, dropout: float) -> None:
        super().__init__()
        self.n_labels = n_labels
        self.n_embedding = 4 * width
        self.front_end = LogMel(LogMelConfig())
        stages = _stages(width)
        n_bands = self.front_end.config.n_mels // math.prod(stage.stride[0] for stage in stages)
        self.strides = [stage.stride[1] for stage in stages]
        self.stem = nn.ModuleList(_convolutions(stages))
        self.project = nn.Linear(stages[-1].n_channels * n_bands, width)
        self.blocks = nn.ModuleList(_Block(width, dropout) for _ in range(depth))
        self.norm = nn.LayerNorm(width)
        self.pool = nn.Sequential(
            nn.Linear(width, width // 2), nn.Tanh(), nn.Linear(width // 2, N_HEADS)
        )
        self.normalise = nn.BatchNorm1d(self.n_embedding, affine=False)
        self.hidden = nn.Linear(self.n_embedding, width)
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(width, n_labels)

    def fingerprint(self) -> Mapping[str, object]:
        """See the base class."""
        return {"log_mel": asdict(self.front_end.config)}

    def states(self, waveform: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """See the base class; the states are the log-mel spectrogram [dB]."""
        return self.front_end(waveform, lengths), self.front_end.n_frames(lengths)

    def embed(self, states: Tensor, n_frames: Tensor) -> Tensor:
        """See the base class."""
        mask = frame_mask(n_frames, states.shape[2])
        x = normalise(states, mask)
        for convolution, stride in zip(self.stem, self.strides, strict=True):
            mask = mask[:, ::stride]
            x = convolution(x) * mask[:, None, None, :]
        x = self.project(x.flatten(1, 2).transpose(1, 2))
        for block in self.blocks:
            x = block(x, mask)
        embedding: Tensor = self.normalise(self._pooled(self.norm(x), mask))
        return embedding

    def decide(self, embedding: Tensor) -> Tensor:
        """See the base class."""
        hidden = self.dropout(functional.silu(self.hidden(embedding)))
        logits: Tensor = self.classifier(hidden)
        return logits

    def _pooled(self, x: Tensor, mask: Tensor) -> Tensor:
        scores = self.pool(x).masked_fill(~mask[:, :, None], -1e4)
        # Each head weighs its own share of the channels; the plain statistics stand beside it.
        attention = torch.softmax(scores.float(), dim=1).repeat_interleave(x.shape[2] // N_HEADS, 2)
        uniform = mask[:, :, None] / mask.sum(1)[:, None, None]
        return torch.cat([_statistics(x, attention), _statistics(x, uniform)], dim=1)


def _statistics(x: Tensor, weights: Tensor) -> Tensor:
    """Weighted mean and deviation over time: (batch, 2 * width)."""
    mean = (weights * x).sum(1)
    variance = (weights * x.square()).sum(1) - mean.square()
    return torch.cat([mean, torch.sqrt(torch.clamp(variance, min=1e-4))], dim=1)


def build(recipe: NetworkRecipe, *, n_labels: int) -> ConvAttention:
    """Make the network of a recipe.

    Parameters
    ----------
    recipe : NetworkRecipe
        Size.
    n_labels : int
        Outputs.

    Returns
    -------
    ConvAttention
        With random weights, or those of the checkpoint that the recipe names.

    Raises
    ------
    RecipeError
        If the checkpoint is of another network.
    """
    network = ConvAttention(
        n_labels=n_labels, width=recipe.width, depth=recipe.depth, dropout=recipe.dropout
    )
    if recipe.initial_weights:
        load_initial_weights(network, Path(recipe.initial_weights), anew="classifier.")
    return network


def normalise(log_mel: Tensor, mask: Tensor) -> Tensor:
    """Take level and colour out of a log-mel spectrogram.

    Parameters
    ----------
    log_mel : Tensor of shape (batch, n_mels, n_frames)
        Decibels.
    mask : Tensor of shape (batch, n_frames), bool
        Valid frames.

    Returns
    -------
    Tensor of shape (batch, 2, n_mels, n_frames)
        Channel 0: floored 60 dB below the clip's maximum, then zero mean and unit deviation over
        the clip. Channel 1: each band with its own mean taken out. Zero beyond the valid frames.
    """
    valid = mask[:, None, :]
    loudest = log_mel.masked_fill(~valid, -200.0).amax(dim=(1, 2), keepdim=True)
    x = torch.maximum(log_mel, loudest - 60.0) * valid
    count = valid.sum(dim=2, keepdim=True)
    band_mean = x.sum(dim=2, keepdim=True) / count
    mean = band_mean.mean(dim=1, keepdim=True)
    variance = (((x - mean) * valid).square().sum(dim=2, keepdim=True) / count).mean(
        1, keepdim=True
    )
    whole = (x - mean) * valid / torch.sqrt(variance + 1.0)
    by_band = (x - band_mean) * valid / 10.0
    return torch.stack([whole, by_band], dim=1)


def _convolutions(stages: Sequence[_Stage]) -> list[nn.Sequential]:
    """Convolutions whose padding leaves ``ceil(n / stride)`` bands and frames."""
    n_in = (2, *(stage.n_channels for stage in stages[:-1]))
    return [
        nn.Sequential(
            nn.Conv2d(
                channels,
                stage.n_channels,
                stage.kernel,
                stride=stage.stride,
                padding=(stage.kernel[0] // 2, stage.kernel[1] // 2),
                bias=False,
            ),
            nn.BatchNorm2d(stage.n_channels),
            nn.SiLU(),
        )
        for channels, stage in zip(n_in, stages, strict=True)
    ]


class _Block(nn.Module):
    """Self-attention, depthwise convolution and feed-forward, each with a residual."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.convolution_norm = nn.LayerNorm(width)
        self.gate = nn.Linear(width, 2 * width)
        self.depthwise = nn.Conv1d(width, width, 9, padding=4, groups=width)
        self.after = nn.Linear(width, width)
        self.feed_norm = nn.LayerNorm(width)
        self.feed = nn.Sequential(
            nn.Linear(width, 2 * width), nn.SiLU(), nn.Dropout(dropout), nn.Linear(2 * width, width)
        )
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        x = x + self.dropout(self._attend(self.attention_norm(x), mask))
        x = x + self.dropout(self._convolve(self.convolution_norm(x), mask))
        result: Tensor = x + self.dropout(self.feed(self.feed_norm(x)))
        return result

    def _attend(self, x: Tensor, mask: Tensor) -> Tensor:
        batch, frames, width = x.shape
        qkv = self.qkv(x).reshape(batch, frames, 3, N_HEADS, width // N_HEADS)
        query, key, value = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        attended = functional.scaled_dot_product_attention(
            query, key, value, attn_mask=mask[:, None, None, :]
        )
        joined: Tensor = self.out(attended.transpose(1, 2).reshape(batch, frames, width))
        return joined

    def _convolve(self, x: Tensor, mask: Tensor) -> Tensor:
        gated = functional.glu(self.gate(x), dim=-1) * mask[:, :, None]
        mixed = self.depthwise(gated.transpose(1, 2)).transpose(1, 2)
        result: Tensor = self.after(functional.silu(mixed))
        return result
