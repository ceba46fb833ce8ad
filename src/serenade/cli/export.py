"""``serenade export``: the best epoch of a run becomes a bundle."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def export(
    run: Annotated[Path, typer.Argument(help="Run folder of serenade train.")],
    manifest: Annotated[Path, typer.Option(help="The manifest that it was trained with.")],
    cache: Annotated[Path, typer.Option(help="Folder of the state cache.")] = Path("cache"),
    workers: Annotated[int, typer.Option(min=1, help="Processes that measure the bundle.")] = 1,
) -> None:
    """Calibrate, export and measure the best epoch of a run; the bundle is RUN/bundle."""
    from serenade.cli.messages import print_message
    from serenade.cli.training_output import draw_reading, print_packaged
    from serenade.corpora.manifest import read_manifest
    from serenade.errors import MissingExtraError

    try:
        from serenade.training.classical_run import package_classical
        from serenade.training.package import package
        from serenade.training.run import TrainingRun, read_run_recipe
    except ModuleNotFoundError as error:
        raise MissingExtraError("train", "Exporting a model") from error

    where = TrainingRun(folder=run, noise=None, cache=cache)
    utterances = read_manifest(manifest)
    recipe = read_run_recipe(run)
    if recipe.classical.kind:
        print_packaged(
            package_classical(
                recipe,
                utterances,
                where,
                workers=workers,
                progress=draw_reading,
                log=print_message,
            )
        )
        return
    print_packaged(
        package(where, utterances, workers=workers, progress=draw_reading, log=print_message)
    )
