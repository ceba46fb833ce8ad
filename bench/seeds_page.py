"""The tables of docs/seeds.md, made from the stored results in docs/results/seeds.

    python bench/seeds_page.py

replaces what stands between the markers of the page; ``bench/seeds.py`` makes the results.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "seeds.md"
RESULTS = ROOT / "docs" / "results" / "seeds"
LEAKING, INDEPENDENT = "leaking", "speaker-independent"


@dataclass(frozen=True)
class Reported:
    """What a project of this kind reported, and of which system of the recipe.

    Parameters
    ----------
    seed, variant : str
        Name of the recipe file and of its variant; the same where it has none.
    system : str
        What is trained.
    accuracy : str
        As it was told.
    """

    seed: str
    variant: str
    system: str
    accuracy: str


REPORTED = (
    Reported("tess-lstm", "tess-lstm", "LSTM", "72.3 % best validation, 99.8 % training"),
    Reported("folder-lstm2", "folder-lstm2", "two LSTM layers", "none"),
    Reported("cnn-bilstm", "cnn-bilstm", "two convolutions, BiLSTM", "89 %"),
    Reported("four-corpora-classical", "lstm", "LSTM", "96 %"),
    Reported("four-corpora-classical", "svm", "support vector machine", "85 %"),
    Reported("four-corpora-classical", "k-nearest-neighbours", "k-nearest neighbours", "78 %"),
    Reported("four-corpora-classical", "random-forest", "random forest", "85 %"),
    Reported("four-corpora-classical", "decision-tree", "decision tree", "75 %"),
    Reported("tess-cnn-mel", "tess-cnn-mel", "four convolutions", "none"),
)
COMPARED = "four-corpora-classical"
"""The seed whose systems are compared by four figures."""

Result = dict[str, Any]


def main() -> None:
    """Write the page from the stored results."""
    results = read_results(RESULTS)
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8"), results), encoding="utf-8")
    print(f"{PAGE} holds {len(results)} results")


def result_file(folder: Path, seed: str, variant: str, split: str) -> Path:
    """Name the file of one result."""
    name = seed if variant == seed else f"{seed}.{variant}"
    return folder / f"{name}.{split}.json"


def read_results(folder: Path) -> list[Result]:
    """Read all stored results."""
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))]


def with_tables(page: str, results: list[Result]) -> str:
    """Replace what stands between the markers of a page."""
    for name, table in (("overview", overview(results)), ("compared", compared(results))):
        start, end = f"<!-- {name}: written by bench/seeds.py -->", f"<!-- end of {name} -->"
        before, _, rest = page.partition(start)
        _, _, after = rest.partition(end)
        page = f"{before}{start}\n{table}\n{end}{after}"
    return page


def overview(results: list[Result]) -> str:
    """Lay out reported, leaking and honest accuracy of every system."""
    head = (
        "| recipe | system | reported accuracy | same leaking split: accuracy, UAR |"
        " speaker-independent: accuracy, UAR | how it was measured |"
    )
    rows = [head, "|---|---|---|---|---|---|"]
    for reported in REPORTED:
        pair = [_find(results, reported, split) for split in (LEAKING, INDEPENDENT)]
        rows.append(
            f"| `{reported.seed}` | {reported.system} | {reported.accuracy} | {_cell(pair[0])} |"
            f" {_cell(pair[1])} | {_how(pair)} |"
        )
    return "\n".join(rows)


def compared(results: list[Result]) -> str:
    """Lay out four figures of the systems of one recipe under both splits."""
    rows = [
        "| model | split | clips | accuracy | precision | recall | F1 |",
        "|---|---|---|---|---|---|---|",
    ]
    for split in (LEAKING, INDEPENDENT):
        for reported in REPORTED:
            result = _find(results, reported, split)
            if reported.seed == COMPARED and result is not None:
                figures = " | ".join(
                    f"{100 * result[name]:.1f}" for name in ("accuracy", "precision", "uar", "f1")
                )
                rows.append(f"| {reported.system} | {split} | {result['test_clips']} | {figures} |")
    return "\n".join(rows)


def _find(results: list[Result], reported: Reported, split: str) -> Result | None:
    wanted = (reported.seed, reported.variant, split)
    found = [r for r in results if (r["seed"], r["variant"], r["split"]) == wanted]
    return found[0] if found else None


def _cell(result: Result | None) -> str:
    if result is None:
        return "not run yet"
    low, high = result["uar_95"]
    return (
        f"{100 * result['accuracy']:.1f}, {100 * result['uar']:.1f}"
        f" ({100 * low:.1f} to {100 * high:.1f})"
    )


def _how(pair: list[Result | None]) -> str:
    said = []
    for result in pair:
        if result is None:
            continue
        epochs = f", {result['epochs']} epochs" if result["epochs"] else ""
        part = "" if result["every"] == 1 else f" (one clip in {result['every']} of the corpora)"
        said.append(
            f"{result['protocol']}: {result['train_clips']} training and {result['test_clips']}"
            f" test clips of {result['test_speakers']} speakers{part}, seed"
            f" {result['random_seed']}{epochs}"
        )
    return "; ".join(said) or "–"


if __name__ == "__main__":
    main()
