"""Epochs as they finish, to TensorBoard or MLflow, beside the run's own ``metrics.jsonl``."""

from __future__ import annotations

import os
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from serenade.errors import MissingExtraError, TrainingError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from serenade.training.fit import EpochRecord
    from serenade.training.recipe import Recipe

    OnEpoch = Callable[[EpochRecord, int], None]

LOGS = ("tensorboard", "mlflow")


@contextmanager
def open_logs(kinds: Sequence[str], recipe: Recipe, folder: Path) -> Iterator[list[OnEpoch]]:
    """Open what epochs are logged to.

    Parameters
    ----------
    kinds : sequence of {"tensorboard", "mlflow"}
        TensorBoard writes event files into the run folder. MLflow writes to the server that
        ``MLFLOW_TRACKING_URI`` names, or else into ``mlflow.db`` in the run folder; a run that
        goes on after an interruption goes on there as well.
    recipe : Recipe
        Logged once, as text or parameters.
    folder : Path
        Run folder; made if it is missing.

    Yields
    ------
    list of callable
        To be called with each record and the number of epochs.

    Raises
    ------
    UsageError
        If a kind is unknown.
    MissingExtraError
        If its library is not installed.
    TrainingError
        If the run folder cannot be written.
    """
    for kind in kinds:
        if kind not in LOGS:
            raise UsageError(f"log {kind!r} is unknown; choose among {', '.join(LOGS)}")
    with ExitStack() as stack:
        opened: list[OnEpoch] = []
        if kinds:
            _make(folder)
        if "tensorboard" in kinds:
            opened.append(stack.enter_context(_tensorboard(recipe, folder)))
        if "mlflow" in kinds:
            opened.append(stack.enter_context(_mlflow(recipe, folder)))
        yield opened


def figures(record: EpochRecord) -> dict[str, float]:
    """Name the figures of an epoch as ``part/figure``.

    Parameters
    ----------
    record : EpochRecord
        Of a finished epoch.

    Returns
    -------
    dict of str to float
        Those that there are; without validation clips only ``train/`` and ``seconds``.
    """
    named: dict[str, float] = {"seconds": record.seconds}
    for key, value in asdict(record).items():
        part, _, figure = key.partition("_")
        if part in ("train", "validation") and isinstance(value, int | float):
            named[f"{part}/{figure}"] = float(value)
    for corpus, uar in record.validation_uar_by_corpus.items():
        named[f"validation/uar {corpus}"] = uar
    return named


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TrainingError(
            f"the run folder {str(folder)!r} cannot be written ({error.strerror})"
        ) from error


@contextmanager
def _tensorboard(recipe: Recipe, folder: Path) -> Iterator[OnEpoch]:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ModuleNotFoundError as error:
        raise MissingExtraError("train", "Logging to TensorBoard") from error
    writer: Any
    with SummaryWriter(folder / "tensorboard") as writer:
        writer.add_text("recipe", _recipe_table(recipe))

        def log(record: EpochRecord, n_epochs: int) -> None:  # noqa: ARG001 - as others are called
            for name, value in figures(record).items():
                writer.add_scalar(name, value, record.epoch)
            writer.flush()

        yield log


@contextmanager
def _mlflow(recipe: Recipe, folder: Path) -> Iterator[OnEpoch]:
    try:
        import mlflow
    except ModuleNotFoundError as error:
        raise MissingExtraError("mlflow", "Logging to MLflow") from error
    uri = os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{folder.resolve()}/mlflow.db"
    client = mlflow.MlflowClient(tracking_uri=uri)
    run_id = _mlflow_run(client, recipe, folder)

    def log(record: EpochRecord, n_epochs: int) -> None:  # noqa: ARG001 - as others are called
        for name, value in figures(record).items():
            client.log_metric(run_id, name, value, step=record.epoch)

    yield log
    client.set_terminated(run_id)


def _mlflow_run(client: Any, recipe: Recipe, folder: Path) -> str:  # noqa: ANN401 - no types
    """Find the run that this folder began, or begin one."""
    tag = "serenade.run_folder"
    place = str(folder.resolve())
    experiment = client.get_experiment_by_name(recipe.name)
    number = experiment.experiment_id if experiment else client.create_experiment(recipe.name)
    quoted = place.replace("'", "\\'")
    found = client.search_runs([number], filter_string=f"tags.`{tag}` = '{quoted}'")
    if found:
        return str(found[0].info.run_id)
    run_id = str(client.create_run(number, tags={tag: place}).info.run_id)
    for name, value in _flat(recipe.to_json()).items():
        client.log_param(run_id, name, value)
    return run_id


def _recipe_table(recipe: Recipe) -> str:
    rows = "\n".join(f"| {name} | {value} |" for name, value in _flat(recipe.to_json()).items())
    return f"| key | value |\n|---|---|\n{rows}"


def _flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = value
    return flat
