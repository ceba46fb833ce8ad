"""Functional vectors of many utterances, each computed once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from serenade.errors import TrainingError
from serenade.features.frontends import functional_vector, get_front_end
from serenade.training.cache import Progress, cached_arrays, load_clip, silent_progress

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from serenade.corpora.manifest import Utterance
    from serenade.errors import SerenadeError
    from serenade.types import Conditioning, FloatArray


def cached_features(
    utterances: Sequence[Utterance],
    front_end: str,
    conditioning: Conditioning,
    *,
    max_seconds: float,
    folder: Path,
    progress: Progress = silent_progress,
) -> tuple[FloatArray, list[Utterance], list[tuple[Utterance, SerenadeError]]]:
    """Give the functional vector of every utterance, from the cache where it is there.

    Parameters
    ----------
    utterances : sequence of Utterance
        What is read.
    front_end : str
        Key of :data:`serenade.features.frontends.FRONT_ENDS`.
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
    vectors : ndarray of shape (n_usable, n_values), float32
        One row for each utterance whose audio can be used.
    usable : list of Utterance
        These utterances, in order.
    failed : list of (Utterance, SerenadeError)
        The others, with the reason.

    Raises
    ------
    TrainingError
        If no utterance can be used or the cache cannot be written.
    UsageError
        If there is no front end of that name.
    """
    config = get_front_end(front_end)
    settings = {
        "front_end": config.fingerprint,
        "conditioning": conditioning.to_json(),
        "max_seconds": max_seconds,
    }

    def compute(utterance: Utterance) -> FloatArray:
        clip = load_clip(utterance, conditioning, max_seconds=max_seconds)
        return functional_vector(clip, config)[0]

    vectors, failed = cached_arrays(utterances, compute, settings, folder=folder, progress=progress)
    bad = {utterance.id for utterance, _ in failed}
    usable = [utterance for utterance in utterances if utterance.id not in bad]
    if not usable:
        raise TrainingError(
            f"none of the {len(failed)} clips can be used; the first says: {failed[0][1]}"
            if failed
            else "there is no clip to compute features of"
        )
    return np.stack(vectors), usable, failed
