"""``serenade ensemble``: several models become one that averages their probabilities."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads it
from typing import Annotated

import typer


def ensemble(
    models: Annotated[
        list[str], typer.Argument(help="Names of bundled models or folders of models, two or more.")
    ],
    output: Annotated[Path, typer.Option(help="Folder to make; its name is that of the model.")],
    weights: Annotated[
        str | None, typer.Option(help="One for each model, as 0.7,0.3; all alike by default.")
    ] = None,
    version: Annotated[str, typer.Option(help="Version of the new model.")] = "1.0.0",
) -> None:
    """Join models that take the waveform into one bundle with one graph.

    The answer is the weighted mean of their calibrated probabilities over the emotions that all
    of them know.
    """
    from serenade.errors import MissingExtraError
    from serenade.model.store import resolve

    try:
        from serenade.training.ensemble import build_ensemble
    except ModuleNotFoundError as error:
        raise MissingExtraError("train", "Joining models") from error

    numbers = [1.0] * len(models) if weights is None else _parse_weights(weights)
    paths = [resolve(name) for name in models]
    difference = build_ensemble(paths, numbers, output, version=version)
    print(f"{output}: answers as its members together, within {difference:.1e}")


def _parse_weights(text: str) -> list[float]:
    from serenade.errors import UsageError

    try:
        return [float(part) for part in text.split(",")]
    except ValueError as error:
        raise UsageError(f"--weights {text!r} must be numbers with commas, as 0.7,0.3") from error
