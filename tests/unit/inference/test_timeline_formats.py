"""Timelines in the formats of other tools."""

from __future__ import annotations

import csv
import io
import json

import pytest

from serenade.inference import timeline_formats as formats
from serenade.inference.timeline import Segment, Timeline
from serenade.inference.timeline_formats import Track
from serenade.types import Prediction

LABELS = ("neutral", "anger")


def segment(start: float, stop: float, emotion: str | None, *, abstained: bool = False) -> Segment:
    if emotion is None:
        return Segment(start, stop, False, None)
    chances = {label: 0.75 if label == emotion else 0.25 for label in LABELS}
    prediction = Prediction(
        emotion, 0.75, chances, abstained, None, stop - start, "tiny 1", ("noisy",)
    )
    return Segment(start, stop, True, prediction)


def track(channel: int | None = None, *, path: str = "my call.wav") -> Track:
    segments = (
        segment(0.0, 1.25, None),
        segment(1.25, 62.5, "anger"),
        segment(62.5, 3725.0625, "neutral", abstained=True),
        Segment(3725.0625, 3725.5, True, None),
    )
    return Track(path, channel, Timeline("tiny 1", LABELS, 3725.5, segments, ()))


def test_textgrid_is_what_praat_writes() -> None:
    text = "".join(formats.to_textgrid([track()]))
    assert text.startswith(
        'File type = "ooTextFile"\nObject class = "TextGrid"\n\nxmin = 0\nxmax = 3725.500000\n'
        "tiers? <exists>\nsize = 1\nitem []:\n    item [1]:\n"
        '        class = "IntervalTier"\n        name = "emotion"\n'
    )
    assert (
        "        intervals [2]:\n            xmin = 1.250000\n            xmax = 62.500000\n"
        '            text = "anger"\n' in text
    )


def test_audacity_labels_are_tab_separated() -> None:
    assert list(formats.to_audacity([track()])) == [
        "1.250000\t62.500000\tanger\n",
        "62.500000\t3725.062500\tneutral?\n",
        "3725.062500\t3725.500000\tspeech\n",
    ]


def test_vtt_clock_passes_hours() -> None:
    text = "".join(formats.to_vtt([track(1)]))
    assert "00:00:01.250 --> 00:01:02.500\n<v right>anger 75 %\n" in text
    assert "00:01:02.500 --> 01:02:05.062\n<v right>neutral? 75 %\n" in text
    assert text.endswith("01:02:05.062 --> 01:02:05.500\n<v right>speech\n")


def test_rttm_has_ten_fields() -> None:
    assert next(formats.to_rttm([track(1)])) == (
        "SPEAKER my_call 2 1.250 61.250 <NA> <NA> anger 0.750000 <NA>\n"
    )


def test_csv_reads_back() -> None:
    text = formats.csv_header(LABELS) + "".join(formats.to_csv(track(path='a "b", c.wav')))
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["emotion"] for row in rows] == ["", "anger", "neutral", ""]
    assert rows[1]["path"] == 'a "b", c.wav'
    assert float(rows[1]["anger"]) == 0.75
    assert rows[2]["abstained"] == "true"
    assert rows[1]["warnings"] == "noisy"


def test_json_in_pieces_equals_json_at_once() -> None:
    whole = track().timeline.to_json("my call.wav") | {"channel": None}
    assert json.loads("".join(formats.to_json(track()))) == whole
    [line] = "".join(formats.to_jsonl(track())).splitlines()
    assert json.loads(line) == whole


@pytest.mark.parametrize(
    ("channel", "name"), [(None, "emotion"), (0, "left"), (1, "right"), (5, "channel 6")]
)
def test_tracks_are_named_after_their_channel(channel: int | None, name: str) -> None:
    assert track(channel).name == name
