"""Timelines in the formats of other tools.

References
----------
Praat manual, "TextGrid file formats"; Audacity manual, "Importing and Exporting Labels";
W3C, "WebVTT: The Web Video Text Tracks Format"; NIST, "The 2009 Rich Transcription Meeting
Recognition Evaluation Plan", appendix A (RTTM).
"""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from serenade.inference.timeline import Part, Segment, Timeline

_SIDES = {0: "left", 1: "right"}


@dataclass(frozen=True, slots=True)
class Track:
    """The timeline of one channel of a recording, or of all channels mixed.

    Parameters
    ----------
    path : str
        How the recording is named.
    channel : int or None
        From 0; ``None`` for all channels mixed.
    timeline : Timeline
        What was heard.
    """

    path: str
    channel: int | None
    timeline: Timeline

    @property
    def name(self) -> str:
        """``emotion``, or which channel this is."""
        if self.channel is None:
            return "emotion"
        return _SIDES.get(self.channel, f"channel {self.channel + 1}")


def caption(part: Part) -> str:
    """Say in a word what is heard in a part of a recording.

    Parameters
    ----------
    part : Part
        A segment or hop.

    Returns
    -------
    str
        The emotion, with a question mark where the model is not sure; ``"speech"`` where too
        little was said; empty where nobody talks.
    """
    if not part.is_speech:
        return ""
    if part.prediction is None:
        return "speech"
    return f"{part.prediction.emotion}?" if part.prediction.abstained else part.prediction.emotion


def to_json(track: Track) -> Iterator[str]:
    """Write a timeline as one JSON object, hop by hop, since a long recording has many.

    Parameters
    ----------
    track : Track
        What to write.

    Yields
    ------
    str
        Parts of the text, with one segment or hop on a line.
    """
    head = track.timeline.summary_to_json(track.path) | {"channel": track.channel}
    yield json.dumps(head, ensure_ascii=False)[:-1]
    for key, parts in (("segments", track.timeline.segments), ("hops", track.timeline.hops)):
        yield f', "{key}": ['
        for i, part in enumerate(parts):
            yield (",\n" if i else "\n") + json.dumps(part.to_json(), ensure_ascii=False)
        yield "]"
    yield "}\n"


def to_jsonl(track: Track) -> Iterator[str]:
    """Write a timeline as one JSON object on one line.

    Parameters
    ----------
    track : Track
        What to write.

    Yields
    ------
    str
        Parts of the line.
    """
    for piece in to_json(track):
        yield piece.replace("\n", "")
    yield "\n"


def csv_header(labels: Sequence[str]) -> str:
    """Give the first line of the CSV format.

    Parameters
    ----------
    labels : sequence of str
        Emotions of the model.

    Returns
    -------
    str
        The names of the columns, with a line break.
    """
    before = [
        "path",
        "channel",
        "start_s",
        "stop_s",
        "speech",
        "emotion",
        "confidence",
        "abstained",
    ]
    return _csv_line([*before, *labels, "warnings"])


def to_csv(track: Track) -> Iterator[str]:
    """Write the segments of a timeline as rows of a table.

    Parameters
    ----------
    track : Track
        What to write.

    Yields
    ------
    str
        One line per segment; cells of what is not known are empty.
    """
    channel = "" if track.channel is None else str(track.channel)
    for segment in track.timeline.segments:
        record = segment.to_json()
        chances = record.get("probabilities", {})
        yield _csv_line(
            [
                track.path,
                channel,
                str(record["start_s"]),
                str(record["stop_s"]),
                str(record["speech"]).lower(),
                record.get("emotion", ""),
                str(record.get("confidence", "")),
                str(record.get("abstained", "")).lower(),
                *(str(chances.get(label, "")) for label in track.timeline.labels),
                " ".join(record.get("warnings", [])),
            ]
        )


def to_textgrid(tracks: Sequence[Track]) -> Iterator[str]:
    """Write timelines of one recording as a Praat TextGrid with a tier for each.

    Parameters
    ----------
    tracks : sequence of Track
        At least one.

    Yields
    ------
    str
        Lines.
    """
    stop = max(track.timeline.duration_seconds for track in tracks)
    yield 'File type = "ooTextFile"\nObject class = "TextGrid"\n\n'
    yield f"xmin = 0\nxmax = {stop:.6f}\ntiers? <exists>\nsize = {len(tracks)}\nitem []:\n"
    for i, track in enumerate(tracks, start=1):
        segments = track.timeline.segments
        yield f'    item [{i}]:\n        class = "IntervalTier"\n        name = "{track.name}"\n'
        yield f"        xmin = 0\n        xmax = {stop:.6f}\n"
        yield f"        intervals: size = {len(segments)}\n"
        for j, segment in enumerate(segments, start=1):
            yield f"        intervals [{j}]:\n"
            yield f"            xmin = {segment.start_seconds:.6f}\n"
            yield f"            xmax = {segment.stop_seconds:.6f}\n"
            yield f'            text = "{caption(segment)}"\n'


def to_audacity(tracks: Sequence[Track]) -> Iterator[str]:
    """Write timelines of one recording as an Audacity label track.

    Parameters
    ----------
    tracks : sequence of Track
        Labels of separate channels start with the name of the channel.

    Yields
    ------
    str
        One line per segment with speech, in order of time.
    """
    for track, segment in _spoken(tracks):
        prefix = "" if track.channel is None else f"{track.name}: "
        yield (
            f"{segment.start_seconds:.6f}\t{segment.stop_seconds:.6f}\t{prefix}{caption(segment)}\n"
        )


def to_vtt(tracks: Sequence[Track]) -> Iterator[str]:
    """Write timelines of one recording as WebVTT captions.

    Parameters
    ----------
    tracks : sequence of Track
        Separate channels are separate voices.

    Yields
    ------
    str
        One cue per segment with speech, in order of time.
    """
    yield "WEBVTT\n"
    for track, segment in _spoken(tracks):
        voice = "" if track.channel is None else f"<v {track.name}>"
        prediction = segment.prediction
        percent = "" if prediction is None else f" {100 * prediction.confidence:.0f} %"
        yield f"\n{_clock(segment.start_seconds)} --> {_clock(segment.stop_seconds)}\n"
        yield f"{voice}{caption(segment)}{percent}\n"


def to_rttm(tracks: Sequence[Track]) -> Iterator[str]:
    """Write timelines as RTTM, with the emotions in the place of speakers.

    Parameters
    ----------
    tracks : sequence of Track
        Of one or more recordings.

    Yields
    ------
    str
        One line per segment with speech.
    """
    for track in tracks:
        file = re.sub(r"\s+", "_", PurePath(track.path).stem) or "-"
        channel = 1 if track.channel is None else track.channel + 1
        for segment in track.timeline.segments:
            if not segment.is_speech:
                continue
            prediction = segment.prediction
            name = "speech" if prediction is None else prediction.emotion
            confidence = "<NA>" if prediction is None else f"{prediction.confidence:.6f}"
            yield (
                f"SPEAKER {file} {channel} {segment.start_seconds:.3f}"
                f" {segment.duration_seconds:.3f} <NA> <NA> {name} {confidence} <NA>\n"
            )


def _spoken(tracks: Sequence[Track]) -> list[tuple[Track, Segment]]:
    """Give the segments with speech of all tracks in order of time."""
    spoken = [
        (track, segment)
        for track in tracks
        for segment in track.timeline.segments
        if segment.is_speech
    ]
    return sorted(spoken, key=lambda pair: pair[1].start_seconds)


def _clock(seconds: float) -> str:
    milliseconds = round(seconds * 1000)
    minutes, milliseconds = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{milliseconds // 1000:02d}.{milliseconds % 1000:03d}"


def _csv_line(cells: list[str]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(cells)
    return line.getvalue()
