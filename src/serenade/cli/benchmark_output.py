"""How the summaries of benchmarks are printed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence


def ranking_text(summaries: Sequence[dict[str, Any]]) -> str:
    """Give the summaries of recipes as one table per set of tested corpora, the best first.

    Parameters
    ----------
    summaries : sequence of dict
        From :func:`serenade.evaluation.benchmark.run_folds`, all of one protocol.

    Returns
    -------
    str
        With a line break at its end.
    """
    first = summaries[0]
    lines = [f"protocol {first['protocol']}, {first['mode']}, labels {first['labels']}"]
    lines += first["notes"]
    for position, group in enumerate(first["groups"]):
        leaks = "  LEAKS: " + "; ".join(group["leaks"]) if group["leaks"] else ""
        lines += ["", f"{', '.join(group['corpora'])}: {len(group['folds'])} folds{leaks}"]
        lines += [
            f"  {'recipe':<24} {'UAR %':>6} {'± folds':>8} {'accuracy %':>11} {'macro F1 %':>11}"
        ]
        rows = [(summary["title"], summary["groups"][position]) for summary in summaries]
        rows.sort(key=lambda row: -row[1]["mean_over_folds"]["uar"]["mean"])
        lines += [_row(title, result["mean_over_folds"]) for title, result in rows]
    return "\n".join(lines) + "\n"


def _row(title: str, means: dict[str, Any]) -> str:
    deviation = means["uar"]["standard_deviation"]
    spread = "–" if deviation is None else f"{100 * deviation:.1f}"
    return (
        f"  {title:<24} {100 * means['uar']['mean']:>6.1f} {spread:>8}"
        f" {100 * means['accuracy']['mean']:>11.1f} {100 * means['macro_f1']['mean']:>11.1f}"
    )
