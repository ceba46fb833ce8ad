"""Speed of `serenade.features` beside librosa, torch.stft and openSMILE.

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python bench/features.py

The same clips, the same run, one thread. Every round times a row's own work and its peers one after
the other; the table shows the fastest round of each, as other processes can only make a round
slower: processor time leaves out their turns, but not what they push out of the caches. openSMILE's
descriptors are those of eGeMAPS, level by level; its licence forbids commercial use, so it is
needed for nothing but this table.
"""

from __future__ import annotations

import os
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import librosa
import numpy as np
import numpy.typing as npt
import scipy.fft
import torch

from serenade.features import cepstrum, chroma, contrast, descriptors, mel, pitch, spectrum

SAMPLES = npt.NDArray[np.float32]
SR = 16_000
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
CLIP_SECONDS = 3
N_CLIPS = 8
N_ROUNDS = 15
STFT: dict[str, Any] = {"n_fft": 512, "hop_length": 160}
FRAMES: dict[str, Any] = {"frame_length": 512, "hop_length": 160}
YIN: dict[str, Any] = {
    "sr": SR,
    "fmin": 65.0,
    "fmax": 500.0,
    "frame_length": 1024,
    "hop_length": 160,
}

TORCH_WINDOW = torch.hann_window(512)
TORCH_BANK = torch.tensor(mel.mel_filter_bank(sr=SR, n_fft=512, n_mels=64))
TORCH_COSINES = torch.tensor(scipy.fft.dct(np.eye(64), norm="ortho", axis=0)[:40]).float()
TORCH_SLOPE = torch.arange(-4.0, 5.0).reshape(1, 1, 9) / 60

Work = Callable[[SAMPLES], object]

OPENSMILE_MFCC = r"""
[componentInstances:cComponentManager]
instance[dataMemory].type=cDataMemory
instance[frame].type=cFramer
instance[win].type=cWindower
instance[fft].type=cTransformFFT
instance[mag].type=cFFTmagphase
instance[mel].type=cMelspec
instance[mfcc].type=cMfcc
instance[delta].type=cDeltaRegression
instance[accel].type=cDeltaRegression
instance[lld].type=cVectorConcat
printLevelStats=0
nThreads=1
\{\cm[source{?}:include external source]}
[frame:cFramer]
reader.dmLevel=wave
writer.dmLevel=frames
frameSize=0.032
frameStep=0.010
[win:cWindower]
reader.dmLevel=frames
writer.dmLevel=windowed
winFunc=hann
[fft:cTransformFFT]
reader.dmLevel=windowed
writer.dmLevel=fft
[mag:cFFTmagphase]
reader.dmLevel=fft
writer.dmLevel=mag
[mel:cMelspec]
reader.dmLevel=mag
writer.dmLevel=mel
nBands=64
usePower=1
lofreq=0
hifreq=8000
[mfcc:cMfcc]
reader.dmLevel=mel
writer.dmLevel=mfcc
firstMfcc=0
lastMfcc=39
[delta:cDeltaRegression]
reader.dmLevel=mfcc
writer.dmLevel=delta
deltawin=4
[accel:cDeltaRegression]
reader.dmLevel=delta
writer.dmLevel=accel
deltawin=4
[lld:cVectorConcat]
reader.dmLevel=mfcc;delta;accel
writer.dmLevel=lld
includeSingleElementFields=1
\{\cm[sink{?}:include external sink]}
"""
"""The same 40 coefficients with their deltas, as openSMILE is told to compute them."""


@dataclass(frozen=True)
class Row:
    """One kind of work, done by all."""

    name: str
    own: Work
    peers: dict[str, Work]
    targets: dict[str, float]


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


def _own_log_mel(y: SAMPLES) -> SAMPLES:
    return mel.log_mel(y=y, sr=SR, **STFT)


def _peer_log_mel(y: SAMPLES) -> SAMPLES:
    bands = librosa.feature.melspectrogram(y=y, sr=SR, n_mels=64, **STFT)
    return np.asarray(librosa.power_to_db(bands))


def _torch_log_mel(y: SAMPLES) -> torch.Tensor:
    with torch.inference_mode():
        spectrum = torch.stft(
            torch.from_numpy(y),
            window=TORCH_WINDOW,
            pad_mode="constant",
            **STFT,
            return_complex=True,
        )
        bands = TORCH_BANK @ spectrum.abs().square()
        return 10 * bands.clamp_min(1e-10).log10()


def _torch_mfcc(y: SAMPLES) -> torch.Tensor:
    with torch.inference_mode():
        coefficients = TORCH_COSINES @ _torch_log_mel(y)
        slope = _torch_delta(coefficients)
        return torch.cat([coefficients, slope, _torch_delta(slope)])


def _torch_delta(coefficients: torch.Tensor) -> torch.Tensor:
    """Do what ``torchaudio.functional.compute_deltas`` does over nine frames."""
    padded = torch.nn.functional.pad(coefficients[:, None], (4, 4), mode="replicate")
    return torch.nn.functional.conv1d(padded, TORCH_SLOPE)[:, 0]


def _opensmile(folder: Path) -> dict[str, Work]:
    """Give what openSMILE does by the name of the row; nothing where it is not installed."""
    try:
        import opensmile
    except ImportError as error:
        print(f"openSMILE is left out: {error}; pip install opensmile\n")
        return {}
    config = folder / "mfcc.conf"  # read at every call
    config.write_text(OPENSMILE_MFCC)
    cepstra = opensmile.Smile(feature_set=str(config), feature_level="lld")
    descriptors_of = opensmile.Smile(
        feature_set=opensmile.FeatureSet.eGeMAPSv02,
        feature_level=opensmile.FeatureLevel.LowLevelDescriptors,
    )
    return {
        "MFCC 40 with deltas": lambda y: cepstra.process_signal(y, SR),
        "all descriptors": lambda y: descriptors_of.process_signal(y, SR),
    }


def _rows(folder: Path) -> list[Row]:
    smile = _opensmile(folder)
    rows = [
        Row(
            "log-mel 64",
            _own_log_mel,
            {"librosa": _peer_log_mel, "torch.stft": _torch_log_mel},
            {"librosa": 2.5},
        ),
        Row(
            "MFCC 40 with deltas",
            _own_mfcc,
            {"librosa": _peer_mfcc, "torch.stft": _torch_mfcc},
            {"librosa": 2.5},
        ),
        Row("descriptors without pitch", _own_descriptors, {"librosa": _peer_descriptors}, {}),
        Row("pitch (YIN)", _own_yin, {"librosa": _peer_yin}, {}),
        Row(
            "all descriptors",
            _own_all_descriptors,
            {"librosa": _peer_all_descriptors},
            {"librosa": 5.0, "openSMILE": 10.0},
        ),
    ]
    for row in rows:
        if row.name in smile:
            row.peers["openSMILE"] = smile[row.name]
    return rows


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


def _milliseconds(work: Work, clips: list[SAMPLES]) -> float:
    """Give the processor time, which other processes on the machine hardly change."""
    start = time.process_time()
    for clip in clips:
        work(clip)
    return 1000 * (time.process_time() - start) / len(clips)


def _measure(rows: list[Row], clips: list[SAMPLES]) -> dict[str, list[list[float]]]:
    """Time each row in each round: our own work first, then the peers in order."""
    measured: dict[str, list[list[float]]] = {row.name: [] for row in rows}
    for round_number in range(N_ROUNDS + 1):
        for row in rows:
            times = [_milliseconds(work, clips) for work in (row.own, *row.peers.values())]
            if round_number > 0:  # numba compiles in the first
                measured[row.name].append(times)
    return measured


def _worst_distance_db(clips: list[SAMPLES]) -> float:
    return max(float(np.abs(_own_log_mel(clip) - _peer_log_mel(clip)).max()) for clip in clips)


def main() -> None:
    """Measure and print the table."""
    if {os.environ.get(name) for name in THREADS} != {"1"}:
        raise SystemExit(
            f"this compares one thread with one thread: set {' and '.join(THREADS)} to 1"
        )
    torch.set_num_threads(1)
    clips = [_clip(seed) for seed in range(N_CLIPS)]
    with warnings.catch_warnings(), tempfile.TemporaryDirectory() as folder:
        warnings.simplefilter("ignore")  # librosa warns of numba and of empty filters
        rows = _rows(Path(folder))
        measured = _measure(rows, clips)
        distance = _worst_distance_db(clips)
    print(f"{N_CLIPS} clips of {CLIP_SECONDS} s, {SR} Hz, one thread, fastest of {N_ROUNDS} rounds")
    print(f"numpy {np.__version__}, librosa {version('librosa')}, torch {torch.__version__}")
    print(f"log-mel: at most {distance:.4f} dB from librosa's (allowed: 0.02)\n")
    print("| work | peer | Serenade ms/clip | peer ms/clip | peer / Serenade | target |")
    print("|---|---|---|---|---|---|")
    for row in rows:
        times = np.array(measured[row.name])
        for column, peer in enumerate(row.peers, start=1):
            own_ms, peer_ms = times[:, [0, column]].min(axis=0)
            ratio = peer_ms / own_ms
            target = f">= {row.targets[peer]:.1f}" if peer in row.targets else "-"
            print(
                f"| {row.name} | {peer} | {own_ms:.2f} | {peer_ms:.2f} | {ratio:.2f} | {target} |"
            )


if __name__ == "__main__":
    main()
