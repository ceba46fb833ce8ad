"""``serenade predict``: which emotion is in recordings."""

from __future__ import annotations

import os
import sys
from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from serenade.cli.exit_codes import ALL_FAILED, exit_code
from serenade.cli.inputs import (
    STDIN,
    Input,
    find_inputs,
    means_one_file,
    read_standard_input,
)
from serenade.cli.interrupts import endings_as_interrupts, interrupts_held
from serenade.cli.messages import print_message
from serenade.cli.outputs import Done, Format, open_output
from serenade.cli.progress import Progress
from serenade.cli.targets import check_targets
from serenade.cli.timeline_output import (
    Activity,
    Channels,
    TimelineFormat,
    print_timelines,
    timeline_config,
)
from serenade.errors import AudioError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from serenade.cli.clip_voice import ClipVoice
    from serenade.cli.sinks import Sink
    from serenade.inference.batch import BatchSource, Outcome
    from serenade.inference.recognizer import Recognizer
    from serenade.model.adaptation import SpeakerReference

MOST_THREADS = 4
"""More gain nothing on a few seconds of audio."""


def predict(
    paths: Annotated[
        list[str],
        typer.Argument(
            help="Audio files, folders, patterns, or - for standard input.", show_default=False
        ),
    ],
    model: Annotated[
        str | None,
        typer.Option(help="Name of a bundled model or folder of a model.", show_default="default"),
    ] = None,
    form_of_any: Annotated[
        TimelineFormat,
        typer.Option("--format", help="How to print; from textgrid on, only with --timeline."),
    ] = TimelineFormat.TEXT,
    output: Annotated[
        Path | None, typer.Option(help="Write into this file instead of printing.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Leave out what --output holds already.")
    ] = False,
    top: Annotated[
        int | None, typer.Option(min=1, help="Give only the N most probable emotions.")
    ] = None,
    denoise: Annotated[
        bool, typer.Option("--denoise", help="Reduce noise before the model listens.")
    ] = False,
    workers: Annotated[int, typer.Option(min=1, help="Processes that share the work.")] = 1,
    speaker_reference: Annotated[
        list[str] | None,
        typer.Option(
            help="Adapt to this voice: recordings of the speaker alone, without labels; a file or"
            " folder, may be repeated.",
            show_default=False,
        ),
    ] = None,
    transcribe: Annotated[
        bool, typer.Option("--transcribe", help="Write down what is said (English, offline).")
    ] = False,
    speak: Annotated[bool, typer.Option("--speak", help="Say each emotion aloud.")] = False,
    plot: Annotated[
        Path | None, typer.Option(help="Draw the recording into this PNG, SVG or PDF as well.")
    ] = None,
    timeline: Annotated[
        bool, typer.Option("--timeline", help="Tell which emotion is when, at any length.")
    ] = False,
    hop: Annotated[
        float | None,
        typer.Option(help="Timeline: seconds between predictions.", show_default="0.5"),
    ] = None,
    channels: Annotated[
        Channels | None,
        typer.Option(help="Timeline: judge channels together or apart.", show_default="mix"),
    ] = None,
    activity: Annotated[
        Activity | None,
        typer.Option(
            help="Timeline: how speech is found; neural needs the extra vad.",
            show_default="energy",
        ),
    ] = None,
    adapt: Annotated[
        bool, typer.Option("--adapt", help="Timeline: get to know the one speaker on the way.")
    ] = False,
) -> None:
    """Tell which emotion is in recordings.

    Exit code: 0 all good, 1 some recordings failed, 2 none could be used.
    """
    from serenade.cli.clip_voice import open_clip_voice
    from serenade.cli.plot_output import check_plot, draw_predictions
    from serenade.cli.sinks import make_sink
    from serenade.cli.speaker import hear_reference
    from serenade.inference.recognizer import Recognizer
    from serenade.inference.records import display_path

    if plot is not None:
        check_plot(plot, paths, timeline=timeline)
    found = find_inputs(paths)
    references = find_inputs(speaker_reference or [])
    check_targets({"--output": output, "--plot": plot}, [item.path for item in found + references])
    if timeline:
        if resume or top is not None or denoise or workers > 1 or transcribe or speak:
            raise UsageError(
                "--timeline does not go with --resume, --top, --denoise, --workers, --transcribe or"
                " --speak"
            )
        config = timeline_config(hop_seconds=hop, activity=activity or Activity.ENERGY)
        recognizer = Recognizer.load(model)
        code = print_timelines(
            recognizer,
            found,
            single=means_one_file(paths),
            form=form_of_any,
            output=output,
            channels=channels or Channels.MIX,
            config=config,
            reference=hear_reference(recognizer, speaker_reference or []),
            adapt=adapt,
            plot=plot,
        )
        raise typer.Exit(code)
    if adapt:
        raise UsageError("--adapt needs --timeline; for single recordings give --speaker-reference")
    timeline_options = {"--hop": hop, "--channels": channels, "--activity": activity}
    if unused := [name for name, value in timeline_options.items() if value is not None]:
        raise UsageError(f"--timeline is needed for {' and '.join(unused)}; add it")
    form = form_of_any.plain
    if resume and (output is None or not form.is_resumable):
        raise UsageError("--resume needs --output with --format jsonl or csv")
    if (transcribe or speak) and (form is not Format.TEXT or STDIN in paths):
        raise UsageError("--transcribe and --speak need files and --format text")
    recognizer = Recognizer.load(model, threads=_threads(paths))
    reference = hear_reference(recognizer, speaker_reference or [], denoise=denoise)
    done = _recover(output, form, recognizer) if resume and output is not None else Done(set(), 0)
    inputs = [item for item in found if display_path(item.path) not in done.paths]
    outcomes: Iterable[Outcome] = _predict(
        recognizer, inputs, workers=workers, denoise=denoise, reference=reference
    )
    if plot is not None:
        outcomes = list(outcomes)  # one recording, which is drawn when its prediction is told
    with endings_as_interrupts(), open_output(output, form, append=bool(done.paths)) as file:
        sink = make_sink(
            form,
            file,
            labels=recognizer.labels,
            single=means_one_file(paths),
            with_header=not done.paths,
        )
        clip_voice = open_clip_voice(file, transcribe=transcribe, speak=speak)
        progress = Progress(len(inputs), shown=_wants_progress(len(inputs), file))
        try:
            n_failed = _write(outcomes, sink, clip_voice, progress, top=top)
            clip_voice.finish()
        finally:
            progress.clear()
            with interrupts_held():
                sink.finish()
        code = exit_code(done.n_failed + n_failed, len(done.paths) + len(inputs))
        if code == ALL_FAILED and form is Format.TEXT:
            raise typer.Exit(code)  # within the block, which leaves an old output as it is
    if plot is not None:
        draw_predictions(outcomes, plot)
    if code:
        raise typer.Exit(code)


def _threads(paths: list[str]) -> int:
    """Give one recording several cores; many are faster side by side, with --workers."""
    return min(MOST_THREADS, os.cpu_count() or 1) if means_one_file(paths) else 1


def _predict(
    recognizer: Recognizer,
    inputs: list[Input],
    *,
    workers: int,
    denoise: bool,
    reference: SpeakerReference | None,
) -> Iterator[Outcome]:
    """Give an outcome for every input, in order."""
    from serenade.inference.batch import Outcome

    inputs, piped = _with_standard_input(inputs)
    sources: Iterator[BatchSource] = (
        piped if item.path == STDIN else item.path for item in inputs if item.problem is None
    )
    outcomes = recognizer.predict_many(
        sources, workers=workers, denoise=denoise, reference=reference
    )
    for item in inputs:
        yield next(outcomes) if item.problem is None else Outcome(item.path, None, item.problem)


def _with_standard_input(inputs: list[Input]) -> tuple[list[Input], bytes]:
    """Read standard input where it is meant; if it cannot be read, the others still are."""
    if Input(STDIN) not in inputs:  # or it is closed, and has its problem
        return inputs, b""
    try:
        return inputs, read_standard_input()
    except AudioError as error:
        failed = [Input(STDIN, error) if item.path == STDIN else item for item in inputs]
        return failed, b""


def _write(
    outcomes: Iterable[Outcome],
    sink: Sink,
    clip_voice: ClipVoice,
    progress: Progress,
    *,
    top: int | None,
) -> int:
    """Write every outcome and count the failed ones."""
    from serenade.inference.records import to_record

    n_failed = 0
    for outcome in outcomes:
        if outcome.error is not None:
            n_failed += 1
            progress.clear()
            print_message(f"error: {outcome.error}")
        with interrupts_held():
            sink.write(to_record(outcome, top=top))
        clip_voice.tell(outcome)
        progress.advance()
    return n_failed


def _recover(output: Path, form: Format, recognizer: Recognizer) -> Done:
    from serenade.cli.resume import recover

    done = recover(output, form, labels=recognizer.labels, model=recognizer.model_id)
    if done.n_failed:
        print_message(f"failed in an earlier run: {done.n_failed}; {output} says why")
    return done


def _wants_progress(n_inputs: int, file: TextIO) -> bool:
    return n_inputs > 1 and sys.stderr.isatty() and not file.isatty()
