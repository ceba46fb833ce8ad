"""What every network has: a frozen stage whose output can be cached, and a trained stage."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import asdict
from typing import TYPE_CHECKING

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from serenade.errors import RecipeError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import numpy as np
    import numpy.typing as npt

    from serenade.training.frontend import LogMel


class SpeechNetwork(nn.Module, ABC):
    """A network from waveform to logits in two stages.

    The frozen stage turns the waveform into *states* and never changes in training, so its output
    is computed once and cached. For a network trained from scratch it is the log-mel front end;
    for one that starts from a pre-trained encoder it is the front end and the frozen layers.
    """

    n_labels: int
    n_embedding: int
    front_end: LogMel
    intensity_head: nn.Linear | None
    """From the embedding to the intensity; :meth:`learn_intensity` makes it."""
    adapts: bool = False
    """Whether the embedding is in units of the training clips' mean and deviation, so that those
    of one speaker can take their place."""
    states_are_log_mel: bool = True
    """Whether the states are a log-mel spectrogram [dB], which augmentation can act on."""

    def __init__(self) -> None:
        super().__init__()
        self.intensity_head = None

    @abstractmethod
    def fingerprint(self) -> Mapping[str, object]:
        """Name everything that decides the output of the frozen stage; the key of the cache."""

    def describe_front_end(self) -> Mapping[str, object]:
        """Say what the graph computes from audio before anything is learnt; JSON types."""
        return asdict(self.front_end.config)

    def learn_statistics(self, clips: Sequence[npt.NDArray[np.float16]]) -> None:
        """Learn from the training clips what no gradient teaches, such as a scaler.

        Parameters
        ----------
        clips : sequence of ndarray of shape (n_channels, n_frames), float16
            States of all training clips; never those of a held-back one.
        """

    @abstractmethod
    def states(self, waveform: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Run the frozen stage.

        Parameters
        ----------
        waveform : Tensor of shape (batch, n_samples)
            Zero-padded audio at 16 kHz.
        lengths : Tensor of shape (batch,), int64
            Samples of each waveform.

        Returns
        -------
        states : Tensor of shape (batch, n_channels, n_frames)
            Input of the trained stage.
        n_frames : Tensor of shape (batch,), int64
            Valid frames of each.
        """

    @abstractmethod
    def embed(self, states: Tensor, n_frames: Tensor) -> Tensor:
        """Run the trained stage up to one vector per clip.

        Parameters
        ----------
        states : Tensor of shape (batch, n_channels, n_frames)
            Output of :meth:`states`; frames beyond `n_frames` are ignored.
        n_frames : Tensor of shape (batch,), int64
            Valid frames of each.

        Returns
        -------
        Tensor of shape (batch, n_embedding)
            What the logits are computed from, and what a teacher's hints are learnt with.
        """

    @abstractmethod
    def decide(self, embedding: Tensor) -> Tensor:
        """Run the last layers of the trained stage.

        Parameters
        ----------
        embedding : Tensor of shape (batch, n_embedding)
            Output of :meth:`embed`.

        Returns
        -------
        Tensor of shape (batch, n_labels)
            Logits.
        """

    def layers_above(self, name: str) -> int | None:  # noqa: ARG002 - for those with an encoder
        """Say how deep in a pre-trained encoder a parameter is.

        Parameters
        ----------
        name : str
            Name of a parameter.

        Returns
        -------
        int or None
            Encoder layers above its own; ``None`` outside the encoder, where weights are random
            at first and learn at the full rate.
        """
        return None

    def classify(self, states: Tensor, n_frames: Tensor) -> Tensor:
        """Run the trained stage.

        Parameters
        ----------
        states, n_frames
            As in :meth:`embed`.

        Returns
        -------
        Tensor of shape (batch, n_labels)
            Logits.
        """
        return self.decide(self.embed(states, n_frames))

    def learn_intensity(self) -> None:
        """Give the network an output for the intensity, with random weights."""
        self.intensity_head = nn.Linear(self.n_embedding, 1)

    def rate_intensity(self, embedding: Tensor) -> Tensor:
        """Rate how strong the emotion is.

        Parameters
        ----------
        embedding : Tensor of shape (batch, n_embedding)
            Output of :meth:`embed`.

        Returns
        -------
        Tensor of shape (batch,)
            In [0, 1].

        Raises
        ------
        RuntimeError
            If the network has no such output.
        """
        if self.intensity_head is None:
            raise RuntimeError("the network has no output for the intensity")
        return torch.sigmoid(self.intensity_head(embedding)[:, 0])

    def forward(self, waveform: Tensor, lengths: Tensor) -> dict[str, Tensor]:
        """Waveform in, scores out; the function that is exported.

        Parameters
        ----------
        waveform : Tensor of shape (batch, n_samples)
            Zero-padded audio at 16 kHz.
        lengths : Tensor of shape (batch,), int64
            Samples of each waveform.

        Returns
        -------
        dict of str to Tensor
            ``"logits"`` of shape (batch, n_labels) and, if it was learnt, ``"intensity"`` of
            shape (batch,).
        """
        states, n_frames = self.states(waveform, lengths)
        embedding = self.embed(states, n_frames)
        scores = {"logits": self.decide(embedding)}
        if self.intensity_head is not None:
            scores["intensity"] = self.rate_intensity(embedding)
        return scores


def frame_mask(n_frames: Tensor, longest: int) -> Tensor:
    """Mark the valid frames of each clip.

    Parameters
    ----------
    n_frames : Tensor of shape (batch,), int64
        Valid frames.
    longest : int
        Frames of the padded batch.

    Returns
    -------
    Tensor of shape (batch, longest), bool
        True where a frame is valid.
    """
    return torch.arange(longest, device=n_frames.device)[None, :] < n_frames[:, None]


def load_initial_weights(network: SpeechNetwork, path: Path, *, anew: str) -> None:
    """Take the weights of an earlier run, except those of the last layer if its size differs.

    Parameters
    ----------
    network : SpeechNetwork
        Changed in place.
    path : Path
        ``best.safetensors`` of a run with the same network.
    anew : str
        Beginning of the names that may keep their random weights, for another label set.

    Raises
    ------
    RecipeError
        If the file is not a checkpoint of this network.
    """
    try:
        tensors = load_file(path)
    except (OSError, SafetensorError) as error:
        raise RecipeError(
            f"network.initial_weights {str(path)!r} cannot be read; give best.safetensors of a run"
        ) from error
    own = network.state_dict()
    for name, tensor in own.items():
        same = name in tensors and tensors[name].shape == tensor.shape
        if not same and not name.startswith(anew):
            raise RecipeError(
                f"network.initial_weights {str(path)!r} is of another network: {name} differs"
            )
        own[name] = tensors[name] if same else tensor
    network.load_state_dict(own)


def load_head(network: SpeechNetwork, path: Path) -> None:
    """Take what follows the encoder from an earlier run, before the encoder is trained as well.

    A random head would pull a pre-trained encoder away from what it knows (Kumar et al.,
    "Fine-tuning can distort pretrained features and underperform out-of-distribution", ICLR 2022).

    Parameters
    ----------
    network : SpeechNetwork
        Changed in place.
    path : Path
        ``best.safetensors`` of a run with the same pooled layers.

    Raises
    ------
    RecipeError
        If the file cannot be read or its head has another size.
    """
    try:
        tensors = load_file(path)
    except (OSError, SafetensorError) as error:
        raise RecipeError(
            f"network.initial_head {str(path)!r} cannot be read; give best.safetensors of a run"
        ) from error
    own = network.state_dict()
    for name in own:
        if not name.startswith(("head.", "normalise.", "intensity_head.")):
            continue
        if name not in tensors or tensors[name].shape != own[name].shape:
            raise RecipeError(
                f"network.initial_head {str(path)!r} is of another head: {name} differs"
            )
        own[name] = tensors[name]
    network.load_state_dict(own)
