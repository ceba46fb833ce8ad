"""``serenade benchmark``: recipes trained and judged over the folds of a protocol."""

from __future__ import annotations

import functools
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from serenade.cli.evaluation_output import ResultFormat
from serenade.cli.training_options import (  # noqa: TC001 - typer reads them at run time
    EncoderOption,
    ThreadsOption,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from serenade.corpora.manifest import Utterance
    from serenade.evaluation.protocols import FoldSet
    from serenade.training.recipe import Recipe


def benchmark(
    recipes: Annotated[
        list[Path], typer.Argument(help="One or more TOML files, each with all its variants.")
    ],
    manifest: Annotated[Path, typer.Option(help="Manifest of utterances (JSONL).")],
    output: Annotated[
        Path, typer.Option(help="Folder of runs and results; an interrupted benchmark goes on.")
    ],
    protocol: Annotated[str, typer.Option(help="How to divide.")] = "speaker-kfold",
    corpus: Annotated[
        str | None,
        typer.Option(help="Divide only this corpus; with --joint the others join the training."),
    ] = None,
    joint: Annotated[
        bool, typer.Option("--joint", help="Train on the manifest's other corpora as well.")
    ] = False,
    folds: Annotated[
        Path | None, typer.Option(help="Published folds, for emobox and emo-superb.")
    ] = None,
    n_folds: Annotated[int, typer.Option(min=2, help="For speaker-kfold and random.")] = 5,
    labels: Annotated[
        str, typer.Option(help="Emotions to tell apart: corpus, 4, 6, 7, 8 or 9.")
    ] = "corpus",
    encoder: EncoderOption = None,
    noise: Annotated[
        Path | None, typer.Option(help="Folder of noise recordings for augmentation.")
    ] = None,
    cache: Annotated[Path, typer.Option(help="Folder of the state cache.")] = Path("cache"),
    threads: ThreadsOption = 1,
    workers: Annotated[int, typer.Option(min=1, help="Processes that judge.")] = 1,
    form: Annotated[
        ResultFormat, typer.Option("--format", help="How to print.")
    ] = ResultFormat.TEXT,
    seed: Annotated[int, typer.Option(min=0, help="Of folds and intervals.")] = 0,
) -> None:
    """Train recipes over the folds of a protocol and judge each with its exported bundle.

    Every fold leaves one JSON file in OUTPUT/RECIPE; folds that are there are not done again.
    Several recipes give one table, the best first.
    """
    from serenade.cli.benchmark_output import ranking_text
    from serenade.cli.evaluation_output import to_json_text, write_result
    from serenade.cli.messages import print_message
    from serenade.corpora.manifest import read_manifest
    from serenade.corpora.splits import check_disjoint
    from serenade.errors import MissingExtraError
    from serenade.evaluation.protocols import make_folds
    from serenade.evaluation.training_leaks import audio_digest

    try:
        from serenade.training.recipe_file import with_encoder
        from serenade.training.variants import read_recipes
    except ModuleNotFoundError as error:
        raise MissingExtraError("train", "A benchmark") from error

    divided, others = _parts(read_manifest(manifest), corpus, joint=joint)
    digest = functools.cache(audio_digest)  # a clip is in many folds, and read once
    fold_set = make_folds(
        protocol, divided, n_folds=n_folds, seed=seed, folds_path=folds, audio_digest=digest
    )
    if others:
        for fold in fold_set.folds:
            check_disjoint(others, fold.test, audio_digest=digest)
    for note in fold_set.notes:
        print_message(note)
    summaries = [
        _run(
            recipe if encoder is None else with_encoder(recipe, encoder),
            fold_set,
            output,
            others,
            labels=labels,
            noise=noise,
            cache=cache,
            threads=threads,
            workers=workers,
            seed=seed,
        )
        for path in recipes
        for recipe in read_recipes(path).values()
    ]
    text = (
        to_json_text({"schema": 1, "kind": "benchmarks", "results": summaries})
        if form is ResultFormat.JSON
        else ranking_text(summaries)
    )
    write_result(text, None, form)


def _parts(
    utterances: Sequence[Utterance], corpus: str | None, *, joint: bool
) -> tuple[list[Utterance], list[Utterance]]:
    """Divide the manifest into what the protocol divides and what joins every training part."""
    from serenade.errors import UsageError

    if corpus is None:
        if joint:
            raise UsageError("--joint needs --corpus, which says what is divided and tested")
        return list(utterances), []
    names = sorted({utterance.corpus for utterance in utterances})
    if corpus not in names:
        raise UsageError(f"the manifest has no corpus {corpus!r}; it has {', '.join(names)}")
    divided = [utterance for utterance in utterances if utterance.corpus == corpus]
    others = [utterance for utterance in utterances if utterance.corpus != corpus]
    return divided, others if joint else []


def _run(
    recipe: Recipe,
    fold_set: FoldSet,
    output: Path,
    others: Sequence[Utterance],
    *,
    labels: str,
    noise: Path | None,
    cache: Path,
    threads: int,
    workers: int,
    seed: int,
) -> dict[str, Any]:
    from serenade.cli.messages import print_message
    from serenade.cli.training_output import draw_reading, print_epoch
    from serenade.evaluation.benchmark import run_folds
    from serenade.evaluation.fold_results import BenchmarkPlan
    from serenade.training.benchmark import FoldTrainer, recipe_fingerprint

    folder = output / recipe.name
    trainer = FoldTrainer(
        recipe=recipe,
        folder=folder / "runs",
        also_train=tuple(others),
        noise=noise,
        cache=cache,
        threads=threads,
        on_epoch=print_epoch,
        progress=draw_reading,
        log=print_message,
    )
    plan = BenchmarkPlan(
        title=recipe.name,
        recipe_fingerprint=recipe_fingerprint(recipe, others),
        labels=labels,
        seed=seed,
        command=shlex.join(["serenade", *sys.argv[1:]]),
    )
    return run_folds(fold_set, trainer, folder, plan=plan, workers=workers, progress=print_message)
