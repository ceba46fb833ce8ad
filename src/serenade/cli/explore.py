"""``serenade explore``: tables and pictures of what a manifest holds."""

from __future__ import annotations

import sys
from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import Annotated

import typer

from serenade.cli.evaluation_output import ResultFormat

SOME_FAILED = 1


def explore(
    manifest: Annotated[Path, typer.Argument(help="Manifest of utterances (JSONL).")],
    output: Annotated[
        Path | None,
        typer.Option(help="Folder for a page with pictures, the pictures, and the tables."),
    ] = None,
    form: Annotated[
        ResultFormat, typer.Option("--format", help="How to print the tables.")
    ] = ResultFormat.TEXT,
) -> None:
    """Listen to every clip of a manifest and show how many, how long and how loud they are.

    Exit code: 0 all good, 1 some clips could not be read, 2 none could.
    """
    from functools import partial

    from serenade.cli.evaluation_output import to_json_text, write_result
    from serenade.cli.explore_output import (
        check_folder,
        displayable,
        exploration_text,
        write_exploration,
    )
    from serenade.cli.messages import print_message
    from serenade.cli.progress import Progress
    from serenade.corpora.exploration import explore as explore_clips
    from serenade.corpora.manifest import read_manifest
    from serenade.evaluation.clips import utterance_waveform
    from serenade.inference.records import display_path

    utterances = [displayable(utterance) for utterance in read_manifest(manifest)]
    if output is not None:
        check_folder(output)
    progress = Progress(len(utterances), shown=sys.stderr.isatty())
    read_audio = partial(utterance_waveform, root=None)
    try:
        exploration = explore_clips(
            utterances,
            read_audio=read_audio,
            progress=lambda _done, _total: progress.advance(),
        )
    finally:
        progress.clear()
    for failure in exploration.failures:
        print_message(f"error: {failure}")
    as_json = form is ResultFormat.JSON
    text = to_json_text(exploration.to_json()) if as_json else exploration_text(exploration)
    write_result(text, None, form)
    if output is not None:
        name = display_path(manifest.name)
        write_exploration(exploration, output, name=name, read_audio=read_audio)
        print_message(f"page written to {output / 'index.html'}")
    if exploration.failures:
        raise typer.Exit(SOME_FAILED)
