"""Trains a tiny network on made-up states; a process that `torchrun` would start, or the only one.

``python training_worker.py FOLDER [EPOCHS]``: a run folder, and after how many epochs to stop as if
the process had been killed.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch

from serenade.training.augment import MelAugmenter, mel_centres
from serenade.training.batches import LabelledStates
from serenade.training.fit import EpochRecord, Fit
from serenade.training.frontend import LogMelConfig
from serenade.training.networks.registry import build_network
from serenade.training.processes import Processes, open_processes
from serenade.training.recipe_file import parse_recipe

RECIPE = parse_recipe(
    {
        "name": "toy",
        "seed": 3,
        "augmentation": {"mixup": 0.0},  # drawn anew in every process
        "network": {"width": 16, "depth": 1, "dropout": 0.0},  # likewise
        "optimiser": {"epochs": 3, "batch_size": 6, "learning_rate": 1e-3, "average_decay": 0.5},
    }
)


def make_clips(n_clips: int, *, seed: int) -> LabelledStates:
    """Give clips of different lengths whose class is in their tilt."""
    rng = np.random.default_rng(seed)
    true = rng.integers(0, 9, n_clips)
    targets = np.eye(9, dtype=np.float32)[true]
    states = [
        (rng.normal(-40.0, 6.0, (64, int(n))) + label * np.linspace(0, 3, 64)[:, None]).astype(
            np.float16
        )
        for label, n in zip(true, rng.integers(20, 70, n_clips), strict=True)
    ]
    unknown = np.full(n_clips, np.nan, np.float32)
    return LabelledStates(states, targets, targets >= 0, ["toy"] * n_clips, unknown)


def train(folder: Path, processes: Processes, *, stop_after: int = 99) -> None:
    """Train, or go on; leave hard after an epoch if that is wanted."""

    def on_epoch(record: EpochRecord, n_epochs: int) -> None:
        if record.epoch == stop_after:
            raise SystemExit(3)

    torch.manual_seed(1)
    torch.set_num_threads(1)
    network = build_network(RECIPE.network, n_labels=9)
    augment = MelAugmenter(RECIPE.augmentation, mel_centres(LogMelConfig()), [])
    # 19 clips in batches of 6: the last has a single clip or few, fewer than there are processes
    clips, held_back = make_clips(19, seed=0), make_clips(8, seed=1)
    Fit(network, RECIPE, clips, held_back, augment, folder, processes=processes).run(on_epoch)


if __name__ == "__main__":
    run_folder = Path(sys.argv[1])
    run_folder.mkdir(exist_ok=True)
    with open_processes("cpu") as both:
        train(run_folder, both, stop_after=int(sys.argv[2]) if len(sys.argv) > 2 else 99)
