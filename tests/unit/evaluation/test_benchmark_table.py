"""The table that ``serenade benchmark`` prints."""

from __future__ import annotations

from typing import Any

from serenade.cli.benchmark_output import ranking_text


def _figures(uar: float) -> dict[str, Any]:
    means = {"uar": uar, "accuracy": uar + 0.01, "macro_f1": uar - 0.01}
    return {
        "mean_over_folds": {
            name: {"mean": mean, "standard_deviation": 0.02} for name, mean in means.items()
        }
    }


def _summary(title: str, uar: float, adapted: float | None = None) -> dict[str, Any]:
    group = {"corpora": ["RAVDESS"], "folds": [1, 2], "leaks": [], **_figures(uar)}
    if adapted is not None:
        group["speaker_adapted"] = {"notes": ["adapted with their clips"], **_figures(adapted)}
    return {
        "title": title,
        "protocol": "emobox",
        "labels": "corpus",
        "notes": [],
        "groups": [group],
    }


def test_adapted_figures_have_columns_of_their_own_and_do_not_rank() -> None:
    text = ranking_text([_summary("adapts", 0.70, 0.95), _summary("does not", 0.75)])
    modes, head, first, second, note = text.splitlines()[3:]
    at = modes.index("|")
    assert modes[:at].split() == ["speaker-independent"]
    assert modes[at:].split() == ["|", "speaker-adapted"]
    assert head[at] == second[at] == "|"
    assert head[:at].split()[1:] == head[at + 1 :].split()
    assert first.split() == ["does", "not", "75.0", "2.0", "76.0", "74.0"]
    assert second[:at].split() == ["adapts", "70.0", "2.0", "71.0", "69.0"]
    assert second[at + 1 :].split() == ["95.0", "2.0", "96.0", "94.0"]
    assert note == "  speaker-adapted: adapted with their clips"


def test_without_adaptation_there_is_one_set_of_columns() -> None:
    text = ranking_text([_summary("plain", 0.5)])
    assert "speaker-independent" in text
    assert "adapted" not in text
