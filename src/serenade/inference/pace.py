"""Pace: how long the hops and windows of a timeline are for a certain model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from serenade.errors import UsageError

if TYPE_CHECKING:
    from serenade.inference.timeline import TimelineConfig
    from serenade.model.spec import ModelSpec


@dataclass(frozen=True, slots=True)
class Pace:
    """Lengths that a stream keeps to.

    Parameters
    ----------
    hop_samples : int
        Length of a hop, 1 or more.
    window_hops : int
        Length of a window, 1 or more.
    step_hops : int
        Distance between the ends of neighbouring windows, in [1, window_hops].
    """

    hop_samples: int
    window_hops: int
    step_hops: int

    @property
    def window_samples(self) -> int:
        """Length of a window."""
        return self.window_hops * self.hop_samples


def find_pace(config: TimelineConfig, spec: ModelSpec) -> Pace:
    """Fit what the user wants to what suits the model.

    What the user leaves open is the model's own choice, in whole hops.

    Parameters
    ----------
    config : TimelineConfig
        What the user wants.
    spec : ModelSpec
        What the model says about itself.

    Returns
    -------
    Pace
        With windows that the model can hear at once.

    Raises
    ------
    UsageError
        If hops or windows are longer than the model can hear at once.
    """
    hop, longest = config.hop_seconds, spec.windowing.max_seconds
    for name, seconds in (("hop_seconds", hop), ("window_seconds", config.window_seconds)):
        if seconds is not None and seconds > longest:
            raise UsageError(
                f"{name} must be at most {longest:g}, which {spec.model_id} hears at once,"
                f" got {seconds:g}"
            )
    window = config.window_seconds or spec.windowing.timeline_window_seconds
    step = config.step_seconds or spec.windowing.timeline_step_seconds
    if config.window_seconds is None:
        window = max(window, step)
    window_hops = min(max(1, round(window / hop)), int(longest / hop + 1e-6))
    return Pace(
        hop_samples=round(hop * spec.sample_rate),
        window_hops=window_hops,
        step_hops=min(max(1, round(step / hop)), window_hops),
    )
