"""``serenade listen``: which emotion is in the voice at a microphone."""

from __future__ import annotations

import math
import sys
from dataclasses import replace
from enum import StrEnum
from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import TYPE_CHECKING, Annotated

import typer

from serenade.cli.bars import printable
from serenade.cli.interrupts import endings_as_interrupts, interrupts_held
from serenade.cli.messages import print_message
from serenade.cli.speaker import hear_reference
from serenade.cli.timeline_output import Activity, timeline_config
from serenade.errors import AudioError

if TYPE_CHECKING:
    from serenade.audio.capture import AudioInput, Device
    from serenade.cli.live_session import LiveSession
    from serenade.cli.live_view import View
    from serenade.inference.recognizer import Recognizer
    from serenade.inference.timeline import TimelineConfig
    from serenade.model.adaptation import SpeakerReference

DISAPPEARED = 1


class ListenFormat(StrEnum):
    """How events are printed."""

    TEXT = "text"
    JSONL = "jsonl"


def listen(
    model: Annotated[
        str | None,
        typer.Option(help="Name of a bundled model or folder of a model.", show_default="default"),
    ] = None,
    device: Annotated[
        str | None,
        typer.Option(help="Number or part of the name of a device.", show_default="default"),
    ] = None,
    list_devices: Annotated[
        bool, typer.Option("--list-devices", help="List the devices and end.")
    ] = False,
    seconds: Annotated[
        float | None,
        typer.Option(min=0.1, help="End after so many seconds.", show_default="until Ctrl-C"),
    ] = None,
    form: Annotated[
        ListenFormat, typer.Option("--format", help="How to print.")
    ] = ListenFormat.TEXT,
    save: Annotated[
        Path | None, typer.Option(help="Write the sound and the timeline into this folder.")
    ] = None,
    hop: Annotated[float, typer.Option(help="Seconds between predictions.")] = 0.5,
    activity: Annotated[
        Activity, typer.Option(help="How speech is found; neural needs the extra vad.")
    ] = Activity.ENERGY,
    speaker_reference: Annotated[
        list[str] | None,
        typer.Option(
            help="Adapt to this voice: recordings of the speaker alone, without labels; a file or"
            " folder, may be repeated.",
            show_default=False,
        ),
    ] = None,
    adapt: Annotated[
        bool, typer.Option("--adapt", help="Get to know the one speaker while they talk.")
    ] = False,
    transcribe: Annotated[
        bool, typer.Option("--transcribe", help="Write down what is said (English, offline).")
    ] = False,
    speak: Annotated[bool, typer.Option("--speak", help="Say each emotion aloud.")] = False,
) -> None:
    """Tell which emotion is in the voice at a microphone, until Ctrl-C.

    Exit code: 0 all good, 1 the device disappeared.
    """
    from serenade.audio import capture
    from serenade.inference.recognizer import Recognizer

    devices = capture.list_devices()
    if list_devices:
        _print_devices(devices)
        return
    chosen = capture.choose_device(devices, device)
    recognizer = Recognizer.load(model)
    config = timeline_config(hop_seconds=hop, activity=activity)
    # one voice costs little, and bars should move with every hop
    config = replace(config, step_seconds=config.hop_seconds)
    reference = hear_reference(recognizer, speaker_reference or [])
    microphone = capture.Microphone(chosen)
    try:
        session = _open_session(
            recognizer,
            config,
            microphone,
            reference=reference,
            adapt=adapt,
            form=form,
            save=save,
            transcribe=transcribe,
            speak=speak,
        )
        print_message(f"listening to {microphone.name}; end with Ctrl-C")
        with endings_as_interrupts():
            code = _run(session, microphone, seconds=seconds)
    finally:
        microphone.close()
    if microphone.n_gaps:
        print_message(f"sound was lost {microphone.n_gaps} times; is the machine too busy?")
    if session.saved is not None:
        print_message(f"saved {session.saved} and its timeline beside it")
    raise typer.Exit(code)


def _print_devices(devices: list[Device]) -> None:
    if not devices:
        print_message("no microphone was found")
    for device in devices:
        mark = "*" if device.is_default else " "
        print(f"{mark}{device.index:>3}  {device.sample_rate:>6} Hz  {printable(device.name)}")


def _open_session(
    recognizer: Recognizer,
    config: TimelineConfig,
    microphone: AudioInput,
    *,
    reference: SpeakerReference | None,
    adapt: bool,
    form: ListenFormat,
    save: Path | None,
    transcribe: bool,
    speak: bool,
) -> LiveSession:
    from serenade.cli.live_session import LiveSession, Recording
    from serenade.cli.voice import Speaker, Transcriber

    rate = microphone.sample_rate
    return LiveSession(
        recognizer,
        config,
        sample_rate=rate,
        reference=reference,
        adapt=adapt,
        view=_open_view(form),
        transcriber=Transcriber(sample_rate=rate) if transcribe else None,
        speaker=Speaker() if speak else None,
        recording=None if save is None else Recording(save, sample_rate=rate),
    )


def _open_view(form: ListenFormat) -> View:
    from serenade.cli.live_view import JsonlView, LinesView, ScreenView
    from serenade.cli.sinks import style_for

    if form is ListenFormat.JSONL:
        return JsonlView(sys.stdout)
    style = style_for(sys.stdout)
    return ScreenView(sys.stdout, style) if sys.stdout.isatty() else LinesView(sys.stdout, style)


def _run(session: LiveSession, microphone: AudioInput, *, seconds: float | None) -> int:
    """Listen until the end and give the exit code."""
    try:
        n_wanted = math.inf if seconds is None else round(seconds * microphone.sample_rate)
        for block in microphone.blocks():
            with interrupts_held():
                session.add(block[: int(min(n_wanted - session.n_samples, block.size))])
            if session.n_samples >= n_wanted:
                break
    except KeyboardInterrupt:
        return 0
    except AudioError as error:
        print_message(f"error: {error}; what was heard before is kept")
        return DISAPPEARED
    finally:
        with interrupts_held():
            session.finish()
    return 0
