"""The loss: cross-entropy over the emotions that a clip's corpus knows."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional


def masked_cross_entropy(
    logits: Tensor,
    targets: Tensor,
    allowed: Tensor,
    *,
    label_smoothing: float,
    foreign_label_weight: float = 0.0,
    focal_gamma: float = 0.0,
) -> Tensor:
    """Cross-entropy in which each clip chooses among its own corpus's emotions.

    A clip of a corpus without, say, boredom says little about boredom. With a weight of 0 that
    logit neither counts as wrong nor gets a gradient; with a small one it is pushed down gently,
    so that a model that may answer with every emotion does not answer with a foreign one.

    Parameters
    ----------
    logits : Tensor of shape (batch, n_labels)
        Scores.
    targets : Tensor of shape (batch, n_labels)
        Probability of each label; zero where it is not allowed.
    allowed : Tensor of shape (batch, n_labels), bool
        Labels that count.
    label_smoothing : float
        Share of the probability that is spread evenly over the allowed labels, in [0, 1).
    foreign_label_weight : float
        What the odds of the labels that are not allowed are multiplied by, in [0, 1].

    focal_gamma : float
        Each label's share is multiplied by ``(1 - p) ** focal_gamma``, so that clips which are
        right already count less; 0 leaves the cross-entropy alone.

    Returns
    -------
    Tensor of shape (batch,)
        Loss of each clip.

    References
    ----------
    Lin, Goyal, Girshick, He and Dollar, "Focal loss for dense object detection", ICCV 2017.
    """
    if foreign_label_weight > 0:
        handicap = torch.where(allowed, 0.0, math.log(foreign_label_weight))
        log_probabilities = functional.log_softmax(logits.float() + handicap, dim=1)
    else:
        masked = logits.float().masked_fill(~allowed, -1e4)
        log_probabilities = functional.log_softmax(masked, dim=1)
    spread = allowed.float() / allowed.sum(dim=1, keepdim=True)
    smoothed = (1.0 - label_smoothing) * targets + label_smoothing * spread
    if focal_gamma > 0:
        # Not exactly 0, where the power has no finite gradient.
        unsure = torch.clamp(1.0 - log_probabilities.exp(), min=1e-6)
        smoothed = smoothed * unsure**focal_gamma
    return -(smoothed * torch.where(allowed, log_probabilities, 0.0)).sum(dim=1)


def class_weights(targets: npt.NDArray[np.float32]) -> Tensor:
    """Weigh labels by how rare they are.

    Parameters
    ----------
    targets : ndarray of shape (n_clips, n_labels)
        Probability of each label on all training clips.

    Returns
    -------
    Tensor of shape (n_labels,)
        All labels that occur weigh the same over all clips, whose mean weight is 1.
    """
    counts = targets.sum(axis=0, dtype=np.float64)
    there = counts > 0
    weights = np.where(there, counts.sum() / (there.sum() * np.where(there, counts, 1.0)), 0.0)
    return torch.from_numpy(weights.astype(np.float32))


def intensity_error(rated: Tensor, wanted: Tensor) -> Tensor:
    """Squared error of the intensity, 0 where a clip has none.

    Parameters
    ----------
    rated : Tensor of shape (batch,)
        In [0, 1].
    wanted : Tensor of shape (batch,)
        In [0, 1], or NaN where the corpus does not say.

    Returns
    -------
    Tensor of shape (batch,)
        Loss of each clip.
    """
    known = ~torch.isnan(wanted)
    return (rated.float() - torch.where(known, wanted, 0.0)).square() * known
