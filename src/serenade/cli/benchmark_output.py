"""How the summaries of benchmarks are printed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence


_HEAD = f" {'UAR %':>6} {'± folds':>8} {'accuracy %':>11} {'macro F1 %':>11}"


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
    lines = [f"protocol {first['protocol']}, labels {first['labels']}"]
    lines += first["notes"]
    for position, group in enumerate(first["groups"]):
        leaks = "  LEAKS: " + "; ".join(group["leaks"]) if group["leaks"] else ""
        lines += ["", f"{', '.join(group['corpora'])}: {len(group['folds'])} folds{leaks}"]
        rows = [(summary["title"], summary["groups"][position]) for summary in summaries]
        rows.sort(key=lambda row: -row[1]["mean_over_folds"]["uar"]["mean"])
        adapts = any("speaker_adapted" in result for _, result in rows)
        modes = f"{'':<26}{' speaker-independent':<{len(_HEAD)}}"
        head = f"  {'recipe':<24}{_HEAD}"
        if adapts:
            modes += "   | speaker-adapted"
            head += f"   |{_HEAD}"
        lines += [modes.rstrip(), head]
        lines += [_row(title, result) for title, result in rows]
        if adapts:
            lines += [f"  {note}" for note in _adapted_notes(rows)]
    return "\n".join(lines) + "\n"


def _row(title: str, result: dict[str, Any]) -> str:
    row = f"  {title:<24}{_figures(result['mean_over_folds'])}"
    if "speaker_adapted" in result:
        row += f"   |{_figures(result['speaker_adapted']['mean_over_folds'])}"
    return row


def _figures(means: dict[str, Any]) -> str:
    deviation = means["uar"]["standard_deviation"]
    spread = "–" if deviation is None else f"{100 * deviation:.1f}"
    return (
        f" {100 * means['uar']['mean']:>6.1f} {spread:>8}"
        f" {100 * means['accuracy']['mean']:>11.1f} {100 * means['macro_f1']['mean']:>11.1f}"
    )


def _adapted_notes(rows: Sequence[tuple[str, dict[str, Any]]]) -> list[str]:
    notes = [
        f"speaker-adapted: {note}"
        for _, result in rows
        for note in result.get("speaker_adapted", {}).get("notes", [])
    ]
    return list(dict.fromkeys(notes))
