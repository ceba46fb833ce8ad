"""The bundled models on bad recordings of voices that they never heard.

    python bench/robustness.py --manifest all.jsonl --noise NOISES --rir RESPONSES --write

Clips of the validation speakers of each model's recipe are degraded (noise, rooms, telephone,
codecs, level, speed, cuts) and judged by the bundle through ``serenade.Recognizer``; the same clips
under every condition. ``--write`` keeps ``docs/results/robustness/MODEL.json``, from which
``bench/model_card.py`` makes the table of the card. About five minutes a model.
"""

from __future__ import annotations

import argparse
import json
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from serenade.corpora.manifest import read_manifest
from serenade.evaluation.readings import choose_labelling
from serenade.evaluation.robustness import stress
from serenade.inference.recognizer import Recognizer
from serenade.model.store import list_bundled
from serenade.training.data import select, split
from serenade.training.recipe_file import read_recipe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from serenade.corpora.manifest import Utterance
    from serenade.evaluation.robustness import ConditionResult

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "docs" / "results" / "robustness"
SEED = 0


def main() -> None:
    """Measure each model and print, or also write, its figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--manifest", type=Path, required=True)
    parser.add_argument("--noise", type=Path, required=True)
    parser.add_argument("--rir", type=Path)
    parser.add_argument("--only", nargs="+", choices=list_bundled(), default=list_bundled())
    parser.add_argument("--clips", type=int, default=400, help="per condition, about")
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    utterances = read_manifest(arguments.manifest)
    for name in arguments.only:
        recognizer = Recognizer.load(name)
        held_back = _held_back(name, utterances)
        results = stress(
            recognizer,
            held_back,
            labelling=choose_labelling("corpus", held_back),
            seed=SEED,
            noise_folder=arguments.noise,
            response_folder=arguments.rir,
            max_clips=arguments.clips,
            progress=partial(print, f"{name}:", file=sys.stderr),
        )
        print(f"\n{recognizer.model_id}\n{table(results)}")
        if arguments.write:
            _write(name, recognizer.model_id, held_back, results)


def _held_back(name: str, utterances: Sequence[Utterance]) -> list[Utterance]:
    recipe = read_recipe(ROOT / "recipes" / f"{name}.toml")
    return list(split(select(utterances, recipe), recipe.split).validation)


def table(results: Sequence[ConditionResult]) -> str:
    """Show the conditions as lines of text."""
    return "\n".join(
        f"{result.name:24s} UAR {100 * result.uar.value:5.1f}"
        f"  against clean {100 * result.drop.value:+5.1f}"
        f"  refused {result.n_refused} of {result.n_clips}"
        for result in results
    )


def _write(
    name: str, model: str, held_back: Sequence[Utterance], results: Sequence[ConditionResult]
) -> None:
    RESULTS.mkdir(parents=True, exist_ok=True)
    content = {
        "model": model,
        "speakers": sorted({utterance.speaker_key or "" for utterance in held_back}),
        "seed": SEED,
        "conditions": [result.to_json() for result in results],
    }
    (RESULTS / f"{name}.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
