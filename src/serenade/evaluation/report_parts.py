"""Small pieces of HTML that the sections of the report share: figures in words and tables."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from serenade.evaluation.bootstrap import Interval


def percent(value: float | None) -> str:
    """Write a share in percent.

    Parameters
    ----------
    value : float or None
        In [0, 1].

    Returns
    -------
    str
        For example ``"62.4 %"``; a dash for ``None``.
    """
    return "–" if value is None else f"{100 * value:.1f} %"


def with_range(figure: Interval) -> str:
    """Write a figure with its interval.

    Parameters
    ----------
    figure : Interval
        In [0, 1].

    Returns
    -------
    str
        HTML; the interval is smaller.
    """
    low, high = 100 * figure.low, 100 * figure.high
    hint = f' title="{escape(figure.caution)}"' if figure.caution else ""
    mark = "*" if figure.caution else ""
    return f'{percent(figure.value)} <span class="range"{hint}>{low:.1f} to {high:.1f}{mark}</span>'


def points(figure: Interval) -> str:
    """Write a difference of two shares in percentage points.

    Parameters
    ----------
    figure : Interval
        In [-1, 1].

    Returns
    -------
    str
        HTML with sign and interval.
    """
    value, low, high = (100 * part for part in (figure.value, figure.low, figure.high))
    return f'{signed(value)} <span class="range">{signed(low)} to {signed(high)}</span>'


def table(
    caption: str,
    head: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    text_columns: Sequence[int] = (),
    marked_rows: Sequence[int] = (),
) -> str:
    """Build a table that scrolls by itself where the screen is narrow.

    Parameters
    ----------
    caption : str
        What the table shows; plain text.
    head : sequence of str
        Names of the columns; plain text.
    rows : iterable of sequence of str
        Cells as HTML; the first names the row.
    text_columns : sequence of int
        Columns that hold words, to be set to the left.
    marked_rows : sequence of int
        Rows to be set off.

    Returns
    -------
    str
        HTML.
    """
    css = ['class="text"' if i in text_columns else "" for i in range(len(head))]
    titles = "".join(f'<th scope="col" {css[i]}>{escape(name)}</th>' for i, name in enumerate(head))
    body = []
    for number, row in enumerate(rows):
        mark = ' class="ours"' if number in marked_rows else ""
        cells = "".join(f"<td {css[i]}>{cell}</td>" for i, cell in enumerate(row) if i > 0)
        body.append(f'<tr{mark}><th scope="row">{row[0]}</th>{cells}</tr>')
    return (
        f'<div class="scroll" tabindex="0"><table><caption>{escape(caption)}</caption>'
        f"<thead><tr>{titles}</tr></thead><tbody>{''.join(body)}</tbody></table></div>"
    )


def figure(svg: str, caption: str, *, fit: bool = False) -> str:
    """Put a figure and its caption together.

    Parameters
    ----------
    svg : str
        SVG element.
    caption : str
        HTML.
    fit : bool
        Shrink it to the width of the page instead of scrolling it.

    Returns
    -------
    str
        HTML.
    """
    css = "fit" if fit else "scroll"
    focus = "" if fit else ' tabindex="0"'
    return (
        f'<figure><div class="{css}"{focus}>{svg}</div><figcaption>{caption}</figcaption></figure>'
    )


def counted(count: int, noun: str) -> str:
    """Write a number of things.

    Parameters
    ----------
    count : int
        How many.
    noun : str
        What, in the singular.

    Returns
    -------
    str
        For example ``"1 clip"`` or ``"1,200 clips"``.
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def signed(value: float) -> str:
    """Write a difference with its sign.

    Parameters
    ----------
    value : float
        In percentage points.

    Returns
    -------
    str
        For example ``"−1.3"``.
    """
    return f"{value:+.1f}".replace("-", "−")
