"""``serenade benchmark`` looks for equal recordings before anything is trained."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import typer
from typer.testing import CliRunner

from serenade.cli.benchmark import benchmark
from serenade.corpora.manifest import Utterance, write_manifest
from serenade.errors import SplitError
from serenade.evaluation import training_leaks

if TYPE_CHECKING:
    from pathlib import Path

    from serenade.evaluation.protocols import FoldSet


@pytest.fixture
def folds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[FoldSet]:
    """Collect the folds that would be trained."""
    seen: list[FoldSet] = []

    def collect(fold_set: FoldSet, *_: Any, **__: Any) -> dict[str, Any]:
        seen.append(fold_set)
        return {}

    monkeypatch.setattr("serenade.evaluation.benchmark.run_folds", collect)
    (tmp_path / "svm.toml").write_text('name = "svm"\n[classical]\nkind = "svm"\n')
    for number in range(4):
        (tmp_path / f"{number}.wav").write_bytes(bytes([number]))
    write_manifest(
        tmp_path / "twice.jsonl",
        [
            Utterance(
                f"{corpus}-{number}", str(tmp_path / f"{number}.wav"), "anger", f"{number}", corpus
            )
            for corpus in ("ONE", "MIRROR")
            for number in range(4)
        ],
    )
    return seen


def _benchmark(folder: Path, *options: object) -> Any:
    app = typer.Typer(add_completion=False)
    app.command()(benchmark)
    arguments = (folder / "svm.toml", "--manifest", folder / "twice.jsonl", "--format", "json")
    return CliRunner().invoke(
        app, [str(a) for a in (*arguments, "--output", folder / "out", *options)]
    )


def test_the_same_recordings_under_another_name_are_a_leak_and_are_read_once(
    folds: list[FoldSet], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, digested = training_leaks.audio_digest, []

    def count(utterance: Utterance) -> str:
        digested.append(utterance.id)
        return real(utterance)

    monkeypatch.setattr(training_leaks, "audio_digest", count)
    result = _benchmark(tmp_path, "--protocol", "cross-corpus")
    assert result.exit_code == 0, result.output
    leaks = [fold.leaks[0] for fold in folds[0].folds]
    assert [leak.split(" (")[0] for leak in leaks] == ["4 recordings are in both parts"] * 2
    assert "2 of 2 folds of protocol cross-corpus leak" in result.stderr
    assert sorted(digested) == sorted(set(digested))


def test_joint_training_on_the_tested_recordings_is_refused(
    folds: list[FoldSet], tmp_path: Path
) -> None:
    result = _benchmark(tmp_path, "--corpus", "ONE", "--joint", "--n-folds", 2)
    assert isinstance(result.exception, SplitError)
    assert "the split leaks: 2 recordings are in both parts" in str(result.exception)
    assert folds == []
