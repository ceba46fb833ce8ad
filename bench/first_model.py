"""The bundled network beside a support vector machine on MFCC functionals, on the same speakers.

    OMP_NUM_THREADS=1 python bench/first_model.py --manifest all.jsonl

Both learn from the training speakers of the recipe's split and are judged on the same clips of its
validation speakers, in this run. The machine is trained twice, on all corpora together and on each
corpus by itself, its settings chosen by speaker within the training part; the network is put beside
the better of the two, chosen on the very clips that are judged, which favours the machine. The
network goes through :class:`serenade.Recognizer`. Its epoch and temperature were chosen on these
validation speakers, which favours the network. Answers are limited to the emotions of the corpus.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from serenade.corpora.collection import scan_collection
from serenade.corpora.manifest import read_manifest
from serenade.evaluation.bootstrap import (
    Interval,
    Units,
    difference_interval,
    interval,
    resampling_units,
)
from serenade.evaluation.confusion import unweighted_average_recall
from serenade.evaluation.judge import judge
from serenade.evaluation.readings import Labelling, choose_labelling, closed_reading
from serenade.inference.recognizer import Recognizer
from serenade.model.bundle import open_bundle
from serenade.model.store import resolve
from serenade.training.classical import Search, class_scores, search
from serenade.training.data import select, split
from serenade.training.feature_cache import cached_features
from serenade.training.recipe_file import read_recipe
from serenade.training.vectors import label_vectors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from serenade.corpora.manifest import Utterance
    from serenade.training.recipe import Recipe
    from serenade.types import FloatArray

ROOT = Path(__file__).resolve().parents[1]
SEED = 0
FRONT_END = "mfcc"
HELD_BACK = "Speakers held back for validation: "

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Part:
    """Utterances with their vectors, row by row."""

    utterances: list[Utterance]
    vectors: FloatArray

    def of_corpus(self, name: str) -> Part:
        """Give those of one corpus."""
        keep = np.array([utterance.corpus == name for utterance in self.utterances])
        return Part([u for u in self.utterances if u.corpus == name], self.vectors[keep])


@dataclass(frozen=True)
class Row:
    """One corpus of the table."""

    corpus: str
    clips: int
    speakers: int
    joint: Interval
    own: Interval
    network: Interval
    difference: Interval


def main() -> None:
    """Train, judge and print."""
    arguments = parse_arguments()
    recipe = read_recipe(arguments.recipe)
    parts = split(select(all_utterances(arguments.manifest), recipe), recipe.split)
    check_held_back(arguments.model, parts.validation)
    train = read_part(parts.train, recipe, arguments.cache)
    validation = read_part(parts.validation, recipe, arguments.cache)
    recognizer = Recognizer.load(arguments.model)

    print(f"support vector machine on all corpora: {len(train.utterances)} clips", file=sys.stderr)
    joint = search("svm", label_vectors(train.vectors, train.utterances), seed=SEED)
    joint_emotions = label_vectors(train.vectors, train.utterances).labels.labels
    rows = []
    for name in sorted({utterance.corpus for utterance in validation.utterances}):
        print(f"{name}: own machine and {recognizer.model_id}", file=sys.stderr)
        own_train = train.of_corpus(name)
        own_data = label_vectors(own_train.vectors, own_train.utterances)
        own = search("svm", own_data, seed=SEED)
        machines = {"joint": (joint, joint_emotions), "own": (own, own_data.labels.labels)}
        # The emotions of the whole corpus: a speaker who acted few must not make the task easier.
        labelling = choose_labelling("corpus", own_train.utterances)
        rows.append(compare(name, validation.of_corpus(name), machines, recognizer, labelling))
    print_table(rows, recognizer.model_id, joint)


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--manifest", type=Path, help="all utterances; default: ../shared/data")
    parser.add_argument("--model", default="compact", help="bundled name or folder")
    parser.add_argument("--recipe", type=Path, default=ROOT / "recipes" / "compact.toml")
    parser.add_argument("--cache", type=Path, default=ROOT / "cache" / "features")
    return parser.parse_args()


def all_utterances(manifest: Path | None) -> list[Utterance]:
    """Read the manifest, or scan the corpora beside the repository."""
    if manifest is not None:
        return read_manifest(manifest)
    return list(scan_collection(ROOT.parent / "shared" / "data").utterances)


def check_held_back(model: str, validation: Sequence[Utterance]) -> None:
    """Refuse a model whose card names other validation speakers than the split."""
    card = open_bundle(resolve(model)).card
    lines = [line for line in card.splitlines() if line.startswith(HELD_BACK)]
    named = set(lines[0].removeprefix(HELD_BACK).rstrip(".").split(", ")) if lines else set()
    if named != {utterance.speaker_key for utterance in validation}:
        raise SystemExit(
            f"the card of {model} does not hold back the speakers that the recipe sets aside:"
            " the comparison would leak; give the manifest and recipe that it was trained with"
        )


def read_part(utterances: Sequence[Utterance], recipe: Recipe, cache: Path) -> Part:
    """Compute the vectors of utterances; clips that cannot be used are left out for both."""
    vectors, usable, failed = cached_features(
        utterances,
        FRONT_END,
        recipe.conditioning,
        max_seconds=recipe.data.max_seconds,
        folder=cache,
    )
    for utterance, error in failed:
        print(f"left out {utterance.id}: {error}", file=sys.stderr)
    return Part(usable, vectors)


def compare(
    name: str,
    part: Part,
    machines: dict[str, tuple[Search, tuple[str, ...]]],
    recognizer: Recognizer,
    labelling: Labelling,
) -> Row:
    """Judge the validation clips of one corpus with all models."""
    judgement = judge(recognizer, part.utterances)
    if judgement.failures:
        raise SystemExit(f"{name}: {judgement.failures[0].id}: {judgement.failures[0].message}")
    reading = closed_reading(judgement.answers, labelling)
    units = resampling_units(reading.speakers)
    n_labels = len(labelling.labels)
    answers = {
        title: restricted_answers(machine, emotions, part.vectors, labelling.labels)
        for title, (machine, emotions) in machines.items()
    }
    intervals = {
        title: uar(reading.true, predicted, units, n_labels)
        for title, predicted in (*answers.items(), ("network", reading.predicted))
    }
    better = max(answers, key=lambda title: intervals[title].value)
    difference = difference_interval(
        reading.true,
        answers[better],
        reading.predicted,
        units,
        unweighted_average_recall,
        n_labels=n_labels,
        seed=SEED,
    )
    n_speakers = len(set(reading.speakers))
    return Row(name, len(part.utterances), n_speakers, **intervals, difference=difference)


def restricted_answers(
    machine: Search, emotions: tuple[str, ...], vectors: FloatArray, labels: tuple[str, ...]
) -> Integers:
    """Give the best-scored of the wanted emotions for each clip, as positions in `labels`."""
    scores = class_scores(machine.pipeline, vectors, n_labels=len(emotions))
    wanted = [emotions.index(label) for label in labels]
    return np.asarray(scores[:, wanted].argmax(axis=1), np.int64)


def uar(true: Integers, predicted: Integers, units: Units, n_labels: int) -> Interval:
    """Measure with an interval by speaker."""
    statistic = unweighted_average_recall
    return interval(true, predicted, units, statistic, n_labels=n_labels, seed=SEED)


def print_table(rows: Sequence[Row], model_id: str, joint: Search) -> None:
    """Print the comparison as Markdown."""
    print(
        f"UAR in % on validation speakers (95 % interval, resampled by speaker; * by clip, as there"
        f" is one speaker: too narrow).\nSVM: RBF on {FRONT_END} functionals, balanced,"
        f" C chosen by speaker (joint: {joint.settings['C']:g}). The difference is"
        f" {model_id} less the better SVM, on the same clips.\n"
    )
    print(f"| corpus | clips | speakers | SVM, all corpora | SVM, own corpus | {model_id} | gain |")
    print("|---|---|---|---|---|---|---|")
    for row in rows:
        cells = (percent(cell) for cell in (row.joint, row.own, row.network, row.difference))
        print(f"| {row.corpus} | {row.clips} | {row.speakers} | {' | '.join(cells)} |")
    better = [max(row.joint.value, row.own.value) for row in rows]
    means = (
        np.mean([row.joint.value for row in rows]),
        np.mean([row.own.value for row in rows]),
        np.mean([row.network.value for row in rows]),
        np.mean([row.network.value for row in rows]) - np.mean(better),
    )
    print(f"| mean | | | {' | '.join(f'{100 * mean:.1f}' for mean in means)} |")
    above = sum(row.difference.low > 0 for row in rows)
    below = sum(row.difference.high < 0 for row in rows)
    print(
        f"\n{model_id} is better on {sum(row.difference.value > 0 for row in rows)} of"
        f" {len(rows)} corpora; the interval lies above 0 on {above} and below 0 on {below}."
    )


def percent(figure: Interval) -> str:
    """Write a figure with its interval in percent."""
    star = "*" if figure.unit == "clips" else ""
    return f"{100 * figure.value:.1f} ({100 * figure.low:.1f} to {100 * figure.high:.1f}){star}"


if __name__ == "__main__":
    main()
