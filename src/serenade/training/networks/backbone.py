"""A network on any pre-trained encoder: weighted statistics of its layers and a small head.

Input (batch, samples); states are, with all layers frozen, the mean and deviation over time of
every pooled layer (2 * width values by layers), else the frames after the last frozen layer
(width by 50 frames a second); output (batch, labels). A pooled layer's statistics are normalised
and added up with weights that are learnt and sum to 1.

References
----------
Yang et al., "SUPERB: speech processing universal performance benchmark", Interspeech 2021, for the
weighted sum of layers.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from serenade.errors import RecipeError
from serenade.training.networks.base import SpeechNetwork, frame_mask
from serenade.training.networks.encoders import Encoder, load_encoder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from serenade.training.recipe import NetworkRecipe


class BackboneNetwork(SpeechNetwork):
    """An encoder whose lower layers are frozen, layer weights and a head.

    Parameters
    ----------
    encoder : Encoder
        With its pre-trained weights.
    n_labels : int
        Outputs.
    depth : int
        Layers that are used, from the first; those above are dropped.
    frozen : int
        Layers that do not change, at most `depth`. What comes before the layers never changes.
    first_pooled : int
        First layer whose output is pooled; 0 is the input of the first layer. Layers below the
        last frozen one are only pooled if all are frozen.
    width : int
        Units of the head.
    dropout : float
        In the head, in [0, 1).
    """

    states_are_log_mel = False

    def __init__(
        self,
        encoder: Encoder,
        *,
        n_labels: int,
        depth: int,
        frozen: int,
        first_pooled: int,
        width: int,
        dropout: float,
    ) -> None:
        super().__init__()
        self.n_labels = n_labels
        self.encoder = encoder.requires_grad_(False)
        self.depth = depth
        self.n_frozen = frozen
        self.all_frozen = frozen == depth
        self.first_pooled = first_pooled if self.all_frozen else max(first_pooled, frozen)
        encoder.keep_layers(depth)
        for layer in encoder.layers[frozen:]:
            layer.requires_grad_(True)
        self.n_pooled = depth + 1 - self.first_pooled
        self.n_embedding = 2 * encoder.width
        self.norm = nn.BatchNorm1d(self.n_pooled * self.n_embedding)
        self.layer_scores = nn.Parameter(torch.zeros(self.n_pooled))
        self.head = nn.Sequential(
            nn.Dropout(dropout),
            nn.Linear(self.n_embedding, width),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(width, n_labels),
        )

    def fingerprint(self) -> Mapping[str, object]:
        """See the base class."""
        digest = hashlib.sha256()
        trained = tuple(f"layers.{number}." for number in range(self.n_frozen, self.depth))
        for name, tensor in self.encoder.state_dict().items():
            if not name.startswith(trained):
                digest.update(tensor.cpu().contiguous().numpy().tobytes())
        return {
            "encoder": dict(self.encoder.settings()),
            "depth": self.depth if self.all_frozen else None,
            "frozen_layers": self.n_frozen,
            "first_pooled": self.first_pooled if self.all_frozen else None,
            "weights": digest.hexdigest()[:16],
        }

    def train(self, mode: bool = True) -> BackboneNetwork:
        """Set the mode of what is trained; the frozen part has no dropout in training either."""
        super().train(mode)
        self.encoder.eval()
        for layer in self.encoder.layers[self.n_frozen :]:
            layer.train(mode)
        return self

    def describe_front_end(self) -> Mapping[str, object]:
        """See the base class."""
        return self.encoder.settings()

    def layers_above(self, name: str) -> int | None:
        """See the base class."""
        prefix, _, rest = name.partition("encoder.layers.")
        return None if prefix or not rest else self.depth - 1 - int(rest.partition(".")[0])

    def states(self, waveform: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """See the base class; statistics have one column for each pooled layer."""
        x, n_frames = self.encoder.enter(waveform, lengths)
        outputs = self.encoder.run(x, n_frames, first=0, last=self.n_frozen)
        if not self.all_frozen:
            return outputs[-1].transpose(1, 2), n_frames
        statistics = layer_statistics(outputs[self.first_pooled :], n_frames)
        return statistics.transpose(1, 2), torch.full_like(n_frames, self.n_pooled)

    def embed(self, states: Tensor, n_frames: Tensor) -> Tensor:
        """See the base class; the weighted sum of the layers' normalised statistics."""
        if self.all_frozen:
            statistics = states.transpose(1, 2)
        else:
            x = states.transpose(1, 2)
            outputs = self.encoder.run(x, n_frames, first=self.n_frozen, last=self.depth)
            statistics = layer_statistics(outputs[self.first_pooled - self.n_frozen :], n_frames)
        normed = self.norm(statistics.flatten(1)).reshape(-1, self.n_pooled, self.n_embedding)
        shares = torch.softmax(self.layer_scores, dim=0)
        embedding: Tensor = (shares[:, None] * normed).sum(1)
        return embedding

    def decide(self, embedding: Tensor) -> Tensor:
        """See the base class."""
        logits: Tensor = self.head(embedding)
        return logits


def build(recipe: NetworkRecipe, *, n_labels: int) -> BackboneNetwork:
    """Make the network of a recipe with the encoder's weights.

    Parameters
    ----------
    recipe : NetworkRecipe
        Size, frozen layers, and the folder or hub name of the encoder as `initial_weights`.
    n_labels : int
        Outputs.

    Returns
    -------
    BackboneNetwork
        With a random head.

    Raises
    ------
    MissingExtraError
        If `transformers` is not installed.
    RecipeError
        If the encoder cannot be loaded or has too few layers.
    """
    if not recipe.initial_weights:
        raise RecipeError(
            "network.initial_weights is empty; a backbone needs the folder or the hub name of a"
            " pre-trained encoder"
        )
    encoder = load_encoder(recipe.initial_weights, max_seconds=recipe.max_seconds)
    if not 0 <= recipe.frozen_layers <= recipe.depth <= encoder.n_layers:
        raise RecipeError(
            f"network.frozen_layers {recipe.frozen_layers} and network.depth {recipe.depth} must"
            f" be in this order and at most {encoder.n_layers}, the encoder's layers"
        )
    return BackboneNetwork(
        encoder,
        n_labels=n_labels,
        depth=recipe.depth,
        frozen=recipe.frozen_layers,
        first_pooled=min(recipe.first_pooled, recipe.depth),
        width=recipe.width,
        dropout=recipe.dropout,
    )


def layer_statistics(outputs: list[Tensor], n_frames: Tensor) -> Tensor:
    """Give mean and deviation over time of the outputs of layers.

    Parameters
    ----------
    outputs : list of Tensor of shape (batch, n_frames, width)
        Of each layer; all of one shape.
    n_frames : Tensor of shape (batch,), int64
        Valid frames of each clip.

    Returns
    -------
    Tensor of shape (batch, len(outputs), 2 * width)
        Means, then deviations.
    """
    weights = frame_mask(n_frames, outputs[0].shape[1])[:, :, None] / n_frames[:, None, None]
    statistics = []
    for x in outputs:
        mean = (weights * x).sum(1)
        variance = (weights * (x - mean[:, None, :]).square()).sum(1)
        statistics.append(torch.cat([mean, torch.sqrt(torch.clamp(variance, min=1e-8))], dim=1))
    return torch.stack(statistics, dim=1)
