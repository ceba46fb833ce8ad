"""How long the interval of a figure takes, beside scikit-learn's figure of every resample.

    python bench/intervals.py

2,000 resamples of 6,000 clips of 91 speakers, unweighted average recall. The peer draws speakers in
the same way and calls ``balanced_accuracy_score`` for each resample; both take one thread.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
from sklearn.metrics import balanced_accuracy_score

from serenade.evaluation.bootstrap import RESAMPLES, interval, resampling_units
from serenade.evaluation.confusion import unweighted_average_recall

if TYPE_CHECKING:
    from collections.abc import Callable

N_CLIPS, N_SPEAKERS, N_LABELS = 6000, 91, 6
N_RUNS = 5
PEER_RESAMPLES = 100
"""So many are timed; the time of all is in proportion."""


def main() -> None:
    """Time both and print the table."""
    rng = np.random.default_rng(0)
    speakers = np.array([f"s{i:02d}" for i in rng.integers(N_SPEAKERS, size=N_CLIPS)])
    true = rng.integers(N_LABELS, size=N_CLIPS)
    answers = np.where(rng.random(N_CLIPS) < 0.7, true, rng.integers(N_LABELS, size=N_CLIPS))
    clips_of = [np.flatnonzero(speakers == name) for name in np.unique(speakers)]

    def ours() -> None:
        units = resampling_units(list(speakers))
        interval(true, answers, units, unweighted_average_recall, n_labels=N_LABELS, seed=0)

    def peer() -> None:
        for _ in range(PEER_RESAMPLES):
            drawn = rng.integers(len(clips_of), size=len(clips_of))
            clips = np.concatenate([clips_of[index] for index in drawn])
            balanced_accuracy_score(true[clips], answers[clips])

    own = shortest(ours)
    other = shortest(peer) * RESAMPLES / PEER_RESAMPLES
    print(f"{RESAMPLES} resamples of {N_CLIPS} clips of {N_SPEAKERS} speakers, best of {N_RUNS}:\n")
    print("| what | seconds | ratio |\n|---|---|---|")
    print(f"| serenade.evaluation.bootstrap.interval | {own:.3f} | 1 |")
    ratio = other / own
    print(f"| a loop over scikit-learn's balanced_accuracy_score | {other:.2f} | {ratio:.0f} |")


def shortest(work: Callable[[], None]) -> float:
    """Give the shortest of several durations [s]."""
    durations = []
    for _ in range(N_RUNS):
        started = time.perf_counter()
        work()
        durations.append(time.perf_counter() - started)
    return min(durations)


if __name__ == "__main__":
    main()
