"""A network on the encoder of Whisper: a head on statistics of its layers, some of them trained.

Written from the paper and the published weights' layout; a test holds it to `transformers`. The
encoder need not be padded to 30 s: the first positions of the embedding and an attention mask do.

References
----------
Radford et al., "Robust speech recognition via large-scale weak supervision", 2022.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from serenade.errors import RecipeError
from serenade.training.frontend import LogMel, LogMelConfig
from serenade.training.networks.base import SpeechNetwork, frame_mask
from serenade.training.networks.hub import encoder_folder
from serenade.training.networks.whisper_files import EncoderShape, read_shape, read_tensors

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from serenade.training.recipe import NetworkRecipe

FRAMES_PER_SECOND = 50
ENCODER = ("conv1.", "conv2.", "positions", "layers.")
"""Beginnings of the names of the encoder's tensors."""


class WhisperNetwork(SpeechNetwork):
    """The encoder's first layers, and a head on statistics of their outputs over time.

    What the states are, and so what is cached, is a choice between speed and augmentation:

    - `cached` and all used layers frozen: the statistics themselves, one frame of mean and
      deviation of every layer from `first_pooled`. Training takes seconds.
    - `cached` and fewer frozen layers: the frames after the last frozen layer; the head sees the
      statistics of this one and those above.
    - not `cached`: the log-mel spectrogram, which augmentation can act on; the frozen layers run
      in every step.

    Parameters
    ----------
    shape : EncoderShape
        Of the encoder.
    n_labels : int
        Outputs.
    depth : int
        Layers that are used, from the first.
    frozen : int
        Layers that do not change, at most `depth`.
    first_pooled : int
        First layer whose output goes to the head, counted from 1; 0 is the convolutions' output.
    width : int
        Units of the head.
    dropout : float
        In the head, in [0, 1).
    encoder_dropout : float
        On what each layer adds to the frames, in [0, 1).
    max_seconds : float
        Longest clip [s]; longer ones cannot be encoded.
    cached : bool
        Whether the frozen layers belong to the frozen stage.
    """

    adapts = True

    def __init__(
        self,
        shape: EncoderShape,
        *,
        n_labels: int,
        depth: int,
        frozen: int,
        first_pooled: int,
        width: int,
        dropout: float,
        encoder_dropout: float,
        max_seconds: float,
        cached: bool,
    ) -> None:
        super().__init__()
        self.n_labels = n_labels
        self.n_frozen = frozen
        self.first_pooled = first_pooled
        self.states_are_log_mel = not cached
        self.front_end = LogMel(LogMelConfig(n_mels=shape.n_mels))
        self.conv1 = nn.Conv1d(shape.n_mels, shape.width, 3, padding=1)
        self.conv2 = nn.Conv1d(shape.width, shape.width, 3, stride=2, padding=1)
        n_positions = round(max_seconds * FRAMES_PER_SECOND) + 1
        self.positions = nn.Parameter(torch.zeros(n_positions, shape.width))
        self.layers = nn.ModuleList(_Layer(shape, encoder_dropout) for _ in range(depth))
        if cached and frozen < depth:
            self.first_pooled = max(first_pooled, frozen)
        self.n_embedding = 2 * shape.width * (depth + 1 - self.first_pooled)
        self.normalise = nn.BatchNorm1d(self.n_embedding, affine=False)
        self.head = nn.Sequential(
            nn.Dropout(dropout),
            nn.Linear(self.n_embedding, width),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(width, n_labels),
        )
        for module in (self.conv1, self.conv2, *self.layers[:frozen]):
            module.requires_grad_(False)
        self.positions.requires_grad_(False)

    def fingerprint(self) -> Mapping[str, object]:
        """See the base class."""
        digest = hashlib.sha256()
        for name, tensor in self.state_dict().items():
            if name.startswith(ENCODER) and not self._is_trained_layer(name):
                digest.update(tensor.contiguous().numpy().tobytes())
        return {
            "log_mel": asdict(self.front_end.config),
            "frozen_layers": self.n_frozen,
            "first_pooled": self.first_pooled if self._all_frozen else None,
            "weights": digest.hexdigest()[:16],
        }

    def states(self, waveform: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """See the base class; the class says what they are."""
        log_mel = self.front_end(waveform, lengths)
        n_frames = self.front_end.n_frames(lengths)
        if self.states_are_log_mel:
            return log_mel, n_frames
        outputs, n_frames = self._frozen(log_mel, n_frames)
        if not self._all_frozen:
            return outputs[-1].transpose(1, 2), n_frames
        return self._statistics(outputs, n_frames)[:, :, None], torch.ones_like(n_frames)

    def embed(self, states: Tensor, n_frames: Tensor) -> Tensor:
        """See the base class; statistics over time, in units of the training clips' deviation."""
        if self._all_frozen and not self.states_are_log_mel:
            embedding: Tensor = self.normalise(states[:, :, 0])
            return embedding
        if self.states_are_log_mel:
            outputs, n_frames = self._frozen(states, n_frames)
        else:
            outputs = [states.transpose(1, 2)]
        outputs = outputs[:-1] + _run(outputs[-1], n_frames, self.layers[self.n_frozen :])
        embedding = self.normalise(self._statistics(outputs, n_frames))
        return embedding  # noqa: RET504 - a module's result has no type before it has a name

    def decide(self, embedding: Tensor) -> Tensor:
        """See the base class."""
        logits: Tensor = self.head(embedding)
        return logits

    def layers_above(self, name: str) -> int | None:
        """See the base class."""
        parts = name.split(".")
        return len(self.layers) - 1 - int(parts[1]) if parts[0] == "layers" else None

    def load_initial(self, folder: Path, *, key: str) -> None:
        """Take the encoder's weights from a folder in the layout of `transformers`.

        Parameters
        ----------
        folder : Path
            Holds ``model.safetensors`` with the encoder's tensors.
        key : str
            Of the recipe that names the folder, for the error.

        Raises
        ------
        RecipeError
            If the file is missing or unreadable, or its tensors are of another size.
        """
        tensors = read_tensors(folder, key=key)
        wanted = self.state_dict()
        n_positions, n_wanted = tensors["positions"].shape[0], self.positions.shape[0]
        if n_positions < n_wanted:
            raise RecipeError(
                f"{key} {str(folder)!r} takes clips of less than"
                f" {n_positions / FRAMES_PER_SECOND:g} s; lower max_seconds"
            )
        tensors["positions"] = tensors["positions"][:n_wanted]
        chosen = {name: tensor.float() for name, tensor in tensors.items() if name in wanted}
        missing = [name for name in wanted if name not in chosen and name.startswith(ENCODER)]
        if missing:
            raise RecipeError(
                f"{key} {str(folder)!r} lacks {missing[0]!r}; give the folder of a Whisper encoder"
                " with at least as many layers"
            )
        different = [name for name, tensor in chosen.items() if tensor.shape != wanted[name].shape]
        if different:
            raise RecipeError(
                f"{key} {str(folder)!r}: {different[0]!r} is not of the size that config.json says;"
                " fetch the encoder anew"
            )
        self.load_state_dict(wanted | chosen)

    @property
    def _all_frozen(self) -> bool:
        return self.n_frozen == len(self.layers)

    def _is_trained_layer(self, name: str) -> bool:
        parts = name.split(".")
        return parts[0] == "layers" and int(parts[1]) >= self.n_frozen

    def _frozen(self, log_mel: Tensor, n_mel_frames: Tensor) -> tuple[list[Tensor], Tensor]:
        """Run convolutions and frozen layers: all their outputs, and the number of frames."""
        mask = frame_mask(n_mel_frames, log_mel.shape[2])
        x = functional.gelu(self.conv1(_whisper_scale(log_mel, mask)))
        x = x * mask[:, None, :]
        x = functional.gelu(self.conv2(x)).transpose(1, 2)
        x = x + self.positions[: x.shape[1]]
        n_frames = (n_mel_frames + 1) // 2
        return _run(x, n_frames, self.layers[: self.n_frozen]), n_frames

    def _statistics(self, outputs: list[Tensor], n_frames: Tensor) -> Tensor:
        """Mean and deviation over time of the last outputs, those that go to the head."""
        n_pooled = len(self.layers) + 1 - self.first_pooled
        return _pool(outputs[-n_pooled:], frame_mask(n_frames, outputs[-1].shape[1]))


def _whisper_scale(log_mel: Tensor, mask: Tensor) -> Tensor:
    """Decibels to what the encoder was trained on: a floor 80 dB below the maximum, then scaled."""
    loudest = log_mel.masked_fill(~mask[:, None, :], -1e4).amax(dim=(1, 2), keepdim=True)
    scaled: Tensor = (torch.maximum(log_mel, loudest - 80.0) / 10.0 + 4.0) / 4.0
    return scaled * mask[:, None, :]


def _run(x: Tensor, n_frames: Tensor, layers: nn.ModuleList) -> list[Tensor]:
    """Run layers; the outputs begin with the input."""
    mask = frame_mask(n_frames, x.shape[1])
    outputs = [x]
    for layer in layers:
        outputs.append(layer(outputs[-1], mask))
    return outputs


def build(
    recipe: NetworkRecipe, *, n_labels: int, table: Literal["network", "teacher"] = "network"
) -> WhisperNetwork:
    """Make the network of a recipe with the encoder's weights.

    Parameters
    ----------
    recipe : NetworkRecipe
        Size, frozen layers, and the encoder's folder or name on the hub as `initial_weights`.
    n_labels : int
        Outputs.
    table : {"network", "teacher"}
        Table of the file that the values are from, for the errors.

    Returns
    -------
    WhisperNetwork
        With a random head.

    Raises
    ------
    RecipeError
        If the folder is not that of a Whisper encoder or has too few layers.
    """
    key = f"{table}.initial_weights"
    folder = encoder_folder(recipe.initial_weights)
    shape = read_shape(folder, key=key)
    if recipe.depth > shape.n_layers:
        raise RecipeError(
            f"{table}.depth {recipe.depth} must be at most {shape.n_layers}, the encoder's layers"
        )
    if not 0 <= recipe.frozen_layers <= recipe.depth:
        raise RecipeError(
            f"network.frozen_layers {recipe.frozen_layers} must be from 0 to network.depth,"
            f" {recipe.depth}"
        )
    network = WhisperNetwork(
        shape,
        n_labels=n_labels,
        depth=recipe.depth,
        frozen=recipe.frozen_layers,
        first_pooled=min(recipe.first_pooled, recipe.depth),
        width=recipe.width,
        dropout=recipe.dropout,
        encoder_dropout=recipe.encoder_dropout,
        max_seconds=recipe.max_seconds,
        cached=recipe.cached,
    )
    network.load_initial(folder, key=key)
    return network


class _Layer(nn.Module):
    """Self-attention and feed-forward, each after a layer norm and with a residual."""

    def __init__(self, shape: EncoderShape, dropout: float) -> None:
        super().__init__()
        width = shape.width
        self.dropout = nn.Dropout(dropout)
        self.n_heads = shape.n_heads
        self.attention_norm = nn.LayerNorm(width)
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width, bias=False)
        self.value = nn.Linear(width, width)
        self.out = nn.Linear(width, width)
        self.feed_norm = nn.LayerNorm(width)
        self.feed_in = nn.Linear(width, shape.n_feed)
        self.feed_out = nn.Linear(shape.n_feed, width)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        normed = self.attention_norm(x)
        attended = functional.scaled_dot_product_attention(
            self._split(self.query(normed)),
            self._split(self.key(normed)),
            self._split(self.value(normed)),
            attn_mask=mask[:, None, None, :],
        )
        x = x + self.dropout(self.out(attended.transpose(1, 2).flatten(2)))
        fed = self.feed_out(functional.gelu(self.feed_in(self.feed_norm(x))))
        result: Tensor = x + self.dropout(fed)
        return result

    def _split(self, x: Tensor) -> Tensor:
        batch, frames, width = x.shape
        return x.reshape(batch, frames, self.n_heads, width // self.n_heads).transpose(1, 2)


def _pool(outputs: list[Tensor], mask: Tensor) -> Tensor:
    """Mean and deviation over time of each output, joined: (batch, 2 * width * n_outputs)."""
    weights = mask[:, :, None] / mask.sum(1)[:, None, None]
    statistics = []
    for x in outputs:
        mean = (weights * x).sum(1)
        variance = (weights * (x - mean[:, None, :]).square()).sum(1)
        statistics += [mean, torch.sqrt(torch.clamp(variance, min=1e-8))]
    return torch.cat(statistics, dim=1)
