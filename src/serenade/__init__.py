"""Serenade tells which emotion is in a voice.

Importing the package loads nothing; the names below are resolved on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from serenade.errors import SerenadeError
    from serenade.inference.recognizer import Recognizer
    from serenade.types import Prediction, Waveform

__version__ = "0.1.0"

__all__ = ["Prediction", "Recognizer", "SerenadeError", "Waveform", "__version__"]

_HOMES = {
    "Prediction": "serenade.types",
    "Recognizer": "serenade.inference.recognizer",
    "SerenadeError": "serenade.errors",
    "Waveform": "serenade.types",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - PEP 562 hook: any public name
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'serenade' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
