"""What a model takes of a conditioned waveform: the samples, or a vector of features."""

from __future__ import annotations

from typing import TYPE_CHECKING

from serenade.errors import ModelError
from serenade.model.spec import WaveformInput

if TYPE_CHECKING:
    from collections.abc import Callable

    from serenade.model.spec import ModelSpec
    from serenade.types import FloatArray, Waveform


def open_front_end(spec: ModelSpec) -> Callable[[Waveform], FloatArray]:
    """Find what turns a waveform into the input of a model.

    Parameters
    ----------
    spec : ModelSpec
        What the model says about itself.

    Returns
    -------
    callable
        Gives for a waveform the input of the scorer, of shape (n_samples,) or (n_features,).

    Raises
    ------
    ModelError
        If this release has another front end than the model was trained with.
    """
    if isinstance(spec.input, WaveformInput):
        return _samples_of
    from serenade.features.frontends import FRONT_ENDS, functional_vector

    config = FRONT_ENDS.get(spec.input.front_end)
    if config is None or config.fingerprint != spec.input.fingerprint:
        raise ModelError(
            f"model {spec.model_id} needs the front end {spec.input.front_end!r} with fingerprint"
            f" {spec.input.fingerprint}, which this release does not have; train the model anew"
        )
    return lambda waveform: functional_vector(waveform, config)[0]


def _samples_of(waveform: Waveform) -> FloatArray:
    return waveform.samples
