"""Noise reduction keeps its promises on real speech in real noise (a part of bench/denoise.py)."""

from __future__ import annotations

import runpy
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from serenade.types import FloatArray

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def bench(repository: Path) -> dict[str, Any]:
    return runpy.run_path(str(repository / "bench" / "denoise.py"))


@pytest.fixture(scope="module")
def speech(bench: dict[str, Any], shared_data: Path) -> list[FloatArray]:
    few = {"RAVDESS": 4, "SAVEE": 2, "CREMA-D": 4}
    paths = bench["choose_speech"](shared_data, np.random.default_rng(7), few)
    return [bench["remove_offset"](bench["decode"](path)).samples for path in paths]


def test_noise_falls_where_it_is_steady_and_nothing_is_harmed(
    bench: dict[str, Any], shared_data: Path, speech: list[FloatArray]
) -> None:
    noises = bench["noise_clips"](shared_data)
    assert len(noises) == 11
    trials = bench["run_trials"](speech, noises, np.random.default_rng(7))
    assert bench["failures_of"](bench["groups_of"](trials)) == []


def test_clean_speech_is_not_touched(bench: dict[str, Any], speech: list[FloatArray]) -> None:
    changed = bench["changed_clips"](speech)
    assert len(changed) < len(speech) / 3
    assert all(snr < bench["CLEAN_FROM_DB"] for snr, _ in changed.values())
