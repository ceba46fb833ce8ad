"""Cepstrum, deltas and descriptors in the graph are those of `serenade.features`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from serenade.audio.decode import decode
from serenade.features.cepstrum import delta, mfcc
from serenade.features.chroma import chroma_stft
from serenade.features.descriptors import (
    spectral_centroid,
    spectral_rolloff,
    zero_crossing_rate,
)
from serenade.features.mel import log_mel
from serenade.training.cepstrum import Cepstrum, Delta, floor_level
from serenade.training.descriptors import Descriptors
from serenade.training.frontend import LogMel, LogMelConfig

if TYPE_CHECKING:
    from pathlib import Path

    from serenade.types import FloatArray

CONFIG = LogMelConfig(n_mels=128, n_fft=1024, hop_length=256)
BIN_KHZ = 16.0 / 1024


def _speech_like(seconds: float = 1.5) -> FloatArray:
    rng = np.random.default_rng(0)
    time = np.arange(round(seconds * 16_000)) / 16_000
    voice = sum(np.sin(2 * np.pi * 130 * k * time) / k for k in range(1, 20))
    gate = np.sin(2 * np.pi * 2.3 * time) > -0.5
    return (0.1 * voice * gate + 1e-3 * rng.standard_normal(time.size)).astype(np.float32)


@pytest.fixture(params=["speech-like", pytest.param("real", marks=pytest.mark.real)])
def samples(request: pytest.FixtureRequest) -> FloatArray:
    if request.param == "speech-like":
        return _speech_like()
    folder: Path = request.getfixturevalue("shared_data")
    return decode(sorted((folder / "SAVEE" / "ALL").glob("*_a01.opus"))[0]).samples


def test_descriptors(samples: FloatArray) -> None:
    front_end = Descriptors(CONFIG)
    rows = front_end(torch.from_numpy(samples)[None], torch.tensor([samples.size]))[0].numpy()
    assert rows.shape == (front_end.n_rows, samples.size // 256)
    n = rows.shape[1]
    bands = log_mel(
        y=samples, n_mels=128, fmax=8_000, top_db=None, sr=16_000, n_fft=1024, hop_length=256
    )[:, :n]
    assert np.abs(rows[:128] - bands).max() < 0.02
    centroid = spectral_centroid(y=samples, sr=16_000, n_fft=1024, hop_length=256)[0, :n]
    assert np.abs(1000 * rows[128] - centroid).max() < 0.5
    rolloff = spectral_rolloff(y=samples, sr=16_000, n_fft=1024, hop_length=256)[0, :n] / 1000
    difference = rolloff - rows[129]
    assert difference.min() > -1e-3
    assert difference.max() < BIN_KHZ + 1e-3
    rate = zero_crossing_rate(samples, frame_length=1024, hop_length=256)[0, :n]
    np.testing.assert_allclose(rows[130], rate, atol=1e-6)
    chroma = chroma_stft(y=samples, tuning=0.0, sr=16_000, n_fft=1024, hop_length=256)[:, :n]
    assert np.abs(rows[131:] - chroma).max() < 1e-3


def test_cepstrum_and_deltas(samples: FloatArray) -> None:
    front_end = LogMel(LogMelConfig())
    bands = front_end(torch.from_numpy(samples)[None], torch.tensor([samples.size]))
    n_frames = torch.tensor([bands.shape[2]])
    floored = floor_level(bands, torch.ones(1, bands.shape[2], dtype=torch.bool))
    coefficients = Cepstrum(n_mels=64, n_mfcc=13)(floored)
    level = bands[0].numpy()
    expected = mfcc(sr=16_000, S=np.maximum(level, level.max() - 80.0), n_mfcc=13)
    np.testing.assert_allclose(coefficients[0].numpy(), expected, atol=1e-2)
    for order in (1, 2):
        got = Delta(order=order)(coefficients, n_frames)[0].numpy()
        np.testing.assert_allclose(got, delta(expected, order=order), atol=1e-3)


def test_cepstrum_is_that_of_the_samples(samples: FloatArray) -> None:
    front_end = LogMel(LogMelConfig())
    bands = front_end(torch.from_numpy(samples)[None], torch.tensor([samples.size]))
    mask = torch.ones(1, bands.shape[2], dtype=torch.bool)
    got = Cepstrum(n_mels=64, n_mfcc=40)(floor_level(bands, mask))[0].numpy()
    expected = mfcc(
        y=samples, sr=16_000, n_mfcc=40, n_fft=400, hop_length=160, n_mels=64, fmax=8_000
    )[:, : got.shape[1]]
    assert np.abs(got - expected).max() < 0.1


def test_silence_has_no_descriptors() -> None:
    rows = Descriptors(CONFIG)(torch.zeros(1, 8_000), torch.tensor([8_000]))[0]
    assert torch.all(rows[:128] == -100.0)
    assert torch.all(rows[128:] == 0.0)


def test_what_lies_beyond_the_length_does_not_matter() -> None:
    samples = torch.from_numpy(_speech_like())[None]
    beyond = torch.cat([samples, torch.full((1, 4_096), -0.7)], dim=1)
    front_end, lengths = Descriptors(CONFIG), torch.tensor([samples.shape[1]])
    alone = front_end(samples, lengths)
    in_batch = front_end(beyond, lengths)[:, :, : alone.shape[2]]
    torch.testing.assert_close(alone, in_batch, atol=1e-3, rtol=1e-3)


def test_deltas_do_not_depend_on_the_padding() -> None:
    torch.manual_seed(0)
    for n_frames in (4, 9, 30):
        rows = torch.randn(1, 5, n_frames)
        padded = _padded(rows, 20)
        for order in (1, 2):
            alone = Delta(order=order)(rows, torch.tensor([n_frames]))
            in_batch = Delta(order=order)(padded, torch.tensor([n_frames]))[:, :, :n_frames]
            torch.testing.assert_close(alone, in_batch, atol=1e-6, rtol=1e-6)


def _padded(rows: torch.Tensor, n_frames: int) -> torch.Tensor:
    return torch.nn.functional.pad(rows, (0, n_frames))
