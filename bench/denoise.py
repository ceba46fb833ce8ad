"""What noise reduction does to real speech in real noise, as change of SI-SDR.

Run as ``python bench/denoise.py``; it ends with status 1 if a requirement is not met:

- white noise and steady real noise at 0, 5 and 10 dB: SI-SDR rises on average;
- no class of noise at any of these ratios: SI-SDR does not fall by more than 1 dB on average;
- clean speech, which is a recording with a signal-to-noise ratio of its own of 20 dB or more:
  the samples come back unchanged.

A noise clip counts as steady if the levels of its 100 ms frames deviate by less than 2 dB.
Speech is a real recording whose own noise stays in the reference, so a clip with a loud background
(many of CREMA-D) cannot gain beyond its own signal-to-noise ratio.

References
----------
J. Le Roux, S. Wisdom, H. Erdogan, J. R. Hershey: "SDR - half-baked or well done?", ICASSP 2019
(the scale-invariant signal-to-distortion ratio).
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from serenade.audio.condition import remove_offset
from serenade.audio.decode import SAMPLE_RATE, decode
from serenade.audio.denoise import reduce_noise
from serenade.audio.quality import measure_quality
from serenade.types import FloatArray, Waveform

RATIOS_DB = (0, 5, 10)
STEADY_BELOW_DB = 2.0
LARGEST_FALL_DB = 1.0
CLEAN_FROM_DB = 20.0
CLIPS = {"RAVDESS": 8, "SAVEE": 4, "CREMA-D": 16}
WHITE = "white"

Generator = np.random.Generator


@dataclass(frozen=True, slots=True)
class Trial:
    """One noisy clip: its noise, its ratio and the change of SI-SDR, all in dB."""

    noise: str
    deviation_db: float
    ratio_db: int
    change_db: float


def si_sdr(reference: FloatArray, estimate: FloatArray) -> float:
    """Give the scale-invariant signal-to-distortion ratio [dB]."""
    reference64 = reference.astype(np.float64) - reference.mean(dtype=np.float64)
    estimate64 = estimate.astype(np.float64) - estimate.mean(dtype=np.float64)
    target = (estimate64 @ reference64) / (reference64 @ reference64) * reference64
    distortion = estimate64 - target
    return float(10 * np.log10((target @ target) / max(distortion @ distortion, 1e-30)))


def level_deviation(noise: FloatArray) -> float:
    """Give the standard deviation of the levels of 100 ms frames [dB]."""
    frame = SAMPLE_RATE // 10
    frames = noise[: noise.size // frame * frame].reshape(-1, frame).astype(np.float64)
    powers = (frames**2).mean(axis=1)
    return float(np.std(10 * np.log10(powers + 1e-9 * powers.mean())))


def choose_speech(data: Path, generator: Generator, n_clips: dict[str, int]) -> list[Path]:
    """Choose clips of different speakers and, among several corpora, the intact original files."""
    speakers: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    with (data / "manifest.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if not row["flags"]:
                speakers[row["corpus"]][row["speaker"]].append(row["path"])
    chosen = []
    for corpus, count in n_clips.items():
        names = sorted(speakers[corpus])
        for index in range(count):
            clips = speakers[corpus][names[index * len(names) // count]]
            chosen.append(data / clips[generator.integers(len(clips))])
    if len(n_clips) == 1:
        return chosen
    originals = sorted((data / "quirks").glob("*.wav"))
    return chosen + [path for path in originals if path.stem != "1076_MTI_SAD_XX"]  # silent


def noise_clips(data: Path) -> dict[str, list[FloatArray]]:
    """Read the noise of every class that is not silent."""
    return {
        folder.name: [
            samples for path in sorted(folder.iterdir()) if (samples := decode(path).samples).any()
        ]
        for folder in sorted((data / "noise").iterdir())
    }


def draw_noise(clips: list[FloatArray], n_samples: int, generator: Generator) -> FloatArray:
    """Cut a piece that can be heard out of a random clip, repeated as often as needed."""
    while True:
        clip = clips[generator.integers(len(clips))]
        offset = generator.integers(clip.size)
        piece = np.resize(np.roll(clip, -offset), n_samples)
        if np.abs(piece).max() > 1e-4:
            return piece


def mix(speech: FloatArray, noise: FloatArray, ratio_db: float) -> Waveform:
    """Add noise at a signal-to-noise ratio."""
    gain = np.sqrt((speech @ speech) / (noise @ noise) * 10 ** (-ratio_db / 10))
    return Waveform((speech + gain * noise).astype(np.float32), SAMPLE_RATE)


def run_trials(
    speech: list[FloatArray], noises: dict[str, list[FloatArray]], generator: Generator
) -> list[Trial]:
    """Mix every clip with white noise and one noise of each class at every ratio."""
    trials = []
    for name in (WHITE, *noises):
        for reference in speech:
            noise = (
                generator.standard_normal(reference.size).astype(np.float32)
                if name == WHITE
                else draw_noise(noises[name], reference.size, generator)
            )
            deviation = level_deviation(noise)
            for ratio in RATIOS_DB:
                noisy = mix(reference, noise, ratio)
                before = si_sdr(reference, noisy.samples)
                after = si_sdr(reference, reduce_noise(noisy).samples)
                trials.append(Trial(name, deviation, ratio, after - before))
    return trials


def is_steady(trial: Trial) -> bool:
    """Say whether a trial's noise is real and steady."""
    return trial.noise != WHITE and trial.deviation_db < STEADY_BELOW_DB


def changes(trials: list[Trial], ratio_db: int) -> npt.NDArray[np.float64]:
    """Give the changes at one ratio."""
    return np.array([trial.change_db for trial in trials if trial.ratio_db == ratio_db])


def groups_of(trials: list[Trial]) -> dict[str, list[Trial]]:
    """Group trials by noise, with the steady real ones as a group of their own."""
    groups: dict[str, list[Trial]] = defaultdict(list)
    for trial in trials:
        groups[trial.noise].append(trial)
    groups["steady real noise"] = [trial for trial in trials if is_steady(trial)]
    return groups


def failures_of(groups: dict[str, list[Trial]]) -> list[str]:
    """List the requirements on noisy speech that are not met."""
    failures = []
    for name, trials in groups.items():
        least = 0.0 if name in (WHITE, "steady real noise") else -LARGEST_FALL_DB
        failures += [
            f"{name} at {ratio} dB changes by {changes(trials, ratio).mean():+.2f} dB"
            for ratio in RATIOS_DB
            if not changes(trials, ratio).mean() > least
        ]
    return failures


def changed_clips(speech: list[FloatArray]) -> dict[int, tuple[float, float]]:
    """Treat clips without added noise.

    Gives, for the index of each clip that is changed, its own signal-to-noise ratio and the SI-SDR
    of the treated clip against it [dB].
    """
    changed = {}
    for index, clip in enumerate(speech):
        waveform = Waveform(clip, SAMPLE_RATE)
        treated = reduce_noise(waveform).samples
        if not np.array_equal(treated, clip):
            changed[index] = (measure_quality(waveform).snr_db, si_sdr(clip, treated))
    return changed


def main() -> int:
    """Measure, print the table and say whether every requirement is met."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    shared = os.environ.get("SERENADE_SHARED", Path(__file__).resolve().parents[2] / "shared")
    parser.add_argument("--data", type=Path, default=Path(shared) / "data")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=CLIPS, help="speech of one corpus alone, 36 clips")
    arguments = parser.parse_args()

    generator = np.random.default_rng(arguments.seed)
    n_clips = CLIPS if arguments.only is None else {arguments.only: 36}
    paths = choose_speech(arguments.data, generator, n_clips)
    speech = [remove_offset(decode(path)).samples for path in paths]
    groups = groups_of(run_trials(speech, noise_clips(arguments.data), generator))

    print(
        f"Mean change of SI-SDR [dB] over {len(speech)} clips (worst clip), seed {arguments.seed}"
    )
    print("| noise | clips | deviation dB | " + " | ".join(f"{r} dB" for r in RATIOS_DB) + " |")
    print("|---|---|---|" + "---|" * len(RATIOS_DB))
    for name, trials in groups.items():
        deviation = np.mean([trial.deviation_db for trial in trials])
        cells = [
            f"{changes(trials, ratio).mean():+.2f} ({changes(trials, ratio).min():+.1f})"
            for ratio in RATIOS_DB
        ]
        n_mixed = len(trials) // len(RATIOS_DB)
        print(f"| {name} | {n_mixed} | {deviation:.1f} | " + " | ".join(cells) + " |")

    changed = changed_clips(speech)
    print(
        f"\nWithout added noise {len(speech) - len(changed)} of {len(speech)} clips come back bit"
    )
    print("for bit; the others, with their own signal-to-noise ratio and the SI-SDR against it:")
    for index, (snr, result) in changed.items():
        print(f"  {paths[index].name}: {snr:.1f} dB, {result:.1f} dB")

    clip = mix(speech[0], generator.standard_normal(speech[0].size).astype(np.float32), 5)
    start = time.perf_counter()
    for _ in range(10):
        reduce_noise(clip)
    milliseconds = (time.perf_counter() - start) / 10 / clip.duration_seconds * 1000
    print(f"\nTime: {milliseconds:.1f} ms per second of audio")

    failures = failures_of(groups)
    failures += [
        f"clean clip {paths[index].name} is changed"
        for index, (snr, _) in changed.items()
        if snr >= CLEAN_FROM_DB
    ]
    for failure in failures:
        print(f"FAILED: {failure}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
