"""The corpora that Serenade knows, by name; a corpus file is loaded when it is asked for."""

from __future__ import annotations

import re
from importlib import import_module
from typing import TYPE_CHECKING

from serenade.corpora.corpus import Corpus
from serenade.errors import ManifestError

if TYPE_CHECKING:
    from collections.abc import Mapping

CORPORA: Mapping[str, str] = {
    "RAVDESS": "serenade.corpora.parsers.ravdess:CORPUS",
    "CREMA-D": "serenade.corpora.parsers.crema_d:CORPUS",
    "TESS": "serenade.corpora.parsers.tess:CORPUS",
    "SAVEE": "serenade.corpora.parsers.savee:CORPUS",
    "EMO-DB": "serenade.corpora.parsers.emo_db:CORPUS",
    "nEMO": "serenade.corpora.parsers.nemo:CORPUS",
    "TurEV-DB": "serenade.corpora.parsers.turev_db:CORPUS",
    "ASED": "serenade.corpora.parsers.ased:CORPUS",
    "EMOVO": "serenade.corpora.parsers.emovo:CORPUS",
    "ESD": "serenade.corpora.parsers.esd:CORPUS",
    "JL-Corpus": "serenade.corpora.parsers.jl_corpus:CORPUS",
    "SUBESCO": "serenade.corpora.parsers.subesco:CORPUS",
    "ShEMO": "serenade.corpora.parsers.shemo:CORPUS",
    "CaFE": "serenade.corpora.parsers.cafe:CORPUS",
    "URDU": "serenade.corpora.parsers.urdu:CORPUS",
    "IEMOCAP": "serenade.corpora.parsers.iemocap:CORPUS",
}
"""Where each corpus is described, as ``module:attribute``."""


def corpus(name: str) -> Corpus:
    """Give a corpus by name.

    Parameters
    ----------
    name : str
        A key of :data:`CORPORA`; case, hyphens, spaces and underscores do not matter.

    Returns
    -------
    Corpus
        With its card and its scan.

    Raises
    ------
    ManifestError
        If there is no corpus of that name.
    """
    known = find_corpus(name)
    if known is None:
        raise ManifestError(f"unknown corpus {name!r}; known are {', '.join(CORPORA)}")
    module, attribute = CORPORA[known].split(":")
    found = getattr(import_module(module), attribute)
    if not isinstance(found, Corpus):
        raise TypeError(f"{CORPORA[known]} is not a Corpus")
    return found


def find_corpus(name: str) -> str | None:
    """Give the registered spelling of a corpus name.

    Parameters
    ----------
    name : str
        As in :func:`corpus`, for example the name of a folder.

    Returns
    -------
    str or None
        A key of :data:`CORPORA`, or ``None`` where there is no such corpus.
    """
    return {_plain(known): known for known in CORPORA}.get(_plain(name))


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]+", "", name).casefold()
