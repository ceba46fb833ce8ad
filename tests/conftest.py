"""Fixtures that every test may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]


def _shared(name: str) -> Path:
    root = Path(os.environ.get("SERENADE_SHARED", REPOSITORY.parent / "shared"))
    if not (root / name).exists():
        pytest.skip(f"needs the real corpora: {root / name} is absent (set SERENADE_SHARED)")
    return root / name


@pytest.fixture(scope="session")
def repository() -> Path:
    """Root of the checkout."""
    return REPOSITORY


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The real corpora (`../shared/data`), or skip."""
    return _shared("data")


@pytest.fixture(scope="session")
def shared_folds() -> Path:
    """The published folds (`../shared/folds`), or skip."""
    return _shared("folds")


@pytest.fixture(scope="session")
def shared_pretrained() -> Path:
    """The pre-trained encoders (`../shared/pretrained`), or skip."""
    return _shared("pretrained")
