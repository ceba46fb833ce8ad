"""``serenade tune``: search better settings of a recipe."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from serenade.cli.training_options import (  # noqa: TC001 - typer reads them at run time
    EncoderOption,
    ThreadsOption,
)
from serenade.cli.tune_output import TrialFormat

if TYPE_CHECKING:
    from collections.abc import Sequence

    from serenade.corpora.manifest import Utterance
    from serenade.training.recipe import Recipe
    from serenade.training.run import TrainingRun
    from serenade.training.search_space import SearchSpace
    from serenade.training.tuning import Tuning

INTERRUPTED = 130


def tune(
    recipe: Annotated[Path, typer.Argument(help="TOML file, see recipes/.")],
    manifest: Annotated[Path, typer.Option(help="Manifest of utterances (JSONL).")],
    output: Annotated[Path, typer.Option(help="Folder of the search; an interrupted one goes on.")],
    space: Annotated[
        Path | None, typer.Option(help="TOML file: what to try; without it, the usual.")
    ] = None,
    trials: Annotated[
        int | None, typer.Option(min=1, help="How many settings to try; more prolong a search.")
    ] = None,
    variant: Annotated[
        list[str] | None, typer.Option(help="Search only this variant; may be repeated.")
    ] = None,
    noise: Annotated[
        Path | None, typer.Option(help="Folder of noise recordings for augmentation.")
    ] = None,
    cache: Annotated[Path, typer.Option(help="Folder of the state cache.")] = Path("cache"),
    encoder: EncoderOption = None,
    threads: ThreadsOption = 1,
    form: Annotated[
        TrialFormat, typer.Option("--format", help="How to print the table of trials.")
    ] = TrialFormat.TEXT,
) -> None:
    """Search better settings of a recipe, judged on speakers that training never hears.

    Networks are searched with Optuna, which stops hopeless trials early; classical models try a
    grid. OUTPUT/best.toml is the best as a recipe for `serenade train`. Ctrl-C stops; the same
    command goes on where it was.
    """
    from dataclasses import replace

    from serenade.cli.messages import print_message
    from serenade.cli.tune_output import trials_text, write_trials
    from serenade.corpora.manifest import read_manifest
    from serenade.errors import MissingExtraError

    try:
        from serenade.training.recipe_file import with_encoder
        from serenade.training.run import TrainingRun
        from serenade.training.search_space import SearchSpace, read_search_space
        from serenade.training.variants import read_recipes
    except ModuleNotFoundError as error:
        raise MissingExtraError("train", "Tuning a model") from error

    searched = SearchSpace() if space is None else read_search_space(space)
    searched = searched if trials is None else replace(searched, trials=trials)
    utterances = read_manifest(manifest)
    for name, chosen in read_recipes(recipe, only=variant or ()).items():
        folder = output if name == chosen.name else output / name
        run = TrainingRun(folder=folder, noise=noise, cache=cache)
        if encoder is not None:
            chosen = with_encoder(chosen, encoder)
        try:
            tuning = _tune(chosen, utterances, run, searched, threads=threads)
        except KeyboardInterrupt:
            print_message(f"stopped; what is finished is kept in {folder}, run the command again")
            raise typer.Exit(INTERRUPTED) from None
        for note in write_trials(tuning, folder, title=chosen.name, space=searched):
            print_message(note)
        print(trials_text(tuning.trials, form), end="")
        print_message(
            f"best: trial {tuning.best.number}, UAR {100 * tuning.best.score:.1f} % on the speakers"
            f" that chose it; serenade train {tuning.path} trains it"
        )


def _tune(
    recipe: Recipe,
    utterances: Sequence[Utterance],
    run: TrainingRun,
    space: SearchSpace,
    *,
    threads: int,
) -> Tuning:
    from serenade.cli.training_output import draw_reading, print_epoch
    from serenade.cli.tune_output import TrialPrinter
    from serenade.training.tuning import tune as tune_recipe

    return tune_recipe(
        recipe,
        utterances,
        run,
        space,
        threads=threads,
        on_epoch=print_epoch,
        on_trial=TrialPrinter(),
        progress=draw_reading,
    )
