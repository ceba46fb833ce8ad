"""However a graph was damaged, loading it says so: it is verified while onnxruntime reads it."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import numpy as np
import pytest

from serenade.errors import ModelError
from serenade.inference.recognizer import Recognizer
from serenade.model.store import resolve

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

N_EACH = 20


@pytest.fixture(scope="module")
def graph() -> bytes:
    return (resolve("compact") / "model.onnx").read_bytes()


def _flipped(graph: bytes, rng: np.random.Generator) -> bytes:
    content = np.frombuffer(graph, dtype=np.uint8).copy()
    content[rng.integers(content.size, size=20)] ^= 1 << int(rng.integers(8))
    return content.tobytes()


def _flipped_in_the_nodes(graph: bytes, rng: np.random.Generator) -> bytes:
    """Where sizes, shapes and names are: before the first and after the last weights."""
    content = np.frombuffer(graph, dtype=np.uint8).copy()
    near = int(min(20_000, content.size // 4))
    content[rng.integers(near, size=4)] ^= 1 << int(rng.integers(8))
    content[-rng.integers(1, near, size=4)] ^= 1 << int(rng.integers(8))
    return content.tobytes()


def _shortened(graph: bytes, rng: np.random.Generator) -> bytes:
    return graph[: int(rng.integers(len(graph)))]


def _zeroed(graph: bytes, rng: np.random.Generator) -> bytes:
    start = int(rng.integers(len(graph) - 4096))
    return graph[:start] + bytes(4096) + graph[start + 4096 :]


def _twice(graph: bytes, rng: np.random.Generator) -> bytes:
    return graph + graph[: int(rng.integers(1, len(graph)))]


def _noise(graph: bytes, rng: np.random.Generator) -> bytes:
    return rng.bytes(len(graph) // 10)


@pytest.mark.parametrize(
    "damage", [_flipped, _flipped_in_the_nodes, _shortened, _zeroed, _twice, _noise]
)
def test_a_damaged_graph_is_told_as_changed(
    graph: bytes,
    damage: Callable[[bytes, np.random.Generator], bytes],
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(resolve("compact"), folder)
    rng = np.random.default_rng(7)
    for _ in range(N_EACH):
        (folder / "model.onnx").write_bytes(damage(graph, rng))
        with pytest.raises(ModelError, match=r"model\.onnx of model .* was changed after"):
            Recognizer.load(folder)
    assert capfd.readouterr() == ("", "")
