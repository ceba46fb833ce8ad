"""Eight-bit weights: from the exported graph to one of a quarter of the size, and what it costs."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import onnxruntime

from serenade.errors import TrainingError
from serenade.model.scorer import pad

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy.typing as npt

    from serenade.types import FloatArray

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
    """Store and multiply the matrices of a graph as 8-bit integers.

    Weights are rounded once, per output channel; the other factor of each product is rounded
    at run time with a scale of its own. Convolutions and the front end stay as they are.

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
    from onnxruntime.quantization import QuantType, quantize_dynamic

    before = _probabilities(path, clips)
    rounded = path.with_name("int8.onnx")
    logging.disable(logging.WARNING)  # it advises a step that an exported graph does not need
    try:
        quantize_dynamic(
            path,
            rounded,
            op_types_to_quantize=["MatMul", "Gemm"],
            per_channel=True,
            weight_type=QuantType.QInt8,
            extra_options={"MatMulConstBOnly": True},
        )
    finally:
        logging.disable(logging.NOTSET)
    after = _probabilities(rounded, clips)
    agreement = float((before.argmax(axis=1) == after.argmax(axis=1)).mean())
    largest = float(np.abs(before - after).max())
    if agreement < AGREEMENT:
        raise TrainingError(
            f"8-bit weights change the answer on {1.0 - agreement:.1%} of {len(clips)} clips,"
            f" allowed are {1.0 - AGREEMENT:.0%}; export without export.int8"
        )
    rounded.replace(path)
    return Rounding(agreement, largest, len(clips))


def _probabilities(path: Path, clips: Sequence[FloatArray]) -> npt.NDArray[np.float64]:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    logits = np.concatenate([session.run(["logits"], pad([clip]))[0] for clip in clips])
    powers = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    shares: npt.NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
    return shares
