"""LSTM over cepstral coefficients: over their means, or over time.

Input (batch, n_mfcc steps of one mean each) for ``features = "mfcc_mean"``, else (batch, frames,
features); the last state goes through dropout and dense layers to the logits.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from torch import Tensor, nn

from serenade.training.networks.base import load_initial_weights
from serenade.training.networks.initial import draw_weights
from serenade.training.networks.recurrent import Lstm
from serenade.training.networks.sequence import SequenceNetwork, dense_layers

if TYPE_CHECKING:
    from serenade.training.recipe import NetworkRecipe


class LstmNetwork(SequenceNetwork):
    """Forward LSTM layers and dense layers on their last state.

    Parameters
    ----------
    recipe : NetworkRecipe
        `width` units in `depth` layers, `dropout` after each and after each dense layer, `dense`.
    n_labels : int
        Outputs.
    """

    def __init__(self, recipe: NetworkRecipe, *, n_labels: int) -> None:
        super().__init__(recipe, n_labels=n_labels)
        self.over_means = recipe.features == "mfcc_mean"
        self.lstm = Lstm(
            1 if self.over_means else self.features.n_rows,
            width=recipe.width,
            depth=recipe.depth,
            dropout=recipe.dropout,
            both=False,
        )
        self.n_embedding = recipe.width
        self.dropout = nn.Dropout(recipe.dropout)
        self.dense = dense_layers(recipe.width, recipe.dense, recipe.dropout)
        self.classifier = nn.Linear([recipe.width, *recipe.dense][-1], n_labels)
        draw_weights(self)

    def embed(self, states: Tensor, n_frames: Tensor) -> Tensor:
        """See the base class; the last state of the last layer."""
        rows, n_steps = self.sequence(states, n_frames)
        if self.over_means:
            # The coefficients of the one mean are the steps: (batch, n_mfcc, 1).
            _, last = self.lstm(rows, n_steps * rows.shape[1])
        else:
            _, last = self.lstm(rows.transpose(1, 2), n_steps)
        state: Tensor = last
        return state

    def decide(self, embedding: Tensor) -> Tensor:
        """See the base class."""
        logits: Tensor = self.classifier(self.dense(self.dropout(embedding)))
        return logits


def build(recipe: NetworkRecipe, *, n_labels: int) -> LstmNetwork:
    """Make the network of a recipe.

    Parameters
    ----------
    recipe : NetworkRecipe
        Features and size.
    n_labels : int
        Outputs.

    Returns
    -------
    LstmNetwork
        With random weights, or those of the checkpoint that the recipe names.

    Raises
    ------
    RecipeError
        If the checkpoint is of another network.
    """
    network = LstmNetwork(recipe, n_labels=n_labels)
    if recipe.initial_weights:
        load_initial_weights(network, Path(recipe.initial_weights), anew="classifier.")
    return network
