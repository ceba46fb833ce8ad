"""``serenade predict --timeline``: which emotion is when, in recordings of any length."""

from __future__ import annotations

import sys
import time
from enum import StrEnum
from typing import TYPE_CHECKING

import typer

from serenade.cli.exit_codes import ALL_FAILED, exit_code
from serenade.cli.inputs import STDIN, read_standard_input
from serenade.cli.interrupts import endings_as_interrupts, interrupts_held
from serenade.cli.messages import print_message
from serenade.cli.outputs import Format, open_output
from serenade.cli.plot_output import draw_timeline
from serenade.errors import SerenadeError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import TextIO

    from serenade.cli.inputs import Input
    from serenade.inference.recognizer import Recognizer
    from serenade.inference.timeline import Timeline, TimelineConfig
    from serenade.inference.timeline_formats import Track
    from serenade.model.adaptation import SpeakerReference

_ANY_RATE = 16_000
_SECONDS_BETWEEN = 0.1
_CLEAR_LINE = "\r\x1b[2K"


class TimelineFormat(StrEnum):
    """How timelines are written."""

    TEXT = "text"
    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"
    TEXTGRID = "textgrid"
    AUDACITY = "audacity"
    VTT = "vtt"
    RTTM = "rttm"

    @property
    def plain(self) -> Format:
        """The same format for predictions.

        Raises
        ------
        UsageError
            If there is none.
        """
        if self in _OF_ONE_RECORDING or self is TimelineFormat.RTTM:
            raise UsageError(f"--format {self} needs --timeline")
        return Format(self.value)


_OF_ONE_RECORDING = (TimelineFormat.TEXTGRID, TimelineFormat.AUDACITY, TimelineFormat.VTT)


class Channels(StrEnum):
    """What becomes of the channels of a recording."""

    MIX = "mix"
    SPLIT = "split"


class Activity(StrEnum):
    """How speech is found."""

    ENERGY = "energy"
    NEURAL = "neural"


def timeline_config(*, hop_seconds: float | None, activity: Activity) -> TimelineConfig:
    """Give the configuration that the user chose.

    Parameters
    ----------
    hop_seconds : float or None
        Distance between predictions [s]; ``None`` for the usual one.
    activity : Activity
        How speech is found.

    Returns
    -------
    TimelineConfig
        With the model's own lengths of window and step.

    Raises
    ------
    UsageError
        If the hop is out of range.
    """
    from serenade.inference.timeline import TimelineConfig

    if hop_seconds is None:
        return TimelineConfig(activity=activity.value)
    if not 0.1 <= hop_seconds <= 10.0:
        raise UsageError(f"--hop must be from 0.1 to 10 seconds, got {hop_seconds:g}")
    return TimelineConfig(hop_seconds=hop_seconds, activity=activity.value)


def print_timelines(
    recognizer: Recognizer,
    inputs: list[Input],
    *,
    single: bool,
    form: TimelineFormat,
    output: Path | None,
    channels: Channels,
    config: TimelineConfig,
    reference: SpeakerReference | None = None,
    adapt: bool = False,
    plot: Path | None = None,
) -> int:
    """Write the timelines of recordings.

    Parameters
    ----------
    recognizer : Recognizer
        The model.
    inputs : list of Input
        The recordings.
    single : bool
        Whether the command means one recording, which is not put into an array, for JSON.
    form : TimelineFormat
        How to write.
    output : Path or None
        The file, or ``None`` for standard output.
    channels : Channels
        Whether channels are judged together or apart.
    config : TimelineConfig
        How to judge.
    reference : SpeakerReference or None
        What is known of the speaker.
    adapt : bool
        Whether to get to know the speaker of each recording.
    plot : Path or None
        File that a picture of the recording goes to; then there is only one.

    Returns
    -------
    int
        Exit code: 0 all good, 1 some recordings failed, 2 none could be used.

    Raises
    ------
    UsageError
        If the format holds one recording and there are several, the file cannot be written, or
        the model cannot judge as wanted.
    typer.Exit
        If none could be used and the format has no place for failures.
    """
    if plot is not None and channels is Channels.SPLIT:
        raise UsageError("--plot draws all channels together, so it does not go with split ones")
    if form in _OF_ONE_RECORDING and len(inputs) != 1:
        raise UsageError(f"--format {form} holds one recording and there are {len(inputs)}")
    # what the model cannot do is one error, not one of each recording
    recognizer.stream(_ANY_RATE, config=config, reference=reference, adapt=adapt)
    plain = Format.TEXT if form in _OF_ONE_RECORDING else Format.JSON
    n_failed = 0
    judged: list[Track] = []
    with endings_as_interrupts(), open_output(output, plain, append=False) as file:
        writer = _Writer(file, form, single=single and channels is Channels.MIX)
        shown = sys.stderr.isatty() and not (file.isatty() and len(inputs) > 1)
        try:
            for item in inputs:
                progress = _Progress(shown=shown)
                try:
                    tracks = list(
                        _tracks(
                            recognizer,
                            item,
                            channels,
                            config,
                            progress,
                            reference=reference,
                            adapt=adapt,
                        )
                    )
                except SerenadeError as error:
                    n_failed += 1
                    progress.clear()
                    print_message(f"error: {error}")
                    with interrupts_held():
                        writer.fail(item.path, error)
                    continue
                progress.clear()
                with interrupts_held():
                    writer.write(tracks)
                judged = tracks
        finally:
            with interrupts_held():
                writer.finish()
        if not writer.has_told:
            raise typer.Exit(ALL_FAILED)  # within the block, which leaves an old output as it is
    if plot is not None and judged:
        draw_timeline(judged, plot)  # when all is told: a picture that fails holds nothing up
    return exit_code(n_failed, len(inputs))


def _tracks(
    recognizer: Recognizer,
    item: Input,
    channels: Channels,
    config: TimelineConfig,
    progress: _Progress,
    *,
    reference: SpeakerReference | None,
    adapt: bool,
) -> Iterator[Track]:
    """Judge a recording."""
    from serenade.audio.decode import probe
    from serenade.inference.records import display_path
    from serenade.inference.timeline_formats import Track

    if item.problem is not None:
        raise item.problem
    source = read_standard_input() if item.path == STDIN else item.path
    info = probe(source)
    progress.total_seconds = info.duration_seconds
    split = channels is Channels.SPLIT
    for channel in range(info.channels) if split else [None]:
        timeline = recognizer.timeline(
            source,
            config=config,
            channel=channel,
            reference=reference,
            adapt=adapt,
            progress=progress.show,
        )
        yield Track(display_path(item.path), channel, timeline)


class _Writer:
    """Writes the timelines of one recording after the other."""

    def __init__(self, file: TextIO, form: TimelineFormat, *, single: bool) -> None:
        self._file = file
        self._form = form
        self._single = single
        self._n_objects = 0
        self._has_header = False
        self.has_told = False
        """Whether the file tells of a recording; of silence some formats tell with no line."""

    def write(self, tracks: list[Track]) -> None:
        from serenade.inference import timeline_formats as formats

        self.has_told = True
        match self._form:
            case TimelineFormat.TEXT:
                self._draw(tracks)
            case TimelineFormat.JSON:
                for track in tracks:
                    self._begin_object()
                    self._file.writelines(formats.to_json(track))
            case TimelineFormat.JSONL:
                for track in tracks:
                    self._file.writelines(formats.to_jsonl(track))
            case TimelineFormat.CSV:
                self._write_header(tracks[0].timeline)
                for track in tracks:
                    self._file.writelines(formats.to_csv(track))
            case TimelineFormat.TEXTGRID:
                self._file.writelines(formats.to_textgrid(tracks))
            case TimelineFormat.AUDACITY:
                self._file.writelines(formats.to_audacity(tracks))
            case TimelineFormat.VTT:
                self._file.writelines(formats.to_vtt(tracks))
            case TimelineFormat.RTTM:
                self._file.writelines(formats.to_rttm(tracks))
        self._file.flush()

    def fail(self, path: str, error: SerenadeError) -> None:
        """Write why a recording has no timeline, where the format can say so."""
        import json

        from serenade.inference.batch import Outcome
        from serenade.inference.records import to_record

        if self._form not in (TimelineFormat.JSON, TimelineFormat.JSONL):
            return
        self.has_told = True
        if self._form is TimelineFormat.JSON:
            self._begin_object()
        record = to_record(Outcome(path, None, error))
        self._file.write(json.dumps(record, ensure_ascii=False) + "\n")

    def finish(self) -> None:
        """Write what comes after the last recording, if there is any."""
        if self._form is TimelineFormat.JSON and not self._single and self._n_objects:
            self._file.write("]\n")

    def _begin_object(self) -> None:
        if not self._single:
            self._file.write("," if self._n_objects else "[")
        self._n_objects += 1

    def _write_header(self, timeline: Timeline) -> None:
        from serenade.inference.timeline_formats import csv_header

        if not self._has_header:
            self._file.write(csv_header(timeline.labels))
        self._has_header = True

    def _draw(self, tracks: list[Track]) -> None:
        from serenade.cli.sinks import style_for
        from serenade.cli.timeline_text import render_track

        for track in tracks:
            self._file.write(render_track(track, style_for(self._file)))


class _Progress:
    """How far a recording is, on standard error; silent where nobody would see it."""

    def __init__(self, *, shown: bool) -> None:
        self.total_seconds: float | None = None
        self._shown = shown
        self._started = time.monotonic()
        self._drawn = 0.0

    def show(self, seconds: float) -> None:
        now = time.monotonic()
        if not self._shown or now - self._drawn < _SECONDS_BETWEEN:
            return
        from serenade.cli.timeline_text import clock

        self._drawn = now
        of_total = ""
        if self.total_seconds:
            share = 100 * seconds / self.total_seconds
            of_total = f" of {clock(self.total_seconds)} ({share:.0f} %)"
        speed = seconds / max(now - self._started, 1e-9)
        text = f"{_CLEAR_LINE}{clock(seconds)}{of_total}, {speed:.0f} times real time"
        print(text, end="", file=sys.stderr, flush=True)

    def clear(self) -> None:
        if self._shown:
            print(_CLEAR_LINE, end="", file=sys.stderr, flush=True)
