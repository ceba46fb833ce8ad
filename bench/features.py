"""Speed of `serenade.features` beside librosa: the same clips, the same run, one thread.

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python bench/features.py

Every round times the pairs one after the other, so that a busy machine slows both alike; the table
shows medians over the rounds. librosa is warmed up before (numba compiles on first use).
"""

from __future__ import annotations

import os
import time
import warnings
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import librosa
import numpy as np
import numpy.typing as npt

from serenade.features import cepstrum, chroma, contrast, descriptors, mel, pitch, spectrum

if TYPE_CHECKING:
    from collections.abc import Callable

SAMPLES = npt.NDArray[np.float32]
SR = 16_000
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
CLIP_SECONDS = 3
N_CLIPS = 8
N_ROUNDS = 25
STFT: dict[str, Any] = {"n_fft": 512, "hop_length": 160}
FRAMES: dict[str, Any] = {"frame_length": 512, "hop_length": 160}
YIN: dict[str, Any] = {
    "sr": SR,
    "fmin": 65.0,
    "fmax": 500.0,
    "frame_length": 1024,
    "hop_length": 160,
}


@dataclass(frozen=True)
class Pair:
    """One kind of work, done by both, and the ratio that is asked for, if any."""

    name: str
    target: float | None
    own: Callable[[SAMPLES], object]
    peer: Callable[[SAMPLES], object]


def _own_mfcc(y: SAMPLES) -> None:
    coefficients = cepstrum.mfcc(y=y, sr=SR, n_mfcc=40, n_mels=64, **STFT)
    cepstrum.delta(coefficients)
    cepstrum.delta(coefficients, order=2)


def _peer_mfcc(y: SAMPLES) -> None:
    coefficients = librosa.feature.mfcc(y=y, sr=SR, n_mfcc=40, n_mels=64, **STFT)
    librosa.feature.delta(coefficients)
    librosa.feature.delta(coefficients, order=2)


def _own_descriptors_of(y: SAMPLES, power: SAMPLES) -> None:
    magnitude = np.sqrt(power)
    descriptors.rms(y=y, **FRAMES)
    descriptors.zero_crossing_rate(y, **FRAMES)
    descriptors.spectral_centroid(S=magnitude, sr=SR)
    descriptors.spectral_bandwidth(S=magnitude, sr=SR)
    descriptors.spectral_rolloff(S=magnitude, sr=SR)
    descriptors.spectral_flatness(S=magnitude)
    contrast.spectral_contrast(S=magnitude, sr=SR)
    chroma.chroma_stft(S=power, sr=SR, tuning=0.0)


def _own_descriptors(y: SAMPLES) -> None:
    _own_descriptors_of(y, spectrum.spectrogram(y=y, power=2.0, **STFT))


def _peer_descriptors(y: SAMPLES) -> None:
    librosa.feature.rms(y=y, **FRAMES)
    librosa.feature.zero_crossing_rate(y, **FRAMES)
    librosa.feature.spectral_centroid(y=y, sr=SR, **STFT)
    librosa.feature.spectral_bandwidth(y=y, sr=SR, **STFT)
    librosa.feature.spectral_rolloff(y=y, sr=SR, **STFT)
    librosa.feature.spectral_flatness(y=y, **STFT)
    librosa.feature.spectral_contrast(y=y, sr=SR, **STFT)
    librosa.feature.chroma_stft(y=y, sr=SR, tuning=0.0, **STFT)


def _own_yin(y: SAMPLES) -> None:
    pitch.yin(y, **YIN)


def _peer_yin(y: SAMPLES) -> None:
    librosa.yin(y, **YIN)


def _own_all_descriptors(y: SAMPLES) -> None:
    _own_descriptors(y)
    _own_yin(y)


def _peer_all_descriptors(y: SAMPLES) -> None:
    _peer_descriptors(y)
    _peer_yin(y)


def _own_everything(y: SAMPLES) -> None:
    power = spectrum.spectrogram(y=y, power=2.0, **STFT)
    level = mel.log_mel(S=power, sr=SR, n_mels=64)
    coefficients = cepstrum.mfcc(S=level, sr=SR, n_mfcc=40)
    cepstrum.delta(coefficients)
    cepstrum.delta(coefficients, order=2)
    _own_descriptors_of(y, power)
    _own_yin(y)


def _peer_log_mel(y: SAMPLES) -> None:
    librosa.power_to_db(librosa.feature.melspectrogram(y=y, sr=SR, n_mels=64, **STFT))


def _peer_everything(y: SAMPLES) -> None:
    _peer_log_mel(y)
    _peer_mfcc(y)
    _peer_descriptors(y)
    _peer_yin(y)


PAIRS = (
    Pair("log-mel 64", 2.5, lambda y: mel.log_mel(y=y, sr=SR, **STFT), _peer_log_mel),
    Pair("MFCC 40 with deltas", 2.5, _own_mfcc, _peer_mfcc),
    Pair("descriptors without pitch", None, _own_descriptors, _peer_descriptors),
    Pair("pitch (YIN)", None, _own_yin, _peer_yin),
    Pair("all descriptors", 5.0, _own_all_descriptors, _peer_all_descriptors),
    Pair("all features", None, _own_everything, _peer_everything),
)


def _clip(seed: int) -> SAMPLES:
    """Make pulses with a gliding pitch through a low-pass, with noise: as dense as speech."""
    rng = np.random.default_rng(seed)
    time_seconds = np.arange(CLIP_SECONDS * SR) / SR
    f0 = rng.uniform(90, 250) + 30 * np.sin(2 * np.pi * time_seconds)
    phase = 2 * np.pi * np.cumsum(f0) / SR
    tone = sum(np.sin(k * phase) / k for k in range(1, 20))
    loudness = np.clip(np.sin(2 * np.pi * 1.3 * time_seconds), 0, None)
    clip = 0.05 * tone * loudness + 0.002 * rng.standard_normal(time_seconds.size)
    return np.asarray(clip, dtype=np.float32)


def _milliseconds(work: Callable[[SAMPLES], object], clips: list[SAMPLES]) -> float:
    start = time.perf_counter()
    for clip in clips:
        work(clip)
    return 1000 * (time.perf_counter() - start) / len(clips)


def main() -> None:
    """Measure and print the table."""
    if {os.environ.get(name) for name in THREADS} != {"1"}:
        raise SystemExit(
            f"this compares one thread with one thread: set {' and '.join(THREADS)} to 1"
        )
    clips = [_clip(seed) for seed in range(N_CLIPS)]
    measured: dict[str, list[tuple[float, float]]] = {pair.name: [] for pair in PAIRS}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # librosa warns of numba and of empty filters
        for pair in PAIRS:
            pair.own(clips[0])
            pair.peer(clips[0])
        for _ in range(N_ROUNDS):
            for pair in PAIRS:
                measured[pair.name].append(
                    (_milliseconds(pair.own, clips), _milliseconds(pair.peer, clips))
                )
    print(f"{N_CLIPS} clips of {CLIP_SECONDS} s, {SR} Hz, one thread, medians of {N_ROUNDS} rounds")
    print(f"numpy {np.__version__}, librosa {version('librosa')}\n")
    print("| work | Serenade ms/clip | librosa ms/clip | ratio | target |")
    print("|---|---|---|---|---|")
    for pair in PAIRS:
        times = np.array(measured[pair.name])
        own, peer = np.median(times, axis=0)
        ratio = np.median(times[:, 1] / times[:, 0])
        target = "-" if pair.target is None else f">= {pair.target:.1f}"
        print(f"| {pair.name} | {own:.2f} | {peer:.2f} | {ratio:.2f} | {target} |")


if __name__ == "__main__":
    main()
