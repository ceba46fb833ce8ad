"""Models small enough to be made in a test, whose answers are known.

The waveform model measures pitch: the mean absolute difference of neighbouring samples over the
mean absolute sample, which is 2 sin(pi f / 16000) for a tone of f Hz. 200 Hz is sadness, 1 kHz
neutral, 3 kHz happiness, 6 kHz anger.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from serenade.emotions import LabelSet
from serenade.model.adaptation import Adaptation
from serenade.model.bundle import write_checksums
from serenade.model.spec import ModelSpec, TrainingData, WaveformInput, write_spec
from serenade.model.windowing import Windowing
from serenade.types import Conditioning, FloatArray

if TYPE_CHECKING:
    from pathlib import Path

TONES_HZ = {"neutral": 1000.0, "happiness": 3000.0, "sadness": 200.0, "anger": 6000.0}
"""The tone that the tiny model hears as each emotion, in label order."""

SHARPNESS = 20.0

SPEC = ModelSpec(
    name="tiny",
    version="1.0.0",
    description="Hears emotions in the pitch of a tone.",
    sample_rate=16000,
    input=WaveformInput(),
    labels=LabelSet(tuple(TONES_HZ)),
    windowing=Windowing(min_seconds=0.1, max_seconds=2.0, hop_seconds=1.0, sure_from_seconds=0.5),
    conditioning=Conditioning(),
    front_end={"kind": "pitch"},
    temperature=1.0,
    abstain_below=0.4,
    intensity=True,
    training_data=(TrainingData("none", "CC0", {"speakers": 0}),),
    licence="CC0-1.0",
    metrics={"uar": 1.0},
    created="2026-01-01T00:00:00+00:00",
    serenade="0.1.0",
)
"""Specification of the tiny model; change it with ``dataclasses.replace``."""


def write_tiny_bundle(
    folder: Path, spec: ModelSpec = SPEC, *, model: onnx.ModelProto | None = None
) -> Path:
    """Write a whole bundle into a new folder and give the folder."""
    folder.mkdir(parents=True)
    write_spec(spec, folder / "spec.json")
    (folder / "model.onnx").write_bytes((model or waveform_model()).SerializeToString())
    (folder / "CARD.md").write_text(f"# {spec.name}\n\nLicence: {spec.licence}\n")
    write_checksums(folder)
    return folder


def write_adaptive_bundle(folder: Path, **changes: object) -> Path:
    """Write the bundle of a tiny model that adapts to speakers; see :func:`tiny_spec`."""
    spec = tiny_spec(**({"adaptation": Adaptation(1, 2.0, 4.0)} | changes))
    return write_tiny_bundle(folder, spec, model=waveform_model(adaptive=True))


def tone(frequency_hz: float, *, seconds: float, amplitude: float = 0.3) -> FloatArray:
    """Give a tone at 16 kHz, float32."""
    n = round(seconds * 16000)
    phase = 2 * np.pi * frequency_hz / 16000 * np.arange(n)
    return np.asarray(amplitude * np.sin(phase), dtype=np.float32)


def tiny_spec(**changes: object) -> ModelSpec:
    """Give the specification of the tiny model with some values changed."""
    return dataclasses.replace(SPEC, **changes)  # type: ignore[arg-type]


def waveform_model(
    *, output: str = "logits", n_labels: int = 4, adaptive: bool = False
) -> onnx.ModelProto:
    """Give the graph of the tiny model, or one that breaks the contract.

    The inner vector of the adaptive one is the pitch alone.
    """
    centres = [2 * np.sin(np.pi * f / 16000) for f in TONES_HZ.values()][:n_labels]
    constants: dict[str, npt.NDArray[Any]] = {
        "pads": np.array([0, 1, 0, 1], dtype=np.int64),
        "axis": np.array([1], dtype=np.int64),
        "zero": np.array([0], dtype=np.int64),
        "one": np.array([1], dtype=np.int64),
        "last": np.array([-1], dtype=np.int64),
        "end": np.array([np.iinfo(np.int64).max], dtype=np.int64),
        "tiny": np.array(1e-9, dtype=np.float32),
        "half": np.array(0.5, dtype=np.float32),
        "centres": np.array([centres], dtype=np.float32),
        "sharpness": np.array(-SHARPNESS, dtype=np.float32),
    }
    nodes = [
        # one zero on either side, so that more zeros change nothing
        helper.make_node("Pad", ["waveform", "pads"], ["padded"]),
        helper.make_node("Slice", ["padded", "one", "end", "axis"], ["after"]),
        helper.make_node("Slice", ["padded", "zero", "last", "axis"], ["before"]),
        helper.make_node("Sub", ["after", "before"], ["steps"]),
        helper.make_node("ReduceL1", ["steps", "axis"], ["step_sum"], keepdims=1),
        helper.make_node("ReduceL1", ["waveform", "axis"], ["level_sum"], keepdims=1),
        helper.make_node("Cast", ["lengths"], ["length"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["length", "axis"], ["length_column"]),
        helper.make_node("Div", ["step_sum", "length_column"], ["step"]),
        helper.make_node("Div", ["level_sum", "length_column"], ["level"]),
        helper.make_node("Add", ["level", "tiny"], ["safe_level"]),
        helper.make_node("Div", ["step", "safe_level"], ["pitch"]),
        helper.make_node("Sub", ["adapted" if adaptive else "pitch", "centres"], ["distance"]),
        helper.make_node("Mul", ["distance", "distance"], ["squared"]),
        helper.make_node("Mul", ["squared", "sharpness"], [output]),
        helper.make_node("Mul", ["pitch", "half"], ["scaled"]),
        helper.make_node("Squeeze", ["scaled", "axis"], ["flat"]),
        helper.make_node("Clip", ["flat", "floor", "ceiling"], ["intensity"]),
    ]
    inputs = [
        helper.make_tensor_value_info("waveform", TensorProto.FLOAT, ["batch", "samples"]),
        helper.make_tensor_value_info("lengths", TensorProto.INT64, ["batch"]),
    ]
    outputs = [
        helper.make_tensor_value_info(output, TensorProto.FLOAT, ["batch", "labels"]),
        helper.make_tensor_value_info("intensity", TensorProto.FLOAT, ["batch"]),
    ]
    if adaptive:
        nodes[-6:-6] = [
            helper.make_node("Identity", ["pitch"], ["embedding"]),
            helper.make_node("Sub", ["pitch", "reference_mean"], ["shifted"]),
            helper.make_node("Div", ["shifted", "reference_deviation"], ["adapted"]),
        ]
        constants["reference_mean"] = np.zeros(1, dtype=np.float32)
        constants["reference_deviation"] = np.ones(1, dtype=np.float32)
        inputs += [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, [1])
            for name in ("reference_mean", "reference_deviation")
        ]
        outputs.append(helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["batch", 1]))
    constants["floor"] = np.array(0.0, dtype=np.float32)
    constants["ceiling"] = np.array(1.0, dtype=np.float32)
    graph = helper.make_graph(
        nodes,
        "tiny",
        inputs,
        outputs,
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
    model.ir_version = 9
    onnx.checker.check_model(model)
    return model


def feature_model(n_features: int) -> onnx.ModelProto:
    """Give a linear graph over a feature vector: logit k is (k + 1) times the first feature."""
    weights = np.zeros((n_features, len(TONES_HZ)), dtype=np.float32)
    weights[0] = np.arange(1, len(TONES_HZ) + 1) / 100
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["features", "weights"], ["logits"])],
        "tiny",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["batch", n_features])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", len(TONES_HZ)])],
        [numpy_helper.from_array(weights, "weights")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
    model.ir_version = 9
    onnx.checker.check_model(model)
    return model
