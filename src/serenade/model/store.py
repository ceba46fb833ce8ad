"""Where models are found by name: the bundles inside the package."""

from __future__ import annotations

import os
from pathlib import Path

from serenade.errors import ModelError

BUNDLED = Path(__file__).parent / "bundled"
"""Folder of the models that ship with the package."""

SMALL_NAME = "compact"
DEFAULT_NAMES = ("default", SMALL_NAME)
"""The first of these that is bundled is the default model."""


def list_bundled() -> list[str]:
    """Give the names of the models that ship with the package.

    Returns
    -------
    list of str
        Sorted names; each resolves.
    """
    return sorted(spec.parent.name for spec in BUNDLED.glob("*/spec.json"))


def browser_name() -> str | None:
    """Give the name of the small model, which browsers run as well.

    Returns
    -------
    str or None
        Name of a bundled model; ``None`` if it is not bundled.
    """
    return SMALL_NAME if SMALL_NAME in list_bundled() else None


def default_name() -> str:
    """Give the name of the model that is used where none is named.

    Returns
    -------
    str
        Name of a bundled model.

    Raises
    ------
    ModelError
        If none is bundled.
    """
    bundled = list_bundled()
    for name in DEFAULT_NAMES:
        if name in bundled:
            return name
    raise ModelError(
        "no default model is installed; install Serenade anew or give the folder of a model"
    )


def resolve(name_or_path: str | os.PathLike[str] | None = None) -> Path:
    """Find the folder of a model.

    Parameters
    ----------
    name_or_path : str, path or None
        Name of a bundled model, folder of any model, or ``None`` for the default model. As text, a
        name wins over a folder of the same name, so write ``./name`` for the folder; as a path, the
        folder wins.

    Returns
    -------
    Path
        The folder; it is not yet verified.

    Raises
    ------
    ModelError
        If there is no such model; the message lists what there is.
    """
    text = default_name() if name_or_path is None else os.fspath(name_or_path)
    bundled = list_bundled()
    is_folder = os.path.isdir(text)  # noqa: PTH112 - Path raises where one above may not be read
    # A path that was ./name is name by now.
    if text in bundled and not (is_folder and isinstance(name_or_path, os.PathLike)):
        return BUNDLED / text
    if is_folder:
        return Path(text)
    raise ModelError(
        f"there is no model {text!r}; give one of {', '.join(bundled) or 'no bundled models'}"
        " or the folder of a model"
    )
