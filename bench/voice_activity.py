"""Voice activity detection: energy against a neural network, on real speech in real noise.

    python bench/voice_activity.py [DATA]

Truth: each clip alone, clean, by its level (active = the last syllable is less than 0.1 s ago and
within 35 dB of the clip's loudest moment), joined with pauses of 0.3 to 2 s. DATA is the folder
with `manifest.csv` and `noise/` (default: ../shared/data).
"""

from __future__ import annotations

import csv
import random
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from serenade.audio.activity import voice_activity
from serenade.audio.activity_stream import EnergyActivity
from serenade.audio.decode import SAMPLE_RATE, decode
from serenade.audio.frames import frame_powers, smooth_powers
from serenade.errors import MissingExtraError
from serenade.model.activity import open_neural_activity
from serenade.types import FloatArray, Waveform

if TYPE_CHECKING:
    from collections.abc import Callable

Mask = npt.NDArray[np.bool_]

FRAME = SAMPLE_RATE // 100
CORPORA = ("CREMA-D", "EMO-DB", "RAVDESS", "SAVEE", "nEMO", "ASED")
CLIPS_PER_CORPUS = 20
SNRS_DB = (None, 20, 10, 5, 0)
SEED = 11


class Detector(Protocol):
    """What is compared."""

    def push(self, samples: FloatArray) -> Mask:
        """Take the next piece."""

    def finish(self) -> Mask:
        """End the signal."""


@dataclass(frozen=True)
class Scores:
    """Counts of frames."""

    hits: int
    misses: int
    false_alarms: int

    @property
    def precision(self) -> float:
        """Share of what was found that is speech."""
        return self.hits / max(1, self.hits + self.false_alarms)

    @property
    def recall(self) -> float:
        """Share of the speech that was found."""
        return self.hits / max(1, self.hits + self.misses)

    @property
    def f1(self) -> float:
        """Harmonic mean of both."""
        return 2 * self.hits / max(1, 2 * self.hits + self.misses + self.false_alarms)


def main() -> None:
    """Print the table."""
    data = Path(sys.argv[1] if len(sys.argv) > 1 else "../shared/data")
    speech, truth = join_clips(data)
    noise = read_noise(data, speech.size)
    active_power = float(np.mean(speech.reshape(-1, FRAME)[truth] ** 2))
    print(f"{speech.size / SAMPLE_RATE:.0f} s of {', '.join(CORPORA)}; speech {truth.mean():.0%}\n")
    print("| SNR | detector | precision | recall | F1 | times real time |")
    print("|---|---|---|---|---|---|")
    for snr_db in SNRS_DB:
        gain = 0.0 if snr_db is None else (active_power / 10 ** (snr_db / 10)) ** 0.5
        mixed = speech + np.float32(gain) * noise
        label = "clean" if snr_db is None else f"{snr_db} dB"
        for name, detect in DETECTORS.items():
            started = time.perf_counter()
            try:
                found = detect(mixed)
            except MissingExtraError as error:
                print(f"| {label} | {name} | {error} |")
                continue
            speed = speech.size / SAMPLE_RATE / (time.perf_counter() - started)
            scores = compare(found, truth)
            print(
                f"| {label} | {name} | {scores.precision:.3f} | {scores.recall:.3f}"
                f" | {scores.f1:.3f} | {speed:.0f} |"
            )


def join_clips(data: Path) -> tuple[FloatArray, Mask]:
    """Join clips with pauses and mark what is speech."""
    chance = random.Random(SEED)  # noqa: S311 - a choice of clips, no secret
    with (data / "manifest.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if not row["flags"]]
    pieces: list[FloatArray] = []
    masks: list[Mask] = []
    chosen = [
        row
        for corpus in CORPORA
        for row in chance.sample([row for row in rows if row["corpus"] == corpus], CLIPS_PER_CORPUS)
    ]
    chance.shuffle(chosen)
    for row in chosen:
        clip = decode(data / row["path"]).samples
        clip = clip[: clip.size - clip.size % FRAME]
        pause = round(chance.uniform(30, 200))
        pieces += [clip, np.zeros(pause * FRAME, np.float32)]
        masks += [true_activity(clip), np.zeros(pause, np.bool_)]
    return np.concatenate(pieces), np.concatenate(masks)


def true_activity(clip: FloatArray) -> Mask:
    """Mark the frames of a clean clip that hold speech, by level alone."""
    levels = smooth_powers(frame_powers(Waveform(clip - clip.mean(), SAMPLE_RATE)))
    loud = levels > levels.max() * 10 ** (-35 / 10)
    held = np.pad(loud, (10, 0))
    active = np.lib.stride_tricks.sliding_window_view(held, 11).any(axis=1)
    return np.asarray(active)


def read_noise(data: Path, n_samples: int) -> FloatArray:
    """Join noises of all kinds, each at unit power, to the wanted length."""
    chance = random.Random(SEED)  # noqa: S311 - a choice of clips, no secret
    paths = sorted(
        path
        for path in (data / "noise").rglob("*")
        if path.suffix in {".wav", ".ogg", ".opus", ".flac"}
    )
    pieces: list[FloatArray] = []
    while sum(piece.size for piece in pieces) < n_samples:
        noise = decode(chance.choice(paths), max_seconds=10.0).samples
        power = float(np.mean(noise**2))
        if power > 1e-8:
            pieces.append(noise / np.float32(power**0.5))
    return np.concatenate(pieces)[:n_samples]


def run(detector: Detector, samples: FloatArray) -> Mask:
    """Feed a detector as a stream does."""
    blocks = np.array_split(samples, max(1, samples.size // (30 * SAMPLE_RATE)))
    return np.concatenate([*(detector.push(block) for block in blocks), detector.finish()])


def compare(found: Mask, truth: Mask) -> Scores:
    """Count frames."""
    return Scores(
        hits=int((found & truth).sum()),
        misses=int((~found & truth).sum()),
        false_alarms=int((found & ~truth).sum()),
    )


DETECTORS: dict[str, Callable[[FloatArray], Mask]] = {
    "always speech": lambda samples: np.ones(samples.size // FRAME, np.bool_),
    "energy, whole file": lambda samples: voice_activity(Waveform(samples, SAMPLE_RATE)),
    "energy, stream": lambda samples: run(EnergyActivity(sample_rate=SAMPLE_RATE), samples),
    "neural, stream": lambda samples: run(open_neural_activity(), samples),
}


if __name__ == "__main__":
    main()
