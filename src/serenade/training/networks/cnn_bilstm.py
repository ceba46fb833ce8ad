"""Convolutions over time, then a bidirectional LSTM, over features of every frame.

Input (batch, features, frames); two convolutions, each with batch norm, ReLU and max pooling,
leave a quarter of the frames.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from torch import Tensor, nn
from torch.nn import functional

from serenade.errors import RecipeError
from serenade.training.networks.base import frame_mask, load_initial_weights
from serenade.training.networks.initial import draw_weights
from serenade.training.networks.recurrent import Lstm
from serenade.training.networks.sequence import SequenceNetwork, dense_layers

if TYPE_CHECKING:
    from serenade.training.recipe import NetworkRecipe

CHANNELS = (64, 128)
KERNEL = 3
POOL = 2


class CnnBilstm(SequenceNetwork):
    """Two convolutions, bidirectional LSTM layers and dense layers on their last states.

    Parameters
    ----------
    recipe : NetworkRecipe
        `width` units per direction in `depth` layers; `dropout` after them; `dense`.
    n_labels : int
        Outputs.
    """

    def __init__(self, recipe: NetworkRecipe, *, n_labels: int) -> None:
        super().__init__(recipe, n_labels=n_labels)
        if recipe.features == "mfcc_mean":
            raise RecipeError(
                "network.features 'mfcc_mean' leaves no time to convolve over; choose mfcc,"
                " mfcc_deltas or descriptors"
            )
        self.convolutions = nn.ModuleList(
            nn.Sequential(
                nn.Conv1d(n_in, n_out, KERNEL, padding=KERNEL // 2),
                nn.BatchNorm1d(n_out),
                nn.ReLU(),
            )
            for n_in, n_out in zip((self.features.n_rows, *CHANNELS), CHANNELS, strict=False)
        )
        self.lstm = Lstm(
            CHANNELS[-1],
            width=recipe.width,
            depth=recipe.depth,
            dropout=recipe.dropout,
            both=True,
        )
        self.n_embedding = self.lstm.n_out
        self.dropout = nn.Dropout(recipe.dropout)
        self.dense = dense_layers(self.n_embedding, recipe.dense, 0.0)
        self.classifier = nn.Linear([self.n_embedding, *recipe.dense][-1], n_labels)
        draw_weights(self)

    def embed(self, states: Tensor, n_frames: Tensor) -> Tensor:
        """See the base class; the last states of both directions."""
        x, n_steps = self.sequence(states, n_frames)
        for convolution in self.convolutions:
            mask = frame_mask(n_steps, x.shape[2])
            x = _pooled(convolution(x) * mask[:, None, :])
            n_steps = (n_steps + POOL - 1) // POOL
        _, last = self.lstm(x.transpose(1, 2), n_steps)
        states_at_end: Tensor = last
        return states_at_end

    def decide(self, embedding: Tensor) -> Tensor:
        """See the base class."""
        logits: Tensor = self.classifier(self.dense(self.dropout(embedding)))
        return logits


def _pooled(x: Tensor) -> Tensor:
    """Keep the largest of every two frames, and a last one that is left over."""
    # As one row of a picture: of max_pool1d the exporter would keep the length that it was shown.
    pooled = functional.max_pool2d(x[:, :, None, :], (1, POOL), ceil_mode=True)
    return pooled[:, :, 0]


def build(recipe: NetworkRecipe, *, n_labels: int) -> CnnBilstm:
    """Make the network of a recipe.

    Parameters
    ----------
    recipe : NetworkRecipe
        Features and size.
    n_labels : int
        Outputs.

    Returns
    -------
    CnnBilstm
        With random weights, or those of the checkpoint that the recipe names.

    Raises
    ------
    RecipeError
        If the checkpoint is of another network, or the features have no time.
    """
    network = CnnBilstm(recipe, n_labels=n_labels)
    if recipe.initial_weights:
        load_initial_weights(network, Path(recipe.initial_weights), anew="classifier.")
    return network
