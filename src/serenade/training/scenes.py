"""Other rooms, lines and surroundings for the sound of a clip."""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from serenade.audio.decode import decode
from serenade.errors import AudioError
from serenade.evaluation.clips import utterance_waveform
from serenade.evaluation.degrade import (
    add_noise,
    babble,
    change_speed,
    clip_loudest,
    compress,
    reverberate,
    room_response,
    telephone,
    white_noise,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from serenade.corpora.manifest import Utterance
    from serenade.types import FloatArray, Waveform

SCENE_VOICE = (0.86, 1.16)
"""Factors of the speed in a scene: pitch, formants and tempo of another voice."""

SCENE_CHANCES = {"room": 0.25, "noise": 0.4, "telephone": 0.15}
"""How often a scene has each of these."""

FIELD_VOICE = (0.9, 1.12)
"""Factors of the speed in the field."""

FIELD_SNR_DB = (2.0, 22.0)
"""Lowest and highest ratio of speech to background in the field [dB]."""

FIELD_ROOM = 0.2
"""How often a recording in the field is made in a room that is heard."""

BACKGROUNDS = {"white": 0.22, "recorded": 0.28, "voices": 0.28, "none": 0.22}
"""What is heard behind the voice in the field, and how often."""

LINES = {"direct": 0.55, "telephone": 0.15, "opus": 0.18, "mp3": 0.06, "clipped": 0.06}
"""What a recording in the field goes through, and how often."""

OPUS_KBITS = (8.0, 24.0)
MP3_KBITS = (16.0, 32.0)
CLIPPED_SHARE = (0.01, 0.1)

POOL_SIZE = 12
"""Clips of a speaker that others of the same speaker have behind them."""

N_VOICES = (3, 6)
VOICE_CHANGE = (0.8, 1.25)
"""Factors of the speed of each voice in the background, so that it sounds like somebody else."""


def scene(clip: Waveform, rng: np.random.Generator, *, snr_db: tuple[float, float]) -> Waveform:
    """Change the voice by its speed, and by chance add a room, white noise and a telephone line.

    Parameters
    ----------
    clip : Waveform
        Speech.
    rng : Generator
        Source of all randomness.
    snr_db : tuple of float
        Lowest and highest signal-to-noise ratio [dB].

    Returns
    -------
    Waveform
        Of another length.
    """
    factor, seconds = rng.uniform(*SCENE_VOICE), rng.uniform(0.15, 0.8)
    # Drawn whether or not they are used, so that one chance does not move the others.
    chances = dict(zip(SCENE_CHANCES, rng.random(len(SCENE_CHANCES)), strict=True))
    happens = {name: chances[name] < share for name, share in SCENE_CHANCES.items()}
    changed = change_speed(clip, factor=factor)
    if happens["room"]:
        rate = clip.sample_rate
        response = room_response(reverberation_seconds=seconds, sample_rate=rate, rng=rng)
        changed = reverberate(changed, response)
    if happens["noise"]:
        noise = white_noise(changed.samples.size, rng)
        changed = add_noise(changed, noise, snr_db=rng.uniform(*snr_db))
    return telephone(changed) if happens["telephone"] else changed


@dataclass(slots=True)
class Surroundings:
    """What is heard behind the voice of a recording in the field.

    The voices behind a clip are other training clips of its own speaker at another speed: whoever
    speaks there is in training anyway, so no voice that judges a model is ever heard.

    Parameters
    ----------
    utterances : sequence of Utterance
        Training clips.
    noises : sequence of Path
        Noise recordings; without any, white noise takes their place.
    """

    utterances: Sequence[Utterance]
    noises: Sequence[Path]
    _pools: dict[str, list[Utterance]] = field(init=False)
    _heard: dict[str, FloatArray] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        """Choose the clips of every speaker that may be behind others."""
        pools: dict[str, list[Utterance]] = {}
        for utterance in sorted(self.utterances, key=lambda u: (zlib.crc32(u.id.encode()), u.id)):
            pool = pools.setdefault(utterance.speaker_key or utterance.id, [])
            if len(pool) < POOL_SIZE:
                pool.append(utterance)
        self._pools = pools

    def noise_digest(self) -> str:
        """Name the noises by their content.

        Returns
        -------
        str
            Equal for equal recordings in equal order.
        """
        digest = hashlib.sha256()
        for path in self.noises:
            digest.update(hashlib.sha256(path.read_bytes()).digest())
        return digest.hexdigest()[:16]

    def behind(self, utterance: Utterance) -> list[Utterance]:
        """Give the clips that may be heard behind one.

        Parameters
        ----------
        utterance : Utterance
            One of the training clips.

        Returns
        -------
        list of Utterance
            Of the same speaker, without itself; may be empty.
        """
        pool = self._pools[utterance.speaker_key or utterance.id]
        return [other for other in pool if other.id != utterance.id]

    def background(
        self, utterance: Utterance, n_samples: int, rng: np.random.Generator
    ) -> FloatArray | None:
        """Draw what is heard behind a clip.

        Parameters
        ----------
        utterance : Utterance
            One of the training clips.
        n_samples : int
            Length at 16 kHz [samples].
        rng : Generator
            Source of all randomness.

        Returns
        -------
        ndarray of shape (n_samples,), float32, or None
            Of any level; None for silence.
        """
        kind = _draw(BACKGROUNDS, rng)
        others = self.behind(utterance)
        if kind == "none" or (kind == "voices" and not others):
            return None
        if kind == "voices":
            chosen = rng.integers(len(others), size=rng.integers(*N_VOICES, endpoint=True))
            return babble([self._voice(others[i], rng) for i in chosen], n_samples)
        if kind == "recorded" and self.noises:
            noise = self._noise(self.noises[int(rng.integers(len(self.noises)))])
            return np.resize(np.roll(noise, int(rng.integers(noise.size))), n_samples)
        return white_noise(n_samples, rng)

    def _voice(self, utterance: Utterance, rng: np.random.Generator) -> FloatArray:
        try:
            voice = change_speed(
                utterance_waveform(utterance, None), factor=rng.uniform(*VOICE_CHANGE)
            ).samples
        except AudioError:  # reported where it is a clip of its own
            return np.zeros(1, dtype=np.float32)
        return np.roll(voice, int(rng.integers(voice.size)))

    def _noise(self, path: Path) -> FloatArray:
        if str(path) not in self._heard:
            self._heard[str(path)] = decode(path).samples
        return self._heard[str(path)]


def in_the_field(
    recording: Waveform,
    utterance: Utterance,
    surroundings: Surroundings,
    rng: np.random.Generator,
) -> Waveform:
    """Make a recording as if elsewhere: a room, noise or voices behind it, and a bad line.

    Parameters
    ----------
    recording : Waveform
        16 kHz, before conditioning.
    utterance : Utterance
        What it is.
    surroundings : Surroundings
        What may be heard behind it.
    rng : Generator
        Source of all randomness.

    Returns
    -------
    Waveform
        Of another length, before conditioning.
    """
    changed = change_speed(recording, factor=rng.uniform(*FIELD_VOICE))
    if rng.random() < FIELD_ROOM:
        seconds = rng.uniform(0.15, 0.8)
        response = room_response(
            reverberation_seconds=seconds, sample_rate=changed.sample_rate, rng=rng
        )
        changed = reverberate(changed, response)
    background = surroundings.background(utterance, changed.samples.size, rng)
    if background is not None:
        changed = add_noise(changed, background, snr_db=rng.uniform(*FIELD_SNR_DB))
    return _send(changed, _draw(LINES, rng), rng)


def _send(waveform: Waveform, line: str, rng: np.random.Generator) -> Waveform:
    if line == "telephone":
        return telephone(waveform)
    if line == "opus":
        return compress(waveform, "opus", kbits_per_second=rng.uniform(*OPUS_KBITS))
    if line == "mp3":
        return compress(waveform, "mp3", kbits_per_second=rng.uniform(*MP3_KBITS))
    if line == "clipped":
        return clip_loudest(waveform, share=rng.uniform(*CLIPPED_SHARE))
    return waveform


def _draw(chances: dict[str, float], rng: np.random.Generator) -> str:
    return str(rng.choice(list(chances), p=list(chances.values())))
