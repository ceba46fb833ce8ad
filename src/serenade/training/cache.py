"""The cache: what a fixed computation makes of every clip, computed once.

An entry is keyed by the content of the audio file, the part of it that is meant, and the settings
of the computation: conditioning and the fingerprint of the frozen stage or the front end. So a
second run decodes nothing, and a change of any of these rebuilds only what it touches. An entry
that is damaged is computed anew.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt

from serenade.audio.condition import condition
from serenade.errors import AudioError, SerenadeError, TrainingError
from serenade.evaluation.clips import utterance_waveform
from serenade.types import Conditioning, FloatArray, Waveform

if TYPE_CHECKING:
    from serenade.corpora.manifest import Utterance
    from serenade.training.networks.base import SpeechNetwork

States = npt.NDArray[np.float16]
Value = TypeVar("Value", bound=npt.NDArray[Any])
Progress = Callable[[str, int, int], None]
"""Called with what is done, how many are done and how many there are."""


def silent_progress(what: str, done: int, total: int) -> None:
    """Show nothing."""


def load_clip(utterance: Utterance, conditioning: Conditioning, *, max_seconds: float) -> Waveform:
    """Decode and condition the audio of an utterance as prediction does.

    Parameters
    ----------
    utterance : Utterance
        What is read.
    conditioning : Conditioning
        Applied to the clip.
    max_seconds : float
        The clip is cut to this length after conditioning [s].

    Returns
    -------
    Waveform
        16 kHz mono.

    Raises
    ------
    AudioError
        If the audio cannot be used.
    """
    waveform = condition(utterance_waveform(utterance, None), conditioning)
    longest = round(max_seconds * waveform.sample_rate)
    return Waveform(waveform.samples[:longest], waveform.sample_rate)


def cached_states(
    network: SpeechNetwork,
    utterances: Sequence[Utterance],
    conditioning: Conditioning,
    *,
    max_seconds: float,
    folder: Path,
    progress: Progress = silent_progress,
) -> tuple[list[States], list[tuple[Utterance, SerenadeError]]]:
    """Give the frozen stage's output for every utterance, from the cache where it is there.

    Parameters
    ----------
    network : SpeechNetwork
        Its frozen stage is run on clips that are new.
    utterances : sequence of Utterance
        What is read.
    conditioning : Conditioning
        Applied to every clip.
    max_seconds : float
        Clips are cut to this length [s].
    folder : Path
        Of the cache; made if it is missing.
    progress : callable
        Told about every clip.

    Returns
    -------
    states : list of ndarray of shape (n_channels, n_frames), float16
        One for each utterance whose audio can be used, in order.
    failed : list of (Utterance, SerenadeError)
        Those whose audio cannot be used, with the reason.

    Raises
    ------
    TrainingError
        If the cache cannot be written.
    """
    settings = {
        "frozen": network.fingerprint(),
        "conditioning": conditioning.to_json(),
        "max_seconds": max_seconds,
    }

    def compute(utterance: Utterance) -> States:
        clip = load_clip(utterance, conditioning, max_seconds=max_seconds)
        return frozen_states(network, clip.samples)

    return cached_arrays(utterances, compute, settings, folder=folder, progress=progress)


def cached_arrays(
    utterances: Sequence[Utterance],
    compute: Callable[[Utterance], Value],
    settings: dict[str, Any],
    *,
    folder: Path,
    detail: Callable[[Utterance], str] | None = None,
    progress: Progress = silent_progress,
) -> tuple[list[Value], list[tuple[Utterance, SerenadeError]]]:
    """Give what a computation makes of every utterance, from the cache where it is there.

    Parameters
    ----------
    utterances : sequence of Utterance
        What is read.
    compute : callable
        Gives the array of an utterance; raises AudioError if its audio cannot be used.
    settings : dict
        Of JSON types: everything besides the audio that the array depends on.
    folder : Path
        Of the cache; made if it is missing.
    detail : callable, optional
        Gives what else the array of one utterance depends on.
    progress : callable
        Told about every clip.

    Returns
    -------
    arrays : list of ndarray
        One for each utterance whose audio can be used, in order.
    failed : list of (Utterance, SerenadeError)
        Those whose audio cannot be used, with the reason.

    Raises
    ------
    TrainingError
        If the cache cannot be written.
    """
    key = hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:16]
    arrays: list[Value] = []
    failed: list[tuple[Utterance, SerenadeError]] = []
    for number, utterance in enumerate(utterances, start=1):
        try:
            entry = (
                folder / key / entry_name(utterance, "" if detail is None else detail(utterance))
            )
            array: Value | None = _read(entry)
            if array is None:
                array = compute(utterance)
                _write(entry, array)
            arrays.append(array)
        except AudioError as error:
            failed.append((utterance, error))
        progress("reading audio", number, len(utterances))
    return arrays, failed


def entry_name(utterance: Utterance, detail: str = "") -> str:
    """Name what is kept of an utterance by the content of its file and the part that is meant.

    Parameters
    ----------
    utterance : Utterance
        What is read.
    detail : str
        What else the entry depends on.

    Returns
    -------
    str
        Relative path; another one if any of these differs.

    Raises
    ------
    AudioError
        If the file cannot be read.
    """
    try:
        content = hashlib.sha256(Path(utterance.path).read_bytes())
    except OSError as error:
        raise AudioError(
            f"cannot read {utterance.path!r} ({error.strerror}); check the manifest"
        ) from error
    content.update(f"{utterance.start_seconds} {utterance.stop_seconds}{detail}".encode())
    digest = content.hexdigest()
    return f"{digest[:2]}/{digest[2:34]}.npy"


def _read(entry: Path) -> Any | None:  # noqa: ANN401 - an array of the caller's type
    """Give what an entry holds, or nothing where it is missing or damaged."""
    try:
        with entry.open("rb") as file:
            return np.lib.format.read_array(file, allow_pickle=False)
    except (OSError, EOFError, ValueError):
        return None


def _write(entry: Path, array: npt.NDArray[Any]) -> None:
    try:
        entry.parent.mkdir(parents=True, exist_ok=True)
        # A process that dies while writing must not leave a half entry under the final name.
        partial = entry.with_name(f".{os.getpid()}-{entry.name}")
        np.save(partial, array, allow_pickle=False)
        partial.replace(entry)
    except OSError as error:
        raise TrainingError(
            f"the cache {str(entry.parent)!r} cannot be written ({error.strerror});"
            " free space or choose another folder with --cache"
        ) from error


def frozen_states(network: SpeechNetwork, samples: FloatArray) -> States:
    """Run the frozen stage on one clip.

    Parameters
    ----------
    network : SpeechNetwork
        Whose frozen stage is run.
    samples : ndarray of shape (n_samples,), float32
        Conditioned audio at 16 kHz.

    Returns
    -------
    ndarray of shape (n_channels, n_frames), float16
        Valid frames only.
    """
    import torch  # not at the top: classical models share this cache and need no torch

    device = next(network.parameters()).device
    with torch.inference_mode():
        states, n_frames = network.states(
            torch.from_numpy(samples)[None].to(device),
            torch.tensor([samples.shape[0]], device=device),
        )
    return states[0, :, : int(n_frames[0])].cpu().numpy().astype(np.float16)
