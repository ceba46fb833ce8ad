"""A timeline as a table of bars for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from serenade.cli.bars import draw_bar, printable
from serenade.inference.timeline_formats import caption
from serenade.types import WARNINGS

if TYPE_CHECKING:
    from serenade.cli.bars import Style
    from serenade.inference.timeline import Segment
    from serenade.inference.timeline_formats import Track

_BAR = 20
_BOLD = "1"
_CYAN = "36"
_DIM = "2"
_CAPTION = 12


def render_track(track: Track, style: Style) -> str:
    """Draw a timeline.

    Parameters
    ----------
    track : Track
        What to draw.
    style : Style
        How it is drawn.

    Returns
    -------
    str
        Several lines, the last one empty.
    """
    timeline = track.timeline
    channel = "" if track.channel is None else f"  {track.name}"
    head = (
        f"{printable(track.path)}{channel}  {clock(timeline.duration_seconds)}"
        f"  speech {clock(timeline.speech_seconds)}"
    )
    lines = [style.paint(head, _BOLD)]
    lines += [render_segment(segment, style) for segment in timeline.segments]
    held = {label: share for label, share in timeline.shares.items() if share > 0}
    if held:
        lines.append(style.paint("  share of speech", _BOLD))
    for label, share in sorted(held.items(), key=lambda pair: -pair[1]):
        bar = style.paint(draw_bar(share, _BAR, blocks=style.blocks), _CYAN)
        lines.append(f"  {label:<{_CAPTION}} {100 * share:5.1f} % {bar}")
    return "\n".join(lines) + "\n\n"


def render_segment(segment: Segment, style: Style) -> str:
    """Draw a segment.

    Parameters
    ----------
    segment : Segment
        What to draw.
    style : Style
        How it is drawn.

    Returns
    -------
    str
        One line.
    """
    span = f"  {clock(segment.start_seconds):>10} - {clock(segment.stop_seconds):>10}"
    if segment.prediction is None:
        text = caption(segment) or "no speech"
        return style.paint(f"{span}  ({text})", _DIM)
    confidence = segment.prediction.confidence
    bar = style.paint(draw_bar(confidence, _BAR, blocks=style.blocks), _CYAN)
    warnings = ", ".join(WARNINGS[code] for code in segment.prediction.warnings)
    note = f"  ({warnings})" if warnings else ""
    return f"{span}  {caption(segment):<{_CAPTION}} {100 * confidence:5.1f} % {bar}{note}"


def clock(seconds: float) -> str:
    """Give a time as people write it.

    Parameters
    ----------
    seconds : float
        At least 0.

    Returns
    -------
    str
        ``h:mm:ss.s``, without hours where there are none.
    """
    tenths = round(seconds * 10)
    minutes, tenths = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    start = f"{hours}:{minutes:02d}" if hours else f"{minutes}"
    return f"{start}:{tenths // 10:02d}.{tenths % 10}"
