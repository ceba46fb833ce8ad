"""Smaller weights: an exported graph in a quarter or half of the size, and what it costs."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import onnx
import onnxruntime

from serenade.errors import TrainingError
from serenade.model.scorer import pad

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy.typing as npt

    from serenade.types import FloatArray

BLOCK = 128
"""Inputs that share a scale in a matrix product."""
INT8_PRODUCTS = 4
"""Accuracy level of onnxruntime at which the products themselves are of 8-bit integers."""
SMALL = 10_000
"""Weights of fewer values stay as they are."""
FRONT_END = "front_end"
"""In the names of weights that are not learnt, but define the features."""
AGREEMENT = 0.95
"""Share of clips on which both graphs must give the same emotion."""


@dataclass(frozen=True, slots=True)
class Rounding:
    """What rounding the weights changed.

    Parameters
    ----------
    agreement : float
        Share of clips with the same emotion, in [0, 1].
    largest : float
        Largest change of a probability, in [0, 1].
    n_clips : int
        Clips that were compared.
    """

    agreement: float
    largest: float
    n_clips: int


def quantise(path: Path, clips: Sequence[FloatArray]) -> Rounding:
    """Store the weights of a graph as 8-bit integers, and multiply matrices with them.

    The factors of matrix products are rounded in blocks of :data:`BLOCK` inputs, the other factor
    at run time in the same blocks: with one scale for a whole product, the few large channels of
    a pre-trained encoder would leave the others no resolution. Kernels and the head are rounded
    per output channel and turned back before use. The front end stays as it is.

    Parameters
    ----------
    path : Path
        ONNX file; replaced.
    clips : sequence of ndarray of shape (n_samples,), float32
        Conditioned clips that both graphs are compared on.

    Returns
    -------
    Rounding
        How far both differ.

    Raises
    ------
    TrainingError
        If they disagree on more clips than rounding should change.
    """
    model = _round_products(onnx.load(path))
    _round_kernels(model.graph)
    return _replace(path, model, clips, option="int8")


def halve(path: Path, clips: Sequence[FloatArray]) -> Rounding:
    """Store the weights of a graph as 16-bit floating-point numbers.

    They are turned back into 32 bits when the graph is loaded, so it computes as before, with
    weights that are right to 11 bits. Those of the front end stay as they are.

    Parameters
    ----------
    path : Path
        ONNX file; replaced.
    clips : sequence of ndarray of shape (n_samples,), float32
        Conditioned clips that both graphs are compared on.

    Returns
    -------
    Rounding
        How far both differ.

    Raises
    ------
    TrainingError
        If they disagree on more clips than rounding should change.
    """
    model = onnx.load(path)
    kept, turned_back = [], []
    for tensor in model.graph.initializer:
        weights = onnx.numpy_helper.to_array(tensor)
        small = weights.dtype != np.float32 or weights.size < SMALL or FRONT_END in tensor.name
        if small or np.abs(weights).max() > np.finfo(np.float16).max:
            kept.append(tensor)
            continue
        halves = weights.astype(np.float16)
        name = f"{tensor.name}_float16"
        kept.append(onnx.numpy_helper.from_array(halves, name))
        turned_back.append(
            onnx.helper.make_node("Cast", [name], [tensor.name], to=onnx.TensorProto.FLOAT)
        )
    _put_first(model.graph, turned_back, kept)
    return _replace(path, model, clips, option="float16")


def _replace(
    path: Path, model: onnx.ModelProto, clips: Sequence[FloatArray], *, option: str
) -> Rounding:
    """Put a rounded graph in the place of a file if it gives the same emotions."""
    before = _probabilities(path, clips)
    rounded = path.with_name(f"{option}.onnx")
    onnx.save(model, rounded)
    after = _probabilities(rounded, clips)
    agreement = float((before.argmax(axis=1) == after.argmax(axis=1)).mean())
    largest = float(np.abs(before - after).max())
    if agreement < AGREEMENT:
        rounded.unlink()
        raise TrainingError(
            f"smaller weights change the answer on {1.0 - agreement:.1%} of {len(clips)} clips,"
            f" allowed are {1.0 - AGREEMENT:.0%}; export without export.{option}"
        )
    rounded.replace(path)
    return Rounding(agreement, largest, len(clips))


def _put_first(
    graph: onnx.GraphProto,
    nodes: Sequence[onnx.NodeProto],
    initializers: Sequence[onnx.TensorProto],
) -> None:
    """Give a graph other initializers, and nodes that make its weights of them."""
    del graph.initializer[:]
    graph.initializer.extend(initializers)
    every_node = [*nodes, *graph.node]
    del graph.node[:]
    graph.node.extend(every_node)


def _round_products(model: onnx.ModelProto) -> onnx.ModelProto:
    # Not at the top: the module configures the root logger, and tells it about every node.
    logging.disable(logging.INFO)
    try:
        from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer

        quantizer = MatMulNBitsQuantizer(
            model, bits=8, block_size=BLOCK, is_symmetric=True, accuracy_level=INT8_PRODUCTS
        )
        quantizer.process()
    finally:
        logging.disable(logging.NOTSET)
    rounded: onnx.ModelProto = quantizer.model.model
    return rounded


def _round_kernels(graph: onnx.GraphProto) -> None:
    """Store the large weights of convolutions and of the head as integers with a scale per row."""
    users = {node.input[1]: node for node in graph.node if node.op_type in ("Conv", "Gemm")}
    kept, turned_back = [], []
    for tensor in graph.initializer:
        weights = onnx.numpy_helper.to_array(tensor)
        if tensor.name not in users or weights.size < SMALL or FRONT_END in tensor.name:
            kept.append(tensor)
            continue
        scales = np.abs(weights).reshape(len(weights), -1).max(axis=1) / 127.0
        scales = np.maximum(scales, np.finfo(np.float32).tiny).astype(np.float32)
        shape = (-1,) + (1,) * (weights.ndim - 1)
        integers = np.rint(weights / scales.reshape(shape)).astype(np.int8)
        names = [f"{tensor.name}_int8", f"{tensor.name}_scales"]
        kept += map(onnx.numpy_helper.from_array, (integers, scales), names)
        turned_back.append(onnx.helper.make_node("DequantizeLinear", names, [tensor.name], axis=0))
    _put_first(graph, turned_back, kept)


def _probabilities(path: Path, clips: Sequence[FloatArray]) -> npt.NDArray[np.float64]:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    logits = np.concatenate([session.run(["logits"], pad([clip]))[0] for clip in clips])
    powers = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    shares: npt.NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
    return shares
