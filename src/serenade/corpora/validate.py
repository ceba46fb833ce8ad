"""Every problem of a manifest, with its line: what would spoil a training or a result."""

from __future__ import annotations

import hashlib
import os
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from serenade.audio.part import part_of
from serenade.corpora.manifest import Utterance, manifest_lines, parse_line
from serenade.emotions import EMOTIONS
from serenade.errors import AudioError, ManifestError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from serenade.types import Waveform

SILENCE_DBFS = -70.0
"""A clip whose loudest sample lies below this is silent."""

CLIPPED_SHARE = 0.005
"""A clip with more than this share of samples at full scale is clipped."""

_FULL_SCALE = 0.999

PROBLEM_KINDS: tuple[str, ...] = (
    "bad-line",
    "duplicate-id",
    "unknown-label",
    "missing-audio",
    "unreadable-audio",
    "silent",
    "clipped",
    "duplicate-audio",
    "two-labels",
    "speaker-in-two-splits",
)
"""Values of :attr:`Problem.kind`."""


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """Something about one line that a person should look at.

    Parameters
    ----------
    line : int
        Of the manifest, from 1.
    kind : str
        One of :data:`PROBLEM_KINDS`.
    message : str
        One sentence.
    """

    line: int
    kind: str
    message: str


def check_manifest(
    path: str | Path,
    *,
    read_audio: Callable[[Path], Waveform],
    emotions: Collection[str] = EMOTIONS,
) -> list[Problem]:
    """Look for every problem of a manifest and its audio.

    Parameters
    ----------
    path : str or Path
        JSONL manifest.
    read_audio : callable
        Decodes one file, raising :class:`~serenade.errors.AudioError` where it cannot.
    emotions : collection of str
        Names that are no surprise.

    Returns
    -------
    list of Problem
        By line; empty where all is well. A file that several lines use is decoded once.

    Raises
    ------
    ManifestError
        If the manifest itself cannot be read or is empty.
    """
    path = Path(path)
    problems: list[Problem] = []
    lines: list[tuple[int, Utterance]] = []
    for number, line in manifest_lines(path):
        try:
            lines.append((number, parse_line(line, folder=path.parent, where="this line")))
        except ManifestError as error:
            problems.append(Problem(number, "bad-line", str(error)))
    if not lines and not problems:
        raise ManifestError(f"{path}: holds no utterance; write one JSON object per line")
    problems += _duplicate_ids(lines)
    problems += _unknown_labels(lines, emotions)
    problems += _speakers_in_two_splits(lines)
    problems += _audio_problems(lines, read_audio)
    return sorted(problems)


def _duplicate_ids(lines: list[tuple[int, Utterance]]) -> list[Problem]:
    first: dict[str, int] = {}
    return [
        Problem(number, "duplicate-id", f"id {utterance.id!r} was already used in line {earlier}")
        for number, utterance in lines
        if (earlier := first.setdefault(utterance.id, number)) != number
    ]


def _unknown_labels(lines: list[tuple[int, Utterance]], emotions: Collection[str]) -> list[Problem]:
    return [
        Problem(number, "unknown-label", f"emotion {utterance.emotion!r} is not a usual one")
        for number, utterance in lines
        if utterance.emotion not in emotions
    ]


def _speakers_in_two_splits(lines: list[tuple[int, Utterance]]) -> list[Problem]:
    first: dict[str, tuple[int, str]] = {}
    problems = []
    for number, utterance in lines:
        if utterance.speaker_key is None or utterance.split is None:
            continue
        earlier, split = first.setdefault(utterance.speaker_key, (number, utterance.split))
        if split != utterance.split:
            problems.append(
                Problem(
                    number,
                    "speaker-in-two-splits",
                    f"speaker {utterance.speaker_key} is in {utterance.split} here and in {split}"
                    f" in line {earlier}",
                )
            )
    return problems


def _audio_problems(
    lines: list[tuple[int, Utterance]], read_audio: Callable[[Path], Waveform]
) -> list[Problem]:
    by_file: dict[str, list[tuple[int, Utterance]]] = defaultdict(list)
    for number, utterance in lines:
        by_file[utterance.path].append((number, utterance))
    problems: list[Problem] = []
    first: dict[str, tuple[int, Utterance]] = {}
    for file, users in by_file.items():
        try:
            waveform = read_audio(Path(file))
        except AudioError as error:
            missing = not os.path.lexists(file)
            kind = "missing-audio" if missing else "unreadable-audio"
            problems += [Problem(n, kind, str(error)) for n, _ in users]
            continue
        for number, utterance in users:
            problems += _clip_problems(number, utterance, waveform, first)
    return problems


def _clip_problems(
    number: int,
    utterance: Utterance,
    waveform: Waveform,
    first: dict[str, tuple[int, Utterance]],
) -> list[Problem]:
    """Judge one clip, and remember its audio in `first`."""
    try:
        part = part_of(
            waveform,
            start_seconds=utterance.start_seconds,
            stop_seconds=utterance.stop_seconds,
            name=utterance.path,
        )
    except AudioError as error:
        return [Problem(number, "unreadable-audio", str(error))]
    samples = part.samples
    peak = float(np.abs(samples).max())
    if peak < 10 ** (SILENCE_DBFS / 20):
        return [Problem(number, "silent", f"{utterance.path} holds no sound")]
    problems = []
    clipped = float(np.mean(np.abs(samples) >= _FULL_SCALE))
    if clipped > CLIPPED_SHARE:
        problems.append(
            Problem(
                number,
                "clipped",
                f"{utterance.path}: {clipped:.1%} of the samples are at full scale",
            )
        )
    digest = hashlib.sha256(samples.tobytes()).hexdigest()
    earlier, other = first.setdefault(digest, (number, utterance))
    if earlier != number:
        same = other.emotion == utterance.emotion
        problems.append(
            Problem(
                number,
                "duplicate-audio" if same else "two-labels",
                f"the same audio as line {earlier}"
                + ("" if same else f", labelled {utterance.emotion} here, {other.emotion} there"),
            )
        )
    return problems
