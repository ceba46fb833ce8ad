"""Which voice activity detection a configuration asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from serenade.audio.activity_stream import EnergyActivity

if TYPE_CHECKING:
    from serenade.inference.stream import Activity
    from serenade.inference.timeline import TimelineConfig


def open_activity(config: TimelineConfig, *, sample_rate: int) -> Activity:
    """Open a detector for one stream.

    Parameters
    ----------
    config : TimelineConfig
        Says which.
    sample_rate : int
        Samples per second of what it will get [Hz].

    Returns
    -------
    Activity
        Ready for the first samples.

    Raises
    ------
    MissingExtraError
        If the neural detector is asked for and not installed.
    """
    if config.activity == "neural":
        from serenade.model.activity import open_neural_activity

        return open_neural_activity()
    return EnergyActivity(sample_rate=sample_rate)
