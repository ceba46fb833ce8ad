"""Changed copies of training clips: what they change, and what they leave."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile

from serenade.corpora.manifest import Utterance, read_manifest
from serenade.errors import TrainingError
from serenade.evaluation.degrade import cut
from serenade.training.cache import silent_progress
from serenade.training.copies import changed_copy, shift_pitch, stretch, with_copies
from serenade.training.data import label_clips
from serenade.training.recipe import AugmentationRecipe, NetworkRecipe, Recipe
from serenade.training.run import TrainingRun, new_network, train
from serenade.types import Waveform

if TYPE_CHECKING:
    from pathlib import Path

RATE = 16_000


def _tone(hertz: float, seconds: float = 1.0) -> Waveform:
    time = np.arange(round(seconds * RATE)) / RATE
    return Waveform((0.1 * np.sin(2 * np.pi * hertz * time)).astype(np.float32), RATE)


def _loudest_hertz(clip: Waveform) -> float:
    inner = clip.samples[2_000:-2_000]
    spectrum = np.abs(np.fft.rfft(inner * np.hanning(inner.size), 1 << 16))
    return float(np.argmax(spectrum) * RATE / (1 << 16))


@pytest.mark.parametrize("rate", [0.8, 1.0, 1.25])
def test_a_stretched_tone_keeps_its_pitch_and_level(rate: float) -> None:
    stretched = stretch(_tone(440.0), rate=rate)
    assert stretched.samples.size == round(RATE / rate)
    assert _loudest_hertz(stretched) == pytest.approx(440.0, rel=0.01)
    assert np.abs(stretched.samples[2_000:-2_000]).max() == pytest.approx(0.1, rel=0.15)


@pytest.mark.parametrize("semitones", [-2.0, 3.0])
def test_a_shifted_tone_keeps_its_length(semitones: float) -> None:
    shifted = shift_pitch(_tone(440.0), semitones=semitones)
    assert shifted.samples.size == pytest.approx(RATE, rel=0.01)
    assert _loudest_hertz(shifted) == pytest.approx(440.0 * 2 ** (semitones / 12), rel=0.01)


def test_every_copy_differs_and_is_repeatable() -> None:
    clip = _tone(220.0)
    for kind in ("noise", "pitch", "stretch", "scene", "cut"):
        first, again, other = (
            changed_copy(clip, kind, np.random.default_rng(seed), snr_db=(5.0, 20.0)).samples
            for seed in (1, 1, 2)
        )
        np.testing.assert_array_equal(first, again)
        assert first.size != other.size or np.abs(first - other).max() > 1e-3
        assert np.isfinite(first).all()


def test_a_cut_keeps_the_part_that_is_meant() -> None:
    clip = Waveform(np.arange(RATE, dtype=np.float32), RATE)
    assert cut(clip, seconds=0.25, at=0.0).samples[0] == 0
    assert cut(clip, seconds=0.25, at=1.0).samples[-1] == RATE - 1
    assert cut(clip, seconds=0.25, at=0.5).samples.size == RATE // 4
    assert cut(clip, seconds=2.0, at=0.5).samples.size == RATE


def test_only_training_clips_are_copied(
    toy_recipe: Recipe, toy_manifest: Path, tmp_path: Path
) -> None:
    recipe = replace(
        toy_recipe,
        network=NetworkRecipe(name="cnn", width=8, dense=(8,)),
        augmentation=AugmentationRecipe(random=False, mixup=0.0, copies=("noise", "field")),
        optimiser=replace(toy_recipe.optimiser, epochs=1),
    )
    cache = tmp_path / "cache"
    train(
        recipe,
        read_manifest(toy_manifest),
        TrainingRun(tmp_path / "run", noise=None, cache=cache),
        threads=1,
        on_epoch=lambda record, n_epochs: None,
        progress=silent_progress,
    )
    entries = sorted(len(list(folder.rglob("*.npy"))) for folder in cache.iterdir())
    assert entries == [24, 24, 32]  # two copies of three speakers; the plain clips of all four


def test_a_copy_is_made_anew_when_a_voice_behind_it_or_its_own_name_changes(
    toy_recipe: Recipe, toy_manifest: Path, tmp_path: Path
) -> None:
    utterances = [u for u in read_manifest(toy_manifest) if u.speaker == "a"][:3]
    recipe = replace(
        toy_recipe,
        network=NetworkRecipe(name="cnn", width=8, dense=(8,)),
        augmentation=AugmentationRecipe(random=False, mixup=0.0, copies=("field",)),
    )
    network = new_network(recipe)

    def n_entries(clips: list[Utterance]) -> int:
        states, _ = label_clips(
            clips, network, recipe, {"toy": {"anger"}}, cache=tmp_path, progress=silent_progress
        )
        with_copies(
            states, clips, network, recipe, noise=None, cache=tmp_path, progress=silent_progress
        )
        return len(list(tmp_path.rglob("*.npy")))

    first = n_entries(utterances)
    assert n_entries(utterances) == first
    other = tmp_path / "other.wav"
    soundfile.write(other, _tone(300.0).samples, RATE)
    spoken_anew = [replace(utterances[0], path=str(other)), *utterances[1:]]
    assert n_entries(spoken_anew) == first + 1 + 3  # the clip, and the copies of all three
    renamed = [replace(utterances[0], id="x"), *utterances[1:]]
    assert n_entries(renamed) > first + 4


@pytest.mark.parametrize(
    ("noise", "message"),
    [("empty", "holds no audio"), ("nowhere", "there is no folder '.*nowhere'")],
)
def test_a_noise_folder_without_audio_is_refused_before_anything_is_claimed(
    toy_recipe: Recipe, toy_manifest: Path, tmp_path: Path, noise: str, message: str
) -> None:
    (tmp_path / "empty").mkdir()
    run = TrainingRun(tmp_path / "run", noise=tmp_path / noise, cache=tmp_path / "cache")
    with pytest.raises(TrainingError, match=message):
        train(
            toy_recipe,
            read_manifest(toy_manifest),
            run,
            threads=1,
            on_epoch=lambda record, n_epochs: None,
            progress=silent_progress,
        )
    assert not run.folder.exists()
