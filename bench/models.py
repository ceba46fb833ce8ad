"""The bundled models side by side on validation speakers, each through the shipped run time.

    OMP_NUM_THREADS=1 python bench/models.py --manifest all.jsonl --write

Every model is judged on the speakers that its recipe held back; none of them was trained on. The
epoch and the temperature were chosen on them, which favours the models a little. *Adapted*: the
model knows each speaker by all of their clips here, without labels. *Intensity*: rank
correlation of the rated intensity with that which the actor was asked for, where the corpus says
it. ``--write`` replaces docs/benchmarks-models.md. It takes about ten minutes.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import spearmanr

from serenade.corpora.manifest import read_manifest
from serenade.evaluation.adapted import ReferenceChoice
from serenade.evaluation.evaluate import Evaluation, Setting, evaluate, summarise
from serenade.evaluation.judge import Answer, Judgement
from serenade.evaluation.readings import choose_labelling
from serenade.inference.recognizer import Recognizer
from serenade.model.store import list_bundled
from serenade.training.data import INTENSITIES, select, split
from serenade.training.recipe_file import read_recipe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from serenade.corpora.manifest import Utterance

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "benchmarks-models.md"
COLUMNS = (
    "model",
    "corpus",
    "clips",
    "speakers",
    "UAR",
    "all emotions",
    "ECE",
    "answered",
    "right",
    "adapted",
    "intensity",
)
INTRODUCTION = (
    "Written by `bench/models.py`: validation speakers of each model's recipe, through"
    " `serenade.Recognizer`. Unweighted average recall (UAR) in % among the emotions of the"
    " corpus, 95 % interval resampled by speaker (by clip where there is one speaker: too"
    " narrow); *all emotions*: the model may also answer with emotions that the corpus does not"
    " have; ECE: expected calibration error in %, all emotions; *answered*: share of clips on"
    " which the model is sure, and how many of these are right, in %; *adapted*: UAR where the"
    " model knows each speaker by all of their clips here, without labels; *intensity*: rank"
    " correlation with what the actor was asked for. Epoch and temperature were chosen on these"
    " speakers."
)
LANGUAGES = {
    "ASED": "Amharic",
    "EMO-DB": "German",
    "TurEV-DB": "Turkish",
    "nEMO": "Polish",
}


@dataclass(frozen=True)
class Row:
    """One model on the validation speakers of one corpus."""

    model: str
    corpus: str
    result: Evaluation
    adapted: Evaluation | None
    intensity: float | None


def main() -> None:
    """Measure and print, or write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--manifest", type=Path, required=True)
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    utterances = read_manifest(arguments.manifest)
    rows = [row for name in list_bundled() for row in _measure(name, utterances)]
    text = _page(rows)
    if arguments.write:
        PAGE.write_text(text, encoding="utf-8")
    print(text)


def _measure(name: str, utterances: Sequence[Utterance]) -> list[Row]:
    recipe = read_recipe(ROOT / "recipes" / f"{name}.toml")
    chosen = select(utterances, recipe)
    held_back = split(chosen, recipe.split).validation
    recognizer = Recognizer.load(name)
    rows = []
    for corpus in sorted({utterance.corpus for utterance in held_back}):
        print(f"{name} on {corpus}", file=sys.stderr)
        part = [utterance for utterance in held_back if utterance.corpus == corpus]
        whole = [utterance for utterance in chosen if utterance.corpus == corpus]
        rows.append(_row(recognizer, corpus, part, whole))
    return rows


def _row(
    recognizer: Recognizer, corpus: str, part: Sequence[Utterance], whole: Sequence[Utterance]
) -> Row:
    labelling = choose_labelling("corpus", whole)
    answers, rated = [], []
    outcomes = recognizer.predict_many([utterance.path for utterance in part], workers=1)
    for utterance, outcome in zip(part, outcomes, strict=True):
        if outcome.prediction is None:
            raise SystemExit(f"{utterance.path}: {outcome.error}")
        prediction = outcome.prediction
        answers.append(
            Answer(
                utterance,
                prediction.probabilities,
                prediction.abstained,
                prediction.duration_seconds,
                (),
            )
        )
        asked = INTENSITIES.get(utterance.intensity or "")
        if asked is not None and prediction.intensity is not None:
            rated.append((asked, prediction.intensity))
    result = summarise(
        Judgement(tuple(answers), ()),
        labelling=labelling,
        setting=_setting(recognizer, "speaker-independent"),
        left_out={},
    )
    adapted = None
    if recognizer.adapts_to_speakers:
        adapted = evaluate(
            recognizer,
            part,
            labelling=labelling,
            setting=_setting(recognizer, "speaker-adapted"),
            adapted_by=ReferenceChoice(),
        )
    correlation = float(spearmanr(*np.array(rated).T).statistic) if len(rated) > 2 else None
    return Row(recognizer.model_id, corpus, result, adapted, correlation)


def _setting(recognizer: Recognizer, mode: str) -> Setting:
    return Setting(
        model=recognizer.model_id,
        model_labels=recognizer.labels,
        model_checksum=None,
        protocol="validation speakers of the recipe",
        leaks=(),
        mode=mode,
        seed=0,
        command=None,
        notes=(),
    )


def _page(rows: Sequence[Row]) -> str:
    lines = [
        "# The bundled models on voices that they never heard",
        "",
        INTRODUCTION,
        "",
        f"| {' | '.join(COLUMNS)} |",
        "|---" * len(COLUMNS) + "|",
    ]
    lines += [_line(row) for row in rows]
    return "\n".join(lines) + "\n"


def _line(row: Row) -> str:
    result = row.result
    uar, right = result.closed.uar, result.answered_accuracy
    language = LANGUAGES.get(row.corpus, "English")
    cells = [
        row.model,
        f"{row.corpus} ({len(result.closed.metrics.labels)}), {language}",
        str(result.closed.metrics.n_clips),
        str(result.n_speakers),
        f"**{100 * uar.value:.1f}** ({100 * uar.low:.1f} to {100 * uar.high:.1f})",
        f"{100 * result.open.uar.value:.1f}",
        f"{100 * result.open.metrics.calibration_error:.1f}",
        f"{100 * result.answered_share:.0f}",
        "–" if right is None else f"{100 * right:.0f}",
        "–" if row.adapted is None else f"{100 * row.adapted.closed.uar.value:.1f}",
        "–" if row.intensity is None else f"{row.intensity:.2f}",
    ]
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    main()
