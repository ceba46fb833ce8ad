"""The conditions of the stress test, and what recordings are degraded with."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from serenade.audio.decode import decode
from serenade.corpora.manifest import Utterance
from serenade.errors import EvaluationError
from serenade.evaluation import degrade
from serenade.evaluation.clips import utterance_waveform
from serenade.evaluation.noises import AUDIO_SUFFIXES, audio_paths, noise_paths
from serenade.types import Waveform

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from serenade.types import FloatArray

Degradation = Callable[[Utterance, Waveform, np.random.Generator], Waveform]
"""Takes the utterance, its waveform and a source of randomness; gives the degraded waveform."""

SNRS_DB = (20, 10, 5, 0)
"""Ratios of speech to noise [dB]."""

_MAX_NOISES = 64
_MAX_VOICES = 40
_BABBLE_VOICES = 6


@dataclass(frozen=True, slots=True, eq=False)
class Voice:
    """A clip that may be part of the babble behind others.

    Parameters
    ----------
    id : str
        Of the utterance.
    speaker : str or None
        Who talks.
    samples : ndarray of shape (n_samples,), float32
        At 16 kHz.
    """

    id: str
    speaker: str | None
    samples: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Materials:
    """What recordings are degraded with.

    Parameters
    ----------
    noises : tuple of ndarray, float32
        Real noises at 16 kHz; without any, their conditions are left out.
    responses : tuple of ndarray, float32
        Impulse responses of rooms at 16 kHz; without any, rooms are made up.
    voices : tuple of Voice
        For the babble.
    """

    noises: tuple[FloatArray, ...]
    responses: tuple[FloatArray, ...]
    voices: tuple[Voice, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Condition:
    """One way to degrade a clip.

    Parameters
    ----------
    name : str
        Unique, for people.
    family : str
        What it belongs to, for example ``"babble"``.
    apply : callable
        A :data:`Degradation`.
    """

    name: str
    family: str
    apply: Degradation


def load_materials(
    utterances: Sequence[Utterance],
    *,
    seed: int,
    root: Path | None,
    noise_folder: Path | None,
    response_folder: Path | None,
) -> Materials:
    """Read what recordings are degraded with.

    Parameters
    ----------
    utterances : sequence of Utterance
        Readable clips; some of them are the voices of the babble.
    seed : int
        Of the choice where there is more than needed.
    root, noise_folder, response_folder : Path or None
        As in :func:`serenade.evaluation.robustness.stress`.

    Returns
    -------
    Materials
        At most 64 noises, none of those that training takes from the same folder, and 40 voices.

    Raises
    ------
    EvaluationError
        If a folder is given that holds no audio.
    """
    ranked = sorted(utterances, key=lambda u: zlib.crc32(f"{seed}/voice/{u.id}".encode()))
    voices = [
        Voice(u.id, u.speaker_key, utterance_waveform(u, root).samples)
        for u in ranked[:_MAX_VOICES]
    ]
    return Materials(
        noises=_some_audio(noise_folder, partial(noise_paths, part="test"), seed=seed),
        responses=_some_audio(response_folder, audio_paths, seed=seed),
        voices=tuple(voices),
    )


def make_conditions(materials: Materials) -> list[Condition]:
    """List the conditions, the clean one first.

    Parameters
    ----------
    materials : Materials
        What there is to degrade with.

    Returns
    -------
    list of Condition
        Without those for which there is no material.
    """
    conditions = [Condition("clean", "clean", lambda _u, waveform, _rng: waveform)]
    conditions += [
        Condition(f"white noise {snr} dB", "white noise", _add_white(snr)) for snr in SNRS_DB
    ]
    if len(materials.voices) > 1:
        conditions += [
            Condition(f"babble {snr} dB", "babble", _add_babble(snr, materials.voices))
            for snr in SNRS_DB
        ]
    if materials.noises:
        conditions += [
            Condition(f"real noise {snr} dB", "real noise", _add_real(snr, materials.noises))
            for snr in SNRS_DB
        ]
    room = "recorded room" if materials.responses else "made-up room, 0.6 s"
    conditions.append(Condition(room, "reverberation", _enter_room(materials.responses)))
    conditions.append(
        Condition("telephone, 8 kHz", "transmission", lambda _u, w, _rng: degrade.telephone(w))
    )
    for container, kbits in (("mp3", 16), ("opus", 16), ("opus", 8)):
        name = f"{container}, {kbits} kbit/s"
        conditions.append(Condition(name, "transmission", _compress(container, kbits)))
    for gain in (20, -20):
        conditions.append(Condition(f"gain {gain:+d} dB", "level", _gain(gain)))
    conditions.append(
        Condition("clipped, 10 %", "level", lambda _u, w, _rng: degrade.clip_loudest(w, share=0.1))
    )
    for factor in (0.9, 1.1):
        conditions.append(Condition(f"speed {factor}", "speed", _speed(factor)))
    for seconds in (1.0, 0.5):
        conditions.append(Condition(f"cut to {seconds:g} s", "cut", _cut(seconds)))
    return conditions


def _add_white(snr_db: int) -> Degradation:
    def apply(_: Utterance, waveform: Waveform, rng: np.random.Generator) -> Waveform:
        noise = degrade.white_noise(waveform.samples.size, rng)
        return degrade.add_noise(waveform, noise, snr_db=snr_db)

    return apply


def _add_babble(snr_db: int, voices: Sequence[Voice]) -> Degradation:
    def apply(utterance: Utterance, waveform: Waveform, rng: np.random.Generator) -> Waveform:
        others = [v for v in voices if v.speaker is None or v.speaker != utterance.speaker_key]
        others = [v for v in others or voices if v.id != utterance.id]
        chosen = rng.choice(len(others), size=min(_BABBLE_VOICES, len(others)), replace=False)
        noise = degrade.babble([others[i].samples for i in chosen], waveform.samples.size)
        return degrade.add_noise(waveform, noise, snr_db=snr_db)

    return apply


def _add_real(snr_db: int, noises: Sequence[FloatArray]) -> Degradation:
    def apply(_: Utterance, waveform: Waveform, rng: np.random.Generator) -> Waveform:
        noise = noises[int(rng.integers(len(noises)))]
        turned = np.roll(noise, int(rng.integers(noise.size)))
        return degrade.add_noise(waveform, turned, snr_db=snr_db)

    return apply


def _enter_room(
    responses: Sequence[FloatArray],
) -> Degradation:
    def apply(_: Utterance, waveform: Waveform, rng: np.random.Generator) -> Waveform:
        if responses:
            return degrade.reverberate(waveform, responses[int(rng.integers(len(responses)))])
        response = degrade.room_response(
            reverberation_seconds=0.6, sample_rate=waveform.sample_rate, rng=rng
        )
        return degrade.reverberate(waveform, response)

    return apply


def _compress(container: str, kbits: int) -> Degradation:
    return lambda _u, waveform, _rng: degrade.compress(waveform, container, kbits_per_second=kbits)


def _gain(gain_db: int) -> Degradation:
    return lambda _u, waveform, _rng: degrade.change_gain(waveform, gain_db=gain_db)


def _speed(factor: float) -> Degradation:
    return lambda _u, waveform, _rng: degrade.change_speed(waveform, factor=factor)


def _cut(seconds: float) -> Degradation:
    return lambda _u, waveform, _rng: degrade.cut(waveform, seconds=seconds)


def _some_audio(
    folder: Path | None, listing: Callable[[Path], list[Path]], *, seed: int
) -> tuple[FloatArray, ...]:
    if folder is None:
        return ()
    paths = listing(folder)
    if not paths:
        raise EvaluationError(
            f"{folder}: holds no audio ({', '.join(AUDIO_SUFFIXES)}); give another folder"
        )
    order = np.random.default_rng(seed).permutation(len(paths))
    return tuple(decode(paths[i]).samples for i in order[:_MAX_NOISES])
