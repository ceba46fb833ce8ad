"""Weights of 16 bits: half of the file, the same answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import onnx
import pytest
import torch
from tests.tiny_bundle import tone

from serenade.errors import TrainingError
from serenade.training import quantise
from serenade.training.export import check_parity, export_onnx
from serenade.training.networks.conv_attention import ConvAttention

if TYPE_CHECKING:
    from pathlib import Path

    from serenade.types import FloatArray


@pytest.fixture(scope="module")
def clips() -> list[FloatArray]:
    return [tone(300.0 * n, seconds=0.5 + 0.2 * n) for n in range(1, 5)]


@pytest.fixture(scope="module")
def network() -> ConvAttention:
    torch.manual_seed(3)
    return ConvAttention(n_labels=7, width=64, depth=1, dropout=0.0).eval()


@pytest.fixture(scope="module")
def exported(
    network: ConvAttention, clips: list[FloatArray], tmp_path_factory: pytest.TempPathFactory
) -> bytes:
    path = tmp_path_factory.mktemp("exported") / "model.onnx"
    export_onnx(network, path, clips)
    return path.read_bytes()


@pytest.fixture
def path(exported: bytes, tmp_path: Path) -> Path:
    (tmp_path / "model.onnx").write_bytes(exported)
    return tmp_path / "model.onnx"


def test_half_the_bits_give_the_same_answers(
    path: Path, network: ConvAttention, clips: list[FloatArray]
) -> None:
    before = {t.name: t for t in onnx.load(path).graph.initializer}
    rounding = quantise.halve(path, clips)
    assert rounding.agreement == 1.0
    assert 0.0 < rounding.largest < 2e-3
    assert rounding.n_clips == len(clips)
    graph = onnx.load(path).graph
    after = {t.name: t for t in graph.initializer}
    halved = {name.removesuffix("_float16") for name in after if name not in before}
    for name, tensor in before.items():
        weights = onnx.numpy_helper.to_array(tensor)
        learnt = weights.dtype == np.float32 and quantise.FRONT_END not in name
        assert (name in halved) == (learnt and weights.size >= quantise.SMALL), name
        if name in halved:
            stored = onnx.numpy_helper.to_array(after[f"{name}_float16"])
            np.testing.assert_array_equal(stored, weights.astype(np.float16))
        else:
            np.testing.assert_array_equal(onnx.numpy_helper.to_array(after[name]), weights)
    assert {node.output[0] for node in graph.node if node.op_type == "Cast"} >= halved
    with torch.no_grad():  # the same network in torch, with the same weights
        for parameter in network.parameters():
            if parameter.numel() >= quantise.SMALL:
                parameter.copy_(parameter.half().float())
    check_parity(network, path, clips)


def test_weights_that_16_bits_cannot_hold_stay(path: Path, clips: list[FloatArray]) -> None:
    model = onnx.load(path)
    name, weights = next(
        (t.name, onnx.numpy_helper.to_array(t))
        for t in model.graph.initializer
        if quantise.FRONT_END not in t.name and np.prod(t.dims) >= quantise.SMALL
    )
    large = weights.copy()
    large.flat[0] = 1e6
    for tensor in model.graph.initializer:
        if tensor.name == name:
            tensor.CopyFrom(onnx.numpy_helper.from_array(large, name))
    onnx.save(model, path)
    quantise.halve(path, clips)
    after = {t.name: t for t in onnx.load(path).graph.initializer}
    np.testing.assert_array_equal(onnx.numpy_helper.to_array(after[name]), large)


def test_a_graph_that_would_answer_otherwise_is_left(
    path: Path, clips: list[FloatArray], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = path.read_bytes()
    monkeypatch.setattr(quantise, "AGREEMENT", 1.01)
    with pytest.raises(TrainingError, match=r"export without export\.float16"):
        quantise.halve(path, clips)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]
