"""Bidirectional LSTM over features of every frame, pooled over time by learnt attention.

Input (batch, frames, features); each frame's share in the pooled vector is learnt.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from serenade.errors import RecipeError
from serenade.training.networks.base import frame_mask, load_initial_weights
from serenade.training.networks.recurrent import Lstm
from serenade.training.networks.sequence import SequenceNetwork, dense_layers

if TYPE_CHECKING:
    from serenade.training.recipe import NetworkRecipe


class BilstmAttention(SequenceNetwork):
    """Bidirectional LSTM layers, attention over time and dense layers.

    Parameters
    ----------
    recipe : NetworkRecipe
        `width` units per direction in `depth` layers, `dropout`, `dense`.
    n_labels : int
        Outputs.

    References
    ----------
    Mirsamadi, Barsoum and Zhang, "Automatic speech emotion recognition using recurrent neural
    networks with local attention", ICASSP 2017.
    """

    def __init__(self, recipe: NetworkRecipe, *, n_labels: int) -> None:
        super().__init__(recipe, n_labels=n_labels)
        if recipe.features == "mfcc_mean":
            raise RecipeError(
                "network.features 'mfcc_mean' leaves no time to attend to; choose mfcc,"
                " mfcc_deltas or descriptors"
            )
        self.lstm = Lstm(
            self.features.n_rows,
            width=recipe.width,
            depth=recipe.depth,
            dropout=recipe.dropout,
            both=True,
        )
        self.n_embedding = self.lstm.n_out
        self.attention = nn.Sequential(
            nn.Linear(self.n_embedding, recipe.width), nn.Tanh(), nn.Linear(recipe.width, 1)
        )
        self.dropout = nn.Dropout(recipe.dropout)
        self.dense = dense_layers(self.n_embedding, recipe.dense, recipe.dropout)
        self.classifier = nn.Linear([self.n_embedding, *recipe.dense][-1], n_labels)

    def embed(self, states: Tensor, n_frames: Tensor) -> Tensor:
        """See the base class; the mean over time by the weights of the attention."""
        rows, n_steps = self.sequence(states, n_frames)
        outputs, _ = self.lstm(rows.transpose(1, 2), n_steps)
        mask = frame_mask(n_steps, outputs.shape[1])[:, :, None]
        scores = self.attention(outputs).float().masked_fill(~mask, -1e4)
        # Beyond the end the outputs are meaningless; a weight of 0 takes them out.
        pooled: Tensor = (torch.softmax(scores, dim=1) * mask * outputs).sum(dim=1)
        return pooled

    def decide(self, embedding: Tensor) -> Tensor:
        """See the base class."""
        logits: Tensor = self.classifier(self.dense(self.dropout(embedding)))
        return logits


def build(recipe: NetworkRecipe, *, n_labels: int) -> BilstmAttention:
    """Make the network of a recipe.

    Parameters
    ----------
    recipe : NetworkRecipe
        Features and size.
    n_labels : int
        Outputs.

    Returns
    -------
    BilstmAttention
        With random weights, or those of the checkpoint that the recipe names.

    Raises
    ------
    RecipeError
        If the checkpoint is of another network, or the features have no time.
    """
    network = BilstmAttention(recipe, n_labels=n_labels)
    if recipe.initial_weights:
        load_initial_weights(network, Path(recipe.initial_weights), anew="classifier.")
    return network
