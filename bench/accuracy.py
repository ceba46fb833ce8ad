"""Baselines on five corpora under fixed folds, beside published figures.

    OMP_NUM_THREADS=1 python bench/accuracy.py --manifest all.jsonl --folds ../shared/folds --write

For every corpus: the majority class, and a support vector machine on MFCC functionals and on the
full functionals, each as it is and speaker-adapted; mean over folds. ``--results`` names a folder
with results of ``serenade benchmark``, whose rows under the same protocol are added. ``--write``
replaces docs/benchmarks-accuracy.md. No published clip that is absent here is made up: every fold
says how many of its clips are missing.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from serenade.corpora.manifest import read_manifest
from serenade.corpora.registry import corpus
from serenade.evaluation.confusion import accuracy, confusion_matrix, unweighted_average_recall
from serenade.evaluation.protocols import FoldSet, make_folds
from serenade.evaluation.published import published_figures
from serenade.training.classical import class_scores, search
from serenade.training.feature_cache import cached_features
from serenade.training.vectors import (
    SPEAKER_ADAPTED,
    SPEAKER_INDEPENDENT,
    LabelledVectors,
    adapt_to_speakers,
    label_vectors,
)
from serenade.types import Conditioning

if TYPE_CHECKING:
    from collections.abc import Sequence

    from serenade.corpora.manifest import Utterance

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "benchmarks-accuracy.md"
SEED = 0
MAX_SECONDS = 8.0
TRAINED_ANEW = "trained anew for every fold"
FRONT_ENDS = {"mfcc": "SVM on MFCC functionals", "full": "SVM on full functionals"}


@dataclass(frozen=True)
class Setup:
    """How one corpus is divided."""

    corpus: str
    clips: int  # as published, spoken only
    protocol: str
    folds_file: str | None
    text: str


SETUPS = (
    Setup("RAVDESS", 1440, "emobox", "emobox.csv", "EmoBox, 6 folds of 4 speakers"),
    Setup(
        "CREMA-D",
        7442,
        "emo-superb",
        "cremad_emo_superb.csv",
        "EMO-SUPERB, 5 folds by speaker; the development parts are not used",
    ),
    Setup("SAVEE", 480, "emobox", "emobox.csv", "EmoBox, leave one speaker out"),
    Setup("EMO-DB", 535, "loso", None, "leave one speaker out"),
    Setup("TESS", 2800, "loso", None, "the other speaker (one speaker to learn from, C = 1)"),
)


@dataclass(frozen=True)
class FoldFigures:
    """What one system gives on one fold."""

    uar: float
    accuracy: float
    settings: str


@dataclass(frozen=True)
class Line:
    """One row of a table: figures by mode, empty where there are none."""

    system: str
    uar: dict[str, float]
    accuracy: dict[str, float]
    split: str


def main() -> None:
    """Measure and print, or write the page."""
    arguments = parse_arguments()
    if arguments.results_only:
        page = with_results(PAGE.read_text(encoding="utf-8"), arguments.results)
        PAGE.write_text(page, encoding="utf-8")
        return
    utterances = read_manifest(arguments.manifest)
    sections = [introduction()]
    for setup in SETUPS:
        if setup.corpus in arguments.corpora:
            started = time.perf_counter()
            sections.append(section(setup, utterances, arguments))
            seconds = time.perf_counter() - started
            print(f"{setup.corpus}: {seconds:.0f} s", file=sys.stderr, flush=True)
    page = "\n".join(sections)
    print(page)
    if arguments.write:
        PAGE.write_text(page, encoding="utf-8")


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    names = [setup.corpus for setup in SETUPS]
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--manifest", type=Path, required=True, help="all utterances")
    parser.add_argument("--folds", type=Path, required=True, help="folder of the published folds")
    parser.add_argument("--results", type=Path, help="folder of results of serenade benchmark")
    parser.add_argument("--corpora", nargs="+", choices=names, default=names)
    parser.add_argument("--cache", type=Path, default=ROOT / "cache" / "features")
    parser.add_argument("--write", action="store_true", help=f"replace {PAGE.name}")
    parser.add_argument(
        "--results-only",
        action="store_true",
        help=f"renew only the rows of --results in {PAGE.name}, without the baselines",
    )
    arguments = parser.parse_args()
    if arguments.results_only and arguments.results is None:
        parser.error("--results-only needs --results, the folder with the new rows")
    return arguments


def section(setup: Setup, utterances: Sequence[Utterance], arguments: argparse.Namespace) -> str:
    """Measure all baselines on one corpus and tell of them."""
    part = [utterance for utterance in utterances if utterance.corpus == setup.corpus]
    if not part:
        return f"## {setup.corpus}\n\nNot at hand.\n"
    path = None if setup.folds_file is None else arguments.folds / setup.folds_file
    fold_set = make_folds(setup.protocol, part, folds_path=path)
    measured: dict[str, dict[str, list[FoldFigures]]] = {}
    for front_end, title in FRONT_ENDS.items():
        vectors, usable, _ = cached_features(
            part, front_end, Conditioning(), max_seconds=MAX_SECONDS, folder=arguments.cache
        )
        data = label_vectors(vectors, usable)
        adapted = adapt_to_speakers(data)
        if not measured:
            measured["majority class"] = {SPEAKER_INDEPENDENT: majority(data, usable, fold_set)}
        measured[title] = {
            SPEAKER_INDEPENDENT: support_vectors(data, usable, fold_set),
            SPEAKER_ADAPTED: support_vectors(adapted, usable, fold_set),
        }
    lines = [own_line(title, modes) for title, modes in measured.items()]
    lines += benchmark_lines(setup, arguments.results)
    return "\n".join(
        [
            f"## {setup.corpus}\n",
            f"{setup.text[0].upper()}{setup.text[1:]}. {at_hand(setup, part, fold_set)}\n",
            table(lines, published_lines(setup.corpus)),
            fold_table(setup, fold_set, measured),
        ]
    )


def clips_of(
    part: Sequence[Utterance], data: LabelledVectors, usable: Sequence[Utterance]
) -> LabelledVectors:
    """Give the rows of `data`, which are those of `usable`, that belong to `part`."""
    wanted = {utterance.id for utterance in part}
    return data.where(np.array([utterance.id in wanted for utterance in usable]))


def majority(
    data: LabelledVectors, usable: Sequence[Utterance], fold_set: FoldSet
) -> list[FoldFigures]:
    """Answer always the most frequent emotion of the training part."""
    figures = []
    for fold in fold_set.folds:
        train, test = (clips_of(part, data, usable) for part in (fold.train, fold.test))
        answer = np.bincount(train.true).argmax()
        figures.append(measure(test, np.full(test.true.size, answer), data.labels.labels[answer]))
    return figures


def support_vectors(
    data: LabelledVectors, usable: Sequence[Utterance], fold_set: FoldSet
) -> list[FoldFigures]:
    """Search and fit on the training part of each fold, and judge its test part."""
    figures = []
    for fold in fold_set.folds:
        train, test = (clips_of(part, data, usable) for part in (fold.train, fold.test))
        found = search("svm", train, seed=SEED)
        scores = class_scores(found.pipeline, test.vectors, n_labels=len(data.labels))
        figures.append(measure(test, scores.argmax(axis=1), f"C {found.settings['C']:g}"))
    return figures


def measure(test: LabelledVectors, answers: npt.NDArray[np.int64], settings: str) -> FoldFigures:
    """Measure the answers about one test part."""
    confusion = confusion_matrix(test.true, answers, n_labels=len(test.labels))
    return FoldFigures(
        float(unweighted_average_recall(confusion)), float(accuracy(confusion)), settings
    )


def own_line(title: str, modes: dict[str, list[FoldFigures]]) -> Line:
    """Average over folds."""
    chosen = [_counts(figures) for figures in modes.values()]
    return Line(
        f"**{title}**",
        {mode: float(np.mean([f.uar for f in figures])) for mode, figures in modes.items()},
        {mode: float(np.mean([f.accuracy for f in figures])) for mode, figures in modes.items()},
        f"as above; {' / adapted '.join(chosen)}",
    )


def _counts(figures: list[FoldFigures]) -> str:
    """Tell how many folds used which settings."""
    counts = Counter(figure.settings for figure in figures)
    return ", ".join(f"{settings} ({count}×)" for settings, count in sorted(counts.items()))


def _model(folder: Path) -> str:
    """Name the model, with its version, that the folds of a benchmark gave."""
    results = (json.loads(path.read_text("utf-8")) for path in folder.glob("*.json"))
    names = {result["setting"]["model"] for result in results if "setting" in result}
    return " and ".join(sorted(names))


def benchmark_lines(setup: Setup, results: Path | None) -> list[Line]:
    """Give the results of `serenade benchmark` that were made under the same protocol."""
    if results is None:
        return []
    lines = []
    for path in sorted(results.rglob("summary.json")):
        summary: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if summary.get("kind") != "benchmark" or summary["protocol"] != setup.protocol:
            continue
        joint = "--joint" in (summary["command"] or "")
        for group in summary["groups"]:
            if group["corpora"] == [setup.corpus]:
                modes = {SPEAKER_INDEPENDENT: group["mean_over_folds"]}
                if "speaker_adapted" in group:
                    modes[SPEAKER_ADAPTED] = group["speaker_adapted"]["mean_over_folds"]
                lines.append(
                    Line(
                        f"**`{_model(path.parent)}`, {TRAINED_ANEW}**",
                        {mode: means["uar"]["mean"] for mode, means in modes.items()},
                        {mode: means["accuracy"]["mean"] for mode, means in modes.items()},
                        f"as above, {len(group['folds'])} folds"
                        + ("; trained on the other corpora too" if joint else "")
                        + ("; **leaks**" if group["leaks"] else ""),
                    )
                )
    return lines


def with_results(page: str, results: Path) -> str:
    """Put the results of `serenade benchmark` in the place of those that a page has."""
    head, *sections = page.split("\n## ")
    renewed = [head]
    for text in sections:
        setup = next(setup for setup in SETUPS if text.startswith(f"{setup.corpus}\n"))
        new = [row(line) for line in benchmark_lines(setup, results)]
        kept = [line for line in text.split("\n") if not (new and TRAINED_ANEW in line)]
        last = max(i for i, line in enumerate(kept) if line.startswith("| **SVM"))
        renewed.append("\n".join([*kept[: last + 1], *new, *kept[last + 1 :]]))
    return "\n## ".join(renewed)


def published_lines(name: str) -> list[Line]:
    """Give what others have printed."""
    lines: dict[tuple[str, str], Line] = {}
    for figure in published_figures(name):
        split = f"{figure.study}: {figure.split}{'; **leaks**' if figure.leaks else ''}"
        line = lines.setdefault((figure.study, figure.model), Line(figure.model, {}, {}, split))
        line.uar[figure.mode] = figure.uar
        if figure.accuracy is not None:
            line.accuracy[figure.mode] = figure.accuracy
    return sorted(lines.values(), key=lambda line: (line.split, -max(line.uar.values())))


def row(line: Line) -> str:
    """Lay out one row."""
    cells = [
        f"{100 * figures[mode]:.1f}" if mode in figures else "–"
        for mode in (SPEAKER_INDEPENDENT, SPEAKER_ADAPTED)
        for figures in (line.uar, line.accuracy)
    ]
    return f"| {line.system} | {' | '.join(cells)} | {line.split} |"


def table(own: Sequence[Line], published: Sequence[Line]) -> str:
    """Lay out the rows of a corpus."""
    rows = [row(line) for line in (*own, *published)]
    return (
        "| system | UAR | WA | UAR, speaker-adapted | WA, speaker-adapted | split |\n"
        "|---|---|---|---|---|---|\n" + "\n".join(rows) + "\n"
    )


def at_hand(setup: Setup, part: Sequence[Utterance], fold_set: FoldSet) -> str:
    """Say what of the published corpus is used."""
    speakers = len({utterance.speaker for utterance in part})
    left_out = " ".join(
        f"{note[0].upper()}{note[1:]}." for note in fold_set.notes if "left" in note
    )
    leaks = sorted({leak for fold in fold_set.folds for leak in fold.leaks})
    said = f"**These folds leak: {'; '.join(leaks)}.**" if leaks else "No fold shares a speaker."
    return (
        f"{len(part)} of {setup.clips} clips and {speakers} of"
        f" {corpus(setup.corpus).card.speakers} speakers are at hand. {left_out} {said}"
    ).replace("  ", " ")


def fold_table(
    setup: Setup, fold_set: FoldSet, measured: dict[str, dict[str, list[FoldFigures]]]
) -> str:
    """Lay out UAR by fold."""
    columns = [
        (
            f"{title.removeprefix('SVM on ')}{', adapted' if mode == SPEAKER_ADAPTED else ''}",
            figures,
        )
        for title, modes in measured.items()
        for mode, figures in modes.items()
        if title.startswith("SVM")
    ]
    rows = []
    for number, fold in enumerate(fold_set.folds):
        present = len(fold.train) + len(fold.validation) + len(fold.test)
        cells = " | ".join(f"{100 * figures[number].uar:.1f}" for _, figures in columns)
        rows.append(
            f"| {fold.name} | {len(fold.train)} | {len(fold.test)} | {setup.clips - present} |"
            f" {cells} |"
        )
    head = " | ".join(name for name, _ in columns)
    return (
        f"UAR by fold:\n\n| fold | training clips | test clips | missing | {head} |\n"
        f"|---|---|---|---|{'---|' * len(columns)}\n" + "\n".join(rows) + "\n"
    )


def introduction() -> str:
    """Say how the figures were made."""
    return (
        "# Accuracy of baselines under fixed folds\n\n"
        "Written by `bench/accuracy.py`; Serenade"
        f" {version('serenade')}, scikit-learn {version('scikit-learn')}.\n\n"
        "Unweighted average recall (UAR) and accuracy (WA) in %, **mean over the folds**. Rows in"
        " bold were measured here, the others are as published (sources in"
        " `src/serenade/evaluation/published.toml`); theirs use all clips. Where the last"
        " column says **leaks**, the test speakers were in training: not comparable.\n\n"
        "SVM: RBF kernel, balanced, standardised with training clips, C in {1, 10, 100} chosen"
        " within the training part by speaker. Audio is conditioned as for prediction (silence"
        f" trimmed, level normalised) and cut to {MAX_SECONDS:g} s.\n\n"
        "*Speaker-adapted*: each speaker's features are standardised with that speaker's own"
        " clips, without labels. It needs many clips of the test speaker with all emotions in"
        " balance, so it is an upper bound and stands in columns of its own.\n\n"
        "Part of each corpus is kept apart for a final test and missing here: a fold's figure is"
        " over the clips at hand, and folds without any are left out.\n"
    )


if __name__ == "__main__":
    main()
