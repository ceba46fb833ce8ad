"""The front end in the graph is the one of `serenade.features`, to 0.02 dB."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from serenade.audio.decode import decode
from serenade.features.mel import log_mel
from serenade.training.frontend import LogMel, LogMelConfig

if TYPE_CHECKING:
    from pathlib import Path

    from serenade.types import FloatArray


def _largest_difference(samples: FloatArray) -> float:
    front_end = LogMel(LogMelConfig())
    config = front_end.config
    in_graph = front_end(torch.from_numpy(samples)[None], torch.tensor([samples.size]))[0].numpy()
    reference = log_mel(
        y=samples,
        sr=config.sample_rate,
        n_fft=config.n_fft,
        hop_length=config.hop_length,
        n_mels=config.n_mels,
        fmin=config.fmin,
        fmax=config.fmax,
        top_db=None,
    )[:, : in_graph.shape[1]]
    return float(np.abs(in_graph - reference).max())


def test_on_noise_and_tones() -> None:
    rng = np.random.default_rng(0)
    time = np.arange(16_000) / 16_000
    tone = np.sin(2 * np.pi * 440.0 * time) * 0.1 + 1e-3 * rng.standard_normal(time.size)
    assert _largest_difference(tone.astype(np.float32)) < 0.02
    assert _largest_difference(rng.normal(0, 0.05, 20_480).astype(np.float32)) < 0.02


@pytest.mark.real
def test_on_real_speech(shared_data: Path) -> None:
    clips = sorted((shared_data / "SAVEE" / "ALL").glob("*_a0[1-3].opus"))[:3]
    assert clips
    for clip in clips:
        assert _largest_difference(decode(clip).samples) < 0.02


def test_what_lies_beyond_the_length_does_not_matter() -> None:
    front_end = LogMel(LogMelConfig())
    rng = np.random.default_rng(0)
    samples = torch.from_numpy(rng.normal(0, 0.05, (1, 8_000)).astype(np.float32))
    padded = torch.cat([samples, torch.full((1, 4_000), 0.7)], dim=1)
    alone = front_end(samples, torch.tensor([8_000]))
    in_batch = front_end(padded, torch.tensor([8_000]))[:, :, :50]
    assert float((alone - in_batch).abs().max()) < 1e-3
