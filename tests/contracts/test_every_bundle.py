"""What every bundled model keeps to; the tiny model of the tests shows that the suite runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
import soundfile
from tests.tiny_bundle import tone, write_tiny_bundle

from serenade.audio.condition import condition
from serenade.audio.decode import decode
from serenade.emotions import EMOTIONS
from serenade.inference.front_end import open_front_end
from serenade.inference.recognizer import Recognizer
from serenade.model.bundle import Bundle, open_bundle
from serenade.model.scorer import Scorer, open_scorer
from serenade.model.spec import WaveformInput
from serenade.model.store import BUNDLED, list_bundled
from serenade.training.ensemble import build_ensemble
from serenade.types import FloatArray, Waveform

LARGEST_MEGABYTES = {"compact": 4.0, "default": 24.0, "cremad": 24.0}
"""Limits of the models that ship; every other may have 60 MB."""

SAMPLES = sorted((Path(__file__).parents[2] / "samples").glob("*.flac"))
PORTABLE_DOMAINS = {"", "ai.onnx", "ai.onnx.ml", "com.microsoft"}


@pytest.fixture(scope="module", params=["tiny", "together", *list_bundled()])
def bundle(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    if request.param == "tiny":
        return open_bundle(write_tiny_bundle(tmp_path_factory.mktemp("bundles") / "tiny"))
    if request.param == "together":
        folder = tmp_path_factory.mktemp("bundles")
        members = [write_tiny_bundle(folder / "tiny"), BUNDLED / "compact"]
        build_ensemble(members, [1.0, 3.0], folder / "together", version="1.0.0")
        return open_bundle(folder / "together")
    return open_bundle(BUNDLED / request.param)


@pytest.fixture(scope="module")
def scorer(bundle: Bundle) -> Scorer:
    return open_scorer(bundle)


@pytest.fixture(scope="module")
def recognizer(bundle: Bundle) -> Recognizer:
    return Recognizer.load(bundle.path)


@pytest.fixture(scope="module")
def inputs(bundle: Bundle) -> list[FloatArray]:
    """Inputs of the graph, of different lengths for waveforms."""
    assert SAMPLES, "the samples are part of the checkout"
    front_end = open_front_end(bundle.spec)
    clips = [decode(path, max_seconds=2.0 + i % 3) for i, path in enumerate(SAMPLES)]
    return [front_end(condition(clip, bundle.spec.conditioning)) for clip in clips]


def rounding(bundle: Bundle) -> float:
    """Difference of logits by the order of sums; 8-bit rounding makes a step of the least one."""
    spec = bundle.spec.input
    return 0.02 if isinstance(spec, WaveformInput) and spec.int8_products else 5e-5


def test_it_is_named_after_its_folder(bundle: Bundle) -> None:
    assert bundle.spec.name == bundle.path.name


def test_its_labels_are_canonical(bundle: Bundle) -> None:
    assert set(bundle.spec.labels) <= set(EMOTIONS)


def test_its_card_and_specification_tell_licence_and_training_data(bundle: Bundle) -> None:
    assert bundle.spec.licence in bundle.card
    assert bundle.spec.training_data
    assert bundle.spec.metrics
    if bundle.spec.name != "tiny":
        for data in bundle.spec.training_data:
            assert data.corpus in bundle.card


def test_it_is_not_larger_than_promised(bundle: Bundle) -> None:
    megabytes = sum(path.stat().st_size for path in bundle.path.iterdir()) / 1e6
    assert megabytes <= LARGEST_MEGABYTES.get(bundle.spec.name, 60.0)


def test_its_graph_is_one_valid_file_of_portable_operators(bundle: Bundle) -> None:
    model = onnx.load(bundle.model_path, load_external_data=False)
    assert {node.domain for node in model.graph.node} <= PORTABLE_DOMAINS
    assert not any(tensor.external_data for tensor in model.graph.initializer)
    assert model.ByteSize() <= bundle.model_path.stat().st_size


def test_it_predicts_every_sample_and_always_the_same(
    bundle: Bundle, recognizer: Recognizer
) -> None:
    again = Recognizer.load(bundle.path)
    for path in SAMPLES:
        prediction = recognizer.predict(path)
        assert again.predict(path) == prediction
        assert prediction.emotion in bundle.spec.labels
        assert sum(prediction.probabilities.values()) == pytest.approx(1.0)
        assert (prediction.intensity is not None) == bundle.spec.intensity


def test_a_batch_scores_as_one_by_one(
    bundle: Bundle, scorer: Scorer, inputs: list[FloatArray]
) -> None:
    batch = scorer.score(inputs)
    for row, single in enumerate(inputs):
        alone = scorer.score([single]).logits[0]
        np.testing.assert_allclose(batch.logits[row], alone, atol=rounding(bundle))


def test_padding_changes_nothing(bundle: Bundle, scorer: Scorer, inputs: list[FloatArray]) -> None:
    longest = np.zeros(round(bundle.spec.windowing.max_seconds * 16000), dtype=np.float32)
    longest[:16000] = tone(300.0, seconds=1.0)
    if inputs[0].shape == inputs[1].shape:
        pytest.skip("feature vectors are not padded")
    padded = scorer.score([inputs[0], longest]).logits[0]
    alone = scorer.score([inputs[0]]).logits[0]
    np.testing.assert_allclose(padded, alone, atol=rounding(bundle))


@pytest.mark.parametrize("end", ["min_seconds", "max_seconds"])
def test_it_takes_the_shortest_and_the_longest_window(
    bundle: Bundle, recognizer: Recognizer, end: str
) -> None:
    seconds = getattr(bundle.spec.windowing, end)
    recognizer.predict(Waveform(tone(300.0, seconds=seconds), 16000))


def test_a_recording_longer_than_a_window_is_predicted(
    bundle: Bundle, recognizer: Recognizer, tmp_path: Path
) -> None:
    seconds = 2.5 * bundle.spec.windowing.max_seconds
    soundfile.write(tmp_path / "long.wav", tone(300.0, seconds=seconds), 16000)
    prediction = recognizer.predict(tmp_path / "long.wav")
    assert prediction.duration_seconds == pytest.approx(seconds)


def test_the_level_of_a_recording_does_not_matter(recognizer: Recognizer, bundle: Bundle) -> None:
    exact = not isinstance(bundle.spec.input, WaveformInput) or not bundle.spec.input.int8_products
    clip = decode(SAMPLES[0])
    quiet = recognizer.predict(Waveform(clip.samples * np.float32(0.1), 16000))
    loud = recognizer.predict(clip)
    np.testing.assert_allclose(
        list(quiet.probabilities.values()),
        list(loud.probabilities.values()),
        atol=1e-3 if exact else 0.015,
    )
