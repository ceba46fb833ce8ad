"""Batches of states: which clips an epoch draws, in which order, changed how.

Everything random is drawn from a generator that is seeded with (seed, epoch, ...), never from a
running one, so any epoch can be repeated or started at without those before it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from serenade.training.processes import ALONE, Processes
from serenade.types import FloatArray

Augmenter = Callable[[FloatArray, np.random.Generator], FloatArray]


def keep(states: FloatArray, rng: np.random.Generator) -> FloatArray:  # noqa: ARG001 - an Augmenter
    """Leave a clip as it is: the augmenter of states that no change is known for.

    Parameters
    ----------
    states : ndarray of shape (n_channels, n_frames)
        States of a clip.
    rng : Generator
        Not used.

    Returns
    -------
    ndarray of shape (n_channels, n_frames)
        The same.
    """
    return states


@dataclass(frozen=True, slots=True)
class LabelledStates:
    """Clips with their targets, in memory.

    Parameters
    ----------
    states : sequence of ndarray of shape (n_channels, n_frames), float16
        Output of the frozen stage.
    targets : ndarray of shape (n_clips, n_labels), float32
        Probability of each label; rows sum to 1.
    allowed : ndarray of shape (n_clips, n_labels), bool
        Labels that the clip's corpus knows; the others take no part in its loss.
    groups : sequence of str
        Corpus of every clip.
    intensity : ndarray of shape (n_clips,), float32
        In [0, 1], NaN where the corpus does not say.
    hints : ndarray of shape (n_clips, n_hints), float32, or None
        What a teacher sees in each clip; learnt beside the targets.
    """

    states: Sequence[npt.NDArray[np.float16]]
    targets: npt.NDArray[np.float32]
    allowed: npt.NDArray[np.bool_]
    groups: Sequence[str]
    intensity: FloatArray
    hints: FloatArray | None = None

    def __len__(self) -> int:
        return len(self.states)


@dataclass(frozen=True, slots=True)
class Batch:
    """One step's input.

    Parameters
    ----------
    states : Tensor of shape (batch, n_channels, n_frames), float32
        Zero-padded.
    n_frames : Tensor of shape (batch,), int64
        Valid frames.
    targets : Tensor of shape (batch, n_labels)
        Probability of each label.
    allowed : Tensor of shape (batch, n_labels), bool
        Labels that count.
    intensity : Tensor of shape (batch,)
        NaN where it is not known.
    hints : Tensor of shape (batch, n_hints) or None
        What a teacher sees.
    n_together : int
        Rows that all processes compute of the batch, of which these are a share.
    """

    states: Tensor
    n_frames: Tensor
    targets: Tensor
    allowed: Tensor
    intensity: Tensor
    hints: Tensor | None
    n_together: int

    def to(self, device: torch.device) -> Batch:
        """Give the batch on a device."""
        return Batch(
            self.states.to(device),
            self.n_frames.to(device),
            self.targets.to(device),
            self.allowed.to(device),
            self.intensity.to(device),
            None if self.hints is None else self.hints.to(device),
            self.n_together,
        )


def draw_epoch(
    clips: LabelledStates, *, balance: float, seed: int, epoch: int
) -> npt.NDArray[np.int64]:
    """Decide how often each clip is seen in an epoch.

    Parameters
    ----------
    clips : LabelledStates
        What there is.
    balance : float
        0: every clip once. 1: every class of every corpus equally often. Between: the weights
        of 1 to the power of `balance`.
    seed, epoch : int
        Seed of the draw.

    Returns
    -------
    ndarray of shape (n_drawn,), int64
        Indices, shuffled; about as many as there are clips.
    """
    rng = np.random.default_rng([seed, epoch, 1])
    classes = clips.targets.argmax(axis=1)
    keys = list(zip(clips.groups, classes.tolist(), strict=True))
    counts = Counter(keys)
    weights = np.array([1.0 / counts[key] for key in keys]) ** balance
    expected = weights / weights.sum() * len(clips)
    times = np.floor(expected + rng.random(len(clips))).astype(np.int64)
    return rng.permutation(np.repeat(np.arange(len(clips)), times))


def epoch_batches(
    clips: LabelledStates,
    order: npt.NDArray[np.int64],
    augment: Augmenter,
    *,
    batch_size: int,
    seed: int,
    epoch: int,
    processes: Processes = ALONE,
) -> Iterator[Batch]:
    """Make the training batches of an epoch, or this process's share of them.

    Clips of like length share a batch, so that little is padding: the order is cut into stretches
    of 16 batches, each sorted by length, and the batches are shuffled again. A clip that is left
    over for a batch of its own is passed over.

    Parameters
    ----------
    clips : LabelledStates
        What is drawn from.
    order : ndarray of shape (n_drawn,)
        From :func:`draw_epoch`.
    augment : callable
        Changes the states of a clip; gets a generator of its own for each drawing.
    batch_size : int
        Clips per batch.
    seed, epoch : int
        Seed of everything random here.
    processes : Processes
        Who else takes rows of the batches; all pad them to the same length.

    Yields
    ------
    Batch
        Augmented.
    """
    lengths = np.array([states.shape[1] for states in clips.states])
    stretch = 16 * batch_size
    positions: list[npt.NDArray[np.int64]] = []
    for start in range(0, order.size, stretch):
        part = np.arange(start, min(start + stretch, order.size))
        part = part[np.argsort(lengths[order[part]], kind="stable")]
        positions.extend(part[i : i + batch_size] for i in range(0, part.size, batch_size))
    rng = np.random.default_rng([seed, epoch, 2])
    for number in rng.permutation(len(positions)):
        chosen = positions[int(number)]
        if chosen.size == 1 and order.size > 1:
            continue  # batch normalisation has no statistics of a single clip
        own = chosen[processes.rows(chosen.size)]
        changed = [
            augment(
                clips.states[order[position]].astype(np.float32),
                np.random.default_rng([seed, epoch, 3, int(position)]),
            )
            for position in own
        ]
        yield collate(
            changed,
            clips,
            order[own],
            n_frames=processes.largest(max(states.shape[1] for states in changed)),
            n_together=processes.n_computed(chosen.size),
        )


def plain_batches(clips: LabelledStates, *, batch_size: int) -> Iterator[tuple[Batch, list[int]]]:
    """Make batches of all clips as they are, sorted by length.

    Parameters
    ----------
    clips : LabelledStates
        What there is.
    batch_size : int
        Clips per batch.

    Yields
    ------
    batch : Batch
        Unchanged states.
    indices : list of int
        Which clips they are.
    """
    order = np.argsort([states.shape[1] for states in clips.states], kind="stable")
    for start in range(0, len(clips), batch_size):
        chosen = order[start : start + batch_size]
        states = [clips.states[i].astype(np.float32) for i in chosen]
        batch = collate(
            states,
            clips,
            chosen,
            n_frames=max(clip.shape[1] for clip in states),
            n_together=chosen.size,
        )
        yield batch, chosen.tolist()


def collate(
    states: Sequence[FloatArray],
    clips: LabelledStates,
    indices: npt.NDArray[np.int64],
    *,
    n_frames: int,
    n_together: int,
) -> Batch:
    """Pad clips to one length.

    Parameters
    ----------
    states : sequence of ndarray of shape (n_channels, n_frames)
        States of the batch.
    clips : LabelledStates
        Where the targets are.
    indices : ndarray of shape (batch,)
        Which clips they are.
    n_frames : int
        Frames to pad to.
    n_together : int
        Rows that all processes compute of the batch.

    Returns
    -------
    Batch
        Zero-padded.
    """
    padded = np.zeros((len(states), states[0].shape[0], n_frames), np.float32)
    for row, clip in zip(padded, states, strict=True):
        row[:, : clip.shape[1]] = clip
    return Batch(
        torch.from_numpy(padded),
        torch.tensor([clip.shape[1] for clip in states]),
        torch.from_numpy(clips.targets[indices]),
        torch.from_numpy(clips.allowed[indices]),
        torch.from_numpy(clips.intensity[indices]),
        None if clips.hints is None else torch.from_numpy(clips.hints[indices]),
        n_together,
    )
