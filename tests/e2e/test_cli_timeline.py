"""``serenade predict --timeline`` through the command line."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import TYPE_CHECKING, Any

import jsonschema
import numpy as np
import pytest
import soundfile
from tests.tiny_bundle import TONES_HZ, tone

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from serenade.types import FloatArray

    Serenade = Callable[..., Any]

RATE = 16000


def speech(*emotions: str) -> FloatArray:
    """Two seconds of each emotion, a second of quiet around each."""
    pieces = [np.zeros(RATE, np.float32)]
    for emotion in emotions:
        pieces += [tone(TONES_HZ[emotion], seconds=2.0), np.zeros(RATE, np.float32)]
    samples = np.concatenate(pieces)
    return samples + np.random.default_rng(4).normal(0, 1e-3, samples.size).astype(np.float32)


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A call: the agent (left) is neutral, then sad; the customer (right) is angry."""
    monkeypatch.chdir(tmp_path)
    quiet = np.random.default_rng(5).normal(0, 1e-3, 7 * RATE).astype(np.float32)
    right = quiet.copy()
    right[2 * RATE : 4 * RATE] += tone(TONES_HZ["anger"], seconds=2.0)
    left = speech("neutral", "sadness")
    soundfile.write("my call.wav", np.stack([left, right], axis=1), RATE)
    return tmp_path / "my call.wav"


@pytest.fixture
def clip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    soundfile.write("clip.flac", speech("sadness", "happiness"), RATE)
    return tmp_path / "clip.flac"


@pytest.fixture
def timeline(serenade: Serenade, tiny_bundle: Path) -> Serenade:
    def run(*arguments: object, stdin: bytes = b"") -> Any:
        return serenade("predict", "--timeline", "--model", tiny_bundle, *arguments, stdin=stdin)

    return run


def emotions(record: dict[str, Any]) -> list[str | None]:
    return [segment.get("emotion") for segment in record["segments"]]


def test_text_shows_segments_and_shares(timeline: Serenade, clip: Path) -> None:
    result = timeline("clip.flac")
    assert result.code == 0
    lines = result.out.splitlines()
    assert re.match(r"clip\.flac  0:07\.0  speech 0:04\.[0-4]", lines[0])
    words = ["(no speech)", "sadness", "(no speech)", "happiness", "(no speech)"]
    assert all(word in line for word, line in zip(words, lines[1:6], strict=True))
    assert re.search(r"sadness +\d\d\.\d %", "\n".join(lines[7:9]))


def test_json_of_one_recording_is_one_object(timeline: Serenade, clip: Path) -> None:
    record = json.loads(timeline("clip.flac", "--format", "json").out)
    assert emotions(record) == [None, "sadness", None, "happiness", None]
    assert record["path"] == "clip.flac"
    assert sum(record["shares"].values()) == pytest.approx(1.0, abs=1e-5)
    parts = record["segments"]
    assert [part["stop_s"] for part in parts[:-1]] == [part["start_s"] for part in parts[1:]]
    assert parts[-1]["stop_s"] == record["duration_s"] == 7.0
    assert len(record["hops"]) == 14


def test_json_follows_the_schema(timeline: Serenade, call: Path, repository: Path) -> None:
    schema = json.loads((repository / "docs" / "timeline.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    for record in json.loads(
        timeline("my call.wav", "--channels", "split", "--format", "json").out
    ):
        jsonschema.validate(record, schema)


def test_hop_is_a_choice(timeline: Serenade, clip: Path) -> None:
    record = json.loads(timeline("clip.flac", "--format", "json", "--hop", "0.25").out)
    assert len(record["hops"]) == 28


def test_channels_are_kept_apart(timeline: Serenade, call: Path) -> None:
    left, right = json.loads(timeline("my call.wav", "--channels", "split", "--format", "json").out)
    assert (left["channel"], right["channel"]) == (0, 1)
    assert emotions(left) == [None, "neutral", None, "sadness", None]
    assert emotions(right) == [None, "anger", None]


def test_several_recordings_are_an_array_with_errors(timeline: Serenade, clip: Path) -> None:
    (clip.parent / "broken.wav").write_text("no audio")
    result = timeline("clip.flac", "broken.wav", "--format", "json")
    broken, good = json.loads(result.out)
    assert result.code == 1
    assert broken["error"]["kind"] == "AudioError"
    assert good["path"] == "clip.flac"
    assert "error: 'broken.wav'" in result.err


def test_jsonl_is_a_line_per_recording(timeline: Serenade, call: Path) -> None:
    result = timeline("my call.wav", "--channels", "split", "--format", "jsonl")
    assert [json.loads(line)["channel"] for line in result.out.splitlines()] == [0, 1]


def test_csv_has_a_row_per_segment(timeline: Serenade, call: Path) -> None:
    result = timeline("my call.wav", "--channels", "split", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(result.out)))
    found = [(row["channel"], row["emotion"]) for row in rows if row["speech"] == "true"]
    assert found == [("0", "neutral"), ("0", "sadness"), ("1", "anger")]


def test_textgrid_has_a_tier_per_channel_without_gaps(timeline: Serenade, call: Path) -> None:
    timeline("my call.wav", "--channels", "split", "--format", "textgrid", "--output", "a.TextGrid")
    text = (call.parent / "a.TextGrid").read_text()
    assert re.findall(r'name = "(.*)"', text) == ["left", "right"]
    assert re.findall(r'text = "(.*)"', text) == [
        *("", "neutral", "", "sadness", ""),
        *("", "anger", ""),
    ]
    assert re.findall(r"intervals: size = (\d+)", text) == ["5", "3"]


def test_audacity_labels_are_in_order_of_time(timeline: Serenade, call: Path) -> None:
    result = timeline("my call.wav", "--channels", "split", "--format", "audacity")
    lines = [line.split("\t") for line in result.out.splitlines()]
    assert [line[2] for line in lines] == ["left: neutral", "right: anger", "left: sadness"]
    assert all(float(start) < float(stop) for start, stop, _ in lines)


def test_vtt_gives_each_channel_a_voice(timeline: Serenade, call: Path) -> None:
    result = timeline("my call.wav", "--channels", "split", "--format", "vtt")
    blocks = result.out.strip().split("\n\n")
    assert blocks[0] == "WEBVTT"
    cue = r"\d\d:\d\d:\d\d\.\d{3} --> \d\d:\d\d:\d\d\.\d{3}\n<v (left|right)>\w+ \d+ %"
    assert all(re.fullmatch(cue, block) for block in blocks[1:])
    assert len(blocks) == 4


def test_rttm_names_no_spaces(timeline: Serenade, call: Path) -> None:
    result = timeline("my call.wav", "--format", "rttm")
    lines = [line.split(" ") for line in result.out.splitlines()]
    assert all(len(line) == 10 and line[0] == "SPEAKER" for line in lines)
    assert {line[1] for line in lines} == {"my_call"}


def test_standard_input_is_read(timeline: Serenade, clip: Path) -> None:
    result = timeline("-", "--format", "json", stdin=clip.read_bytes())
    assert emotions(json.loads(result.out)) == [None, "sadness", None, "happiness", None]


def test_silence_has_no_emotion(timeline: Serenade, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "quiet.wav", np.zeros(2 * RATE, np.float32), RATE)
    record = json.loads(timeline(tmp_path / "quiet.wav", "--format", "json").out)
    assert record["segments"] == [{"start_s": 0.0, "stop_s": 2.0, "speech": False}]
    assert set(record["shares"].values()) == {0.0}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("clip.flac", "--hop", "0"), "--hop must be from 0.1 to 10 seconds, got 0"),
        (("clip.flac", "--hop", "0.333"), "hop_seconds must be a multiple of 0.01, got 0.333"),
        (("clip.flac", "--top", "2"), "--timeline does not go with --resume, --top"),
        (("clip.flac", "clip2.flac", "--format", "vtt"), "--format vtt holds one recording"),
    ],
)
def test_arguments_that_do_not_fit_are_one_clear_error(
    timeline: Serenade, clip: Path, arguments: tuple[str, ...], message: str
) -> None:
    result = timeline(*arguments)
    assert result.code == 2
    assert message in result.err
    assert "Traceback" not in result.err


def test_formats_of_timelines_need_a_timeline(
    serenade: Serenade, tiny_bundle: Path, clip: Path
) -> None:
    result = serenade("predict", "clip.flac", "--model", tiny_bundle, "--format", "rttm")
    assert result.code == 2
    assert "--format rttm needs --timeline" in result.err


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--hop", "0.5"), "--hop"),
        (("--channels", "mix"), "--channels"),
        (("--activity", "neural"), "--activity"),
        (("--hop", "9", "--channels", "split"), "--hop and --channels"),
    ],
)
def test_options_of_timelines_need_a_timeline(
    serenade: Serenade, tiny_bundle: Path, clip: Path, arguments: tuple[str, ...], named: str
) -> None:
    result = serenade("predict", "clip.flac", "--model", tiny_bundle, *arguments)
    assert (result.code, result.out) == (2, "")
    assert result.err == f"serenade: error: --timeline is needed for {named}; add it\n"
