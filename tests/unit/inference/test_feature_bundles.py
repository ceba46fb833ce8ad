"""Models that take a vector of features."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy.special import softmax
from tests.tiny_bundle import feature_model, tiny_spec, tone, write_tiny_bundle

from serenade.audio.condition import condition
from serenade.errors import ModelError
from serenade.features.frontends import FRONT_ENDS, functional_vector
from serenade.inference.recognizer import Recognizer
from serenade.model.spec import FeatureInput
from serenade.types import Conditioning, Waveform

if TYPE_CHECKING:
    from pathlib import Path

MFCC = FRONT_ENDS["mfcc"]
SOUND = tone(400.0, seconds=1.0) + tone(900.0, seconds=1.0)


@pytest.fixture(scope="module")
def features() -> np.ndarray:
    values, _ = functional_vector(condition(Waveform(SOUND, 16000), Conditioning()), MFCC)
    return values


def test_the_vector_of_the_front_end_goes_into_the_graph(
    tmp_path: Path, features: np.ndarray
) -> None:
    spec = tiny_spec(input=FeatureInput("mfcc", MFCC.fingerprint), intensity=False)
    folder = write_tiny_bundle(tmp_path / "tiny", spec, model=feature_model(features.size))
    prediction = Recognizer.load(folder).predict(SOUND, 16000)
    expected = softmax(features[0] * np.arange(1, 5) / 100)
    np.testing.assert_allclose(list(prediction.probabilities.values()), expected, rtol=1e-4)
    assert prediction.intensity is None


@pytest.mark.parametrize(
    "front_end", [FeatureInput("mfcc", "0000"), FeatureInput("wavelets", MFCC.fingerprint)]
)
def test_a_front_end_that_has_changed_is_refused(
    tmp_path: Path, features: np.ndarray, front_end: FeatureInput
) -> None:
    spec = tiny_spec(input=front_end, intensity=False)
    folder = write_tiny_bundle(tmp_path / "tiny", spec, model=feature_model(features.size))
    with pytest.raises(ModelError, match=r"needs the front end .* with fingerprint .* anew"):
        Recognizer.load(folder)
