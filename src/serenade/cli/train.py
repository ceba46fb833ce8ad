"""``serenade train``: a recipe and a manifest become a run folder with a bundle."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def train(
    recipe: Annotated[Path, typer.Argument(help="TOML file, see recipes/.")],
    manifest: Annotated[Path, typer.Option(help="Manifest of utterances (JSONL).")],
    output: Annotated[Path, typer.Option(help="Run folder; an interrupted run in it goes on.")],
    noise: Annotated[
        Path | None, typer.Option(help="Folder of noise recordings for augmentation.")
    ] = None,
    cache: Annotated[Path, typer.Option(help="Folder of the state cache.")] = Path("cache"),
    threads: Annotated[int, typer.Option(min=1, help="Threads of torch.")] = 1,
    workers: Annotated[
        int, typer.Option(min=1, help="Processes that measure the bundle at the end.")
    ] = 1,
) -> None:
    """Train a recipe, export the best epoch as a bundle and measure it on unseen speakers.

    Ctrl-C stops; the same command goes on after the last finished epoch, with the same result as
    a run that was not interrupted.
    """
    from serenade.cli.messages import print_message
    from serenade.cli.training_output import draw_reading, print_epoch, print_packaged
    from serenade.corpora.manifest import read_manifest
    from serenade.errors import MissingExtraError

    try:
        from serenade.training.package import package
        from serenade.training.recipe import read_recipe
        from serenade.training.run import TrainingRun
        from serenade.training.run import train as train_run
    except ModuleNotFoundError as error:
        raise MissingExtraError("train", "Training a network") from error

    utterances = read_manifest(manifest)
    run = TrainingRun(folder=output, noise=noise, cache=cache)
    try:
        left_out = train_run(
            read_recipe(recipe),
            utterances,
            run,
            threads=threads,
            on_epoch=print_epoch,
            progress=draw_reading,
        )
    except KeyboardInterrupt:
        print_message(f"stopped; finished epochs are kept in {output}, run the command again")
        raise typer.Exit(130) from None
    for sentence in left_out:
        print_message(f"left out {sentence}")
    print_packaged(
        package(run, utterances, workers=workers, progress=draw_reading, log=print_message)
    )
