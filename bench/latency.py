"""How long a loaded model takes for one clip of 3 s on one thread, beside librosa's MFCC of it.

Run ``python bench/latency.py``. The peer computes the features that most projects of this kind
begin with (``librosa.load`` and 40 MFCC) and has not even started to judge.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import librosa
import numpy as np
import soundfile

from serenade.audio.condition import condition
from serenade.audio.decode import SAMPLE_RATE, decode
from serenade.inference.recognizer import Recognizer
from serenade.model.bundle import open_bundle
from serenade.model.scorer import open_scorer
from serenade.model.store import resolve

if TYPE_CHECKING:
    from collections.abc import Callable

SECONDS = 3.0
ROUNDS = 100


def main() -> None:
    """Time every step and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--model", help="name or folder of a model; the default model if absent")
    folder = resolve(parser.parse_args().model)
    bundle = open_bundle(folder)
    load_ms = milliseconds(lambda: open_scorer(bundle), rounds=20)
    scorer = open_scorer(bundle)
    recognizer = Recognizer.load(folder)
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "clip.wav"
        soundfile.write(path, speech_like(), SAMPLE_RATE)
        clip = condition(decode(path), bundle.spec.conditioning)
        rows = {
            "decode": milliseconds(lambda: decode(path)),
            "condition": milliseconds(lambda: condition(decode(path), bundle.spec.conditioning)),
            "model alone": milliseconds(lambda: scorer.score([clip.samples])),
            "predict, all of it": milliseconds(lambda: recognizer.predict(path)),
            "librosa.load and 40 MFCC": milliseconds(lambda: mfcc(path)),
        }
    rows["condition"] -= rows["decode"]
    size = (folder / "model.onnx").stat().st_size / 1e6
    print(f"{bundle.spec.model_id}: model.onnx {size:.2f} MB, session opened in {load_ms:.0f} ms")
    print(f"{'3 s of audio, one thread':<28} {'median ms':>9} {'librosa / this':>15}")
    for name, value in rows.items():
        print(f"{name:<28} {value:>9.2f} {rows['librosa.load and 40 MFCC'] / value:>15.1f}")


def milliseconds(call: Callable[[], object], *, rounds: int = ROUNDS) -> float:
    """Give the median time of a call [ms]."""
    for _ in range(3):
        call()
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        call()
        times.append(time.perf_counter() - started)
    return 1e3 * statistics.median(times)


def mfcc(path: Path) -> object:
    """Compute what the peer computes."""
    samples, rate = librosa.load(path, sr=SAMPLE_RATE)
    return librosa.feature.mfcc(y=samples, sr=rate, n_mfcc=40)


def speech_like() -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """Make 3 s of a voiced sound with syllables."""
    rng = np.random.default_rng(0)
    times = np.arange(round(SECONDS * SAMPLE_RATE)) / SAMPLE_RATE
    voice = sum(np.sin(2 * np.pi * 140.0 * k * times) / k for k in range(1, 30))
    syllables = 0.55 + 0.45 * np.sin(2 * np.pi * 3.0 * times)
    samples: np.ndarray[tuple[int], np.dtype[np.float32]] = (
        0.05 * voice * syllables + 0.001 * rng.standard_normal(times.size)
    ).astype(np.float32)
    return samples


if __name__ == "__main__":
    main()
