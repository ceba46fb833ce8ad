"""A folder that holds several corpora, each in a sub-folder with its name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from serenade.corpora.corpus import Dropped, ScanResult, check_folder
from serenade.corpora.registry import CORPORA, corpus, find_corpus
from serenade.errors import ManifestError

if TYPE_CHECKING:
    from pathlib import Path


def scan_collection(root: Path) -> ScanResult:
    """Scan every corpus in a folder of corpora.

    Parameters
    ----------
    root : Path
        Its sub-folders are called like the corpora of the registry.

    Returns
    -------
    ScanResult
        Of all corpora; sub-folders that no corpus is called like are among the dropped.

    Raises
    ------
    ManifestError
        If no sub-folder is called like a corpus, two are called like the same one, or one does
        not hold the corpus that it is called like.
    """
    check_folder(root, "the corpora")
    found: dict[str, Path] = {}
    dropped: list[Dropped] = []
    for folder in sorted(path for path in root.iterdir() if path.is_dir()):
        name = find_corpus(folder.name)
        if name is None:
            dropped.append(Dropped(str(folder), "no corpus is called that"))
        elif name in found:
            raise ManifestError(f"{folder} and {found[name]} are both called like {name}")
        else:
            found[name] = folder
    if not found:
        raise ManifestError(
            f"{root}: holds no sub-folder called like a corpus; known are {', '.join(CORPORA)}"
        )
    results = [corpus(name).scan(folder) for name, folder in found.items()]
    return ScanResult(
        utterances=tuple(utterance for result in results for utterance in result.utterances),
        dropped=tuple(dropped) + tuple(drop for result in results for drop in result.dropped),
    )
