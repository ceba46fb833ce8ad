"""What the networks over a sequence of features share: the front end, the features, the scaler.

=============  ======================================================  ===========================
`features`     one step of the sequence                                states (cached)
=============  ======================================================  ===========================
mfcc           `n_mfcc` cepstral coefficients of a frame               log-mel, 64 bands, 100 Hz
mfcc_mean      the mean over time of one coefficient, in their order   the same
mfcc_deltas    coefficients, their slope and their curvature           the same
descriptors    coefficients, 128 mel bands, centroid, roll-off,        log-mel, 128 bands, with the
               zero-crossing rate and 12 pitch classes                 other rows, 62.5 Hz
=============  ======================================================  ===========================
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from serenade.errors import RecipeError
from serenade.training.cepstrum import Cepstrum, Delta, floor_level
from serenade.training.descriptors import Descriptors
from serenade.training.frontend import LogMel, LogMelConfig
from serenade.training.networks.base import SpeechNetwork, frame_mask

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import numpy as np
    import numpy.typing as npt

    from serenade.training.recipe import NetworkRecipe

DESCRIPTOR_CONFIG = LogMelConfig(n_mels=128, n_fft=1024, hop_length=256)
SMALLEST_DEVIATION = 1e-3
"""A feature that hardly varies on the training clips is not blown up beyond this."""


class SequenceNetwork(SpeechNetwork):
    """A network whose trained stage begins with features of every frame.

    Parameters
    ----------
    recipe : NetworkRecipe
        Names the features.
    n_labels : int
        Outputs.

    Raises
    ------
    RecipeError
        If there are more cepstral coefficients than mel bands.
    """

    def __init__(self, recipe: NetworkRecipe, *, n_labels: int) -> None:
        super().__init__()
        self.n_labels = n_labels
        self.states_are_log_mel = recipe.features != "descriptors"
        self.front_end = (
            LogMel(LogMelConfig()) if self.states_are_log_mel else Descriptors(DESCRIPTOR_CONFIG)
        )
        if recipe.n_mfcc > self.front_end.config.n_mels:
            raise RecipeError(
                f"network.n_mfcc {recipe.n_mfcc} must be at most the"
                f" {self.front_end.config.n_mels} mel bands"
            )
        self.features = _Features(recipe, self.front_end)
        self.scaler = _Scaler(self.features.n_rows)
        self.standardise = recipe.standardise

    def fingerprint(self) -> Mapping[str, object]:
        """See the base class."""
        rows = {} if self.states_are_log_mel else {"descriptors": 1}
        return {"log_mel": asdict(self.front_end.config), **rows}

    def describe_front_end(self) -> Mapping[str, object]:
        """See the base class."""
        return {**asdict(self.front_end.config), "features": self.features.kind}

    def states(self, waveform: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """See the base class."""
        return self.front_end(waveform, lengths), self.front_end.n_frames(lengths)

    def learn_statistics(self, clips: Sequence[npt.NDArray[np.float16]]) -> None:
        """See the base class; mean and deviation of every feature, for the scaler."""
        if self.standardise:
            self.scaler.fit(self._unscaled(clip) for clip in clips)

    def sequence(self, states: Tensor, n_frames: Tensor) -> tuple[Tensor, Tensor]:
        """Give what the layers of the network see.

        Parameters
        ----------
        states, n_frames
            As in :meth:`embed`.

        Returns
        -------
        rows : Tensor of shape (batch, n_rows, n_steps)
            Standardised features; zero beyond the valid steps.
        n_steps : Tensor of shape (batch,), int64
            Valid steps of each clip.
        """
        rows, n_steps = self.features(states, n_frames)
        mask = frame_mask(n_steps, rows.shape[2])
        return self.scaler(rows) * mask[:, None, :], n_steps

    def _unscaled(self, clip: npt.NDArray[np.float16]) -> Tensor:
        device = self.scaler.mean.device
        states = torch.from_numpy(clip.astype("float32"))[None].to(device)
        rows, _ = self.features(states, torch.tensor([clip.shape[1]], device=device))
        unscaled: Tensor = rows[0]
        return unscaled


class _Features(nn.Module):
    """From states to the rows that the recipe names."""

    def __init__(self, recipe: NetworkRecipe, front_end: LogMel) -> None:
        super().__init__()
        self.kind = recipe.features
        self.n_mels = front_end.config.n_mels
        self.cepstrum = Cepstrum(n_mels=self.n_mels, n_mfcc=recipe.n_mfcc)
        self.slope, self.curvature = Delta(order=1), Delta(order=2)
        self.n_rows = recipe.n_mfcc
        if self.kind == "mfcc_deltas":
            self.n_rows *= 3
        if isinstance(front_end, Descriptors):
            self.n_rows += front_end.n_rows

    def forward(self, states: Tensor, n_frames: Tensor) -> tuple[Tensor, Tensor]:
        mask = frame_mask(n_frames, states.shape[2])
        level = floor_level(states[:, : self.n_mels], mask)
        coefficients = self.cepstrum(level)
        if self.kind == "mfcc_mean":
            mean = coefficients.sum(dim=2, keepdim=True) / n_frames[:, None, None]
            return mean, torch.ones_like(n_frames)
        if self.kind == "mfcc_deltas":
            slope = self.slope(coefficients, n_frames)
            curvature = self.curvature(coefficients, n_frames)
            return torch.cat([coefficients, slope, curvature], dim=1), n_frames
        if self.kind == "descriptors":
            return torch.cat([coefficients, level, states[:, self.n_mels :]], dim=1), n_frames
        return coefficients, n_frames


class _Scaler(nn.Module):
    """Mean and deviation of training data, part of the weights."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, n_rows: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(n_rows))
        self.register_buffer("deviation", torch.ones(n_rows))

    def fit(self, clips: Iterable[Tensor]) -> None:
        """Learn from unscaled rows of training clips, each of shape (n_rows, n_steps)."""
        count = 0
        # Sums on the CPU: not every accelerator has double precision.
        total = torch.zeros(self.mean.shape, dtype=torch.float64)
        squares = torch.zeros_like(total)
        for rows in clips:
            count += rows.shape[1]
            exact = rows.cpu().double()
            total += exact.sum(dim=1)
            squares += exact.square().sum(dim=1)
        mean = total / count
        variance = (squares / count - mean.square()).clamp(min=SMALLEST_DEVIATION**2)
        self.mean.copy_(mean)
        self.deviation.copy_(variance.sqrt())

    def forward(self, rows: Tensor) -> Tensor:
        return (rows - self.mean[:, None]) / self.deviation[:, None]


def dense_layers(n_in: int, widths: Sequence[int], dropout: float) -> nn.Sequential:
    """Make dense layers with ReLU, each followed by dropout.

    Parameters
    ----------
    n_in : int
        Inputs.
    widths : sequence of int
        Units of each layer.
    dropout : float
        In [0, 1).

    Returns
    -------
    Sequential
        From (batch, n_in) to (batch, widths[-1]); the identity without layers.
    """
    layers: list[nn.Module] = []
    for width in widths:
        layers += [nn.Linear(n_in, width), nn.ReLU(), nn.Dropout(dropout)]
        n_in = width
    return nn.Sequential(*layers)
