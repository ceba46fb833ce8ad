"""How every picture looks: colours that colour-blind people can tell apart, sizes and files.

Figures are made without ``pyplot``, so that nothing is kept in memory or shown on a screen, and
two threads can draw at once. The same values give the same picture.
"""

from __future__ import annotations

import os
import warnings
from typing import TYPE_CHECKING

from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from serenade.emotions import EMOTIONS
from serenade.errors import UsageError
from serenade.inference.records import display_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from matplotlib.axes import Axes
    from matplotlib.backend_bases import RendererBase

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

LONGEST_NAME = 32
"""Longer names of groups and emotions lose their middle [characters]."""

_INCHES_PER_CHARACTER = 0.075
"""Width of names along an axis; few are wider."""

_TITLE_CHARACTERS_PER_INCH = 11
_HEAD_CHARACTERS_PER_INCH = 8

_UNKNOWN_CHARACTER = ("Glyph .* missing from", "Matplotlib currently does not support")
"""How warnings begin that matplotlib gives for every character without a shape."""


class _Picture(Figure):
    """A figure whose words are shown as they are: dollars are no formula.

    A character that the font lacks becomes an empty box, without a warning for each.
    """

    def draw(self, renderer: RendererBase) -> None:
        for text in self.findobj(Text):
            text.set_parse_math(False)
        with warnings.catch_warnings():
            for message in _UNKNOWN_CHARACTER:
                warnings.filterwarnings("ignore", message)
            super().draw(renderer)


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
    figure = _Picture(figsize=(width_inches, height_inches), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def tidy(axes: Axes, *, title: str = "", x_label: str = "", y_label: str = "") -> None:
    """Name axes and take away the lines that carry nothing.

    Parameters
    ----------
    axes : Axes
        Changed in place.
    title, x_label, y_label : str
        Empty for none; a title that is wider than the axes is shortened.
    """
    most = int(_TITLE_CHARACTERS_PER_INCH * axes.bbox.width / axes.figure.dpi)
    axes.set_title(short(title, most=most), loc="left", fontsize=11, color=INK)
    axes.set_xlabel(x_label, fontsize=9, color=SOFT)
    axes.set_ylabel(y_label, fontsize=9, color=SOFT)
    axes.tick_params(labelsize=8, colors=SOFT, length=3)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(LINE)


def short(name: str, *, most: int = LONGEST_NAME) -> str:
    """Give a name as a picture can show it.

    Parameters
    ----------
    name : str
        Any text.
    most : int
        How long it may be [characters], at least 3.

    Returns
    -------
    str
        On one line; an ellipsis stands for the middle of a longer name, since names of speakers
        begin alike.
    """
    line = " ".join(display_path(name).split())
    if len(line) <= most:
        return line
    return f"{line[: most // 2]}…{line[len(line) - (most - 1) // 2 :]}"


def set_head(figure: Figure, words: str) -> None:
    """Write a line above all axes of a figure.

    Parameters
    ----------
    figure : Figure
        Changed in place.
    words : str
        Empty for none; shortened where the figure is too narrow.
    """
    if words:
        most = int(_HEAD_CHARACTERS_PER_INCH * figure.get_figwidth())
        figure.suptitle(short(words, most=most), x=0.01, ha="left", fontsize=13, color=INK)


def name_columns(axes: Axes, names: Sequence[str], *, first: int = 0, inches_each: float) -> None:
    """Write names below columns, aslant where they would cover each other.

    Parameters
    ----------
    axes : Axes
        Changed in place; its columns are one apart.
    names : sequence of str
        Name of each column.
    first : int
        Where the first column is.
    inches_each : float
        Width of a column on paper [inch].
    """
    shown = [short(name) for name in names]
    axes.set_xticks(range(first, first + len(shown)), shown)
    if max(map(len, shown)) * _INCHES_PER_CHARACTER > inches_each:
        axes.set_xticklabels(shown, rotation=30, ha="right", rotation_mode="anchor")


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
        If the extension is none of these, or the folder is missing or may not be written.
    """
    kind = path.suffix.lower()
    if kind not in FILE_TYPES:
        raise UsageError(f"the picture {path} must end in one of {', '.join(FILE_TYPES)}")
    if not (os.access(path, os.W_OK) or os.access(path.parent, os.W_OK | os.X_OK)):
        raise UsageError(
            f"the picture {path} cannot be written; choose a folder that is there and writable"
        )
    return kind
