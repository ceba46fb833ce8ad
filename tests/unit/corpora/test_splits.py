"""Splits keep speakers apart, treat the sexes alike, and never depend on the order of the input."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serenade.corpora.manifest import Utterance
from serenade.corpora.splits import (
    check_disjoint,
    find_leaks,
    leave_one_speaker_out,
    random_folds,
    random_split,
    speaker_folds,
    speaker_split,
)
from serenade.errors import SplitError


def _corpus(name: str, *, women: int, men: int, clips: int = 4) -> list[Utterance]:
    speakers = [(f"w{i}", "female") for i in range(women)] + [(f"m{i}", "male") for i in range(men)]
    emotions = ("anger", "neutral")
    return [
        Utterance(
            id=f"{name}/{speaker}-{clip}",
            path=f"{name}/{speaker}-{clip}.wav",
            emotion=emotions[clip % 2],
            speaker=speaker,
            corpus=name,
            sex=sex,
        )
        for speaker, sex in speakers
        for clip in range(clips)
    ]


def _speakers(utterances: list[Utterance], corpus: str, sex: str | None = None) -> set[str | None]:
    return {u.speaker for u in utterances if u.corpus == corpus and sex in (None, u.sex)}


BIG = _corpus("big", women=10, men=10)
SMALL = _corpus("small", women=1, men=1)
SINGLE = _corpus("single", women=1, men=0)


def test_split_takes_whole_speakers_of_every_corpus_that_has_two() -> None:
    train, validation = speaker_split(BIG + SMALL + SINGLE, validation_share=0.2, seed=1)
    check_disjoint(train, validation)
    assert len(_speakers(validation, "big")) == 4
    assert len(_speakers(validation, "small")) == 1
    assert not _speakers(validation, "single")
    assert sorted(u.id for u in train + validation) == sorted(u.id for u in BIG + SMALL + SINGLE)


@pytest.mark.parametrize("seed", range(5))
def test_split_balances_the_sexes(seed: int) -> None:
    _, validation = speaker_split(BIG, validation_share=0.2, seed=seed)
    assert len(_speakers(validation, "big", "female")) == 2
    assert len(_speakers(validation, "big", "male")) == 2


@given(st.permutations(BIG + SMALL), st.integers(0, 1000))
def test_split_does_not_depend_on_the_order(shuffled: list[Utterance], seed: int) -> None:
    expected = speaker_split(BIG + SMALL, validation_share=0.3, seed=seed)[1]
    actual = speaker_split(shuffled, validation_share=0.3, seed=seed)[1]
    assert {u.id for u in actual} == {u.id for u in expected}


def test_split_of_one_corpus_does_not_depend_on_the_others() -> None:
    alone = speaker_split(BIG, validation_share=0.2, seed=3)[1]
    together = speaker_split(SMALL + BIG, validation_share=0.2, seed=3)[1]
    assert _speakers(alone, "big") == _speakers(together, "big")


def test_another_seed_gives_another_split() -> None:
    splits = {
        frozenset(_speakers(speaker_split(BIG, validation_share=0.2, seed=seed)[1], "big"))
        for seed in range(5)
    }
    assert len(splits) > 1


def test_same_seed_gives_this_split_in_every_version() -> None:
    _, validation = speaker_split(BIG, validation_share=0.1, seed=0)
    assert _speakers(validation, "big") == {"m3", "w0"}


def test_unknown_speaker_refuses_every_split_by_speaker() -> None:
    nameless = [*BIG, replace(BIG[0], id="x", speaker=None)]
    message = "1 of 81 utterances have no known speaker, first 'x'"
    with pytest.raises(SplitError, match=message):
        speaker_split(nameless, validation_share=0.2, seed=0)
    with pytest.raises(SplitError, match=message):
        speaker_folds(nameless, n_folds=2, seed=0)
    with pytest.raises(SplitError, match=message):
        leave_one_speaker_out(nameless)


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1, float("nan")])
def test_share_out_of_range_is_refused(share: float) -> None:
    with pytest.raises(SplitError, match="must lie between 0 and 1"):
        speaker_split(BIG, validation_share=share, seed=0)


def test_corpora_of_one_speaker_cannot_be_split() -> None:
    with pytest.raises(SplitError, match="no corpus has two speakers"):
        speaker_split(SINGLE, validation_share=0.2, seed=0)


@pytest.mark.parametrize("n_folds", [2, 5, 11])
def test_folds_test_every_utterance_once_and_share_no_speaker(n_folds: int) -> None:
    folds = speaker_folds(BIG + SMALL, n_folds=n_folds, seed=7)
    assert len(folds) == n_folds
    for train, test in folds:
        check_disjoint(train, test)
        assert len(train) + len(test) == len(BIG + SMALL)
    tested = [u.id for _, test in folds for u in test]
    assert sorted(tested) == sorted(u.id for u in BIG + SMALL)


def test_folds_balance_the_sexes() -> None:
    for _, test in speaker_folds(BIG, n_folds=5, seed=2):
        assert len(_speakers(test, "big", "female")) == len(_speakers(test, "big", "male")) == 2


def test_more_folds_than_speakers_are_refused() -> None:
    with pytest.raises(SplitError, match="2 speakers cannot fill 3 folds"):
        speaker_folds(SMALL, n_folds=3, seed=0)
    with pytest.raises(SplitError, match="n_folds 1 must be 2 or more"):
        speaker_folds(SMALL, n_folds=1, seed=0)


def test_leave_one_speaker_out_has_one_fold_per_speaker() -> None:
    folds = leave_one_speaker_out(SMALL + SINGLE)
    assert [{u.speaker_key for u in test} for _, test in folds] == [
        {"single/w0"},
        {"small/m0"},
        {"small/w0"},
    ]
    with pytest.raises(SplitError, match="1 speakers cannot fill 2 folds"):
        leave_one_speaker_out(SINGLE)


def test_random_folds_are_stratified_and_leak() -> None:
    folds = random_folds(BIG, n_folds=4, seed=0)
    for train, test in folds:
        assert sum(u.emotion == "anger" for u in test) == 10
        with pytest.raises(SplitError, match="speakers are in both parts"):
            check_disjoint(train, test)
    assert sorted(u.id for _, test in folds for u in test) == sorted(u.id for u in BIG)


@pytest.mark.parametrize("share", [0.2, 0.3, 0.45, 0.7, 0.9])
def test_a_random_split_takes_the_share_that_was_asked_for(share: float) -> None:
    train, validation = random_split(BIG, validation_share=share, seed=0)
    assert len(validation) == pytest.approx(share * len(BIG), abs=1)
    assert {u.id for u in train} | {u.id for u in validation} == {u.id for u in BIG}
    anger = sum(u.emotion == "anger" for u in BIG)
    assert sum(u.emotion == "anger" for u in validation) == pytest.approx(share * anger, abs=1)


def test_one_fifth_at_random_is_the_first_of_five_random_folds() -> None:
    first = random_folds(BIG, n_folds=5, seed=3)[0]
    assert random_split(BIG, validation_share=0.2, seed=3) == first


def test_a_random_split_with_an_empty_part_is_refused() -> None:
    with pytest.raises(SplitError, match="1 utterances cannot be divided"):
        random_split(BIG[:1], validation_share=0.3, seed=0)
    with pytest.raises(SplitError, match="must lie between 0 and 1"):
        random_split(BIG, validation_share=0.0, seed=0)


def test_equal_speaker_names_of_two_corpora_are_two_speakers() -> None:
    assert find_leaks(SMALL, _corpus("other", women=1, men=1)) == []


def test_one_shared_speaker_is_caught_by_name() -> None:
    with pytest.raises(SplitError, match=r"1 speakers are in both parts \(big/w3\)"):
        check_disjoint(
            [u for u in BIG if u.speaker != "w4"], [u for u in BIG if u.speaker == "w3"][:1]
        )


def test_unknown_speakers_are_no_proof() -> None:
    with pytest.raises(SplitError, match="1 utterances have no known speaker"):
        check_disjoint(BIG, [replace(BIG[0], id="x", speaker=None)])


def test_identical_audio_of_two_speakers_is_caught() -> None:
    train, test = speaker_split(BIG, validation_share=0.2, seed=0)
    same = {train[0].id: "same", test[0].id: "same"}
    with pytest.raises(SplitError, match=f"1 recordings are in both parts .*{test[0].id}"):
        check_disjoint(train, test, audio_digest=lambda u: same.get(u.id, u.id))
    check_disjoint(train, test, audio_digest=lambda u: u.id)
