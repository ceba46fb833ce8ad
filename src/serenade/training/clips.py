"""Which clips, with which labels: what tells one manifest from another."""

from __future__ import annotations

import hashlib
import json
from pathlib import PurePath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from serenade.corpora.manifest import Utterance


def describe_clips(utterances: Sequence[Utterance]) -> list[list[str | float | None]]:
    """Say of clips what a model learns from them.

    Of the path only the file's own name counts, so that data that was moved stays the same.

    Parameters
    ----------
    utterances : sequence of Utterance
        In any order.

    Returns
    -------
    list of list
        One list of JSON types for each clip, sorted.
    """
    described: list[list[str | float | None]] = [
        [
            utterance.id,
            PurePath(utterance.path).name,
            utterance.start_seconds or 0.0,
            utterance.stop_seconds,
            utterance.emotion,
            utterance.intensity,
            utterance.corpus,
            utterance.speaker,
        ]
        for utterance in utterances
    ]
    return sorted(described, key=json.dumps)


def clips_digest(utterances: Sequence[Utterance]) -> str:
    """Give a text that changes whenever clips or their labels do.

    Parameters
    ----------
    utterances : sequence of Utterance
        In any order; see :func:`describe_clips` for what counts.

    Returns
    -------
    str
        SHA-256 in hexadecimal digits.
    """
    return hashlib.sha256(json.dumps(describe_clips(utterances)).encode()).hexdigest()
