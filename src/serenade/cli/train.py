"""``serenade train``: a recipe and a manifest become a run folder with a bundle."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from serenade.cli.training_options import (  # noqa: TC001 - typer reads them at run time
    EncoderOption,
    ThreadsOption,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from serenade.corpora.manifest import Utterance
    from serenade.training.fit import EpochRecord
    from serenade.training.package import Packaged
    from serenade.training.processes import Processes
    from serenade.training.recipe import Recipe
    from serenade.training.run import TrainingRun


class SplitKind(StrEnum):
    """How clips are held back for validation."""

    SPEAKER = "speaker"
    RANDOM = "random"
    FOLDER = "folder"


class Log(StrEnum):
    """What epochs can be logged to."""

    TENSORBOARD = "tensorboard"
    MLFLOW = "mlflow"


def train(
    recipe: Annotated[Path, typer.Argument(help="TOML file, see recipes/.")],
    manifest: Annotated[Path, typer.Option(help="Manifest of utterances (JSONL).")],
    output: Annotated[Path, typer.Option(help="Run folder; an interrupted run in it goes on.")],
    noise: Annotated[
        Path | None, typer.Option(help="Folder of noise recordings for augmentation.")
    ] = None,
    cache: Annotated[Path, typer.Option(help="Folder of the state cache.")] = Path("cache"),
    threads: ThreadsOption = 1,
    workers: Annotated[
        int, typer.Option(min=1, help="Processes that measure the bundle at the end.")
    ] = 1,
    device: Annotated[
        str, typer.Option(help="Where to compute: auto, cpu, cuda or mps.", metavar="DEVICE")
    ] = "auto",
    log: Annotated[
        list[Log] | None,
        typer.Option(help="Log epochs there as well; may be repeated."),
    ] = None,
    variant: Annotated[
        list[str] | None,
        typer.Option(help="Train only this variant of the recipe; repeat for several."),
    ] = None,
    encoder: EncoderOption = None,
    split: Annotated[
        SplitKind | None,
        typer.Option(help="Hold back other clips than the recipe says; random leaks."),
    ] = None,
) -> None:
    """Train a recipe, export the best epoch as a bundle and measure it on unseen speakers.

    A recipe with variants gives a folder for each in OUTPUT, and one table of all; a variant that
    fails does not stop the others.

    Ctrl-C stops; the same command goes on after the last finished epoch, with the same result as
    a run that was not interrupted.

    Several processes: torchrun --nproc-per-node 2 -m serenade train ...
    """
    from serenade.cli.exit_codes import exit_code
    from serenade.cli.messages import print_message
    from serenade.corpora.manifest import read_manifest
    from serenade.errors import MissingExtraError, SerenadeError

    try:
        from serenade.training.processes import open_processes
        from serenade.training.run import TrainingRun
        from serenade.training.variants import read_recipes
    except ModuleNotFoundError as error:
        raise MissingExtraError("train", "Training a model") from error

    recipes = read_recipes(recipe, only=variant or ())
    utterances = read_manifest(manifest)
    finished: dict[str, Packaged] = {}
    n_failed = 0
    with open_processes(device) as processes:
        for name, chosen in recipes.items():
            folder = output if name == chosen.name else output / name
            run = TrainingRun(folder=folder, noise=noise, cache=cache)
            try:
                chosen = _with_options(chosen, encoder=encoder, split=split)
                _train(chosen, utterances, run, processes, log or (), threads=threads)
                if processes.is_main:
                    finished[name] = _package(chosen, utterances, run, workers=workers)
            except SerenadeError as error:
                # Processes that train together could no longer tell which variant they are at.
                if len(recipes) == 1 or processes.count > 1:
                    raise
                print_message(f"error: variant {name!r}: {error}")
                n_failed += 1
            except KeyboardInterrupt:
                if processes.is_main:
                    print_message(
                        f"stopped; what is finished is kept in {folder}, run the command again"
                    )
                raise typer.Exit(130) from None
        if processes.is_main and len(recipes) > 1:
            _compare(finished)
    if n_failed:
        raise typer.Exit(exit_code(n_failed, len(recipes)))


def _with_options(recipe: Recipe, *, encoder: Path | None, split: SplitKind | None) -> Recipe:
    """Put what the command line says above what the recipe says."""
    from serenade.training.recipe_checks import check_recipe
    from serenade.training.recipe_file import with_encoder

    if encoder is not None:
        recipe = with_encoder(recipe, encoder)
    if split is not None:
        recipe = replace(recipe, split=replace(recipe.split, kind=split.value))
    check_recipe(recipe)
    return recipe


def _compare(finished: Mapping[str, Packaged]) -> None:
    """Print one table of all variants that can stand in it."""
    from serenade.cli.messages import print_message
    from serenade.cli.training_output import print_comparison
    from serenade.errors import SerenadeError
    from serenade.training.comparison import comparison_row

    rows = []
    for name, packaged in finished.items():
        if not packaged.results:
            continue
        try:
            rows.append(comparison_row(name, packaged.results))
        except SerenadeError as error:
            print_message(f"{name} is not in the table of all: {error}")
    if rows:
        print_comparison(rows)


def _train(
    recipe: Recipe,
    utterances: Sequence[Utterance],
    run: TrainingRun,
    processes: Processes,
    logs: Sequence[str],
    *,
    threads: int,
) -> None:
    """Train the network of a recipe; a classifier is fitted when it is packaged."""
    from serenade.cli.messages import print_message
    from serenade.cli.training_output import draw_reading, print_epoch
    from serenade.training.data import select
    from serenade.training.data import split as split_parts
    from serenade.training.logs import open_logs
    from serenade.training.run import train as train_run

    if processes.is_main:
        for leak in split_parts(select(utterances, recipe), recipe.split).leaks:
            print_message(f"THE SPLIT LEAKS, so its figures are too good: {leak}")
    if recipe.classical.kind:
        return
    with open_logs(logs if processes.is_main else (), recipe, run.folder) as opened:

        def show(record: EpochRecord, n_epochs: int) -> None:
            for each in (print_epoch, *opened):
                each(record, n_epochs)

        left_out = train_run(
            recipe,
            utterances,
            run,
            threads=threads,
            on_epoch=show,
            progress=draw_reading,
            processes=processes,
        )
    if processes.is_main:
        for sentence in left_out:
            print_message(f"left out {sentence}")


def _package(
    recipe: Recipe, utterances: Sequence[Utterance], run: TrainingRun, *, workers: int
) -> Packaged:
    """Make and measure the bundle, and show what it reaches."""
    from serenade.cli.messages import print_message
    from serenade.cli.plot_output import draw_curves
    from serenade.cli.training_output import draw_reading, print_packaged
    from serenade.errors import SerenadeError
    from serenade.training.classical_run import package_classical
    from serenade.training.package import package

    if recipe.classical.kind:
        packaged = package_classical(
            recipe, utterances, run, workers=workers, progress=draw_reading, log=print_message
        )
        print_packaged(packaged)
        return packaged
    packaged = package(run, utterances, workers=workers, progress=draw_reading, log=print_message)
    print_packaged(packaged)
    try:
        draw_curves(run.folder, title=recipe.name)
    except SerenadeError as error:
        print_message(f"no picture of the curves: {error}")
    return packaged
