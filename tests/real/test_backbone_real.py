"""The real encoder of Whisper as a backbone: statistics of its layers, whatever the batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

pytest.importorskip("transformers")

from serenade.audio.decode import decode
from serenade.training.networks.encoders import load_encoder
from serenade.training.networks.registry import build_network
from serenade.training.recipe import NetworkRecipe

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.real


def test_real_layers_give_the_same_statistics_alone_and_in_a_batch(
    shared_pretrained: Path, shared_data: Path
) -> None:
    folder = shared_pretrained / "whisper-base-encoder"
    recipe = NetworkRecipe(
        name="backbone", initial_weights=str(folder), depth=4, frozen_layers=4, first_pooled=2
    )
    backbone = build_network(recipe, n_labels=2).eval()
    clips = sorted((shared_data / "RAVDESS").rglob("*.opus"))[:2]
    samples = [decode(path).samples[:32_000] for path in clips]
    waveform = torch.from_numpy(np.stack([samples[0], samples[1]]))
    lengths = torch.tensor([32_000, 20_000])
    with torch.inference_mode():
        together, n_layers = backbone.states(waveform, lengths)
        alone, _ = backbone.states(waveform[1:, :20_000], lengths[1:])
        encoder = load_encoder(str(folder), max_seconds=10.0)
        x, n_frames = encoder.enter(waveform[:1], lengths[:1])
        third = encoder.run(x, n_frames, first=0, last=6)[3][0]
    assert n_layers.tolist() == [3, 3]  # layers 2, 3 and 4
    assert together.shape == (2, 2 * 512, 3)
    torch.testing.assert_close(together[1], alone[0], atol=2e-4, rtol=1e-3)
    torch.testing.assert_close(together[0, :512, 1], third.mean(0), atol=1e-4, rtol=1e-3)
