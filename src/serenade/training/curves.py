"""The curves of a run: a page beside its checkpoints that shows whether it still learns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from serenade.evaluation.report import read_epochs
from serenade.evaluation.report_figures import training_curves

if TYPE_CHECKING:
    from pathlib import Path

STYLE = """
body { font: 15px system-ui, sans-serif; margin: 2rem; color: #222; background: #fff; }
figure { display: inline-block; margin: 0 2rem 1rem 0; } svg { width: 26rem; max-width: 100%; }
.tick { font-size: 12px; fill: #666; } .axis { stroke: #666; } .grid { stroke: #ddd; }
.line { stroke: #0b62a8; stroke-width: 2.2; fill: none; } .line.faint { stroke: #888; }
"""
"""Of the page; the classes are those of the report's figures."""

FIGURES = (
    ("loss", "Loss", False),
    ("uar", "Unweighted average recall", True),
    ("accuracy", "Accuracy", True),
)
"""Key in ``metrics.jsonl``, title, and whether it is a share."""


def write_curves(folder: Path, *, title: str) -> Path:
    """Draw loss, UAR and accuracy of training and validation against the epoch.

    Parameters
    ----------
    folder : Path
        Run folder with ``metrics.jsonl``.
    title : str
        Of the page.

    Returns
    -------
    Path
        ``curves.html`` in the folder; it needs no other file.

    Raises
    ------
    EvaluationError
        If there is no readable ``metrics.jsonl``.
    """
    epochs = [
        {key: value for key, value in epoch.items() if value is not None}
        for epoch in read_epochs(folder)
    ]
    body = "".join(
        f"<figure><figcaption>{caption}</figcaption>"
        f"{training_curves(epochs, figure=figure, title=caption, share=share)}</figure>"
        for figure, caption, share in FIGURES
        if any(f"train_{figure}" in epoch for epoch in epochs)
    )
    path = folder / "curves.html"
    path.write_text(
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
        f"<style>{STYLE}</style><h1>{title}</h1>{body}</html>\n",
        encoding="utf-8",
    )
    return path
