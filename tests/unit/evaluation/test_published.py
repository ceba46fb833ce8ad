from __future__ import annotations

import pytest

from serenade.evaluation.published import published_figures


@pytest.mark.parametrize(
    ("corpus", "study", "model", "mode", "uar", "accuracy"),
    [
        ("RAVDESS", "emobox", "Whisper large v3", "speaker-independent", 0.7532, 0.7587),
        ("SAVEE", "emobox", "wav2vec2 base", "speaker-independent", 0.4489, 0.4983),
        ("EMO-DB", "emobox", "WavLM large", "speaker-independent", 0.9258, 0.9267),
        ("CREMA-D", "ertk", "IS13 = ComParE 6,373", "speaker-independent", 0.61, None),
        ("TESS", "ertk", "eGeMAPS 88", "speaker-adapted", 0.54, None),
    ],
)
def test_figures_are_as_printed(
    corpus: str, study: str, model: str, mode: str, uar: float, accuracy: float | None
) -> None:
    found = [
        figure
        for figure in published_figures(corpus)
        if (figure.study, figure.model, figure.mode) == (study, model, mode)
    ]
    assert [(figure.uar, figure.accuracy) for figure in found] == [(uar, accuracy)]
    assert found[0].source


def test_leaking_columns_are_marked() -> None:
    leaking = {
        (figure.study, figure.corpus)
        for corpus in ("RAVDESS", "SAVEE", "CREMA-D", "EMO-DB", "TESS")
        for figure in published_figures(corpus)
        if figure.leaks
    }
    assert leaking == {("emobox", "CREMA-D"), ("emobox", "EMO-DB"), ("emobox", "TESS")}


def test_each_study_has_ten_systems_per_corpus() -> None:
    figures = published_figures("RAVDESS")
    assert sum(figure.study == "emobox" for figure in figures) == 10
    assert sum(figure.study == "ertk" for figure in figures) == 20


def test_corpus_without_published_figures_has_none() -> None:
    assert published_figures("ASED") == ()
