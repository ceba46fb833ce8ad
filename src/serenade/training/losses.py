"""The loss: cross-entropy over the emotions that a clip's corpus knows."""

from __future__ import annotations

import math

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

    Returns
    -------
    Tensor of shape (batch,)
        Loss of each clip.
    """
    if foreign_label_weight > 0:
        handicap = torch.where(allowed, 0.0, math.log(foreign_label_weight))
        log_probabilities = functional.log_softmax(logits.float() + handicap, dim=1)
    else:
        masked = logits.float().masked_fill(~allowed, -1e4)
        log_probabilities = functional.log_softmax(masked, dim=1)
    spread = allowed.float() / allowed.sum(dim=1, keepdim=True)
    smoothed = (1.0 - label_smoothing) * targets + label_smoothing * spread
    return -(smoothed * torch.where(allowed, log_probabilities, 0.0)).sum(dim=1)


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
