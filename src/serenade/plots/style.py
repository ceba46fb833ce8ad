"""How every picture looks: colours that colour-blind people can tell apart, sizes and files.

Figures are made without ``pyplot``, so that nothing is kept in memory or shown on a screen, and
two threads can draw at once. The same values give the same picture.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from serenade.emotions import EMOTIONS
from serenade.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from matplotlib.axes import Axes

EMOTION_COLOURS: Mapping[str, str] = {
    "neutral": "#9aa0a8",
    "calm": "#56b4e9",
    "happiness": "#ecca1f",
    "sadness": "#0072b2",
    "anger": "#d55e00",
    "fear": "#cc79a7",
    "disgust": "#009e73",
    "surprise": "#e69f00",
    "boredom": "#8f6b4f",
}
"""Colour of each emotion, as on the web page.

They follow Okabe and Ito, "Color universal design", 2008, where yellow is darkened for white paper.
"""

NEW_EMOTION_COLOURS = ("#7d7f96", "#b8a9d9", "#4d4d4d", "#a3c585")
"""For emotions that a corpus or a user's folders bring, in their order."""

INK = "#1d1b26"
SOFT = "#67636f"
LINE = "#d9d6e0"
ACCENT = "#0072b2"
CONTRAST = "#d55e00"

SPECTRUM_COLOURS = "magma"
"""Even steps of lightness, so that it also works in black and white."""

FILE_TYPES = (".png", ".svg", ".pdf")
"""Extensions that :func:`save_figure` takes."""


def new_figure(*, width_inches: float, height_inches: float) -> Figure:
    """Make an empty figure.

    Parameters
    ----------
    width_inches, height_inches : float
        Size on paper [inch].

    Returns
    -------
    Figure
        With room for titles and labels kept free as they are added.
    """
    figure = Figure(figsize=(width_inches, height_inches), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def tidy(axes: Axes, *, title: str = "", x_label: str = "", y_label: str = "") -> None:
    """Name axes and take away the lines that carry nothing.

    Parameters
    ----------
    axes : Axes
        Changed in place.
    title, x_label, y_label : str
        Empty for none.
    """
    axes.set_title(title, loc="left", fontsize=11, color=INK)
    axes.set_xlabel(x_label, fontsize=9, color=SOFT)
    axes.set_ylabel(y_label, fontsize=9, color=SOFT)
    axes.tick_params(labelsize=8, colors=SOFT, length=3)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(LINE)


def emotion_colours(emotions: Iterable[str]) -> dict[str, str]:
    """Give every emotion its colour.

    Parameters
    ----------
    emotions : iterable of str
        Canonical or new names.

    Returns
    -------
    dict of str to str
        ``#rrggbb`` by emotion; new names get theirs in alphabetical order.
    """
    names = set(emotions)
    new = sorted(names - set(EMOTIONS))
    colours = {emotion: EMOTION_COLOURS[emotion] for emotion in EMOTIONS if emotion in names}
    return colours | {
        emotion: NEW_EMOTION_COLOURS[place % len(NEW_EMOTION_COLOURS)]
        for place, emotion in enumerate(new)
    }


def save_figure(figure: Figure, path: Path) -> None:
    """Write a figure, so that the same figure gives the same file.

    Parameters
    ----------
    figure : Figure
        What to write.
    path : Path
        File to make or replace; its extension, one of :data:`FILE_TYPES`, says what it becomes.

    Raises
    ------
    UsageError
        If the extension is another one or the file cannot be written.
    """
    kind = check_picture_path(path)
    stamp = {".png": {}, ".svg": {"Date": None}, ".pdf": {"CreationDate": None}}[kind]
    try:
        with rc_context({"svg.hashsalt": "serenade"}):
            figure.savefig(path, format=kind[1:], metadata=stamp, facecolor="white")
    except OSError as error:
        raise UsageError(
            f"the picture {path} cannot be written ({error.strerror}); choose another file"
        ) from error


def check_picture_path(path: Path) -> str:
    """Check that a picture can be written under a name.

    Parameters
    ----------
    path : Path
        As the user gave it.

    Returns
    -------
    str
        The extension in lower case, one of :data:`FILE_TYPES`.

    Raises
    ------
    UsageError
        If the extension is none of these.
    """
    kind = path.suffix.lower()
    if kind not in FILE_TYPES:
        raise UsageError(f"the picture {path} must end in one of {', '.join(FILE_TYPES)}")
    return kind
