"""Noise reduction."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from serenade.types import Waveform


def reduce_noise(waveform: Waveform) -> Waveform:
    """Not there yet: gives the waveform back."""
    return waveform
