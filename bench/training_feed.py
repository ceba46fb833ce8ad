"""Does training wait for its data? The default recipe, fed by its cache and by librosa.

    python bench/training_feed.py [--readings N] [--clips 512] [--recipe RECIPE]
                                  [--data ../shared/data] [--manifest MANIFEST] [--only-readings]

The loop is that of ``serenade train`` without a teacher, on real clips and one thread. A first
reading of all clips fills an empty cache, a second one finds it full, and before a third one a
file is changed; then the network trains for two epochs on some of the clips. Waiting is the time
from asking for a batch to having it: drawing, augmenting and padding here, decoding and log-mel
spectrograms (without any augmentation) in the peer, a plain ``DataLoader`` over librosa. Files that
are decoded are counted. Processor time, which a busy machine changes less; the peer's is that of
one process.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import librosa
import numpy as np
import soundfile
import torch

from serenade.audio.decode import decode
from serenade.corpora.collection import scan_collection
from serenade.corpora.manifest import read_manifest
from serenade.training import cache, fit
from serenade.training.augment import MelAugmenter, mel_centres
from serenade.training.batches import Batch, LabelledStates, collate
from serenade.training.cache import silent_progress
from serenade.training.data import emotions_by_corpus, label_clips, noise_states, select
from serenade.training.recipe import TeacherRecipe
from serenade.training.recipe_file import read_recipe
from serenade.training.run import new_network

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from serenade.corpora.manifest import Utterance
    from serenade.training.networks.base import SpeechNetwork
    from serenade.training.recipe import Recipe
    from serenade.types import FloatArray, Waveform

ROOT = Path(__file__).resolve().parents[1]
TARGET = 0.9
N_EPOCHS = 2
SEED = 5


@dataclass
class Clock:
    """What happened in one epoch or reading."""

    waiting_seconds: float = 0.0
    seconds: float = 0.0
    decoded: list[str] = field(default_factory=list)


class LibrosaClips(torch.utils.data.Dataset[tuple["FloatArray", int]]):
    """Clips that are decoded and transformed whenever they are asked for."""

    def __init__(self, utterances: list[Utterance], network: SpeechNetwork) -> None:
        self.utterances = utterances
        self.config = network.front_end.config

    def __len__(self) -> int:
        return len(self.utterances)

    def __getitem__(self, index: int) -> tuple[FloatArray, int]:
        """Give the log-mel spectrogram of a clip, and its number."""
        rate = self.config.sample_rate
        samples, _ = librosa.load(self.utterances[index].path, sr=rate)
        bands = librosa.feature.melspectrogram(
            y=samples,
            sr=rate,
            n_fft=self.config.n_fft,
            hop_length=self.config.hop_length,
            n_mels=self.config.n_mels,
        )
        return librosa.power_to_db(bands).astype(np.float32), index


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--readings", type=int, help="clips that are read; default: all")
    parser.add_argument("--clips", type=int, default=512, help="clips that are trained on")
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--manifest", type=Path, help="clips; default: all below --data")
    parser.add_argument("--only-readings", action="store_true", help="do not train")
    parser.add_argument("--recipe", type=Path, default=ROOT / "recipes" / "compact.toml")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    recipe = replace(read_recipe(arguments.recipe), teacher=TeacherRecipe())
    recipe = replace(
        recipe, optimiser=replace(recipe.optimiser, epochs=N_EPOCHS, min_steps=0, balance=0.0)
    )
    known = (
        read_manifest(arguments.manifest)
        if arguments.manifest
        else scan_collection(arguments.data).utterances
    )
    utterances = _choose(select(known, recipe), arguments.readings)
    network = new_network(recipe)
    print(f"{len(utterances)} clips are read, and at most {arguments.clips} of them trained on;")
    print(f"batches of {recipe.optimiser.batch_size}, {recipe.name}")
    print(
        f"target: >= {TARGET:.0%} of an epoch in the network, and nothing decoded after the first"
    )
    print("reading but what changed")
    print("\n| | files decoded | CPU s | waiting for data | in the network |")
    print("|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        utterances, changing = _with_own_copy(utterances, folder)
        for name in ("first reading, fills the cache", "second reading, from the cache"):
            _print_reading(name, _read(utterances, network, recipe, folder / "cache")[0])
        samples, rate = soundfile.read(changing)
        soundfile.write(changing, 0.5 * samples, rate)
        changed, _ = _read(utterances, network, recipe, folder / "cache")
        _print_reading("third reading, after one file was changed", changed)
        if arguments.only_readings:
            return
        utterances = _choose(utterances, arguments.clips)
        _, clips = _read(utterances, network, recipe, folder / "cache")
        augment = MelAugmenter(
            recipe.augmentation,
            mel_centres(network.front_end.config),
            noise_states(arguments.data / "noise", network),
            network.front_end.config.sample_rate / network.front_end.config.hop_length,
        )
        network.learn_statistics(clips.states)
        own = _train(network, recipe, clips, augment, folder / "own", fit.epoch_batches)  # type: ignore[attr-defined]
        for epoch, clock in enumerate(own, start=1):
            _print_epoch(f"epoch {epoch} of the run", clock)
        loader = _loader(utterances, network, clips, recipe.optimiser.batch_size)
        peer = _train(new_network(recipe), recipe, clips, augment, folder / "peer", loader)
        _print_epoch("peer: DataLoader over librosa, epoch 2", peer[-1])


def _choose(utterances: list[Utterance], n_clips: int | None) -> list[Utterance]:
    """Take clips of all corpora by chance."""
    chosen = np.random.default_rng(SEED).permutation(len(utterances))[:n_clips]
    return [utterances[i] for i in sorted(chosen)]


def _with_own_copy(utterances: list[Utterance], folder: Path) -> tuple[list[Utterance], Path]:
    """Let the first clip be a copy that may be changed."""
    first, *others = utterances
    copy = folder / "changing.wav"
    waveform = decode(first.path)
    soundfile.write(copy, waveform.samples, waveform.sample_rate)
    return [replace(first, path=str(copy)), *others], copy


def _read(
    utterances: list[Utterance], network: SpeechNetwork, recipe: Recipe, folder: Path
) -> tuple[Clock, LabelledStates]:
    """Get the states of the clips and count what was decoded for them."""
    with _counted_decodes() as decoded:
        start = time.process_time()
        clips, _ = label_clips(
            utterances,
            network,
            recipe,
            emotions_by_corpus(utterances),
            cache=folder,
            progress=silent_progress,
        )
        seconds = time.process_time() - start
    return Clock(seconds=seconds, decoded=decoded), clips


def _train(
    network: SpeechNetwork,
    recipe: Recipe,
    clips: LabelledStates,
    augment: MelAugmenter,
    folder: Path,
    batches_of: Callable[..., Iterator[Batch]],
) -> list[Clock]:
    """Train with batches from somewhere; the loop is the one of a real run."""
    folder.mkdir()
    clocks: list[Clock] = []

    def timed(*given: Any, **named: Any) -> Iterator[Batch]:  # noqa: ANN401 - whatever the loop says
        clock = Clock()
        clocks.append(clock)
        begun = asked = time.process_time()
        for batch in batches_of(*given, **named):
            clock.waiting_seconds += time.process_time() - asked
            yield batch
            asked = time.process_time()
        clock.seconds = asked - begun

    original, fit.epoch_batches = fit.epoch_batches, timed  # type: ignore[attr-defined]
    try:
        with _counted_decodes() as decoded:
            nobody = _no_clips(clips)
            fit.Fit(network, recipe, clips, nobody, augment, folder).run(lambda *_: None)
        clocks[-1].decoded = decoded
    finally:
        fit.epoch_batches = original  # type: ignore[attr-defined]
    return clocks


def _no_clips(clips: LabelledStates) -> LabelledStates:
    return LabelledStates([], clips.targets[:0], clips.allowed[:0], [], clips.intensity[:0])


def _loader(
    utterances: list[Utterance], network: SpeechNetwork, clips: LabelledStates, batch_size: int
) -> Callable[..., Iterator[Batch]]:
    """Give what stands in for the loop's own batches: the same clips in another order."""

    def together(items: list[tuple[FloatArray, int]]) -> Batch:
        states = [item[0] for item in items]
        n_frames = max(item.shape[1] for item in states)
        chosen = np.array([item[1] for item in items])
        return collate(states, clips, chosen, n_frames=n_frames, n_together=len(items))

    def batches(*_: Any, **__: Any) -> Iterator[Batch]:  # noqa: ANN401 - what the loop says is not needed
        yield from torch.utils.data.DataLoader(
            LibrosaClips(utterances, network),
            batch_size=batch_size,
            shuffle=True,
            collate_fn=together,
        )

    return batches


@contextmanager
def _counted_decodes() -> Iterator[list[str]]:
    """Note the files that the cache decodes."""
    decoded: list[str] = []
    original = cache.utterance_waveform  # type: ignore[attr-defined]

    def noting(utterance: Utterance, root: Path | None) -> Waveform:
        decoded.append(utterance.path)
        waveform: Waveform = original(utterance, root)
        return waveform

    cache.utterance_waveform = noting  # type: ignore[attr-defined]
    try:
        yield decoded
    finally:
        cache.utterance_waveform = original  # type: ignore[attr-defined]


def _print_reading(name: str, reading: Clock) -> None:
    print(f"| {name} | {len(reading.decoded)} | {reading.seconds:.2f} | - | - |", flush=True)


def _print_epoch(name: str, clock: Clock) -> None:
    waiting = clock.waiting_seconds / clock.seconds
    print(
        f"| {name} | {len(clock.decoded)} | {clock.seconds:.2f} | {waiting:.1%} |"
        f" {1 - waiting:.1%} |",
        flush=True,
    )


if __name__ == "__main__":
    main()
