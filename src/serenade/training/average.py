"""The moving average of a network's weights, which is what is validated and shipped."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import nn


def update_average(average: nn.Module, network: nn.Module, *, decay: float, step: int) -> None:
    """Move an average towards the weights of a network.

    Parameters
    ----------
    average, network : Module
        Of one kind; `average` is changed. Whole numbers in it are copied.
    decay : float
        Share of the average that stays, in [0, 1).
    step : int
        Steps that were trained, from 1. Early steps count less history, so that the random start
        is soon forgotten.
    """
    share = 1.0 - min(decay, (1.0 + step) / (10.0 + step))
    with torch.no_grad():
        for kept, new in zip(
            average.state_dict().values(), network.state_dict().values(), strict=True
        ):
            if kept.dtype.is_floating_point:
                kept.lerp_(new, share)
            else:
                kept.copy_(new)
