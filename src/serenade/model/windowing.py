"""How much audio a model sees at once: the windows of long recordings and of timelines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from serenade.model.table import refuse

if TYPE_CHECKING:
    from serenade.model.table import Table

SHORTEST_SECONDS = 0.001
"""No window or step is shorter [s]."""

TIMELINE_WINDOW_SECONDS = 2.0
"""How much is heard at once in a timeline where a bundle does not say otherwise [s]."""

TIMELINE_STEP_SECONDS = 1.0
"""Distance between the windows of a timeline where a bundle does not say otherwise [s]."""


@dataclass(frozen=True, slots=True)
class Windowing:
    """How much audio the model sees at once.

    Parameters
    ----------
    min_seconds : float
        Shorter audio is refused [s], above 0.
    max_seconds : float
        Longer audio is cut into windows of this length [s].
    hop_seconds : float
        Distance between the starts of neighbouring windows [s], in (0, max_seconds].
    sure_from_seconds : float
        Shorter audio is judged with a warning [s].
    timeline_window_seconds : float
        How much is heard at once in a timeline [s], at most `max_seconds`.
    timeline_step_seconds : float
        Distance between the windows of a timeline [s], in (0, timeline_window_seconds]; a model
        that costs much takes long steps, so that little is heard twice.
    """

    min_seconds: float
    max_seconds: float
    hop_seconds: float
    sure_from_seconds: float
    timeline_window_seconds: float = TIMELINE_WINDOW_SECONDS
    timeline_step_seconds: float = TIMELINE_STEP_SECONDS


@dataclass(frozen=True, slots=True)
class WindowingFault:
    """A figure of a windowing that is out of range or contradicts another.

    Parameters
    ----------
    key : str
        Field of :class:`Windowing`.
    value : float
        What it is [s].
    allowed : str
        What it may be, as the end of a sentence.
    """

    key: str
    value: float
    allowed: str


def find_fault(windowing: Windowing) -> WindowingFault | None:
    """Look for a figure that a model cannot work with.

    Parameters
    ----------
    windowing : Windowing
        Of a bundle, or of a recipe for one.

    Returns
    -------
    WindowingFault or None
        The first; ``None`` if all is well.
    """
    longest, window = windowing.max_seconds, windowing.timeline_window_seconds
    for key, limit, name in (
        ("min_seconds", longest, "max_seconds"),
        ("hop_seconds", longest, "max_seconds"),
        ("timeline_window_seconds", longest, "max_seconds"),
        ("timeline_step_seconds", window, "timeline_window_seconds"),
    ):
        value = getattr(windowing, key)
        if not SHORTEST_SECONDS <= value <= limit:
            return WindowingFault(key, value, f"from {SHORTEST_SECONDS:g} up to {name} ({limit:g})")
    if windowing.sure_from_seconds < 0:
        return WindowingFault("sure_from_seconds", windowing.sure_from_seconds, "0 or more")
    return None


def parse_windowing(table: Table) -> Windowing:
    """Read the windowing of ``spec.json``.

    Parameters
    ----------
    table : Table
        The object ``windowing``.

    Returns
    -------
    Windowing
        The checked content; the windows of a timeline default to what `max_seconds` leaves room
        for.

    Raises
    ------
    ModelError
        If a key is missing, unknown or has a wrong value.
    """
    max_seconds = table.number("max_seconds")
    windowing = Windowing(
        min_seconds=table.number("min_seconds"),
        max_seconds=max_seconds,
        hop_seconds=table.number("hop_seconds"),
        sure_from_seconds=table.number("sure_from_seconds"),
        timeline_window_seconds=table.number_or(
            "timeline_window_seconds", min(TIMELINE_WINDOW_SECONDS, max_seconds)
        ),
        timeline_step_seconds=table.number_or(
            "timeline_step_seconds", min(TIMELINE_STEP_SECONDS, max_seconds)
        ),
    )
    table.finish()
    fault = find_fault(windowing)
    if fault is not None:
        refuse(f"windowing.{fault.key}", fault.value, fault.allowed)
    return windowing
