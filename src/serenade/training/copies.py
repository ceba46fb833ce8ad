"""Changed copies of training clips: noise, another pitch, tempo, scene or place, a part.

A copy is made from the sound, once, and cached like the clip that it comes from. Only training
clips are copied, so no changed form of a clip that judges a model is ever learnt.
"""

from __future__ import annotations

import functools
import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from serenade.audio.condition import condition
from serenade.errors import AudioError
from serenade.evaluation.clips import utterance_waveform
from serenade.evaluation.degrade import add_noise, change_speed, cut, white_noise
from serenade.features.spectrum import get_window, stft
from serenade.training.cache import cached_arrays, entry_name, frozen_states, load_clip
from serenade.training.data import noises_to_learn
from serenade.training.scenes import Surroundings, in_the_field, scene
from serenade.types import Waveform

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy.typing as npt

    from serenade.corpora.manifest import Utterance
    from serenade.training.batches import LabelledStates
    from serenade.training.cache import Progress
    from serenade.training.networks.base import SpeechNetwork
    from serenade.training.recipe import Recipe
    from serenade.types import FloatArray

N_FFT = 1024
HOP = 256
PITCH_SEMITONES = (0.5, 2.5)
"""How far a copy moves up or down."""

TEMPO_RATES = (1.05, 1.25)
"""How much faster or slower a copy is."""

CUT_SECONDS = (0.7, 1.8)
"""How much a cut leaves [s]."""


def with_copies(
    clips: LabelledStates,
    utterances: Sequence[Utterance],
    network: SpeechNetwork,
    recipe: Recipe,
    *,
    noise: Path | None,
    cache: Path,
    progress: Progress,
) -> LabelledStates:
    """Add the changed copies that a recipe asks for.

    Parameters
    ----------
    clips : LabelledStates
        Training clips.
    utterances : sequence of Utterance
        The same clips, in order.
    network : SpeechNetwork
        Its frozen stage makes the states.
    recipe : Recipe
        ``augmentation.copies`` names the changes.
    noise : Path or None
        Folder of noise recordings for copies in the field.
    cache : Path
        Folder of the state cache.
    progress : callable
        Told about every clip that is read.

    Returns
    -------
    LabelledStates
        The clips, then a copy of each for every change.
    """
    kinds = recipe.augmentation.copies
    if not kinds:
        return clips
    states = list(clips.states)
    surroundings = Surroundings(utterances, noises_to_learn(noise))
    for position, kind in enumerate(kinds):
        name = f"{kind} {kinds[:position].count(kind) + 1}"  # two copies of a kind differ
        states += _copied_states(
            utterances,
            kind,
            name,
            network,
            recipe,
            surroundings,
            cache=cache,
            progress=progress,
        )
    times = 1 + len(kinds)
    return replace(
        clips,
        states=states,
        targets=np.tile(clips.targets, (times, 1)),
        allowed=np.tile(clips.allowed, (times, 1)),
        groups=list(clips.groups) * times,
        intensity=np.tile(clips.intensity, times),
        hints=None if clips.hints is None else np.tile(clips.hints, (times, 1)),
    )


def _copied_states(
    utterances: Sequence[Utterance],
    kind: str,
    name: str,
    network: SpeechNetwork,
    recipe: Recipe,
    surroundings: Surroundings,
    *,
    cache: Path,
    progress: Progress,
) -> list[npt.NDArray[np.float16]]:
    settings = {
        "frozen": network.fingerprint(),
        "conditioning": recipe.conditioning.to_json(),
        "max_seconds": recipe.data.max_seconds,
        "copy": [name, list(recipe.augmentation.snr_db), recipe.seed],
    }
    if kind == "field":
        settings["noises"] = surroundings.noise_digest()

    def compute(utterance: Utterance) -> npt.NDArray[np.float16]:
        seed = hashlib.sha256(f"{recipe.seed} {name} {utterance.id}".encode()).digest()[:8]
        rng = np.random.default_rng(int.from_bytes(seed, "big"))
        changed = _changed_sound(utterance, kind, rng, recipe, surroundings)
        longest = round(recipe.data.max_seconds * changed.sample_rate)  # a slower copy is longer
        return frozen_states(network, changed.samples[:longest])

    @functools.cache
    def content(voice: Utterance) -> str:
        try:
            return entry_name(voice)
        except AudioError:  # heard as nothing
            return "unreadable"

    def detail(utterance: Utterance) -> str:
        voices = surroundings.behind(utterance) if kind == "field" else []
        return " ".join([utterance.id, *map(content, voices)])

    states, failed = cached_arrays(
        utterances, compute, settings, detail=detail, folder=cache, progress=progress
    )
    if failed:
        raise failed[0][1]  # every copy stands beside its clip: none may be missing
    return states


def _changed_sound(
    utterance: Utterance,
    kind: str,
    rng: np.random.Generator,
    recipe: Recipe,
    surroundings: Surroundings,
) -> Waveform:
    if kind == "field":
        recording = utterance_waveform(utterance, None)
        elsewhere = in_the_field(recording, utterance, surroundings, rng)
        return condition(elsewhere, recipe.conditioning)
    clip = load_clip(utterance, recipe.conditioning, max_seconds=recipe.data.max_seconds)
    return changed_copy(clip, kind, rng, snr_db=recipe.augmentation.snr_db)


def changed_copy(
    clip: Waveform, kind: str, rng: np.random.Generator, *, snr_db: tuple[float, float]
) -> Waveform:
    """Change one clip.

    Parameters
    ----------
    clip : Waveform
        Speech.
    kind : {"noise", "pitch", "stretch", "scene", "cut"}
        White noise; another pitch at the same tempo; another tempo at the same pitch; another
        voice, by its speed, and by chance a room, noise and a telephone line; a short part.
    rng : Generator
        Source of all randomness.
    snr_db : tuple of float
        Lowest and highest signal-to-noise ratio [dB].

    Returns
    -------
    Waveform
        Of another length where the tempo changes.
    """
    if kind == "noise":
        noise = white_noise(clip.samples.size, rng)
        return add_noise(clip, noise, snr_db=rng.uniform(*snr_db))
    if kind == "scene":
        return scene(clip, rng, snr_db=snr_db)
    if kind == "cut":
        return cut(clip, seconds=rng.uniform(*CUT_SECONDS), at=rng.random())
    sign = 1 if rng.random() < 0.5 else -1
    if kind == "stretch":
        return stretch(clip, rate=rng.uniform(*TEMPO_RATES) ** sign)
    return shift_pitch(clip, semitones=sign * rng.uniform(*PITCH_SEMITONES))


def shift_pitch(clip: Waveform, *, semitones: float) -> Waveform:
    """Move the pitch and leave the tempo.

    Parameters
    ----------
    clip : Waveform
        Speech.
    semitones : float
        Above 0 is higher.

    Returns
    -------
    Waveform
        About as long as it was.
    """
    factor = 2.0 ** (semitones / 12.0)
    return change_speed(stretch(clip, rate=1.0 / factor), factor=factor)


def stretch(clip: Waveform, *, rate: float) -> Waveform:
    """Change the tempo and leave the pitch, by a phase vocoder.

    Parameters
    ----------
    clip : Waveform
        Speech.
    rate : float
        Above 1 is faster.

    Returns
    -------
    Waveform
        About ``1 / rate`` times as long.

    References
    ----------
    Flanagan and Golden, "Phase vocoder", Bell System Technical Journal 45(9), 1966.
    """
    spectrum = stft(clip.samples, n_fft=N_FFT, hop_length=HOP)
    # One more frame, so that the last step has a right neighbour.
    spectrum = np.pad(spectrum, ((0, 0), (0, 1)))
    positions = np.arange(0.0, spectrum.shape[1] - 1, rate)
    left = positions.astype(np.int64)
    share = (positions - left)[None, :]
    level = (1.0 - share) * np.abs(spectrum[:, left]) + share * np.abs(spectrum[:, left + 1])
    expected = 2.0 * np.pi * HOP * np.arange(spectrum.shape[0])[:, None] / N_FFT
    turned = np.angle(spectrum[:, left + 1]) - np.angle(spectrum[:, left]) - expected
    advance = expected + turned - 2.0 * np.pi * np.round(turned / (2.0 * np.pi))
    phase = np.cumsum(advance, axis=1) - advance + np.angle(spectrum[:, :1])
    samples = _overlap_add(level * np.exp(1j * phase))
    n_samples = round(clip.samples.size / rate)
    kept = samples[N_FFT // 2 : N_FFT // 2 + n_samples]
    return Waveform(np.pad(kept, (0, n_samples - kept.size)), clip.sample_rate)


def _overlap_add(spectrum: npt.NDArray[np.complex128]) -> FloatArray:
    """Turn windowed frames back into samples, by least squares (Griffin and Lim 1984)."""
    window = get_window("hann", win_length=N_FFT).astype(np.float64)
    frames = np.fft.irfft(spectrum, N_FFT, axis=0) * window[:, None]
    n_samples = N_FFT + HOP * (frames.shape[1] - 1)
    total, weight = np.zeros(n_samples), np.zeros(n_samples)
    for number in range(frames.shape[1]):
        part = slice(number * HOP, number * HOP + N_FFT)
        total[part] += frames[:, number]
        weight[part] += window**2
    return (total / np.maximum(weight, 1e-3)).astype(np.float32)
