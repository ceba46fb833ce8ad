"""Protocols: which utterances are learnt from and which are judged.

Every fold knows what its parts share. A fold that leaks is not refused, as published splits leak
too, but it says so wherever its figures appear.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations
from typing import TYPE_CHECKING

from serenade.corpora.splits import (
    find_leaks,
    leave_one_speaker_out,
    random_folds,
    speaker_folds,
)
from serenade.errors import SplitError
from serenade.evaluation.fold_files import read_fold_names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from serenade.corpora.manifest import Utterance
    from serenade.evaluation.fold_files import FoldNames

    AudioDigest = Callable[[Utterance], str]

PROTOCOLS: Mapping[str, str] = {
    "speaker-kfold": "folds that share no speaker",
    "loso": "leave one speaker out",
    "cross-corpus": "train on one corpus, test on another, all pairs",
    "leave-corpus-out": "train on all corpora but the one that is tested",
    "leave-language-out": "train on all languages but the one that is tested",
    "folder": "the train and test parts that the manifest gives",
    "random": "folds without regard to who speaks: speakers leak",
    "emobox": "the published folds of EmoBox; some of them leak",
    "emo-superb": "the published folds of EMO-SUPERB for CREMA-D",
}
"""Names of the protocols and what they do."""


@dataclass(frozen=True, slots=True, eq=False)
class Fold:
    """One division of utterances.

    Parameters
    ----------
    name : str
        Unique within a protocol.
    train, test : tuple of Utterance
        To learn from and to be judged by.
    leaks : tuple of str
        What the test part shares with the others, one clause each; empty if nothing.
    validation : tuple of Utterance
        To choose a model by, where the protocol says so; may be empty.
    missing : int
        Clips that the published fold names and that are not at hand.
    """

    name: str
    train: tuple[Utterance, ...]
    test: tuple[Utterance, ...]
    leaks: tuple[str, ...]
    validation: tuple[Utterance, ...] = ()
    missing: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class FoldSet:
    """All folds of a protocol.

    Parameters
    ----------
    protocol : str
        One of :data:`PROTOCOLS`.
    folds : tuple of Fold
        At least one.
    notes : tuple of str
        What must be said beside the figures.
    """

    protocol: str
    folds: tuple[Fold, ...]
    notes: tuple[str, ...]

    def fold(self, name: str) -> Fold:
        """Give a fold by name.

        Parameters
        ----------
        name : str
            Of the fold.

        Returns
        -------
        Fold
            The fold.

        Raises
        ------
        SplitError
            If there is none of that name.
        """
        for fold in self.folds:
            if fold.name == name:
                return fold
        names = ", ".join(repr(fold.name) for fold in self.folds)
        raise SplitError(f"protocol {self.protocol} has no fold {name!r}; it has {names}")


def make_folds(
    protocol: str,
    utterances: Sequence[Utterance],
    *,
    n_folds: int = 5,
    seed: int = 0,
    folds_path: Path | None = None,
    audio_digest: AudioDigest | None = None,
) -> FoldSet:
    """Divide utterances by a protocol.

    Parameters
    ----------
    protocol : str
        One of :data:`PROTOCOLS`.
    utterances : sequence of Utterance
        All that is at hand.
    n_folds : int
        For ``speaker-kfold`` and ``random``; at least 2.
    seed : int
        For ``speaker-kfold`` and ``random``.
    folds_path : Path, optional
        Published folds, for ``emobox`` and ``emo-superb``: a CSV file or a folder in EmoBox's
        own layout.
    audio_digest : callable, optional
        Gives equal texts for equal audio, so that recordings in both parts are found as well.

    Returns
    -------
    FoldSet
        The folds, each with what it leaks.

    Raises
    ------
    SplitError
        If the protocol is unknown or cannot be made from these utterances.
    """
    if protocol not in PROTOCOLS:
        raise SplitError(f"unknown protocol {protocol!r}; allowed are {', '.join(PROTOCOLS)}")
    if protocol in ("emobox", "emo-superb"):
        if folds_path is None:
            raise SplitError(f"protocol {protocol} needs its published folds; give their path")
        named = read_fold_names(folds_path)
        return _published_folds(protocol, named, utterances, audio_digest)
    if protocol == "speaker-kfold":
        parts = speaker_folds(utterances, n_folds=n_folds, seed=seed)
        named_parts = [(f"fold {i}", *pair) for i, pair in enumerate(parts, start=1)]
    elif protocol == "random":
        parts = random_folds(utterances, n_folds=n_folds, seed=seed)
        named_parts = [(f"fold {i}", *pair) for i, pair in enumerate(parts, start=1)]
    elif protocol == "loso":
        parts = leave_one_speaker_out(utterances)
        named_parts = [(f"without {test[0].speaker_key}", train, test) for train, test in parts]
    elif protocol == "folder":
        return _folder_fold(utterances, audio_digest)
    elif protocol == "leave-language-out":
        named_parts = _language_parts(utterances)
    else:
        named_parts = _corpus_parts(protocol, utterances)
    folds = tuple(
        _fold(name, train, test, audio_digest=audio_digest) for name, train, test in named_parts
    )
    return FoldSet(protocol, folds, _leak_notes(protocol, folds))


def _fold(
    name: str,
    train: Iterable[Utterance],
    test: Iterable[Utterance],
    *,
    audio_digest: AudioDigest | None,
    validation: Iterable[Utterance] = (),
    missing: int = 0,
) -> Fold:
    train, test, validation = tuple(train), tuple(test), tuple(validation)
    leaks = find_leaks(train + validation, test, audio_digest=audio_digest)
    return Fold(name, train, test, tuple(leaks), validation, missing)


def _leak_notes(protocol: str, folds: Sequence[Fold]) -> tuple[str, ...]:
    leaking = [fold.name for fold in folds if fold.leaks]
    if not leaking:
        return ()
    share = f"{len(leaking)} of {len(folds)} folds of protocol {protocol} leak"
    return (f"{share} ({', '.join(leaking)}): their figures are too good",)


def _folder_fold(utterances: Sequence[Utterance], audio_digest: AudioDigest | None) -> FoldSet:
    parts = {
        part: [utterance for utterance in utterances if utterance.split == part]
        for part in ("train", "validation", "test")
    }
    if not parts["train"] or not parts["test"]:
        raise SplitError(
            'protocol folder needs utterances with split "train" and with split "test" in the'
            " manifest; prepare it from a folder with train/ and test/"
        )
    fold = _fold(
        "folder",
        parts["train"],
        parts["test"],
        audio_digest=audio_digest,
        validation=parts["validation"],
    )
    return FoldSet("folder", (fold,), _leak_notes("folder", (fold,)))


def _corpus_parts(
    protocol: str, utterances: Sequence[Utterance]
) -> list[tuple[str, list[Utterance], list[Utterance]]]:
    by_corpus: dict[str, list[Utterance]] = {}
    for utterance in utterances:
        by_corpus.setdefault(utterance.corpus, []).append(utterance)
    if len(by_corpus) < 2:
        raise SplitError(
            f"protocol {protocol} needs two or more corpora, the manifest has"
            f" {', '.join(by_corpus) or 'none'}"
        )
    if protocol == "cross-corpus":
        return [
            (f"{source} to {target}", by_corpus[source], by_corpus[target])
            for source, target in permutations(sorted(by_corpus), 2)
        ]
    return [
        (f"without {target}", [u for u in utterances if u.corpus != target], by_corpus[target])
        for target in sorted(by_corpus)
    ]


def _language_parts(
    utterances: Sequence[Utterance],
) -> list[tuple[str, list[Utterance], list[Utterance]]]:
    unknown = next((u for u in utterances if u.language is None), None)
    if unknown is not None:
        raise SplitError(
            f"protocol leave-language-out needs the language of every utterance, {unknown.id} has"
            " none; add it to the manifest"
        )
    languages = sorted({str(utterance.language) for utterance in utterances})
    if len(languages) < 2:
        raise SplitError(
            "protocol leave-language-out needs two or more languages, the manifest has"
            f" {', '.join(languages) or 'none'}"
        )
    return [
        (
            f"without {language}",
            [u for u in utterances if u.language != language],
            [u for u in utterances if u.language == language],
        )
        for language in languages
    ]


def _published_folds(
    protocol: str,
    named: Sequence[FoldNames],
    utterances: Sequence[Utterance],
    audio_digest: AudioDigest | None,
) -> FoldSet:
    by_corpus = _by_corpus_and_stem(utterances)
    folds: list[Fold] = []
    notes: list[str] = []
    for names in named:
        if names.corpus not in by_corpus:
            continue
        clips = by_corpus[names.corpus]
        test = [clips[name] for name in names.test if name in clips]
        validation = [clips[name] for name in names.validation if name in clips]
        if names.train is None:
            held_out = set(names.test)
            train = [clip for name, clip in clips.items() if name not in held_out]
        else:
            train = [clips[name] for name in names.train if name in clips]
        listed = {*names.test, *names.validation, *(names.train or ())}
        missing = len(listed - set(clips))
        title = f"{names.corpus} {names.fold}"
        if not test or not train:
            notes.append(f"fold {title} is left out: none of its clips are at hand in one part")
            continue
        if missing:
            notes.append(f"fold {title} names {missing} clips that are not at hand: skipped")
        folds.append(
            _fold(
                title,
                train,
                test,
                audio_digest=audio_digest,
                validation=validation,
                missing=missing,
            )
        )
    if notes and not folds:
        raise SplitError(f"protocol {protocol} leaves nothing to judge: {'; '.join(notes)}")
    if not folds:
        raise SplitError(
            f"the folds of protocol {protocol} name corpora"
            f" {', '.join(sorted({names.corpus for names in named}))}, of which the manifest has"
            f" no clips; it has {', '.join(sorted(by_corpus))}"
        )
    return FoldSet(protocol, tuple(folds), (*notes, *_leak_notes(protocol, folds)))


def _by_corpus_and_stem(utterances: Sequence[Utterance]) -> dict[str, dict[str, Utterance]]:
    """Index utterances by the corpus as fold files spell it and the file's name."""
    index: dict[str, dict[str, Utterance]] = {}
    for utterance in utterances:
        clips = index.setdefault(_fold_file_name(utterance.corpus), {})
        stem = utterance.path.replace("\\", "/").rsplit("/", 1)[-1].rsplit(".", 1)[0]
        if stem in clips:
            raise SplitError(
                f"{clips[stem].path} and {utterance.path} have the same name, so published folds"
                " cannot be told apart; keep one of them in the manifest"
            )
        clips[stem] = utterance
    return index


def _fold_file_name(corpus: str) -> str:
    return "".join(letter for letter in corpus.lower() if letter.isalnum())
