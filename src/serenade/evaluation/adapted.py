"""Judging speakers whom the model knows from their unlabelled speech.

This answers another question than judging strangers: how good is the model once it has heard the
voice? Its figures never stand in the same column.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from serenade.errors import EvaluationError, SerenadeError
from serenade.evaluation.clips import utterance_source

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from serenade.corpora.manifest import Utterance
    from serenade.evaluation.judge import Judge
    from serenade.model.adaptation import SpeakerReference
    from serenade.types import Prediction


@dataclass(frozen=True, slots=True)
class ReferenceChoice:
    """Which of their own clips a speaker is known by.

    Parameters
    ----------
    n_clips : int or None
        So many others than the clip that is judged, drawn anew for each, or all others where
        there are fewer; ``None`` for all clips of the speaker, the judged one included.
    seed : int
        Of the drawing.

    Raises
    ------
    EvaluationError
        If `n_clips` is below 1.
    """

    n_clips: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.n_clips is not None and self.n_clips < 1:
            raise EvaluationError(f"a speaker is known by 1 clip or more, got {self.n_clips}")

    def describe(self) -> str:
        """Say which clips, for every output."""
        if self.n_clips is None:
            return "adapted to each speaker with all of their test clips, without labels"
        return (
            f"adapted to each speaker with up to {self.n_clips} of their other test clips, drawn"
            f" anew for each clip (seed {self.seed}), without labels"
        )


def reference_digests(speech: Sequence[Utterance]) -> dict[str | None, str]:
    """Tell by which clips each speaker may be known.

    Parameters
    ----------
    speech : sequence of Utterance
        Where the model gets to know the speakers.

    Returns
    -------
    dict of str or None to str
        By key of the speaker, a text that changes whenever one of their clips does.
    """
    clips: dict[str | None, list[list[str | float | None]]] = {}
    for one in speech:
        clip = [one.id, one.path, one.start_seconds, one.stop_seconds]
        clips.setdefault(one.speaker_key, []).append(clip)
    return {
        speaker: hashlib.sha256(json.dumps(sorted(known, key=str)).encode()).hexdigest()[:16]
        for speaker, known in clips.items()
    }


def adapted_outcomes(
    recognizer: Judge,
    utterances: Sequence[Utterance],
    speech: Sequence[Utterance],
    choice: ReferenceChoice,
    root: Path | None,
) -> Iterator[tuple[Utterance, Prediction | SerenadeError]]:
    """Judge utterances, speaker by speaker.

    Parameters
    ----------
    recognizer : Judge
        The model; it adapts to speakers.
    utterances : sequence of Utterance
        What to judge; each has a speaker.
    speech : sequence of Utterance
        Where the model gets to know the speakers, whatever the labels.
    choice : ReferenceChoice
        Which of a speaker's clips.
    root : Path, optional
        Folder that relative paths start from.

    Yields
    ------
    tuple of Utterance and Prediction or SerenadeError
        One for each utterance.

    Raises
    ------
    EvaluationError
        If an utterance has no speaker, or the model does not adapt to speakers.
    """
    if not recognizer.adapts_to_speakers:
        raise EvaluationError(
            f"model {recognizer.model_id} does not adapt to speakers, so there is no"
            " speaker-adapted figure; leave the option out"
        )
    unknown = [utterance.id for utterance in utterances if utterance.speaker is None]
    if unknown:
        raise EvaluationError(
            f"{len(unknown)} clips have no speaker ({unknown[0]} is one), so nobody can say whose"
            " speech the model may hear; give the speakers in the manifest"
        )
    for speaker in dict.fromkeys(utterance.speaker_key for utterance in utterances):
        known = _known_clips(recognizer, [u for u in speech if u.speaker_key == speaker], root)
        for utterance in utterances:
            if utterance.speaker_key != speaker:
                continue
            try:
                source = utterance_source(utterance, root)
                reference = _reference(known, utterance, choice)
                yield utterance, recognizer.predict(source, reference=reference)
            except SerenadeError as error:
                yield utterance, error


def _known_clips(
    recognizer: Judge, speech: Sequence[Utterance], root: Path | None
) -> dict[str, SpeakerReference]:
    """Hear the clips of one speaker; those that cannot be heard tell nothing."""
    known: dict[str, SpeakerReference] = {}
    for utterance in speech:
        try:
            known[utterance.id] = recognizer.speaker_reference([utterance_source(utterance, root)])
        except SerenadeError:
            continue
    return known


def _reference(
    known: dict[str, SpeakerReference], utterance: Utterance, choice: ReferenceChoice
) -> SpeakerReference | None:
    """Put the chosen clips together; ``None`` if there are none."""
    chosen = list(known)
    if choice.n_clips is not None:
        others = sorted(known.keys() - {utterance.id})
        rng = np.random.default_rng(
            [choice.seed, zlib.crc32(utterance.id.encode(errors="surrogatepass"))]
        )
        n_chosen = min(choice.n_clips, len(others))
        chosen = [others[i] for i in rng.permutation(len(others))[:n_chosen]]
    if not chosen:
        return None
    first, *rest = (known[name] for name in chosen)
    return sum(rest, first)
