"""Published figures to put ours beside, from ``published.toml``."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_FILE = Path(__file__).with_name("published.toml")


@dataclass(frozen=True, slots=True)
class PublishedFigure:
    """What a paper says about one system on one corpus.

    Parameters
    ----------
    study : str
        Short name, for example ``"emobox"``.
    model : str
        The system as the paper names it.
    corpus : str
        Name of the corpus.
    uar : float
        Unweighted average recall, in [0, 1].
    accuracy : float or None
        Share of all clips that is right, in [0, 1], where the paper gives it.
    mode : str
        ``"speaker-independent"`` or ``"speaker-adapted"``.
    labels : int
        Number of emotions.
    leaks : bool
        Whether test speakers are also in the training part.
    split : str
        How the corpus was divided.
    source : str
        Where it was printed.
    """

    study: str
    model: str
    corpus: str
    uar: float
    accuracy: float | None
    mode: str
    labels: int
    leaks: bool
    split: str
    source: str


def published_figures(corpus: str) -> tuple[PublishedFigure, ...]:
    """Give what has been published about a corpus.

    Parameters
    ----------
    corpus : str
        Name of the corpus.

    Returns
    -------
    tuple of PublishedFigure
        By study, in falling order of UAR; empty for a corpus of which nothing is kept.
    """
    studies = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    figures = [
        figure
        for study, content in studies.items()
        for row in content["rows"]
        if corpus in row
        for figure in _row_figures(study, content, row, corpus)
    ]
    return tuple(sorted(figures, key=lambda figure: (figure.study, -figure.uar)))


def _row_figures(
    study: str, content: dict[str, Any], row: dict[str, Any], corpus: str
) -> list[PublishedFigure]:
    about = content["corpora"][corpus]
    modes = (
        ("speaker-independent", "uar", "accuracy"),
        ("speaker-adapted", "adapted_uar", "adapted_accuracy"),
    )
    return [
        PublishedFigure(
            study=study,
            model=row["model"],
            corpus=corpus,
            uar=row[corpus][key],
            accuracy=row[corpus].get(accuracy),
            mode=mode,
            labels=about["labels"],
            leaks=about["leaks"],
            split=about["split"],
            source=content["source"],
        )
        for mode, key, accuracy in modes
        if key in row[corpus]
    ]
