"""The few SVG elements that the figures of the report are made of."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


@dataclass(frozen=True, slots=True)
class Plot:
    """A box with axes: turns values into places.

    Parameters
    ----------
    left, top, width, height : float
        Of the box [px].
    x_range, y_range : tuple of (float, float)
        Values at its edges.
    """

    left: float
    top: float
    width: float
    height: float
    x_range: tuple[float, float]
    y_range: tuple[float, float]

    def x(self, value: float) -> float:
        """Give the place of a value from left to right [px]."""
        low, high = self.x_range
        return self.left + (value - low) / ((high - low) or 1.0) * self.width

    def y(self, value: float) -> float:
        """Give the place of a value from top to bottom [px]."""
        low, high = self.y_range
        return self.top + self.height - (value - low) / ((high - low) or 1.0) * self.height

    def grid(
        self, x_ticks: Iterable[tuple[float, str]], y_ticks: Iterable[tuple[float, str]]
    ) -> str:
        """Draw axes with ticks, given as value and name."""
        bottom, right = self.top + self.height, self.left + self.width
        parts = [line(self.left, bottom, right, bottom, "axis")]
        for value, name in y_ticks:
            parts.append(line(self.left, self.y(value), right, self.y(value), "grid"))
            parts.append(text(self.left - 6, self.y(value) + 4, name, "tick", anchor="end"))
        for value, name in x_ticks:
            parts.append(text(self.x(value), bottom + 16, name, "tick", anchor="middle"))
        return "".join(parts)

    def curve(self, points: Sequence[tuple[float, float]], css: str) -> str:
        """Draw a curve through points."""
        places = " ".join(f"{self.x(x):.1f},{self.y(y):.1f}" for x, y in points)
        return f'<polyline class="{css}" points="{places}"/>'


def svg(width: float, height: float, parts: Iterable[str], label: str) -> str:
    """Put a figure together.

    Parameters
    ----------
    width, height : float
        Size [px].
    parts : iterable of str
        What is drawn.
    label : str
        For readers who cannot see it.

    Returns
    -------
    str
        SVG element.
    """
    return (
        f'<svg role="img" aria-label="{escape(label)}" viewBox="0 0 {width:.0f} {height:.0f}"'
        f' width="{width:.0f}" height="{height:.0f}">{"".join(parts)}</svg>'
    )


def text(x: float, y: float, content: str, css: str, anchor: str = "start") -> str:
    """Write text.

    Parameters
    ----------
    x, y : float
        Where its base line starts, lies in the middle or ends [px].
    content : str
        Plain text.
    css : str
        Class.
    anchor : str
        ``"start"``, ``"middle"`` or ``"end"``.

    Returns
    -------
    str
        SVG element.
    """
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f'<text class="{css}" {place}>{escape(content)}</text>'


def line(x1: float, y1: float, x2: float, y2: float, css: str) -> str:
    """Draw a straight line.

    Parameters
    ----------
    x1, y1, x2, y2 : float
        Its ends [px].
    css : str
        Class.

    Returns
    -------
    str
        SVG element.
    """
    return f'<line class="{css}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def rect(x: float, y: float, width: float, height: float, css: str, *, radius: float = 0) -> str:
    """Draw a rectangle.

    Parameters
    ----------
    x, y, width, height : float
        Place and size [px].
    css : str
        Class.
    radius : float
        Of the corners [px].

    Returns
    -------
    str
        SVG element.
    """
    return (
        f'<rect class="{css}" x="{x:.1f}" y="{y:.1f}" width="{max(width, 0):.1f}"'
        f' height="{max(height, 0):.1f}" rx="{radius:g}"/>'
    )
