"""A prediction as a small table of bars for people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from serenade.types import WARNINGS

if TYPE_CHECKING:
    from serenade.inference.records import Record

_WIDEST_BAR = 40
_NARROWEST_BAR = 5
_EIGHTHS = " ▏▎▍▌▋▊▉"

_BOLD = "1"
_YELLOW = "33"
_CYAN = "36"


@dataclass(frozen=True, slots=True)
class Style:
    """How text is drawn.

    Parameters
    ----------
    columns : int
        Width of a line [characters].
    colour : bool
        Whether escape sequences may be used.
    blocks : bool
        Whether the encoding has block characters; otherwise bars are made of ``#``.
    """

    columns: int
    colour: bool
    blocks: bool

    def paint(self, text: str, code: str) -> str:
        """Give a text in a colour."""
        return f"\x1b[{code}m{text}\x1b[0m" if self.colour else text


def render(record: Record, style: Style) -> str:
    """Draw one prediction.

    Parameters
    ----------
    record : dict
        A record with a prediction.
    style : Style
        How it is drawn.

    Returns
    -------
    str
        Several lines, the last one empty.
    """
    verdict = f"not sure ({record['emotion']}?)" if record["abstained"] else record["emotion"]
    head = f"{printable(record['path'])}  {record['duration_s']:.2f} s  "
    chances = record["probabilities"]
    n_label = max(len(label) for label in (*chances, "intensity"))
    n_bar = max(_NARROWEST_BAR, min(_WIDEST_BAR, style.columns - n_label - 12))
    lines = [head + style.paint(verdict, _BOLD)]
    for label, chance in chances.items():
        drawn = draw_bar(chance, n_bar, blocks=style.blocks)
        if label == record["emotion"]:
            drawn = style.paint(drawn, _CYAN)
        lines.append(f"  {label:<{n_label}} {100 * chance:5.1f} % {drawn}".rstrip())
    if record["intensity"] is not None:
        lines.append(f"  {'intensity':<{n_label}} {record['intensity']:5.2f}")
    lines += [style.paint(f"  warning: {WARNINGS[code]}", _YELLOW) for code in record["warnings"]]
    return "\n".join(lines) + "\n\n"


def draw_bar(share: float, width: int, *, blocks: bool) -> str:
    """Draw a share of a width.

    Parameters
    ----------
    share : float
        In [0, 1].
    width : int
        Length of a full bar [characters].
    blocks : bool
        Whether block characters may be used, which draw eighths of a character.

    Returns
    -------
    str
        At most `width` characters.
    """
    if not blocks:
        return "#" * round(share * width)
    whole, eighths = divmod(round(share * width * 8), 8)
    return "█" * whole + _EIGHTHS[eighths].strip()


def printable(text: str) -> str:
    """Give a text on one line, with control characters escaped.

    Parameters
    ----------
    text : str
        For example a path.

    Returns
    -------
    str
        The same, but for what could break a line or steer a terminal.
    """
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
