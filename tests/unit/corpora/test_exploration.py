"""What the recordings of a manifest are like."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from serenade.corpora.exploration import choose_examples, explore
from serenade.corpora.manifest import Utterance
from serenade.errors import AudioError, ManifestError
from serenade.types import Waveform

if TYPE_CHECKING:
    from collections.abc import Callable

RATE = 16_000


def _utterance(
    name: str,
    emotion: str,
    speaker: str | None = "s1",
    *,
    sex: str | None = None,
    statement: str | None = None,
) -> Utterance:
    return Utterance(
        name, f"{name}.wav", emotion, speaker, "toy", sex=sex, statement=statement, language="en"
    )


def _sounds(seconds: dict[str, float], *, amplitude: float = 0.1) -> Callable[..., Waveform]:
    def read(utterance: Utterance) -> Waveform:
        if utterance.id not in seconds:
            raise AudioError(f"{utterance.path} is not there")
        rng = np.random.default_rng(0)
        n_samples = round(seconds[utterance.id] * RATE)
        noise = rng.choice((-amplitude, amplitude), n_samples)
        return Waveform(noise.astype(np.float32), RATE)

    return read


def test_groups_hold_number_length_and_level_of_their_clips() -> None:
    utterances = [
        _utterance("a", "anger", "s1", sex="female"),
        _utterance("b", "anger", "s2", sex="male"),
        _utterance("c", "neutral", None),
    ]
    done: list[tuple[int, int]] = []
    exploration = explore(
        utterances,
        read_audio=_sounds({"a": 1.0, "b": 3.0, "c": 2.0}),
        progress=lambda *pair: done.append(pair),
    )
    assert done == [(1, 3), (2, 3), (3, 3)]
    neutral, anger = exploration.groups["emotion"]
    assert (neutral.name, anger.name) == ("neutral", "anger")
    assert (anger.clips, anger.speakers) == (2, 2)
    assert anger.hours == pytest.approx(4 / 3600)
    assert (anger.mean_seconds, anger.shortest_seconds, anger.longest_seconds) == (2.0, 1.0, 3.0)
    assert anger.median_level_dbfs == pytest.approx(-20.0, abs=1e-4)
    assert [group.name for group in exploration.groups["sex"]] == ["female", "male", "unknown"]
    assert [g.name for g in exploration.groups["speaker"]] == ["toy/s1", "toy/s2", "unknown"]
    assert exploration.emotions_by("sex")["male"] == {"anger": 1}


def test_bins_have_no_gaps() -> None:
    utterances = [_utterance(name, "anger") for name in ("a", "b")]
    exploration = explore(utterances, read_audio=_sounds({"a": 0.5, "b": 3.2}))
    assert exploration.durations == {"0 to 1 s": 1, "1 to 2 s": 0, "2 to 3 s": 0, "3 to 4 s": 1}
    assert exploration.levels == {"-24 to -18 dBFS": 2}


def test_silent_clips_are_counted_apart() -> None:
    exploration = explore([_utterance("a", "anger")], read_audio=_sounds({"a": 1.0}, amplitude=0.0))
    assert exploration.levels == {"silent": 1}
    assert exploration.groups["emotion"][0].median_level_dbfs is None
    assert exploration.to_json()["groups"]["emotion"][0]["median_level_dbfs"] is None


def test_a_clip_that_cannot_be_read_is_named_and_the_others_count() -> None:
    utterances = [_utterance("a", "anger"), _utterance("gone", "anger")]
    exploration = explore(utterances, read_audio=_sounds({"a": 1.0}))
    assert len(exploration.clips) == 1
    assert exploration.failures == ("gone: gone.wav is not there",)


def test_nothing_that_can_be_read_is_one_clear_error() -> None:
    with pytest.raises(ManifestError, match="none of the 1 clips can be read; the first says: a:"):
        explore([_utterance("a", "anger")], read_audio=_sounds({}))


def test_examples_are_of_one_voice_and_text_and_of_median_length() -> None:
    utterances = [
        _utterance("other-anger", "anger", "s2", statement="t1"),
        _utterance("anger-short", "anger", "s1", statement="t1"),
        _utterance("anger-median", "anger", "s1", statement="t1"),
        _utterance("anger-long", "anger", "s1", statement="t1"),
        _utterance("anger-text", "anger", "s1", statement="t2"),
        _utterance("calm", "calm", "s1", statement="t1"),
        _utterance("fear-other-text", "fear", "s1", statement="t3"),
        _utterance("joy-other-voice", "happiness", "s2", statement="t1"),
    ]
    seconds = dict.fromkeys((u.id for u in utterances), 1.0)
    seconds |= {"anger-short": 0.5, "anger-long": 2.0, "anger-text": 0.9}
    clips = explore(utterances, read_audio=_sounds(seconds)).clips
    chosen = {emotion: clip.utterance.id for emotion, clip in choose_examples(clips).items()}
    assert chosen == {
        "calm": "calm",
        "happiness": "joy-other-voice",
        "anger": "anger-median",
        "fear": "fear-other-text",
    }
