"""A made-up corpus of two emotions and four speakers: bright rough tones, dull smooth ones."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile
import torch
from safetensors.torch import save_file

from serenade.corpora.manifest import Utterance, write_manifest
from serenade.training.recipe_file import parse_recipe

if TYPE_CHECKING:
    from pathlib import Path

    from serenade.training.recipe import Recipe

RATE = 16_000
WIDTH, N_FEED, N_MELS, N_LAYERS = 16, 32, 80, 3


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


@pytest.fixture(scope="session")
def tiny_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Whisper encoder of three tiny layers in the layout of transformers, with random weights."""
    folder = tmp_path_factory.mktemp("encoder")
    generator = torch.Generator().manual_seed(0)

    def tensor(*shape: int) -> torch.Tensor:
        weights: torch.Tensor = torch.randn(*shape, generator=generator) / float(shape[-1]) ** 0.5
        return weights

    tensors = {
        "conv1.weight": tensor(WIDTH, N_MELS, 3),
        "conv1.bias": tensor(WIDTH),
        "conv2.weight": tensor(WIDTH, WIDTH, 3),
        "conv2.bias": tensor(WIDTH),
        "embed_positions.weight": tensor(1500, WIDTH),
        "layer_norm.weight": torch.ones(WIDTH),
        "layer_norm.bias": torch.zeros(WIDTH),
    }
    for i in range(N_LAYERS):
        for norm in ("self_attn_layer_norm", "final_layer_norm"):
            tensors[f"layers.{i}.{norm}.weight"] = torch.ones(WIDTH)
            tensors[f"layers.{i}.{norm}.bias"] = torch.zeros(WIDTH)
        for name in ("q_proj", "k_proj", "v_proj", "out_proj"):
            tensors[f"layers.{i}.self_attn.{name}.weight"] = tensor(WIDTH, WIDTH)
            if name != "k_proj":
                tensors[f"layers.{i}.self_attn.{name}.bias"] = tensor(WIDTH)
        tensors[f"layers.{i}.fc1.weight"], tensors[f"layers.{i}.fc1.bias"] = (
            tensor(N_FEED, WIDTH),
            tensor(N_FEED),
        )
        tensors[f"layers.{i}.fc2.weight"], tensors[f"layers.{i}.fc2.bias"] = (
            tensor(WIDTH, N_FEED),
            tensor(WIDTH),
        )
    save_file(tensors, folder / "model.safetensors")
    config = {
        "d_model": WIDTH,
        "encoder_layers": N_LAYERS,
        "encoder_attention_heads": 2,
        "encoder_ffn_dim": N_FEED,
        "num_mel_bins": N_MELS,
    }
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return folder
