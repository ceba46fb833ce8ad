"""What the clips of an evaluation share with the data that a model was trained on."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

from serenade.corpora.manifest import read_manifest
from serenade.corpora.registry import CORPORA
from serenade.corpora.splits import find_leaks
from serenade.errors import EvaluationError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from serenade.corpora.manifest import Utterance
    from serenade.model.spec import TrainingData


def manifest_leaks(training_manifest: Path, tested: Sequence[Utterance]) -> tuple[str, ...]:
    """Compare tested clips with the manifest that a model was trained on.

    Parameters
    ----------
    training_manifest : Path
        All that the model was trained on or chosen by.
    tested : sequence of Utterance
        The clips of the evaluation.

    Returns
    -------
    tuple of str
        What is shared, one clause each; empty if nothing.

    Raises
    ------
    ManifestError
        If the manifest cannot be read.
    """
    return tuple(find_leaks(read_manifest(training_manifest), tested, audio_digest=audio_digest))


def audio_digest(utterance: Utterance) -> str:
    """Give a text that is equal for utterances with the same audio.

    Parameters
    ----------
    utterance : Utterance
        Whose file may be missing: then it equals no other.

    Returns
    -------
    str
        SHA-256 of the file's content, with the part that is meant.
    """
    try:
        content = Path(utterance.path).read_bytes()
    except OSError:
        return f"missing {utterance.id}"
    part = f"{utterance.start_seconds} to {utterance.stop_seconds}"
    return f"{hashlib.sha256(content).hexdigest()} {part}"


def bundle_leaks(
    training_data: Sequence[TrainingData], tested: Sequence[Utterance]
) -> tuple[str, ...] | None:
    """Compare the speakers of tested clips with those that a bundle says it was trained on.

    Parameters
    ----------
    training_data : sequence of TrainingData
        Of the bundle; details may hold the ``speaker_names`` of a corpus.
    tested : sequence of Utterance
        The clips of the evaluation.

    Returns
    -------
    tuple of str or None
        What is shared, one clause; empty if nothing. ``None`` where nothing is known to be shared
        and the bundle does not tell: for a corpus whose speakers it does not name, and for one, of
        either side, that is in no list, since the same recordings may go by another name there.
    """
    names: dict[str, set[str]] = {}
    unnamed: set[str] = set()
    for data in training_data:
        told = data.details.get("speaker_names")
        if isinstance(told, list):
            names.setdefault(data.corpus, set()).update(str(name) for name in told)
        else:
            unnamed.add(data.corpus)
    shared = {str(u.speaker_key) for u in tested if u.speaker in names.get(u.corpus, ())}
    if shared:
        return (f"the model was trained on {len(shared)} of the speakers ({_some(shared)})",)
    tested_corpora = {utterance.corpus for utterance in tested}
    unlisted = (tested_corpora | names.keys() | unnamed) - CORPORA.keys()
    told_too_little = not training_data or unlisted or tested_corpora & unnamed
    return None if told_too_little or any(u.speaker is None for u in tested) else ()


def run_leaks(run_folder: Path, tested: Sequence[Utterance]) -> tuple[str, ...] | None:
    """Compare the speakers of tested clips with those of a training run.

    Parameters
    ----------
    run_folder : Path
        Its ``split.json`` names the speakers that the model was trained on and chosen by.
    tested : sequence of Utterance
        The clips of the evaluation.

    Returns
    -------
    tuple of str or None
        What is shared or may be, one clause each; empty if nothing. ``None`` where no clause can
        be given and the corpora differ, one of them in no list: the same recordings may go by
        another name there.

    Raises
    ------
    EvaluationError
        If the run does not tell its speakers.
    """
    path = run_folder / "split.json"
    try:
        split = json.loads(path.read_text(encoding="utf-8"))
        parts = {part: {str(name) for name in split[part]} for part in ("train", "validation")}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EvaluationError(
            f"{path}: the speakers of the run cannot be read; give the folder of a training run"
        ) from error
    leaks = []
    unknown = sum(utterance.speaker is None for utterance in tested)
    if unknown:
        leaks.append(f"{unknown} clips have no known speaker, so a shared one may hide there")
    if any("" in names for names in parts.values()):
        leaks.append(
            "the run was trained on clips of unknown speakers, so a shared one may hide there"
        )
    speakers = {utterance.speaker_key for utterance in tested}
    for part, purpose in (("train", "trained on"), ("validation", "chosen by")):
        shared = {name for name in parts[part] if name in speakers}
        if shared:
            leaks.append(f"the model was {purpose} {len(shared)} of the speakers ({_some(shared)})")
    corpora = {name.split("/", 1)[0] for names in parts.values() for name in names}
    corpora |= {utterance.corpus for utterance in tested}
    if not leaks and len(corpora) > 1 and corpora - CORPORA.keys():
        return None
    return tuple(leaks)


def _some(names: set[str]) -> str:
    ordered = sorted(names)
    return ", ".join(ordered[:3]) + (" …" if len(ordered) > 3 else "")
