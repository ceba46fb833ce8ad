"""The model that ships with the package, evaluated on real speech."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import pytest

from serenade.corpora.manifest import Utterance
from serenade.evaluation.evaluate import Setting, evaluate
from serenade.evaluation.readings import choose_labelling
from serenade.inference.recognizer import Recognizer
from serenade.model.store import list_bundled

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.real
def test_shipped_model_is_far_above_chance_on_real_speech(shared_data: Path) -> None:
    if not list_bundled():
        pytest.skip("no model is bundled yet")
    with (shared_data / "manifest.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["corpus"] == "RAVDESS"][::10]
    utterances = [
        Utterance(
            id=row["path"],
            path=str(shared_data / row["path"]),
            emotion=row["emotion"],
            speaker=row["speaker"],
            corpus=row["corpus"],
        )
        for row in rows
    ]
    recognizer = Recognizer.load()
    result = evaluate(
        recognizer,
        utterances,
        labelling=choose_labelling("corpus", utterances),
        setting=Setting(recognizer.model_id, recognizer.labels),
    )
    assert result.failures == ()
    assert result.closed.uar.low > 2 / 8
