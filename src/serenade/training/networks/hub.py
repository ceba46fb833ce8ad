"""Where the weights of a pre-trained encoder come from: a folder, or the Hugging Face hub."""

from __future__ import annotations

import re
from pathlib import Path

from serenade.errors import MissingExtraError, RecipeError

HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+")


def encoder_folder(source: str) -> Path:
    """Give the folder of an encoder, fetched from the hub if its name is given.

    Parameters
    ----------
    source : str
        Folder in the layout of `transformers`, or ``owner/name`` on the hub. Only ``config.json``
        and weights in safetensors are fetched: no code.

    Returns
    -------
    Path
        Local folder.

    Raises
    ------
    MissingExtraError
        If the hub is named and its library is not installed.
    RecipeError
        If there is no such folder and the hub does not give it.
    """
    folder = Path(source)
    if folder.is_dir() or not HUB_NAME.fullmatch(source):
        return folder
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError
    except ModuleNotFoundError as error:
        raise MissingExtraError("backbones", f"Fetching {source} from the hub") from error
    try:
        fetched = snapshot_download(source, allow_patterns=["config.json", "model.safetensors"])
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        raise RecipeError(
            f"the encoder {source!r} is not a folder and cannot be fetched from the hub; give a"
            " local folder with --encoder"
        ) from error
    return Path(fetched)
