"""Splits of utterances into parts that share no speaker and no recording, and the proof of it.

Every order below is that of a digest of seed and name. So a split depends on nothing but seed and
names: not on the order of the manifest, the versions installed, or which other corpora are there.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING

from serenade.corpora.manifest import Utterance
from serenade.errors import SplitError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

Parts = tuple[list[Utterance], list[Utterance]]
"""The utterances to learn from and those to judge by."""


def speaker_split(utterances: Sequence[Utterance], *, validation_share: float, seed: int) -> Parts:
    """Set whole speakers of every corpus aside for validation.

    Parameters
    ----------
    utterances : sequence of Utterance
        All with a known speaker.
    validation_share : float
        Share of the speakers of each corpus to set aside, in (0, 1). A corpus with two or more
        speakers gives at least one and keeps at least one; a corpus with one speaker gives none.
        Women and men are taken in the proportion in which the corpus has them.
    seed : int
        Chooses among the possible splits.

    Returns
    -------
    train, validation : list of Utterance
        In the order given.

    Raises
    ------
    SplitError
        If a speaker is unknown, the share is out of range, or no corpus has two speakers.
    """
    _check_share(validation_share)
    held_out: set[str] = set()
    for speakers in _speakers_by_corpus(utterances).values():
        if len(speakers) < 2:
            continue
        count = min(max(round(validation_share * len(speakers)), 1), len(speakers) - 1)
        held_out.update(_sexes_interleaved(speakers, seed)[:count])
    if not held_out:
        raise SplitError(
            "no corpus has two speakers, so none can be set aside for validation;"
            " add speakers or use the random split"
        )
    return _divide(utterances, held_out)


def speaker_folds(utterances: Sequence[Utterance], *, n_folds: int, seed: int) -> list[Parts]:
    """Divide the speakers into folds; each fold is the test part once.

    Parameters
    ----------
    utterances : sequence of Utterance
        All with a known speaker.
    n_folds : int
        At least 2 and at most the number of speakers. The speakers of each sex and corpus are
        dealt out evenly.
    seed : int
        Chooses among the possible divisions.

    Returns
    -------
    list of (train, test)
        One pair per fold; every utterance is tested exactly once.

    Raises
    ------
    SplitError
        If a speaker is unknown or there are fewer speakers than folds.
    """
    by_corpus = _speakers_by_corpus(utterances)
    n_speakers = sum(len(speakers) for speakers in by_corpus.values())
    _check_fold_count(n_folds, n_speakers, "speakers")
    fold_speakers: list[set[str]] = [set() for _ in range(n_folds)]
    dealt = 0
    for speakers in by_corpus.values():
        for _, group in sorted(_by_sex(speakers).items()):
            for speaker in _shuffled(group, seed):
                fold_speakers[dealt % n_folds].add(speaker)
                dealt += 1
    return [_divide(utterances, held_out) for held_out in fold_speakers]


def leave_one_speaker_out(utterances: Sequence[Utterance]) -> list[Parts]:
    """Make each speaker the test part once.

    Parameters
    ----------
    utterances : sequence of Utterance
        All with a known speaker, at least two of them.

    Returns
    -------
    list of (train, test)
        One pair per speaker, in the order of the speakers' names.

    Raises
    ------
    SplitError
        If a speaker is unknown or there is only one.
    """
    by_corpus = _speakers_by_corpus(utterances)
    names = sorted(speaker for speakers in by_corpus.values() for speaker in speakers)
    _check_fold_count(2, len(names), "speakers")
    return [_divide(utterances, {name}) for name in names]


def random_folds(utterances: Sequence[Utterance], *, n_folds: int, seed: int) -> list[Parts]:
    """Divide the utterances into folds without regard to who speaks.

    The parts share speakers, so results on them are too good; :func:`check_disjoint` says so.

    Parameters
    ----------
    utterances : sequence of Utterance
        Speakers may be unknown.
    n_folds : int
        At least 2 and at most the number of utterances. The utterances of each emotion and
        corpus are dealt out evenly.
    seed : int
        Chooses among the possible divisions.

    Returns
    -------
    list of (train, test)
        One pair per fold; every utterance is tested exactly once.

    Raises
    ------
    SplitError
        If there are fewer utterances than folds.
    """
    _check_fold_count(n_folds, len(utterances), "utterances")
    ordered = _shuffled_within_emotions(utterances, seed)
    fold_of = {utterance.id: position % n_folds for position, utterance in enumerate(ordered)}
    return [
        (
            [utterance for utterance in utterances if fold_of[utterance.id] != fold],
            [utterance for utterance in utterances if fold_of[utterance.id] == fold],
        )
        for fold in range(n_folds)
    ]


def random_split(utterances: Sequence[Utterance], *, validation_share: float, seed: int) -> Parts:
    """Set a share of the utterances aside for validation, without regard to who speaks.

    Parameters
    ----------
    utterances : sequence of Utterance
        Speakers may be unknown.
    validation_share : float
        Share of the utterances of each emotion and corpus to set aside, in (0, 1); read to the
        third decimal. One n-th gives the first of n :func:`random_folds`.
    seed : int
        Chooses among the possible splits.

    Returns
    -------
    train, validation : list of Utterance
        In the order given.

    Raises
    ------
    SplitError
        If the share is out of range, or a part would be empty.
    """
    _check_share(validation_share)
    share = Fraction(validation_share).limit_denominator(1000)
    ordered = _shuffled_within_emotions(utterances, seed)
    # The n-th of a run goes over wherever n times the share passes a whole number.
    held_out = {
        utterance.id
        for position, utterance in enumerate(ordered)
        if ceil((position + 1) * share) > ceil(position * share)
    }
    if not held_out or len(held_out) == len(utterances):
        raise SplitError(
            f"{len(utterances)} utterances cannot be divided with validation_share"
            f" {validation_share}; add utterances or change the share"
        )
    return (
        [utterance for utterance in utterances if utterance.id not in held_out],
        [utterance for utterance in utterances if utterance.id in held_out],
    )


def check_speakers_known(utterances: Sequence[Utterance]) -> None:
    """Refuse utterances of unknown speakers, which no split by speaker can place.

    Parameters
    ----------
    utterances : sequence of Utterance
        All that are to be divided.

    Raises
    ------
    SplitError
        Names how many there are, the first, and what to do.
    """
    unknown = [utterance for utterance in utterances if utterance.speaker is None]
    if unknown:
        raise SplitError(
            f"{len(unknown)} of {len(utterances)} utterances have no known speaker, first"
            f" {unknown[0].id!r}; give the speakers or use the random split"
        )


def find_leaks(
    train: Iterable[Utterance],
    test: Iterable[Utterance],
    *,
    audio_digest: Callable[[Utterance], str] | None = None,
) -> list[str]:
    """List what two parts of a split share, or may share.

    Parameters
    ----------
    train, test : iterable of Utterance
        The two parts.
    audio_digest : callable, optional
        Gives equal texts for equal audio: a digest of the decoded samples, or of the file.
        Without it, only identical ids are compared.

    Returns
    -------
    list of str
        One clause per kind of leak; empty where the parts are proven to be disjoint.
    """
    train, test = list(train), list(test)
    leaks = []
    unknown = sum(utterance.speaker is None for utterance in train + test)
    if unknown:
        leaks.append(f"{unknown} utterances have no known speaker, so a shared one may hide there")
    shared_speakers = _speaker_keys(train) & _speaker_keys(test)
    if shared_speakers:
        leaks.append(
            f"{len(shared_speakers)} speakers are in both parts ({_some(shared_speakers)})"
        )
    shared_ids = {utterance.id for utterance in train} & {utterance.id for utterance in test}
    if shared_ids:
        leaks.append(f"{len(shared_ids)} utterances are in both parts ({_some(shared_ids)})")
    if audio_digest is not None:
        same_audio = _same_audio(train, test, audio_digest)
        if same_audio:
            leaks.append(f"{len(same_audio)} recordings are in both parts ({_some(same_audio)})")
    return leaks


def check_disjoint(
    train: Iterable[Utterance],
    test: Iterable[Utterance],
    *,
    audio_digest: Callable[[Utterance], str] | None = None,
) -> None:
    """Prove that two parts of a split share no speaker, utterance or recording.

    Parameters
    ----------
    train, test : iterable of Utterance
        The two parts.
    audio_digest : callable, optional
        As in :func:`find_leaks`.

    Raises
    ------
    SplitError
        If something is shared, or a speaker is unknown so that nothing can be proven.
    """
    leaks = find_leaks(train, test, audio_digest=audio_digest)
    if leaks:
        raise SplitError(f"the split leaks: {'; '.join(leaks)}")


def _check_share(validation_share: float) -> None:
    if not 0 < validation_share < 1:
        raise SplitError(
            f"validation_share {validation_share} must lie between 0 and 1; 0.15 is usual"
        )


def _shuffled_within_emotions(utterances: Sequence[Utterance], seed: int) -> list[Utterance]:
    """Order by corpus, emotion and chance, so that every n-th is a fair draw."""
    return sorted(
        utterances,
        key=lambda utterance: (utterance.corpus, utterance.emotion, _rank(utterance.id, seed)),
    )


def _speakers_by_corpus(utterances: Sequence[Utterance]) -> dict[str, dict[str, str]]:
    """Give the sex of every speaker by speaker key, by corpus; both in the order of the names."""
    check_speakers_known(utterances)
    sexes: dict[str, dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    for utterance in utterances:
        sexes[utterance.corpus][str(utterance.speaker_key)][utterance.sex or "unknown"] += 1
    return {
        corpus: {speaker: _most_frequent(counts) for speaker, counts in sorted(speakers.items())}
        for corpus, speakers in sorted(sexes.items())
    }


def _most_frequent(counts: Counter[str]) -> str:
    return max(sorted(counts), key=lambda sex: counts[sex])


def _by_sex(speakers: dict[str, str]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = defaultdict(list)
    for speaker, sex in speakers.items():
        groups[sex].append(speaker)
    return groups


def _sexes_interleaved(speakers: dict[str, str], seed: int) -> list[str]:
    """Order speakers so that every beginning of the list has the whole list's mix of sexes."""
    places = [
        ((place + 0.5) / len(group), _rank(speaker, seed), speaker)
        for group in _by_sex(speakers).values()
        for place, speaker in enumerate(_shuffled(group, seed))
    ]
    return [speaker for _, _, speaker in sorted(places)]


def _shuffled(names: Iterable[str], seed: int) -> list[str]:
    return sorted(names, key=lambda name: _rank(name, seed))


def _rank(name: str, seed: int) -> str:
    return hashlib.sha256(f"{seed}/{name}".encode()).hexdigest()


def _check_fold_count(n_folds: int, n_items: int, noun: str) -> None:
    if n_folds < 2:
        raise SplitError(f"n_folds {n_folds} must be 2 or more")
    if n_items < n_folds:
        raise SplitError(f"{n_items} {noun} cannot fill {n_folds} folds; use fewer folds")


def _divide(utterances: Sequence[Utterance], held_out: set[str]) -> Parts:
    return (
        [utterance for utterance in utterances if utterance.speaker_key not in held_out],
        [utterance for utterance in utterances if utterance.speaker_key in held_out],
    )


def _speaker_keys(utterances: Iterable[Utterance]) -> set[str]:
    return {utterance.speaker_key for utterance in utterances if utterance.speaker_key is not None}


def _same_audio(
    train: list[Utterance], test: list[Utterance], audio_digest: Callable[[Utterance], str]
) -> list[str]:
    train_ids = {audio_digest(utterance): utterance.id for utterance in train}
    pairs = ((train_ids.get(audio_digest(utterance)), utterance.id) for utterance in test)
    return [f"{train_id} = {test_id}" for train_id, test_id in pairs if train_id is not None]


def _some(names: Iterable[str]) -> str:
    ordered = sorted(names)
    return ", ".join(ordered[:3]) + (" …" if len(ordered) > 3 else "")
