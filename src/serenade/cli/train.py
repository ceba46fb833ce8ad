"""``serenade train``: a recipe and a manifest become a run folder with a bundle."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from serenade.corpora.manifest import Utterance
    from serenade.training.package import Packaged
    from serenade.training.recipe import Recipe
    from serenade.training.run import TrainingRun


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
    variant: Annotated[
        list[str] | None,
        typer.Option(help="Train only this variant of the recipe; repeat for several."),
    ] = None,
) -> None:
    """Train a recipe, export the best epoch as a bundle and measure it on unseen speakers.

    A recipe with variants gives a folder for each in OUTPUT, and one table of all.

    Ctrl-C stops; the same command goes on after the last finished epoch, with the same result as
    a run that was not interrupted.
    """
    from serenade.cli.messages import print_message
    from serenade.cli.training_output import print_comparison, print_packaged
    from serenade.corpora.manifest import read_manifest
    from serenade.errors import MissingExtraError

    try:
        from serenade.training.comparison import comparison_row
        from serenade.training.run import TrainingRun
        from serenade.training.variants import read_recipes
    except ModuleNotFoundError as error:
        raise MissingExtraError("train", "Training a model") from error

    recipes = read_recipes(recipe, only=variant or ())
    utterances = read_manifest(manifest)
    rows = []
    for name, chosen in recipes.items():
        folder = output if name == chosen.name else output / name
        run = TrainingRun(folder=folder, noise=noise, cache=cache)
        try:
            packaged = _train(chosen, utterances, run, threads=threads, workers=workers)
        except KeyboardInterrupt:
            print_message(f"stopped; what is finished is kept in {folder}, run the command again")
            raise typer.Exit(130) from None
        print_packaged(packaged)
        if packaged.results:
            rows.append(comparison_row(name, packaged.results))
    if len(recipes) > 1:
        print_comparison(rows)


def _train(
    recipe: Recipe,
    utterances: Sequence[Utterance],
    run: TrainingRun,
    *,
    threads: int,
    workers: int,
) -> Packaged:
    from serenade.cli.messages import print_message
    from serenade.cli.training_output import draw_reading, print_epoch
    from serenade.training.classical_run import package_classical
    from serenade.training.package import package
    from serenade.training.run import train as train_run

    if recipe.classical.kind:
        return package_classical(
            recipe, utterances, run, workers=workers, progress=draw_reading, log=print_message
        )
    left_out = train_run(
        recipe,
        utterances,
        run,
        threads=threads,
        on_epoch=print_epoch,
        progress=draw_reading,
    )
    for sentence in left_out:
        print_message(f"left out {sentence}")
    return package(run, utterances, workers=workers, progress=draw_reading, log=print_message)
