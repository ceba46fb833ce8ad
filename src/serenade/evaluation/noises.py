"""Which noise recordings may be learnt from, and which only judge."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pathlib import Path

AUDIO_SUFFIXES = (".wav", ".flac", ".ogg", ".opus", ".mp3")
"""Files in a folder of noises or rooms that are taken."""

TEST_SHARE = 0.2
"""Share of the sources of a folder that training never hears."""

Part = Literal["train", "test"]


def audio_paths(folder: Path) -> list[Path]:
    """List the audio files below a folder.

    Parameters
    ----------
    folder : Path
        Searched recursively.

    Returns
    -------
    list of Path
        Sorted; empty where there are none.
    """
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in AUDIO_SUFFIXES)


def noise_paths(folder: Path, part: Part) -> list[Path]:
    """List the noises of a folder that training or a test may use.

    One folder serves both, and no noise both is learnt and judges. Files of one source, whose names
    differ in what follows the last hyphen only (``1-1791-A.wav`` and ``1-1791-B.wav``), stay
    together. A folder with a single source gives it to both.

    Parameters
    ----------
    folder : Path
        Searched recursively.
    part : {"train", "test"}
        What they are for; a fifth of the sources is for tests, chosen by a hash of their names.

    Returns
    -------
    list of Path
        Sorted; empty where the folder holds no audio.
    """
    paths = audio_paths(folder)
    sources = sorted({_source(path) for path in paths}, key=lambda s: (zlib.crc32(s.encode()), s))
    n_test = max(round(TEST_SHARE * len(sources)), 1)
    for_tests = set(sources[:n_test])
    if len(sources) < 2:
        return paths
    return [path for path in paths if (_source(path) in for_tests) == (part == "test")]


def _source(path: Path) -> str:
    return path.stem.rpartition("-")[0] or path.stem
