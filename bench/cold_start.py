"""How long one prediction takes in a fresh process, beside the imports that nobody can avoid.

Run ``python bench/cold_start.py``. With ``--with-peers`` the same is done by a TensorFlow + librosa
and a torch + librosa script, each in an environment that is made under ``cache/cold_start`` the
first time; a peer that cannot be installed is left out with the reason.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
import venv
from dataclasses import dataclass
from pathlib import Path

from serenade.model.store import list_bundled, resolve

ROOT = Path(__file__).resolve().parents[1]
CACHE = ROOT / "cache" / "cold_start"
IMPORTS = "import numpy, soundfile, soxr, onnxruntime"
INSTALL_SECONDS = 900.0

# What scripts of this kind do: librosa decodes and computes MFCC, a recurrent network judges.
TENSORFLOW_SCRIPT = """
import sys, librosa, numpy, tensorflow as tf
y, sr = librosa.load(sys.argv[1], sr=16000)
x = librosa.feature.mfcc(y=y, sr=sr, n_mfcc=40).T[None]
model = tf.keras.Sequential([tf.keras.Input((None, 40)), tf.keras.layers.LSTM(128),
                             tf.keras.layers.Dense(8, activation="softmax")])
print(model.predict(x, verbose=0).argmax())
"""
TORCH_SCRIPT = """
import sys, librosa, torch
y, sr = librosa.load(sys.argv[1], sr=16000)
x = torch.from_numpy(librosa.feature.mfcc(y=y, sr=sr, n_mfcc=40).T[None].copy())
lstm, head = torch.nn.LSTM(40, 128, batch_first=True), torch.nn.Linear(128, 8)
with torch.inference_mode():
    print(head(lstm(x)[0][:, -1]).softmax(-1).argmax())
"""
PEERS = {
    "TensorFlow + librosa script": ("tensorflow", ["tensorflow-cpu", "librosa"], TENSORFLOW_SCRIPT),
    # the version whose wheel has no CUDA, as in the Makefile
    "torch + librosa script": ("torch", ["torch==2.13.0", "librosa"], TORCH_SCRIPT),
}


@dataclass(frozen=True)
class Run:
    """One fresh process."""

    seconds: float
    cpu_seconds: float
    megabytes: float


def run_once(command: list[str]) -> Run:
    """Run a command and give its wall time and peak memory."""
    # an installed package has its bytecode cached; so have all rows here
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    started = time.perf_counter()
    # TensorFlow says a dozen lines about itself on standard error
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment
    )
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"{command} failed with exit code {process.returncode}")
    return Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def make_peers() -> dict[str, list[str]]:
    """Make the environments of the peers and give the command of each that can run."""
    commands = {}
    for title, (name, packages, script) in PEERS.items():
        folder = CACHE / name
        python = folder / "bin" / "python"
        try:
            if not (folder / "complete").exists():
                print(f"installing {' '.join(packages)} into {folder}", file=sys.stderr)
                venv.create(folder, with_pip=True, clear=True)
                subprocess.run(
                    [python, "-m", "pip", "install", "--quiet", *packages],
                    check=True,
                    timeout=INSTALL_SECONDS,
                )
                (folder / "complete").touch()
        except (subprocess.SubprocessError, OSError) as error:
            print(f"{title} is left out: {error}", file=sys.stderr)
            continue
        commands[title] = [str(python), "-c", script]
    return commands


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clip", type=Path, default=ROOT / "samples" / "plain_voice.flac")
    parser.add_argument("--models", nargs="+", help="names or folders; default: all bundled")
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--with-peers", action="store_true")
    parser.add_argument("--json", type=Path, help="also write the figures into this file")
    arguments = parser.parse_args()

    predict = [sys.executable, "-m", "serenade", "predict", str(arguments.clip), "--format", "json"]
    commands = {IMPORTS: [sys.executable, "-c", IMPORTS]}
    for model in arguments.models or list_bundled():
        megabytes = (resolve(model) / "model.onnx").stat().st_size / 1e6
        commands[f"serenade predict, {megabytes:.1f} MB model"] = [*predict, "--model", model]
    commands["serenade --help"] = [sys.executable, "-m", "serenade", "--help"]
    if arguments.with_peers:
        peers = make_peers()
        commands |= {title: [*command, str(arguments.clip)] for title, command in peers.items()}

    runs: dict[str, list[Run]] = {title: [] for title in commands}
    for command in commands.values():
        run_once(command)  # fills the caches of the disk and of bytecode
    for _ in range(arguments.runs):
        for title, command in commands.items():  # in turn, so that all meet the same disturbances
            runs[title].append(run_once(command))
    report(runs, arguments.json)


def report(runs: dict[str, list[Run]], path: Path | None) -> None:
    """Print the table, and write it as JSON if asked to."""
    base = statistics.median(run.seconds for run in runs[IMPORTS])
    base_cpu = statistics.median(run.cpu_seconds for run in runs[IMPORTS])
    rows = []
    print("targets: small model <= 2.0 times the imports and 110 MB, large <= 2.5 times and 150 MB")
    print(f"{'fresh process':<44} median s  ratio   CPU s  ratio  peak MB")
    for title, results in runs.items():
        row = {
            "seconds": statistics.median(run.seconds for run in results),
            "cpu_seconds": statistics.median(run.cpu_seconds for run in results),
            "megabytes": max(run.megabytes for run in results),
        }
        rows.append({"title": title, **row})
        wall = f"{row['seconds']:8.3f} {row['seconds'] / base:6.2f}"
        cpu = f"{row['cpu_seconds']:7.3f} {row['cpu_seconds'] / base_cpu:6.2f}"
        print(f"{title:<44} {wall} {cpu} {row['megabytes']:8.1f}")
    if path:
        path.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
