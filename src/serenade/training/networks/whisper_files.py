"""A Whisper encoder on disk, in the layout of `transformers`: its sizes and its tensors."""

from __future__ import annotations

import json
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING

from safetensors import SafetensorError
from safetensors.torch import load_file

from serenade.errors import RecipeError

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

WHOLE_MODEL = "model.encoder."
"""Before the names of the encoder's tensors where the file holds the decoder as well."""

LARGEST_SIZE = 8192
"""Of an encoder that is taken; the largest published has 5120."""


@dataclass(frozen=True, slots=True)
class EncoderShape:
    """Size of a Whisper encoder, as its ``config.json`` gives it.

    Parameters
    ----------
    width, n_layers, n_heads, n_feed, n_mels : int
        ``d_model``, ``encoder_layers``, ``encoder_attention_heads``, ``encoder_ffn_dim`` and
        ``num_mel_bins``.
    """

    width: int
    n_layers: int
    n_heads: int
    n_feed: int
    n_mels: int


def read_shape(folder: Path, *, key: str) -> EncoderShape:
    """Read the size of an encoder from its ``config.json``.

    Parameters
    ----------
    folder : Path
        In the layout of `transformers`.
    key : str
        Of the recipe that names the folder, for the error.

    Returns
    -------
    EncoderShape
        Its size.

    Raises
    ------
    RecipeError
        If there is no such file or it is not of a Whisper encoder.
    """
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        shape = EncoderShape(
            width=int(config["d_model"]),
            n_layers=int(config["encoder_layers"]),
            n_heads=int(config["encoder_attention_heads"]),
            n_feed=int(config["encoder_ffn_dim"]),
            n_mels=int(config["num_mel_bins"]),
        )
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise RecipeError(
            f"{key} {str(folder)!r} is not the folder of a Whisper encoder; it needs config.json"
            " and model.safetensors"
        ) from error
    sizes = astuple(shape)
    if min(sizes) < 1 or max(sizes) > LARGEST_SIZE or shape.width % shape.n_heads:
        raise RecipeError(
            f"{key} {str(folder)!r}: config.json has sizes that no encoder can have"
            f" ({', '.join(map(str, sizes))}); fetch the encoder anew"
        )
    return shape


def read_tensors(folder: Path, *, key: str) -> dict[str, Tensor]:
    """Read the tensors of an encoder.

    Parameters
    ----------
    folder : Path
        Holds ``model.safetensors``, of the encoder or of the whole model.
    key : str
        Of the recipe that names the folder, for the error.

    Returns
    -------
    dict of str to Tensor
        By our names; ``"positions"`` is among them.

    Raises
    ------
    RecipeError
        If the file is missing, unreadable or of another model.
    """
    try:
        tensors = load_file(folder / "model.safetensors")
    except (OSError, SafetensorError) as error:
        raise RecipeError(
            f"{key} {str(folder)!r} holds no readable model.safetensors;"
            " give the folder of a Whisper encoder"
        ) from error
    renamed = {_own_name(name): tensor for name, tensor in tensors.items()}
    if "positions" not in renamed:
        raise RecipeError(
            f"{key} {str(folder)!r} holds no Whisper encoder; it needs embed_positions.weight"
        )
    return renamed


_NAMES = {
    "embed_positions.weight": "positions",
    "self_attn.q_proj": "query",
    "self_attn.k_proj": "key",
    "self_attn.v_proj": "value",
    "self_attn.out_proj": "out",
    "self_attn_layer_norm": "attention_norm",
    "final_layer_norm": "feed_norm",
    "fc1": "feed_in",
    "fc2": "feed_out",
}
"""Parts of tensor names in the layout of `transformers`, and ours."""


def _own_name(name: str) -> str:
    name = name.removeprefix(WHOLE_MODEL)
    for theirs, ours in _NAMES.items():
        name = name.replace(theirs, ours)
    return name
