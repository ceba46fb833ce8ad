"""What every network of the registry keeps to: it learns, exports, and knows where a clip ends."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from tests.tiny_encoders import write_encoder

from serenade.audio.decode import decode
from serenade.errors import RecipeError, TrainingError
from serenade.model.scorer import pad
from serenade.training.cache import frozen_states
from serenade.training.export import check_parity, export_onnx
from serenade.training.networks.registry import NETWORKS, build_network
from serenade.training.recipe import NetworkRecipe

if TYPE_CHECKING:
    from pathlib import Path

    from serenade.training.networks.base import SpeechNetwork
    from serenade.types import FloatArray

RATE = 16_000
SMALL = NetworkRecipe(width=16, depth=1, dropout=0.1, dense=(16,), max_seconds=4.0)
CASES: dict[str, NetworkRecipe] = {
    "backbone": replace(SMALL, depth=3, frozen_layers=3, initial_weights="wav2vec2-base"),
    "bilstm_attention": replace(SMALL, features="mfcc_deltas", depth=2),
    "cnn": SMALL,
    "cnn_bilstm": replace(SMALL, features="mfcc_deltas"),
    "cnn_bilstm descriptors": replace(SMALL, features="descriptors"),
    "conv_attention": SMALL,
    "lstm": replace(SMALL, depth=2),
    "lstm mfcc_mean": replace(SMALL, features="mfcc_mean", n_mfcc=40),
    "whisper": replace(SMALL, depth=3, frozen_layers=3, initial_weights="whisper"),
}
"""Networks and what is special about them; the initial weights are names of tiny encoders."""

N_LABELS = 4


def test_every_network_of_the_registry_is_tried() -> None:
    assert {name.split()[0] for name in CASES} == set(NETWORKS)


def _voice(emotion: int, seconds: float, rng: np.random.Generator) -> FloatArray:
    """A buzz whose tilt and tremolo tell the emotion."""
    time = np.arange(round(seconds * RATE)) / RATE
    pitch = rng.uniform(110.0, 220.0)
    tilt, tremolo = (0.3 + 0.6 * emotion, 8.0 - 2.0 * emotion)
    voice = sum(np.sin(2 * np.pi * pitch * k * time) / k**tilt for k in range(1, 20))
    envelope = 1.0 + 0.8 * np.sin(2 * np.pi * tremolo * time)
    samples = 0.03 * voice * envelope + 1e-3 * rng.standard_normal(time.size)
    return np.asarray(samples, np.float32)


@pytest.fixture(scope="module")
def clips() -> list[FloatArray]:
    rng = np.random.default_rng(0)
    return [_voice(i % N_LABELS, rng.uniform(0.4, 1.6), rng) for i in range(32)]


@pytest.fixture(scope="module", params=CASES)
def network(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    clips: list[FloatArray],
) -> SpeechNetwork:
    """An untrained network that has seen the statistics of the clips."""
    recipe = replace(CASES[request.param], name=request.param.split()[0])
    if recipe.initial_weights:
        folder = tmp_path_factory.mktemp("encoder")
        encoder = write_encoder(recipe.initial_weights, folder)
        if recipe.name == "whisper":
            _keep_encoder(encoder / "model.safetensors")
        recipe = replace(recipe, initial_weights=str(encoder))
    torch.manual_seed(0)
    network = build_network(recipe, n_labels=N_LABELS).eval()
    network.learn_statistics([frozen_states(network, clip) for clip in clips])
    return network


def _keep_encoder(path: Path) -> None:
    """Leave the encoder's tensors alone, under the names of the published encoders at hand."""
    tensors = load_file(path)
    prefix = "encoder."
    save_file({k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}, path)


def _logits(network: SpeechNetwork, clips: list[FloatArray]) -> FloatArray:
    inputs = pad(clips)
    with torch.inference_mode():
        scores = network(torch.from_numpy(inputs["waveform"]), torch.from_numpy(inputs["lengths"]))
    logits: FloatArray = scores["logits"].numpy()
    return logits


def _share_of_loss(
    network: SpeechNetwork, clips: list[FloatArray], emotions: list[int], *, wanted: float
) -> float:
    """Train on all clips at once until the loss is that share of the first, or for 150 steps."""
    states = [frozen_states(network, clip).astype(np.float32) for clip in clips]
    n_frames = torch.tensor([clip.shape[1] for clip in states])
    batch = torch.zeros(len(states), states[0].shape[0], int(n_frames.max()))
    for row, clip in zip(batch, states, strict=True):
        row[:, : clip.shape[1]] = torch.from_numpy(clip)
    kept = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    optimiser = torch.optim.Adam(trained, lr=1e-2)
    network.train()
    losses = []
    for _ in range(150):
        logits = network.classify(batch, n_frames)
        loss = torch.nn.functional.cross_entropy(logits, torch.tensor(emotions))
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        losses.append(float(loss.detach()))
        if losses[-1] < wanted * losses[0]:
            break
    network.load_state_dict(kept)
    network.eval()
    return losses[-1] / losses[0]


def test_the_loss_falls(network: SpeechNetwork, clips: list[FloatArray]) -> None:
    emotions = [i % N_LABELS for i in range(len(clips))]
    assert _share_of_loss(network, clips, emotions, wanted=0.8) < 0.8


@pytest.mark.real
def test_the_loss_falls_on_real_clips(network: SpeechNetwork, shared_data: Path) -> None:
    names = ("anger", "fear", "happy", "sad")
    found = {
        name: sorted((shared_data / "TESS").rglob(f"*_{name.replace('anger', 'angry')}.opus"))
        for name in names
    }
    assert all(len(paths) >= 8 for paths in found.values())
    paths = [found[name][number * 5] for name in names for number in range(8)]
    spoken = [decode(path).samples for path in paths]
    emotions = [i // 8 for i in range(len(paths))]
    assert _share_of_loss(network, spoken, emotions, wanted=0.8) < 0.8


def test_a_clip_scores_the_same_alone_and_in_any_batch(
    network: SpeechNetwork, clips: list[FloatArray]
) -> None:
    some = [clips[0], clips[5][: RATE // 10], clips[3], np.tile(clips[2], 3)[: 3 * RATE]]
    together = _logits(network, some)
    alone = np.concatenate([_logits(network, [clip]) for clip in some])
    np.testing.assert_allclose(together, alone, atol=1e-4)
    assert np.abs(together[0] - together[2]).max() > 1e-5


def test_what_lies_beyond_a_clip_does_not_matter(
    network: SpeechNetwork, clips: list[FloatArray]
) -> None:
    clip = torch.from_numpy(clips[0])[None]
    noise = torch.cat([clip, torch.full((1, RATE), 0.5)], dim=1)
    with torch.inference_mode():
        alone = network(clip, torch.tensor([clip.shape[1]]))["logits"]
        beyond = network(noise, torch.tensor([clip.shape[1]]))["logits"]
    torch.testing.assert_close(alone, beyond, atol=1e-4, rtol=0.0)


def test_an_embedding_and_a_fingerprint_are_what_they_say(
    network: SpeechNetwork, clips: list[FloatArray]
) -> None:
    states, n_frames = network.states(
        torch.from_numpy(clips[0])[None], torch.tensor([clips[0].size])
    )
    assert network.embed(states, n_frames).shape == (1, network.n_embedding)
    assert network.fingerprint()
    assert network.describe_front_end()


@pytest.mark.slow
def test_the_exported_graph_equals_torch_at_any_length(
    network: SpeechNetwork, clips: list[FloatArray], tmp_path: Path
) -> None:
    some = [clips[0], clips[1], clips[5][: RATE // 10], np.tile(clips[2], 3)[: 3 * RATE]]
    assert export_onnx(network, tmp_path / "model.onnx", some) < 1e-4


@pytest.mark.slow
def test_a_network_that_is_very_sure_exports_and_no_other_passes_for_it(
    clips: list[FloatArray], tmp_path: Path
) -> None:
    network = build_network(replace(SMALL, name="cnn"), n_labels=N_LABELS).eval()
    with torch.no_grad():
        network.get_parameter("classifier.weight").mul_(1e4)
    assert np.abs(_logits(network, clips[:2])).max() > 1e3
    export_onnx(network, tmp_path / "model.onnx", clips[:2])
    with torch.no_grad():
        network.get_parameter("classifier.weight").mul_(1.001)
    with pytest.raises(TrainingError, match="differs from torch"):
        check_parity(network, tmp_path / "model.onnx", clips[:2])


def test_features_without_time_are_refused_where_time_is_needed() -> None:
    for name in ("bilstm_attention", "cnn_bilstm"):
        with pytest.raises(RecipeError, match="'mfcc_mean' leaves no time"):
            build_network(NetworkRecipe(name=name, features="mfcc_mean"), n_labels=2)
    with pytest.raises(RecipeError, match="must be at most the 64 mel bands"):
        build_network(NetworkRecipe(name="lstm", n_mfcc=65), n_labels=2)
