"""Convolutions over a mel spectrogram of fixed size, flattened into dense layers.

Input (batch, 128 mel bands, 87 frames): two seconds, z-scored over the clip, zero-padded or cut.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from serenade.training.cepstrum import floor_level
from serenade.training.frontend import LogMel, LogMelConfig
from serenade.training.networks.base import SpeechNetwork, frame_mask, load_initial_weights
from serenade.training.networks.initial import draw_weights
from serenade.training.networks.sequence import dense_layers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from serenade.training.recipe import NetworkRecipe

N_FRAMES = 87
# As many frames of two seconds as librosa's usual hop of 512 gives at 22,050 Hz.
CONFIG = LogMelConfig(n_mels=128, n_fft=1024, hop_length=366)
CHANNELS = (1, 2, 2, 4)
"""Channels of the four convolutions, in units of the recipe's width."""

KERNEL = 5
POOL = 2


class Cnn(SpeechNetwork):
    """Four convolutions over time with max pooling and dropout, and dense layers.

    Parameters
    ----------
    recipe : NetworkRecipe
        `width` channels of the first convolution (then twice, twice and four times as many);
        `dropout` after every layer; `dense`.
    n_labels : int
        Outputs.
    """

    def __init__(self, recipe: NetworkRecipe, *, n_labels: int) -> None:
        super().__init__()
        self.n_labels = n_labels
        self.front_end = LogMel(CONFIG)
        channels = [recipe.width * factor for factor in CHANNELS]
        self.convolutions = nn.Sequential(
            *(
                nn.Sequential(
                    nn.Conv1d(n_in, n_out, KERNEL, padding=KERNEL // 2),
                    nn.ReLU(),
                    nn.MaxPool1d(POOL),
                    nn.Dropout(recipe.dropout),
                )
                for n_in, n_out in zip((CONFIG.n_mels, *channels), channels, strict=False)
            )
        )
        self.n_embedding = channels[-1] * (N_FRAMES // POOL ** len(CHANNELS))
        self.dense = dense_layers(self.n_embedding, recipe.dense, recipe.dropout)
        self.classifier = nn.Linear([self.n_embedding, *recipe.dense][-1], n_labels)
        draw_weights(self)

    def fingerprint(self) -> Mapping[str, object]:
        """See the base class."""
        return {"log_mel": asdict(self.front_end.config)}

    def states(self, waveform: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """See the base class; the states are the log-mel spectrogram [dB]."""
        return self.front_end(waveform, lengths), self.front_end.n_frames(lengths)

    def embed(self, states: Tensor, n_frames: Tensor) -> Tensor:
        """See the base class; the flattened output of the convolutions."""
        padded = functional.pad(states, (0, N_FRAMES))[:, :, :N_FRAMES]
        mask = frame_mask(n_frames, N_FRAMES)
        embedding: Tensor = self.convolutions(z_score(floor_level(padded, mask), mask)).flatten(1)
        return embedding

    def decide(self, embedding: Tensor) -> Tensor:
        """See the base class."""
        logits: Tensor = self.classifier(self.dense(embedding))
        return logits


def z_score(level: Tensor, mask: Tensor) -> Tensor:
    """Give a clip zero mean and unit deviation.

    Parameters
    ----------
    level : Tensor of shape (batch, n_mels, n_frames)
        Log-mel spectrogram [dB], zero beyond the valid frames.
    mask : Tensor of shape (batch, n_frames), bool
        Valid frames.

    Returns
    -------
    Tensor of shape (batch, n_mels, n_frames)
        Zero beyond the valid frames.
    """
    count = mask.sum(dim=1)[:, None, None] * level.shape[1]
    mean = level.sum(dim=(1, 2), keepdim=True) / count
    centred = (level - mean) * mask[:, None, :]
    variance = centred.square().sum(dim=(1, 2), keepdim=True) / count
    return centred / torch.sqrt(variance + 1.0)  # 1 dB², so that an even clip is not blown up


def build(recipe: NetworkRecipe, *, n_labels: int) -> Cnn:
    """Make the network of a recipe.

    Parameters
    ----------
    recipe : NetworkRecipe
        Size.
    n_labels : int
        Outputs.

    Returns
    -------
    Cnn
        With random weights, or those of the checkpoint that the recipe names.

    Raises
    ------
    RecipeError
        If the checkpoint is of another network.
    """
    network = Cnn(recipe, n_labels=n_labels)
    if recipe.initial_weights:
        load_initial_weights(network, Path(recipe.initial_weights), anew="classifier.")
    return network
