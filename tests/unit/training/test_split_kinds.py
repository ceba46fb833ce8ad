"""Splits of a training run: by speaker, by chance, by folder; and what a leaking one says."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from serenade.cli.plot_output import draw_curves
from serenade.cli.training_output import print_epoch, print_packaged
from serenade.corpora.manifest import Utterance, read_manifest
from serenade.errors import SplitError
from serenade.model.spec import read_spec
from serenade.training.cache import silent_progress
from serenade.training.data import split
from serenade.training.package import Packaged, package
from serenade.training.recipe import NetworkRecipe, Recipe, SplitRecipe
from serenade.training.run import TrainingRun, read_run_speakers, train

if TYPE_CHECKING:
    from pathlib import Path

    from serenade.training.fit import EpochRecord


def _folders(utterances: list[Utterance]) -> list[Utterance]:
    """Put speaker d into test/."""
    return [replace(u, split="test" if u.speaker == "d" else "train") for u in utterances]


def _trained(recipe: Recipe, utterances: list[Utterance], folder: Path) -> Packaged:
    run = TrainingRun(folder, noise=None, cache=folder.parent / "cache")
    records: list[EpochRecord] = []
    train(
        recipe,
        utterances,
        run,
        threads=1,
        on_epoch=lambda record, n_epochs: records.append(record),
        progress=silent_progress,
    )
    print_epoch(records[-1], len(records))
    return package(run, utterances, workers=1, progress=silent_progress, log=lambda text: None)


@pytest.fixture
def recipe(toy_recipe: Recipe) -> Recipe:
    return replace(
        toy_recipe,
        network=NetworkRecipe(name="cnn", width=8, dense=(8,)),
        optimiser=replace(toy_recipe.optimiser, epochs=1),
    )


def test_a_random_split_takes_the_share_of_each_emotion_and_tells_that_it_leaks(
    toy_manifest: Path,
) -> None:
    utterances = read_manifest(toy_manifest)
    parts = split(utterances, SplitRecipe(kind="random", validation_share=0.25))
    assert len(parts.validation) == 8
    assert sum(utterance.emotion == "anger" for utterance in parts.validation) == 4
    assert not {u.id for u in parts.train} & {u.id for u in parts.validation}
    (leak,) = parts.leaks
    assert "speakers are in both parts (toy/" in leak
    assert split(utterances, SplitRecipe()).leaks == ()


def test_a_split_by_speaker_refuses_unknown_speakers(toy_manifest: Path) -> None:
    nobody = [replace(u, speaker=None) for u in read_manifest(toy_manifest)]
    with pytest.raises(SplitError, match="32 of 32 utterances have no known speaker"):
        split(nobody, SplitRecipe())


def test_a_folder_split_follows_the_folders(toy_manifest: Path) -> None:
    parts = split(_folders(read_manifest(toy_manifest)), SplitRecipe(kind="folder"))
    assert {utterance.speaker for utterance in parts.test} == {"d"}
    assert {utterance.speaker for utterance in parts.train} == {"a", "b", "c"}
    assert parts.validation == ()
    assert parts.leaks == ()
    unknown = [replace(u, speaker=None) for u in _folders(read_manifest(toy_manifest))]
    leaks = split(unknown, SplitRecipe(kind="folder")).leaks
    assert leaks == ("32 utterances have no known speaker, so a shared one may hide there",)


def test_a_folder_split_of_a_manifest_without_folders_is_one_clear_error(
    toy_manifest: Path,
) -> None:
    with pytest.raises(SplitError, match="no utterance of the manifest has the split 'train'"):
        split(read_manifest(toy_manifest), SplitRecipe(kind="folder"))


def test_every_output_of_a_leaking_run_says_so(
    recipe: Recipe,
    toy_manifest: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    leaking = replace(recipe, split=SplitRecipe(kind="random", validation_share=0.25))
    packaged = _trained(leaking, read_manifest(toy_manifest), tmp_path / "run")
    print_packaged(packaged)
    printed = capsys.readouterr()
    assert "LEAKING validation loss" in printed.err
    assert "may have HEARD (the split leaks)" in printed.out
    assert "speakers are in both parts" in printed.out
    assert "unseen" not in printed.out
    line = json.loads((tmp_path / "run" / "metrics.jsonl").read_text(encoding="utf-8"))
    assert line["leaking"] is True
    assert json.loads((tmp_path / "run" / "split.json").read_text(encoding="utf-8"))["leaks"]
    card = (packaged.folder / "CARD.md").read_text(encoding="utf-8")
    assert "THE SPLIT LEAKS" in card
    assert "speakers that the model never heard" not in card
    metrics = read_spec(packaged.folder / "spec.json").metrics
    assert "validation_speakers" not in metrics
    assert metrics["validation_clips"]["toy"]["clips"] == 8
    assert "leaks)" in (tmp_path / "run" / "curves.html").read_text(encoding="utf-8")
    pytest.importorskip("matplotlib")
    from serenade.plots import style

    titles = []
    monkeypatch.setattr(style, "save_figure", lambda drawn, _: titles.append(drawn.get_suptitle()))
    draw_curves(tmp_path / "run", title="toy")
    assert titles == ["toy (validation leaks)"]
    assert "LEAKS" in packaged.results["toy"].setting.leak_statement


def test_the_test_folder_is_judged_at_the_end_with_the_last_epoch(
    recipe: Recipe, toy_manifest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    by_folder = replace(recipe, split=SplitRecipe(kind="folder"))
    packaged = _trained(by_folder, _folders(read_manifest(toy_manifest)), tmp_path / "run")
    print_packaged(packaged)
    printed = capsys.readouterr()
    assert "no validation clips" in printed.err
    assert packaged.test is not None
    right, share = packaged.test.n_right, 100 * packaged.test.n_right / 8
    assert f"accuracy {right}/8 ({share:.0f}%)" in printed.out
    assert f"average loss {packaged.test.loss:.4f}" in printed.out
    assert packaged.results["toy"].closed.metrics.n_clips == 8
    assert read_spec(packaged.folder / "spec.json").metrics["test_folder"]["toy"]["speakers"] == 1
    assert read_run_speakers(tmp_path / "run")["validation"] == []


def test_a_corpus_of_train_only_that_nobody_knows_is_refused(toy_manifest: Path) -> None:
    utterances = read_manifest(toy_manifest)
    with pytest.raises(SplitError, match="names the corpus 'RAVDES', which is unknown"):
        split(utterances, SplitRecipe(train_only=("RAVDES",)))
    assert split(utterances, SplitRecipe(train_only=("RAVDESS",))).validation


def test_a_corpus_of_one_emotion_is_passed_over_when_the_bundle_is_measured(
    recipe: Recipe, toy_manifest: Path, tmp_path: Path
) -> None:
    utterances = read_manifest(toy_manifest)
    alone = [
        replace(u, id=f"alone-{u.id}", corpus="ALONE")
        for u in utterances
        if u.emotion == utterances[0].emotion
    ]
    _trained(recipe, [*utterances, *alone], tmp_path / "run")
    measured = read_spec(tmp_path / "run" / "bundle" / "spec.json").metrics
    assert measured
    assert "ALONE" not in str(measured)
