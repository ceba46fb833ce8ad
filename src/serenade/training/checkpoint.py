"""Checkpoints: tensors as safetensors, everything else as JSON, replaced atomically.

A checkpoint holds all that the next epoch depends on (weights, their average, the optimiser's
moments, the step, the history), so that a run that was killed goes on as if nothing had happened.
"""

from __future__ import annotations

import json
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError
from safetensors.torch import load, save_file

from serenade.errors import TrainingError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import torch
    from torch import Tensor, nn


def save_checkpoint(path: Path, tensors: Mapping[str, Tensor], state: Mapping[str, Any]) -> None:
    """Write a checkpoint.

    Parameters
    ----------
    path : Path
        File to make or replace.
    tensors : mapping of str to Tensor
        Any names.
    state : mapping
        JSON types; travels in the same file, so that both are always of one moment.

    Raises
    ------
    TrainingError
        If the file cannot be written.
    """
    partial = path.with_name(f".{path.name}.part")
    whole = {name: tensor.detach().contiguous() for name, tensor in tensors.items()}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file(whole, partial, metadata={"state": json.dumps(state)})
        partial.replace(path)
    except OSError as error:
        raise TrainingError(
            f"the checkpoint {str(path)!r} cannot be written ({error.strerror}); free space"
        ) from error


def load_checkpoint(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read a checkpoint.

    Parameters
    ----------
    path : Path
        Written by :func:`save_checkpoint`.

    Returns
    -------
    tensors : dict of str to Tensor
        As they were saved.
    state : dict
        As it was saved.

    Raises
    ------
    TrainingError
        If the file is not a checkpoint.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise _no_checkpoint(path) from error
    return decode_checkpoint(content, path)


def decode_checkpoint(content: bytes, path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Take a checkpoint out of the content of its file.

    Parameters
    ----------
    content : bytes
        Of a file that :func:`save_checkpoint` wrote.
    path : Path
        Where it is from, for the error.

    Returns
    -------
    tensors, state
        As in :func:`load_checkpoint`.

    Raises
    ------
    TrainingError
        If it is not a checkpoint.
    """
    try:
        tensors = load(content)
        header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
        return tensors, json.loads(header["__metadata__"]["state"])
    except (SafetensorError, KeyError, ValueError) as error:
        raise _no_checkpoint(path) from error


def _no_checkpoint(path: Path) -> TrainingError:
    return TrainingError(
        f"{str(path)!r} is not a checkpoint of Serenade; delete the run folder to start anew"
    )


def _of_another_version(path: Path, name: str) -> TrainingError:
    return TrainingError(
        f"{str(path)!r} is of another network or another version of Serenade ({name} differs);"
        " delete the run folder to start anew"
    )


def check_keys(found: Mapping[str, Any], kind: type, path: Path) -> None:
    """Check that a record of a checkpoint is one of this version.

    Parameters
    ----------
    found : mapping
        Read from the checkpoint.
    kind : type
        Dataclass that it was.
    path : Path
        Where it is from, for the error.

    Raises
    ------
    TrainingError
        If a key is missing or too many.
    """
    different = sorted(found.keys() ^ {entry.name for entry in fields(kind)})
    if different:
        raise _of_another_version(path, different[0])


def restore_weights(network: nn.Module, tensors: Mapping[str, Tensor], path: Path) -> None:
    """Put the weights of a checkpoint into a network.

    Parameters
    ----------
    network : Module
        Changed in place.
    tensors : mapping of str to Tensor
        By the names of its parameters and buffers.
    path : Path
        Where they are from, for the error.

    Raises
    ------
    TrainingError
        If a tensor is missing, too many or of another shape: another version made them.
    """
    wanted = network.state_dict()
    different = sorted(tensors.keys() ^ wanted.keys()) or [
        name for name, tensor in tensors.items() if tensor.shape != wanted[name].shape
    ]
    if different:
        raise _of_another_version(path, different[0])
    network.load_state_dict(tensors)


def optimiser_tensors(optimiser: torch.optim.Optimizer, network: nn.Module) -> dict[str, Tensor]:
    """Give the optimiser's moments under the names of the parameters.

    Parameters
    ----------
    optimiser : Optimizer
        AdamW over the parameters of `network`.
    network : Module
        Names the parameters.

    Returns
    -------
    dict of str to Tensor
        Keys ``"<parameter>|<moment>"``.
    """
    names = {id(parameter): name for name, parameter in network.named_parameters()}
    return {
        f"{names[id(parameter)]}|{moment}": tensor
        for parameter, moments in optimiser.state.items()
        for moment, tensor in moments.items()
    }


def restore_optimiser(
    optimiser: torch.optim.Optimizer,
    network: nn.Module,
    tensors: Mapping[str, Tensor],
    path: Path,
) -> None:
    """Put back what :func:`optimiser_tensors` gave.

    Parameters
    ----------
    optimiser : Optimizer
        Newly made over the parameters of `network`.
    network : Module
        Names the parameters.
    tensors : mapping of str to Tensor
        Keys ``"<parameter>|<moment>"``.
    path : Path
        Where they are from, for the error.

    Raises
    ------
    TrainingError
        If they are of other parameters.
    """
    parameters = dict(network.named_parameters())
    for key, tensor in tensors.items():
        name, moment = key.rsplit("|", 1)
        if name not in parameters or tensor.shape not in ((), parameters[name].shape):
            raise _of_another_version(path, name)
        parameter = parameters[name]
        # torch keeps the number of steps on the CPU
        kept = tensor if moment == "step" else tensor.to(parameter.device)
        optimiser.state[parameter][moment] = kept
