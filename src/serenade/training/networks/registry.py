"""Networks by name."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from serenade.errors import RecipeError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from serenade.training.networks.base import SpeechNetwork
    from serenade.training.recipe import NetworkRecipe

NETWORKS: Mapping[str, str] = {
    "backbone": "serenade.training.networks.backbone:build",
    "bilstm_attention": "serenade.training.networks.bilstm_attention:build",
    "cnn": "serenade.training.networks.cnn:build",
    "cnn_bilstm": "serenade.training.networks.cnn_bilstm:build",
    "conv_attention": "serenade.training.networks.conv_attention:build",
    "lstm": "serenade.training.networks.lstm:build",
    "whisper": "serenade.training.networks.whisper:build",
}
"""Name and ``module:function`` of every network; a function takes the recipe's ``network`` table
and the number of labels."""


def build_network(recipe: NetworkRecipe, *, n_labels: int) -> SpeechNetwork:
    """Make the network that a recipe names.

    Parameters
    ----------
    recipe : NetworkRecipe
        Name and size.
    n_labels : int
        Outputs.

    Returns
    -------
    SpeechNetwork
        With initial weights drawn from torch's global generator, or loaded.

    Raises
    ------
    RecipeError
        If there is no network of that name.
    """
    if recipe.name not in NETWORKS:
        raise RecipeError(
            f"network.name {recipe.name!r} is unknown; there are {', '.join(NETWORKS)}"
        )
    module, function = NETWORKS[recipe.name].split(":")
    network: SpeechNetwork = getattr(import_module(module), function)(recipe, n_labels=n_labels)
    return network
