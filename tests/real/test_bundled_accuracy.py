"""The figures of a model's card are what the model reaches, measured again through the product."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from serenade.audio.decode import decode
from serenade.corpora.registry import corpus
from serenade.evaluation.evaluate import Setting, evaluate
from serenade.evaluation.readings import choose_labelling
from serenade.inference.recognizer import Recognizer
from serenade.model.bundle import open_bundle
from serenade.model.store import resolve
from serenade.types import Waveform

if TYPE_CHECKING:
    from pathlib import Path

HELD_BACK = "Speakers held back for validation: "


@pytest.mark.real
@pytest.mark.parametrize("name", ["RAVDESS", "ASED"])
def test_compact_is_as_right_about_unseen_speakers_as_its_card_says(
    shared_data: Path, name: str
) -> None:
    bundle = open_bundle(resolve("compact"))
    line = next(line for line in bundle.card.splitlines() if line.startswith(HELD_BACK))
    held_back = set(line.removeprefix(HELD_BACK).rstrip(".").split(", "))
    utterances = corpus(name).scan(shared_data / name).utterances
    unseen = [utterance for utterance in utterances if utterance.speaker_key in held_back]
    recognizer = Recognizer.load("compact")
    result = evaluate(
        recognizer,
        unseen,
        labelling=choose_labelling("corpus", utterances),
        setting=Setting(
            model=recognizer.model_id,
            model_labels=recognizer.labels,
            model_checksum=None,
            protocol="speakers that the card holds back",
            leaks=(),
            mode="speaker-independent",
            seed=0,
            command=None,
            notes=(),
        ),
    )
    told = bundle.spec.metrics["validation_speakers"][name]
    assert result.closed.metrics.n_clips == told["clips"]
    assert result.closed.uar.value == pytest.approx(told["uar"], abs=0.005)
    assert result.closed.uar.value > 2.0 / told["emotions"]


@pytest.mark.real
@pytest.mark.parametrize(("model", "rounding"), [("compact", 1e-3), ("default", 2e-2)])
def test_gain_does_not_matter_and_surrounding_silence_hardly(
    shared_data: Path, model: str, rounding: float
) -> None:
    recognizer = Recognizer.load(model)
    silence = np.zeros(16_000, np.float32)
    for path in sorted((shared_data / "SAVEE" / "ALL").glob("JK_*03.opus")):
        clip = decode(path)
        plain = recognizer.predict(clip)
        quiet = recognizer.predict(Waveform(clip.samples * np.float32(0.05), 16_000))
        surrounded = np.concatenate([silence, clip.samples, silence])
        padded = recognizer.predict(Waveform(surrounded, 16_000))
        for emotion, probability in plain.probabilities.items():
            assert quiet.probabilities[emotion] == pytest.approx(probability, abs=rounding)
            assert padded.probabilities[emotion] == pytest.approx(probability, abs=0.1)
