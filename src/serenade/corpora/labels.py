"""Harmonisation: the emotions of several corpora as those of one label set, as data says."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from serenade.emotions import LABEL_SETS, LabelMap, LabelSet
from serenade.errors import LabelError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from serenade.corpora.manifest import Utterance

_KEYS = ("name", "renamed", "dropped")


def harmonise(
    utterances: Iterable[Utterance], label_set_name: str, *, maps: Path | None = None
) -> tuple[list[Utterance], LabelMap, int]:
    """Give the utterances the emotions of one label set.

    Parameters
    ----------
    utterances : iterable of Utterance
        Of any corpora.
    label_set_name : str
        A key of :data:`serenade.emotions.LABEL_SETS`.
    maps : Path, optional
        TOML file in the form of ``labels.toml`` of this package, to be used in its place.

    Returns
    -------
    utterances : list of Utterance
        In the order given, without those that are dropped.
    label_map : LabelMap
        What was done; its name belongs into every result.
    n_dropped : int
        How many utterances were left out.

    Raises
    ------
    LabelError
        If the label set or its map is unknown, or an emotion is neither in the set nor in the map.
    """
    label_map = label_map_for(label_set_name, maps=maps)
    label_set = LABEL_SETS[label_set_name]
    kept: list[Utterance] = []
    n_dropped = 0
    for utterance in utterances:
        emotion = label_map.apply(utterance.emotion)
        if emotion is None:
            n_dropped += 1
        elif emotion in label_set:
            kept.append(replace(utterance, emotion=emotion))
        else:
            raise LabelError(
                f"{utterance.id}: the label map {label_map.name!r} says nothing about"
                f" {emotion!r}; add it to a map file as renamed or dropped"
            )
    return kept, label_map, n_dropped


def label_map_for(label_set_name: str, *, maps: Path | None = None) -> LabelMap:
    """Read the map into a label set.

    Parameters
    ----------
    label_set_name : str
        A key of :data:`serenade.emotions.LABEL_SETS`.
    maps : Path, optional
        As in :func:`harmonise`.

    Returns
    -------
    LabelMap
        Every emotion that it gives is in the set.

    Raises
    ------
    LabelError
        If the label set is unknown, or the file has no sound map for it.
    """
    if label_set_name not in LABEL_SETS:
        raise LabelError(f"unknown label set {label_set_name!r}; known are {', '.join(LABEL_SETS)}")
    source = maps or files("serenade.corpora") / "labels.toml"
    try:
        tables = tomllib.loads(source.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise LabelError(
            f"{source}: cannot be read as a TOML file of label maps ({error})"
        ) from error
    if label_set_name not in tables:
        raise LabelError(f"{source}: holds no table [{label_set_name}]")
    return _label_map(
        tables[label_set_name], LABEL_SETS[label_set_name], f"{source}: [{label_set_name}]"
    )


def _label_map(table: dict[str, Any], label_set: LabelSet, where: str) -> LabelMap:
    if sorted(table) != sorted(_KEYS):
        raise LabelError(
            f"{where} needs exactly the keys {', '.join(_KEYS)}, got {', '.join(table)}"
        )
    renamed, dropped = table["renamed"], table["dropped"]
    if not isinstance(table["name"], str):
        raise LabelError(f"{where}: name must be text, got {table['name']!r:.60}")
    if not isinstance(renamed, dict) or not all(isinstance(v, str) for v in renamed.values()):
        raise LabelError(f"{where}: renamed must be a table of emotions, got {renamed!r:.60}")
    if not isinstance(dropped, list) or not all(isinstance(v, str) for v in dropped):
        raise LabelError(f"{where}: dropped must be an array of emotions, got {dropped!r:.60}")
    strangers = sorted(set(renamed.values()) - set(label_set))
    if strangers:
        raise LabelError(f"{where} renames to {strangers[0]!r}, which the label set does not hold")
    twice = sorted(set(dropped) & {*renamed, *label_set})
    if twice:
        raise LabelError(f"{where} drops {twice[0]!r}, which it also keeps")
    return LabelMap(table["name"], dict(renamed), frozenset(dropped))
