"""Logs of epochs: what TensorBoard and MLflow read back is what was trained."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from serenade.errors import MissingExtraError, UsageError
from serenade.training.fit import EpochRecord
from serenade.training.logs import figures, open_logs
from serenade.training.recipe_file import parse_recipe

if TYPE_CHECKING:
    from pathlib import Path

RECIPE = parse_recipe({"name": "toy", "optimiser": {"epochs": 3}})


def _record(epoch: int, *, validated: bool = True) -> EpochRecord:
    return EpochRecord(
        epoch=epoch,
        train_loss=2.0 / epoch,
        train_uar=0.25,
        train_accuracy=0.5,
        validation_loss=1.5 if validated else None,
        validation_uar=0.3 if validated else None,
        validation_uar_by_corpus={"RAVDESS": 0.3} if validated else {},
        validation_accuracy=0.4 if validated else None,
        leaking=False,
        seconds=1.0,
    )


def test_figures_are_named_by_part_and_left_out_where_there_are_none() -> None:
    named = figures(_record(2))
    assert named["train/loss"] == 1.0
    assert named["validation/uar RAVDESS"] == 0.3
    assert not any("validation" in name for name in figures(_record(1, validated=False)))


def test_tensorboard_reads_every_epoch_of_a_run_that_was_interrupted(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    for epochs in ((1, 2), (3,)):
        with open_logs(["tensorboard"], RECIPE, tmp_path) as logs:
            for epoch in epochs:
                for log in logs:
                    log(_record(epoch), 3)
    events = EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    losses = {event.step: event.value for event in events.Scalars("train/loss")}
    assert losses == pytest.approx({1: 2.0, 2: 1.0, 3: 2.0 / 3.0})
    assert "recipe/text_summary" in events.Tags()["tensors"]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # those of mlflow about itself
def test_mlflow_keeps_one_run_for_a_run_that_was_interrupted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mlflow = pytest.importorskip("mlflow")
    pytest.importorskip("sqlalchemy")
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    for epochs in ((1, 2), (3,)):
        with open_logs(["mlflow"], RECIPE, tmp_path) as logs:
            for epoch in epochs:
                for log in logs:
                    log(_record(epoch), 3)
    client = mlflow.MlflowClient(tracking_uri=f"sqlite:///{tmp_path}/mlflow.db")
    experiment = client.get_experiment_by_name("toy")
    (run,) = client.search_runs([experiment.experiment_id])
    assert run.data.params["optimiser.epochs"] == "3"
    history = client.get_metric_history(run.info.run_id, "train/loss")
    assert [(metric.step, metric.value) for metric in history] == [
        (1, 2.0),
        (2, 1.0),
        (3, pytest.approx(2.0 / 3.0)),
    ]


def test_without_logs_nothing_is_made(tmp_path: Path) -> None:
    with open_logs([], RECIPE, tmp_path / "run") as logs:
        assert logs == []
    assert not (tmp_path / "run").exists()


def test_an_unknown_log_and_a_missing_library_are_one_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        pytest.raises(UsageError, match="choose among tensorboard, mlflow"),
        open_logs(["wandb"], RECIPE, tmp_path),
    ):
        pass
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with (
        pytest.raises(MissingExtraError, match=r'pip install "serenade\[mlflow\]"'),
        open_logs(["mlflow"], RECIPE, tmp_path),
    ):
        pass
