"""How many seconds of recordings ``serenade predict DIR`` judges in a second, on 1 and 2 workers.

    python bench/throughput.py [--clips 2000] [--models MODEL ...] [--kinds mixed wav flac mp3]
                               [--with-peers]

The clips are 3 s at 48 kHz, made here in a temporary folder: forty different ones, each under many
names. Every run is the whole command, start and model included, and writes JSONL; every clip must
have its prediction. Memory is the sum over the processes of the command, read four times a second:
its highest value, and how much more there was in the last quarter than in the second, when all
workers are at work. One and two workers take turns, three times; the middle one of each is shown.

Peers, on fewer of the same clips and timed after their first one: librosa and a Keras LSTM in a
loop (in the environment of ``bench/cold_start.py``), and the pipeline of transformers with a
network of the shape of wav2vec2-base and random weights. They may use all cores.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from cold_start import make_peers
from serenade.model.store import list_bundled, resolve

SAMPLE_RATE = 48_000
CLIP_SECONDS = 3
N_DIFFERENT = 40
KINDS = ("mixed", "wav", "flac", "mp3")
TARGETS = {"small": 400, "large": 110}
SCALING_TARGET = 0.85
LARGE_FROM_BYTES = 10_000_000
SAMPLING_SECONDS = 0.25
REPEATS = 3
PEER_CLIPS = 24

LIBROSA_KERAS = """
import sys, time, librosa, tensorflow as tf
model = tf.keras.Sequential([tf.keras.Input((None, 40)), tf.keras.layers.LSTM(128),
                             tf.keras.layers.Dense(8, activation="softmax")])
def judge(path):
    y, sr = librosa.load(path, sr=16000)
    x = librosa.feature.mfcc(y=y, sr=sr, n_mfcc=40).T[None]
    return model.predict(x, verbose=0).argmax()
"""
TRANSFORMERS = """
import sys, time, librosa, torch, transformers
config = transformers.Wav2Vec2Config(num_labels=8)
judge_wave = transformers.pipeline(
    "audio-classification", model=transformers.Wav2Vec2ForSequenceClassification(config).eval(),
    feature_extractor=transformers.Wav2Vec2FeatureExtractor(), device="cpu")
def judge(path):
    y, sr = librosa.load(path, sr=16000)
    return judge_wave({"raw": y, "sampling_rate": sr})
"""
TIMED_LOOP = """
judge(sys.argv[1])
start = time.perf_counter()
for path in sys.argv[1:]:
    judge(path)
print((time.perf_counter() - start) / (len(sys.argv) - 1))
"""


@dataclass(frozen=True)
class Run:
    """One run of the command."""

    seconds: float
    peak_megabytes: float
    growth_megabytes: float


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=2000, help="a fifth for large models")
    parser.add_argument("--models", nargs="+", help="names or folders; default: all bundled")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--with-peers", action="store_true")
    arguments = parser.parse_args()
    print(f"clips of {CLIP_SECONDS} s, {SAMPLE_RATE} Hz; targets: 2 workers >= {TARGETS['small']}")
    print(f"times real time with a small and {TARGETS['large']} with a large model, and")
    print(f">= {SCALING_TARGET:.0%} of twice 1 worker; memory flat\n")
    print("| model | clips | workers | s | x real time | of twice 1 worker | peak MB | growth MB |")
    print("|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as temporary:
        for number, model in enumerate(arguments.models or list_bundled()):
            size = _model_size(model)
            # time for a large model goes to the model, so one kind of clips says it all
            kinds = arguments.kinds if size == "small" else arguments.kinds[:1]
            n_clips = arguments.clips if size == "small" else max(1, arguments.clips // 5)
            for kind in kinds:
                folder = _make_clips(Path(temporary) / f"{number}-{kind}", kind, n_clips)
                _print_runs(folder, model, size, kind, n_clips)
        if arguments.with_peers:
            _print_peers(_make_clips(Path(temporary) / "peers", "mixed", PEER_CLIPS))


def _print_runs(folder: Path, model: str, size: str, kind: str, n_clips: int) -> None:
    """Judge a folder on 1 and on 2 workers, in turns, since machines have fast and slow minutes."""
    turns = [
        (
            _predict(folder, model, workers=1, n_clips=n_clips),
            _predict(folder, model, workers=2, n_clips=n_clips),
        )
        for _ in range(REPEATS)
    ]
    alone, both = (_middle([turn[which] for turn in turns]) for which in (0, 1))
    scaling = statistics.median(one.seconds / (2 * two.seconds) for one, two in turns)
    for workers, run, share in ((1, alone, "-"), (2, both, f"{scaling:.0%}")):
        times = n_clips * CLIP_SECONDS / run.seconds
        print(
            f"| {Path(model).name} ({size}) | {n_clips} {kind} | {workers} | {run.seconds:.1f} |"
            f" {times:.0f} | {share} | {run.peak_megabytes:.0f} | {run.growth_megabytes:+.1f} |",
            flush=True,
        )


def _middle(runs: list[Run]) -> Run:
    return sorted(runs, key=lambda run: run.seconds)[len(runs) // 2]


def _model_size(model: str) -> str:
    """Tell which target applies: that of the small or that of the large model."""
    n_bytes = (resolve(model) / "model.onnx").stat().st_size
    return "large" if n_bytes >= LARGE_FROM_BYTES else "small"


def _make_clips(folder: Path, kind: str, n_clips: int) -> Path:
    """Fill a folder with clips of a kind."""
    folder.mkdir()
    containers = ("wav", "flac", "mp3") if kind == "mixed" else (kind,)
    made: list[Path] = []
    for number in range(min(N_DIFFERENT, n_clips)):
        path = folder / f"{number:05d}.{containers[number % len(containers)]}"
        soundfile.write(path, _clip(number), SAMPLE_RATE)
        made.append(path)
    for number in range(len(made), n_clips):
        original = made[number % len(made)]
        (folder / f"{number:05d}{original.suffix}").hardlink_to(original)
    return folder


def _clip(seed: int) -> npt.NDArray[np.float32]:
    """Make pulses with a gliding pitch that comes and goes, with noise: as dense as speech."""
    rng = np.random.default_rng(seed)
    times = np.arange(CLIP_SECONDS * SAMPLE_RATE) / SAMPLE_RATE
    pitch_hz = rng.uniform(90, 250) + 30 * np.sin(2 * np.pi * times)
    phase = 2 * np.pi * np.cumsum(pitch_hz) / SAMPLE_RATE
    tone = np.sum([np.sin(k * phase) / k for k in range(1, 20)], axis=0)
    loudness = np.clip(np.sin(2 * np.pi * 1.3 * times), 0, None)
    clip = 0.05 * tone * loudness + 0.002 * rng.standard_normal(times.size)
    return np.asarray(clip, dtype=np.float32)


def _predict(folder: Path, model: str, *, workers: int, n_clips: int) -> Run:
    """Run the command over a folder and check that it judged every clip."""
    output = folder.with_suffix(f".{workers}.jsonl")
    command = [sys.executable, "-m", "serenade", "predict", str(folder), "--format", "jsonl"]
    command += ["--output", str(output), "--workers", str(workers), "--model", model]
    start = time.perf_counter()
    process = subprocess.Popen(command, stderr=subprocess.PIPE)
    megabytes = []
    while process.poll() is None:
        megabytes.append(_megabytes_of(process.pid))
        time.sleep(SAMPLING_SECONDS)
    seconds = time.perf_counter() - start
    complaints = process.communicate()[1].decode()
    records = [json.loads(line) for line in output.read_text().splitlines()]
    if process.returncode != 0 or sum("emotion" in record for record in records) != n_clips:
        raise SystemExit(f"{command} failed: {complaints[:500]}")
    quarter = max(1, len(megabytes) // 4)
    growth = statistics.median(megabytes[-quarter:]) - statistics.median(
        megabytes[quarter : 2 * quarter] or megabytes
    )
    return Run(seconds, max(megabytes), growth)


def _megabytes_of(pid: int) -> float:
    """Give the memory of a process and its children; a shared page counts in proportion."""
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:  # it ended meanwhile
        return 0.0
    kilobytes = next(int(line.split()[1]) for line in rollup.splitlines() if "Pss:" in line)
    return kilobytes / 1024 + sum(_megabytes_of(int(child)) for child in children)


def _print_peers(folder: Path) -> None:
    """Time the peers on the clips; a peer that cannot run is left out with the reason."""
    print("\n| peer, all cores, mixed clips | ms/clip | x real time |")
    print("|---|---|---|")
    keras = make_peers().get("TensorFlow + librosa script")
    commands = {"transformers, wav2vec2-base": [sys.executable, "-c", TRANSFORMERS + TIMED_LOOP]}
    if keras is not None:
        commands["librosa + Keras"] = [keras[0], "-c", LIBROSA_KERAS + TIMED_LOOP]
    free = {name: value for name, value in os.environ.items() if "NUM_THREADS" not in name}
    for title, command in commands.items():
        result = subprocess.run(
            [*command, *map(str, sorted(folder.iterdir()))],
            capture_output=True,
            text=True,
            check=False,
            env=free,
        )
        if result.returncode != 0:
            reason = result.stderr.strip().splitlines()[-1:]
            print(f"| {title} | left out: {' '.join(reason)} | - |")
            continue
        seconds = float(result.stdout.split()[-1])
        print(f"| {title} | {1000 * seconds:.1f} | {CLIP_SECONDS / seconds:.0f} |", flush=True)


if __name__ == "__main__":
    main()
