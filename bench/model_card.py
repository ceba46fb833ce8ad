"""Complete the card of a bundle with what is measured apart from its training.

    python bench/model_card.py BUNDLE --folds DIR --across DIR --robustness FILE --seeds RUN RUN

``--folds``: results of ``serenade benchmark`` with the bundle's recipe, a folder for each corpus:
what the recipe gives on speakers left out in turn. ``--across``: the same with the protocol
``leave-corpus-out`` or ``leave-language-out``: what it gives on what it heard nothing of.
``--robustness``: from ``bench/robustness.py``. ``--seeds``: run folders of the recipe with other
seeds: how far two trainings of it lie apart. All of it takes the place of what an earlier call
wrote; the checksums are renewed.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from serenade.model.bundle import write_checksums

if TYPE_CHECKING:
    from collections.abc import Sequence

FIRST, LAST = "<!-- measured apart: bench/model_card.py -->\n", "<!-- end of measured apart -->\n"
BEFORE = "## Limits\n"
LANGUAGES = {"am": "Amharic", "de": "German", "en": "English", "pl": "Polish", "tr": "Turkish"}


def main() -> None:
    """Write the sections for which results are given."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--folds", type=Path, help="folder of results by corpus")
    parser.add_argument(
        "--across", type=Path, nargs="+", default=[], help="of leave-corpus-out, -language-out"
    )
    parser.add_argument("--robustness", type=Path, help="of bench/robustness.py")
    parser.add_argument("--seeds", type=Path, nargs="+", default=[], help="run folders")
    arguments = parser.parse_args()
    sections = []
    if arguments.folds:
        paths = sorted(arguments.folds.glob("*/summary.json"))
        groups = [_groups(path)[0] for path in paths]
        sections += [folds_section(groups, how=_training(paths[0])), people_section(groups)]
    if arguments.across:
        groups = [g for path in arguments.across for g in _groups(path / "summary.json")]
        sections.append(across_section(groups))
    if arguments.robustness:
        sections.append(robustness_section(json.loads(arguments.robustness.read_text("utf-8"))))
    if arguments.seeds:
        sections.append(seeds_section(arguments.seeds))
    card = arguments.bundle / "CARD.md"
    card.write_text(with_sections(card.read_text("utf-8"), sections), "utf-8")
    write_checksums(arguments.bundle)


def with_sections(card: str, sections: Sequence[str]) -> str:
    """Put sections before the limits, in the place of those that are there."""
    if FIRST in card:
        start, end = card.index(FIRST), card.index(LAST) + len(LAST) + 1
        card = card[:start] + card[end:]
    head, tail = card.split(BEFORE)
    return f"{head}{FIRST}\n" + "\n".join(sections) + f"\n{LAST}\n{BEFORE}{tail}"


def folds_section(groups: Sequence[dict[str, Any]], *, how: str) -> str:
    """Show what the recipe gives on every corpus, its speakers left out in turn."""
    lines = []
    for group in groups:
        adapted, pooled = group["speaker_adapted"], group["pooled"]
        uar = pooled["intervals"]["uar"]
        lines.append(
            f"| {', '.join(group['corpora'])} ({len(pooled['labels'])}) | {pooled['clips']} |"
            f" {len(pooled['breakdown']['speaker'])} | {len(group['folds'])} |"
            f" **{_mean(group)}** | {_percent(uar['value'])}"
            f" ({_percent(uar['low'])} to {_percent(uar['high'])}) | {_percent(pooled['accuracy'])}"
            f" | {_percent(pooled['expected_calibration_error'])} | {_mean(adapted)} |"
        )
    return (
        "## Accuracy of the recipe, every speaker left out in turn\n\n"
        f"The recipe was trained anew for each fold, without the fold's speakers, {how}; exported"
        " and judged through `serenade`. Which folds: docs/benchmarks-accuracy.md. *Folds, mean*:"
        " unweighted average recall (UAR) in %, mean over folds. *Pooled*: of all clips together,"
        " with its 95 % interval, resampled by speaker. ECE: expected calibration error in %."
        " *Adapted*: mean over folds where the model knows each speaker by their own clips, without"
        " labels.\n\n"
        "| corpus (emotions) | clips | speakers | folds | UAR: folds, mean | pooled | accuracy"
        " | ECE | UAR, adapted |\n|---|---|---|---|---|---|---|---|---|\n" + "\n".join(lines) + "\n"
    )


def people_section(groups: Sequence[dict[str, Any]]) -> str:
    """Compare the sexes and the languages in the same folds."""
    lines = []
    for group in groups:
        breakdown = group["pooled"]["breakdown"]
        sexes = {part["name"]: part for part in breakdown["sex"]}
        language = LANGUAGES[breakdown["language"][0]["name"]]
        lines.append(
            f"| {', '.join(group['corpora'])} | {language} |"
            f" {_part(sexes.get('female'))} | {_part(sexes.get('male'))} |"
        )
    return (
        "## Fairness: women, men, languages\n\n"
        "Pooled UAR in % of the same folds, with its 95 % interval and the number of speakers. A"
        " difference within the intervals is not shown to be one; corpora differ in far more than"
        " their language. Age, accent and origin were not measured: most corpora do not tell.\n\n"
        "| corpus | language | women | men |\n|---|---|---|---|\n" + "\n".join(lines) + "\n"
    )


def across_section(groups: Sequence[dict[str, Any]]) -> str:
    """Show what the recipe gives on corpora of which it heard nothing."""
    # a language of one corpus is left out by both protocols
    of_corpora = {tuple(group["corpora"]): group for group in reversed(groups)}
    lines = [
        f"| {', '.join(corpora)} ({len(group['pooled']['labels'])})"
        f" | {LANGUAGES[group['pooled']['breakdown']['language'][0]['name']]}"
        f" | {group['pooled']['clips']} | {_mean(group)} | {_mean(group['speaker_adapted'])} |"
        for corpora, group in sorted(of_corpora.items())
    ]
    return (
        "## A corpus, and a language, that it never heard\n\n"
        "Trained without the corpora of a row, judged on them: other rooms, other microphones,"
        " other ideas of what an emotion sounds like, and but for single English corpora a language"
        " of which nothing was in the training. This is what users meet. UAR in % among the"
        " emotions of the row.\n\n"
        "| left out (emotions) | language | clips | UAR | UAR, adapted |\n|---|---|---|---|---|\n"
        + "\n".join(lines)
        + "\n"
    )


def robustness_section(results: dict[str, Any]) -> str:
    """Show what bad recordings cost."""
    lines = [
        f"| {condition['name']} | {_percent(condition['uar']['value'])} |"
        f" {100 * condition['drop']['value']:+.1f}"
        f" ({100 * condition['drop']['low']:+.1f} to {100 * condition['drop']['high']:+.1f}) |"
        for condition in results["conditions"]
    ]
    clean = results["conditions"][0]
    return (
        "## Bad recordings\n\n"
        f"{clean['clips']} clips of the validation speakers, as many of each emotion as far as"
        " there are, all corpora's emotions to choose from; the same clips under every condition."
        " UAR in %, and its difference to the clean clips with its 95 % interval. Real noises are"
        " those that `serenade train --noise` leaves out.\n\n"
        "| condition | UAR | against clean |\n|---|---|---|\n" + "\n".join(lines) + "\n"
    )


def seeds_section(runs: Sequence[Path]) -> str:
    """Show how far trainings with other seeds lie apart."""
    specs = [json.loads((run / "bundle" / "spec.json").read_text("utf-8")) for run in runs]
    seeds = [json.loads((run / "recipe.json").read_text("utf-8"))["seed"] for run in runs]
    figures = [spec["metrics"]["validation_speakers"] for spec in specs]
    lines = []
    for corpus in sorted(figures[0]):
        values = [100 * figure[corpus]["uar"] for figure in figures]
        lines.append(
            f"| {corpus} | {', '.join(f'{value:.1f}' for value in values)} |"
            f" {np.mean(values):.1f} ± {np.std(values, ddof=1):.1f} |"
        )
    return (
        "## Spread between trainings\n\n"
        f"The recipe with the seeds {', '.join(str(seed) for seed in seeds)}, same split: UAR in %"
        " on the validation speakers, mean and standard deviation.\n\n"
        "| corpus | UAR by seed | mean |\n|---|---|---|\n" + "\n".join(lines) + "\n"
    )


def _groups(summary: Path) -> list[dict[str, Any]]:
    groups: list[dict[str, Any]] = json.loads(summary.read_text("utf-8"))["groups"]
    return groups


def _training(summary: Path) -> str:
    command: str = json.loads(summary.read_text("utf-8"))["command"]
    if "--joint" in command.split():
        return "together with all other corpora (`serenade benchmark --joint`)"
    return "on that corpus alone (`serenade benchmark`)"


def _mean(group: dict[str, Any]) -> str:
    return _percent(group["mean_over_folds"]["uar"]["mean"])


def _part(part: dict[str, Any] | None) -> str:
    if part is None:
        return "–"
    uar = part["uar"]
    return (
        f"{_percent(uar['value'])} ({_percent(uar['low'])} to {_percent(uar['high'])}),"
        f" {part['speakers']}"
    )


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"


if __name__ == "__main__":
    main()
