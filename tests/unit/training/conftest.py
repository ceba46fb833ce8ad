"""A made-up corpus of two emotions and four speakers: bright rough tones, dull smooth ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile

from serenade.corpora.manifest import Utterance, write_manifest
from serenade.training.recipe import Recipe, parse_recipe

if TYPE_CHECKING:
    from pathlib import Path

RATE = 16_000


@pytest.fixture(scope="session")
def toy_manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("toy")
    rng = np.random.default_rng(5)
    utterances = []
    for speaker in ("a", "b", "c", "d"):
        base = {"a": 110.0, "b": 140.0, "c": 190.0, "d": 230.0}[speaker]
        for number in range(8):
            emotion = ("anger", "sadness")[number % 2]
            seconds = rng.uniform(0.4, 0.7)
            time = np.arange(round(seconds * RATE)) / RATE
            tilt, tremolo = (0.2, 6.0) if emotion == "anger" else (2.0, 1.0)
            voice = sum(np.sin(2 * np.pi * base * k * time) / k**tilt for k in range(1, 30))
            envelope = 1.0 + 0.8 * np.sin(2 * np.pi * tremolo * time)
            samples = 0.03 * voice * envelope + 1e-3 * rng.standard_normal(time.size)
            path = folder / f"{speaker}{number}.wav"
            soundfile.write(path, samples.astype(np.float32), RATE)
            utterances.append(
                Utterance(
                    id=path.stem,
                    path=str(path),
                    emotion=emotion,
                    speaker=speaker,
                    corpus="toy",
                    sex="female",
                )
            )
    write_manifest(folder / "toy.jsonl", utterances)
    return folder / "toy.jsonl"


@pytest.fixture(scope="session")
def toy_recipe() -> Recipe:
    return parse_recipe(
        {
            "name": "toy",
            "seed": 3,
            "data": {"label_set": "4", "max_seconds": 2.0},
            "split": {"validation_share": 0.25},
            "network": {"width": 32, "depth": 1, "dropout": 0.1},
            "optimiser": {"epochs": 4, "batch_size": 8, "average_decay": 0.5},
            "export": {"licence": "none: made-up tones", "description": "A toy."},
        }
    )
