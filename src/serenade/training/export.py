"""Export: from a trained network to the ONNX file of a bundle, checked against torch."""

from __future__ import annotations

import logging
import warnings
from typing import TYPE_CHECKING

import numpy as np
import onnx
import onnxruntime
import torch
from torch import Tensor, nn

from serenade.errors import TrainingError
from serenade.model.scorer import pad

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from serenade.training.networks.base import SpeechNetwork
    from serenade.types import FloatArray

OPSET = 20
REFERENCE = ("reference_mean", "reference_deviation")
PARITY = 1e-4
"""Largest difference of an output between torch and ONNX; of outputs above 1, as a share of the
largest, because rounding grows with them: a network that is very sure has logits of 50 and more."""

TRACED_SAMPLES = 8_000
"""The exporter is shown only the beginning of clips; the graph takes any length, and the comparison
is made on whole clips."""


def export_onnx(network: SpeechNetwork, path: Path, clips: Sequence[FloatArray]) -> float:
    """Write a network as ONNX and compare it with torch on real clips.

    Parameters
    ----------
    network : SpeechNetwork
        In evaluation mode.
    path : Path
        File to make or replace. Inputs ``waveform`` (batch, samples) and ``lengths`` (batch,),
        output ``logits`` (batch, n_labels) and, if it was learnt, ``intensity`` (batch,). A network
        that adapts to speakers has the inputs and the output of
        :mod:`serenade.model.adaptation` as well.
    clips : sequence of ndarray of shape (n_samples,), float32
        Conditioned clips of different lengths for the comparison; at least two.

    Returns
    -------
    float
        Largest difference of an output.

    Raises
    ------
    TrainingError
        If the difference is above what :data:`PARITY` allows.
    """
    network = network.eval()
    traced = pad([clip[:TRACED_SAMPLES] for clip in clips])
    example = {name: torch.from_numpy(array) for name, array in traced.items()}
    batch = torch.export.Dim("batch", min=1)
    samples = torch.export.Dim("samples", min=1600)
    dynamic: dict[str, dict[int, torch.export.Dim] | None] = {
        "waveform": {0: batch, 1: samples},
        "lengths": {0: batch},
    }
    names = ["logits"] if network.intensity_head is None else ["logits", "intensity"]
    if network.adapts:
        example |= _no_reference(network)
        dynamic |= dict.fromkeys(REFERENCE)
        names.append("embedding")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's exporter warns about itself
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        program = torch.onnx.export(
            _Exported(network),
            tuple(example.values()),
            input_names=list(example),
            output_names=names,
            dynamic_shapes=tuple(dynamic.values()),
            opset_version=OPSET,
            dynamo=True,
            external_data=False,
            verbose=False,
        )
    if program is None:
        raise TrainingError("the network could not be exported to ONNX")
    model = _stripped(program.model_proto)
    if network.adapts:
        # An input that is an initializer as well is optional: without a speaker, the population.
        for name, default in _no_reference(network).items():
            model.graph.initializer.append(onnx.numpy_helper.from_array(default.numpy(), name))
    onnx.save(model, path)
    return check_parity(network, path, clips)


class _Exported(nn.Module):
    """A network as a function of plain tensors, in the order of the graph's inputs and outputs."""

    def __init__(self, network: SpeechNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(
        self,
        waveform: Tensor,
        lengths: Tensor,
        reference_mean: Tensor | None = None,
        reference_deviation: Tensor | None = None,
    ) -> tuple[Tensor, ...]:
        states, n_frames = self.network.states(waveform, lengths)
        embedding = self.network.embed(states, n_frames)
        adapted = embedding
        if reference_mean is not None and reference_deviation is not None:
            adapted = (embedding - reference_mean) / reference_deviation
        outputs = [self.network.decide(adapted)]
        if self.network.intensity_head is not None:
            outputs.append(self.network.rate_intensity(adapted))
        if self.network.adapts:
            outputs.append(embedding)
        return tuple(outputs)


def _no_reference(network: SpeechNetwork) -> dict[str, Tensor]:
    """Values with which the population counts: the embedding is in its units already."""
    neutral = (torch.zeros(network.n_embedding), torch.ones(network.n_embedding))
    return dict(zip(REFERENCE, neutral, strict=True))


def _stripped(model: onnx.ModelProto) -> onnx.ModelProto:
    """Take out what only the exporter needs: it contradicts onnxruntime or names local paths."""
    # Value infos name torch's symbolic shapes, which onnxruntime's own shape inference contradicts.
    del model.graph.value_info[:]
    del model.graph.metadata_props[:]
    del model.metadata_props[:]
    for node in model.graph.node:
        del node.metadata_props[:]
        node.ClearField("doc_string")
    for tensor in model.graph.initializer:
        del tensor.metadata_props[:]
    return model


def check_parity(network: SpeechNetwork, path: Path, clips: Sequence[FloatArray]) -> float:
    """Compare an ONNX file with the network it was made from, alone and in a batch.

    Parameters
    ----------
    network : SpeechNetwork
        In evaluation mode.
    path : Path
        ONNX file.
    clips : sequence of ndarray of shape (n_samples,), float32
        Conditioned clips.

    Returns
    -------
    float
        Largest difference of an output.

    Raises
    ------
    TrainingError
        If the difference is above what :data:`PARITY` allows.
    """
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    largest, allowed = 0.0, PARITY
    for group in [list(clips), *[[clip] for clip in clips]]:
        inputs = pad(group)
        with torch.inference_mode():
            expected = network(*(torch.from_numpy(array) for array in inputs.values()))
        got = session.run(list(expected), inputs)
        for wanted, given in zip(expected.values(), got, strict=True):
            largest = max(largest, float(np.abs(given - wanted.numpy()).max()))
            allowed = max(allowed, PARITY * float(wanted.abs().max()))
    if not largest <= allowed:
        raise TrainingError(
            f"the exported network differs from torch by {largest:.2g} in a logit,"
            f" allowed is {allowed:.2g}; the bundle was not written"
        )
    return largest
