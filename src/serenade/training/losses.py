"""The loss: cross-entropy over the emotions that a clip's corpus knows."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def masked_cross_entropy(
    logits: Tensor, targets: Tensor, allowed: Tensor, *, label_smoothing: float
) -> Tensor:
    """Cross-entropy in which each clip chooses among its own corpus's emotions only.

    A clip of a corpus without, say, boredom says nothing about boredom, so that logit neither
    counts as wrong nor gets a gradient.

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

    Returns
    -------
    Tensor of shape (batch,)
        Loss of each clip.
    """
    log_probabilities = functional.log_softmax(logits.float().masked_fill(~allowed, -1e4), dim=1)
    spread = allowed.float() / allowed.sum(dim=1, keepdim=True)
    smoothed = (1.0 - label_smoothing) * targets + label_smoothing * spread
    return -(smoothed * torch.where(allowed, log_probabilities, 0.0)).sum(dim=1)
