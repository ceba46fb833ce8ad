"""Scorer: the ONNX session of a bundle.

A waveform bundle takes ``waveform`` float32 (batch, samples), padded with zeros, and ``lengths``
int64 (batch,). A feature bundle takes ``features`` float32 (batch, n_features). Both give
``logits`` float32 (batch, n_labels) and, where the specification says so, ``intensity`` float32
(batch,) in [0, 1]. A model that adapts to speakers has the inputs and the output of
:mod:`serenade.model.adaptation` as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from serenade.errors import ModelError
from serenade.model.spec import ModelSpec, WaveformInput

if TYPE_CHECKING:
    from collections.abc import Sequence

    from serenade.model.adaptation import SpeakerReference
    from serenade.model.bundle import Bundle
    from serenade.types import FloatArray

_INTENSITY_TOLERANCE = 1e-4
"""How far rounding may carry an intensity out of [0, 1]."""


class Session(Protocol):
    """What is used of ``onnxruntime.InferenceSession``."""

    def run(self, output_names: list[str], input_feed: dict[str, Any]) -> list[Any]:
        """Run the graph."""


@dataclass(frozen=True, slots=True)
class Scores:
    """What a model gives for a batch.

    Parameters
    ----------
    logits : ndarray of shape (n, n_labels), float32
        Scores before calibration, in label order.
    intensity : ndarray of shape (n,), float32, or None
        Strength of the emotion, in [0, 1].
    embedding : ndarray of shape (n, n_embedding), float32, or None
        Inner vectors, of a model that adapts to speakers.
    """

    logits: FloatArray
    intensity: FloatArray | None
    embedding: FloatArray | None = None


class Scorer:
    """Scores batches with one model; threads may share it.

    Use :func:`open_scorer` to make one.
    """

    def __init__(
        self, session: Session, spec: ModelSpec, errors: tuple[type[Exception], ...]
    ) -> None:
        self._session = session
        self._spec = spec
        self._errors = errors

    def score(
        self, inputs: Sequence[FloatArray], *, reference: SpeakerReference | None = None
    ) -> Scores:
        """Score a batch.

        Parameters
        ----------
        inputs : sequence of ndarray of shape (n_samples,) or (n_features,), float32
            At least one; waveforms of any lengths above 0 or feature vectors of one length.
        reference : SpeakerReference or None
            What is known of the speaker of all inputs; only of this model.

        Returns
        -------
        Scores
            One row per input.

        Raises
        ------
        ModelError
            If the graph fails or gives something else than its specification says.
        """
        if isinstance(self._spec.input, WaveformInput):
            feed = pad(inputs)
        else:
            feed = {"features": np.stack(inputs)}
        if reference is not None:
            feed["reference_mean"] = reference.mean
            feed["reference_deviation"] = reference.deviation
        names = ["logits"]
        if self._spec.intensity:
            names.append("intensity")
        if self._spec.adaptation is not None:
            names.append("embedding")
        try:
            outputs = dict(zip(names, self._session.run(names, feed), strict=True))
        except self._errors as error:
            raise ModelError(
                f"model {self._spec.model_id} cannot score this input ({_first_line(error)})"
            ) from error
        n = len(inputs)
        intensity = embedding = None
        logits = self._check("logits", outputs["logits"], (n, len(self._spec.labels)))
        if self._spec.intensity:
            intensity = self._check("intensity", outputs["intensity"], (n,))
            if np.any(np.abs(intensity - 0.5) > 0.5 + _INTENSITY_TOLERANCE):
                raise ModelError(f"model {self._spec.model_id} gave an intensity outside 0 to 1")
            intensity = intensity.clip(0.0, 1.0)
        if self._spec.adaptation is not None:
            shape = (n, self._spec.adaptation.n_embedding)
            embedding = self._check("embedding", outputs["embedding"], shape)
        return Scores(logits, intensity, embedding)

    def _check(self, name: str, values: object, shape: tuple[int, ...]) -> FloatArray:
        if not isinstance(values, np.ndarray) or values.shape != shape:
            found = getattr(values, "shape", type(values).__name__)
            raise ModelError(
                f"model {self._spec.model_id} gave {name} of shape {found} instead of {shape}"
            )
        if not np.isfinite(values).all():
            raise ModelError(f"model {self._spec.model_id} gave {name} that are not finite")
        return values


def pad(waveforms: Sequence[FloatArray]) -> dict[str, Any]:
    """Give waveforms of different lengths as the inputs of a waveform graph.

    Parameters
    ----------
    waveforms : sequence of ndarray of shape (n_samples,), float32
        At least one.

    Returns
    -------
    dict
        ``waveform`` float32 (n, longest), zeros after each end, and ``lengths`` int64 (n,).
    """
    lengths = np.array([waveform.shape[0] for waveform in waveforms], dtype=np.int64)
    batch = np.zeros((len(waveforms), int(lengths.max())), dtype=np.float32)
    for row, waveform in zip(batch, waveforms, strict=True):
        row[: waveform.shape[0]] = waveform
    return {"waveform": batch, "lengths": lengths}


def open_scorer(bundle: Bundle, *, threads: int = 1) -> Scorer:
    """Load the graph of a bundle.

    Parameters
    ----------
    bundle : Bundle
        A verified model folder.
    threads : int
        Threads inside one operator, 1 or more.

    Returns
    -------
    Scorer
        Ready to score.

    Raises
    ------
    ModelError
        If the graph cannot be loaded or has other inputs or outputs than the specification says.
    """
    import onnxruntime
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    errors = (
        state.EPFail,
        state.Fail,
        state.InvalidArgument,
        state.InvalidGraph,
        state.InvalidProtobuf,
        state.NoModel,
        state.NoSuchFile,
        state.NotImplemented,
        state.RuntimeException,
    )
    try:
        session = onnxruntime.InferenceSession(
            bundle.model_path,
            _session_options(threads),
            providers=["CPUExecutionProvider"],
            enable_fallback=0,  # to the same provider, with a report on standard output
        )
    except errors as error:
        raise ModelError(
            f"{bundle.model_path} cannot be loaded ({_first_line(error)}); export the bundle anew"
        ) from error
    _check_graph(session, bundle.spec)
    return Scorer(session, bundle.spec, errors)


def _session_options(threads: int) -> Any:  # noqa: ANN401 - onnxruntime has no type stubs
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    # Waiting threads that spin take the core from other sessions and processes.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 4  # errors come as exceptions; nothing is printed
    return options


def _check_graph(session: Any, spec: ModelSpec) -> None:  # noqa: ANN401 - no type stubs
    if isinstance(spec.input, WaveformInput):
        inputs = {"waveform": ("tensor(float)", 2), "lengths": ("tensor(int64)", 1)}
    else:
        inputs = {"features": ("tensor(float)", 2)}
    outputs = {"logits": ("tensor(float)", 2)}
    optional: dict[str, tuple[str, int]] = {}
    if spec.intensity:
        outputs["intensity"] = ("tensor(float)", 1)
    if spec.adaptation is not None:
        outputs["embedding"] = ("tensor(float)", 2)
        vector = ("tensor(float)", 1)
        optional = {"reference_mean": vector, "reference_deviation": vector}
    found_inputs = {node.name: (node.type, len(node.shape)) for node in session.get_inputs()}
    found_outputs = {node.name: (node.type, len(node.shape)) for node in session.get_outputs()}
    found_optional = {
        node.name: (node.type, len(node.shape)) for node in session.get_overridable_initializers()
    }
    if found_inputs != inputs:
        raise ModelError(
            f"model {spec.model_id} takes {found_inputs} instead of {inputs} (type, dimensions)"
        )
    if not optional.items() <= found_optional.items():
        raise ModelError(
            f"model {spec.model_id} has the optional inputs {found_optional} instead of {optional}"
            " (type, dimensions), so it cannot adapt to a speaker; export the bundle anew"
        )
    if not outputs.items() <= found_outputs.items():
        raise ModelError(
            f"model {spec.model_id} gives {found_outputs} instead of {outputs} (type, dimensions)"
        )


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__
