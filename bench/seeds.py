"""The five classic designs: each under its own leaking split, and on voices it has not heard.

    OMP_NUM_THREADS=1 python bench/seeds.py --manifest all.jsonl --write

Every system is trained by its recipe in recipes/seeds, exported, and judged through its bundle.
Both columns come from the same recipe; only the test part differs: a fifth of the clips, drawn
without regard to who speaks, or speakers that are in no other part. What is finished is kept in the
output folder and not done again. ``--quick`` does it all in minutes with a handful of clips and
one epoch, to see that it works, and stores nothing in docs/.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seeds_page import INDEPENDENT, LEAKING, PAGE, RESULTS, overview, result_file, with_tables
from seeds_page import read_results as read_stored
from serenade.corpora.manifest import read_manifest
from serenade.evaluation.benchmark import run_folds
from serenade.evaluation.confusion import ClassScore
from serenade.evaluation.fold_results import BenchmarkPlan
from serenade.evaluation.protocols import Fold, FoldSet, make_folds
from serenade.training.benchmark import FoldTrainer, recipe_fingerprint
from serenade.training.cache import silent_progress
from serenade.training.comparison import macro_precision
from serenade.training.data import select
from serenade.training.variants import read_recipes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from serenade.corpora.manifest import Utterance
    from serenade.training.fit import EpochRecord
    from serenade.training.recipe import Recipe

ROOT = Path(__file__).resolve().parents[1]
FOLD_SEED = 0
N_FOLDS = 5
QUICK_SPEAKERS, QUICK_CLIPS = 4, 3


@dataclass(frozen=True)
class Seed:
    """One of the five designs.

    Parameters
    ----------
    name : str
        Of its recipe file.
    independent : str
        Protocol whose test speakers are in no other part.
    n_folds : int
        How many folds of it are run.
    corpora : tuple of str
        Used where the recipe names none.
    """

    name: str
    independent: str
    n_folds: int
    corpora: tuple[str, ...] = ()


SEEDS = (
    Seed("four-corpora-classical", "speaker-kfold", 1),
    Seed("tess-lstm", "loso", 2),
    Seed("folder-lstm2", "speaker-kfold", 1, corpora=("RAVDESS",)),
    Seed("tess-cnn-mel", "loso", 2),
    Seed("cnn-bilstm", "speaker-kfold", 1),
)


def main() -> None:
    """Run what is asked for and what is not there yet, and print the table."""
    arguments = parse_arguments()
    utterances = read_manifest(arguments.manifest)
    output = arguments.output / "quick" if arguments.quick else arguments.output
    stored = output / "results" if arguments.quick else RESULTS
    stored.mkdir(parents=True, exist_ok=True)
    for seed in SEEDS:
        if arguments.only and seed.name not in arguments.only:
            continue
        path = ROOT / "recipes" / "seeds" / f"{seed.name}.toml"
        for variant, recipe in read_recipes(path).items():
            if arguments.variant and variant not in arguments.variant:
                continue
            for split in (LEAKING, INDEPENDENT):
                result = measure(seed, variant, recipe, split, utterances, arguments, output)
                text = json.dumps(result, ensure_ascii=False, indent=1) + "\n"
                result_file(stored, seed.name, variant, split).write_text(text, encoding="utf-8")
                say(f"{recipe.name}, {split}: accuracy {result['accuracy']:.3f}")
    results = read_stored(stored)
    print(overview(results))
    if arguments.write and not arguments.quick:
        PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8"), results), encoding="utf-8")


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--manifest", type=Path, required=True, help="all utterances")
    parser.add_argument("--only", nargs="+", choices=[seed.name for seed in SEEDS])
    parser.add_argument("--variant", nargs="+", help="only these systems of a recipe")
    parser.add_argument("--quick", action="store_true", help="a handful of clips, one epoch")
    parser.add_argument("--every", type=int, default=1, help="use every Nth clip of each emotion")
    parser.add_argument("--epochs", type=int, help="at most so many, instead of the recipe's")
    parser.add_argument("--output", type=Path, default=ROOT / "runs" / "seeds")
    parser.add_argument("--cache", type=Path, default=ROOT / "cache")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--write", action="store_true", help=f"replace the tables of {PAGE.name}")
    return parser.parse_args()


def measure(
    seed: Seed,
    variant: str,
    recipe: Recipe,
    split: str,
    utterances: Sequence[Utterance],
    arguments: argparse.Namespace,
    output: Path,
) -> dict[str, Any]:
    """Train and judge one system under one split."""
    corpora = recipe.data.corpora or seed.corpora
    recipe = replace(recipe, data=replace(recipe.data, corpora=corpora))
    chosen = select(utterances, recipe)
    if arguments.quick:
        chosen = a_handful(chosen)
    chosen = every(chosen, arguments.every)
    epochs = 1 if arguments.quick else arguments.epochs
    if epochs:
        recipe = replace(recipe, optimiser=replace(recipe.optimiser, epochs=epochs))
    fold_set = folds(seed, split, chosen)
    folder = output / recipe.name / split
    trainer = FoldTrainer(
        recipe=recipe,
        folder=folder / "runs",
        also_train=(),
        noise=None,
        cache=arguments.cache,
        threads=arguments.threads,
        on_epoch=say_epoch,
        progress=silent_progress,
        log=say,
    )
    plan = BenchmarkPlan(
        title=recipe.name,
        recipe_fingerprint=recipe_fingerprint(recipe, ()),
        command=shlex.join(["python", "bench/seeds.py", *sys.argv[1:]]),
    )
    say(f"{recipe.name}, {split}")
    summary = run_folds(
        fold_set, trainer, folder, plan=plan, workers=arguments.workers, progress=say
    )
    figures = summary["groups"][0]["pooled"]
    return {
        "schema": 1,
        "seed": seed.name,
        "variant": variant,
        "split": split,
        "protocol": protocol_text(fold_set),
        "leaks": summary["leaks"],
        "random_seed": recipe.seed,
        "every": arguments.every,
        "epochs": epochs_done(folder / "runs"),
        "train_clips": sum(len(fold.train) for fold in fold_set.folds),
        "test_clips": figures["clips"],
        "test_speakers": len({u.speaker_key for fold in fold_set.folds for u in fold.test}),
        "corpora": list(corpora),
        "labels": figures["labels"],
        "accuracy": figures["accuracy"],
        "precision": macro_precision(ClassScore(**entry) for entry in figures["classes"]),
        "uar": figures["uar"],
        "f1": figures["macro_f1"],
        "uar_95": [figures["intervals"]["uar"][end] for end in ("low", "high")],
        "classes": figures["classes"],
        "confusion": figures["confusion"],
        "last_epoch": last_epoch(folder / "runs"),
        "command": plan.command,
    }


def folds(seed: Seed, split: str, utterances: Sequence[Utterance]) -> FoldSet:
    """Divide utterances, and write into each on which side it stands."""
    leaking = split == LEAKING
    fold_set = make_folds(
        "random" if leaking else seed.independent, utterances, n_folds=N_FOLDS, seed=FOLD_SEED
    )
    kept = fold_set.folds[: 1 if leaking else seed.n_folds]
    return FoldSet(fold_set.protocol, tuple(with_sides(fold) for fold in kept), fold_set.notes)


def with_sides(fold: Fold) -> Fold:
    """Say of every clip whether it is for training or for the test, as folders would."""
    return replace(
        fold,
        train=tuple(replace(utterance, split="train") for utterance in fold.train),
        test=tuple(replace(utterance, split="test") for utterance in fold.test),
    )


def protocol_text(fold_set: FoldSet) -> str:
    """Say how the clips were divided."""
    if fold_set.protocol == "loso":
        return "leave one speaker out, both"
    return f"{fold_set.protocol}, fold 1 of {N_FOLDS}"


def a_handful(utterances: Sequence[Utterance]) -> list[Utterance]:
    """Keep a few clips of each emotion of a few speakers of each corpus."""
    speakers: dict[str, list[str]] = {}
    for utterance in utterances:
        known = speakers.setdefault(utterance.corpus, [])
        if len(known) < QUICK_SPEAKERS and str(utterance.speaker_key) not in known:
            known.append(str(utterance.speaker_key))
    taken: Counter[tuple[str, str]] = Counter()
    kept = []
    for utterance in utterances:
        key = (str(utterance.speaker_key), utterance.emotion)
        if key[0] in speakers[utterance.corpus] and taken[key] < QUICK_CLIPS:
            taken[key] += 1
            kept.append(utterance)
    return kept


def every(utterances: Sequence[Utterance], step: int) -> list[Utterance]:
    """Keep every so many-th clip of each speaker and emotion, the first included."""
    seen: Counter[tuple[str, str]] = Counter()
    kept = []
    for utterance in utterances:
        key = (str(utterance.speaker_key), utterance.emotion)
        if seen[key] % step == 0:
            kept.append(utterance)
        seen[key] += 1
    return kept


def epochs_done(runs: Path) -> int:
    """Count the epochs of the longest run; 0 for models without epochs."""
    return max((len(lines) for lines in _metrics(runs)), default=0)


def last_epoch(runs: Path) -> dict[str, Any] | None:
    """Give the record of the last epoch of the first run, which shows how far it over-fits."""
    metrics = _metrics(runs)
    return json.loads(metrics[0][-1]) if metrics else None


def _metrics(runs: Path) -> list[list[str]]:
    files = sorted(runs.glob("*/metrics.jsonl"))
    return [path.read_text(encoding="utf-8").splitlines() for path in files]


def say_epoch(record: EpochRecord, n_epochs: int) -> None:
    """Tell that an epoch is through."""
    say(f"epoch {record.epoch}/{n_epochs}: {record.seconds:.0f} s, loss {record.train_loss:.3f}")


def say(text: str) -> None:
    """Tell what is going on."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
