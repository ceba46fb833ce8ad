"""Augmentation on the log-mel: each change does what it says, and nothing by chance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from serenade.training.augment import (
    MelAugmenter,
    add_noise,
    code,
    cut,
    mel_centres,
    reverberate,
    shift_pitch,
    stretch,
    telephone,
)
from serenade.training.frontend import LogMelConfig
from serenade.training.recipe import AugmentationRecipe

if TYPE_CHECKING:
    from serenade.types import FloatArray

CENTRES = mel_centres(LogMelConfig())


@pytest.fixture
def tone() -> FloatArray:
    """A clip with one loud band around 1 kHz and a quiet floor."""
    clip = np.full((64, 100), -60.0, np.float32)
    clip[int(np.argmin(np.abs(CENTRES - 1000.0)))] = 0.0
    return clip


def test_mel_centres_are_those_of_librosa() -> None:
    librosa = pytest.importorskip("librosa")
    expected = librosa.mel_frequencies(n_mels=66, fmin=0.0, fmax=8000.0)[1:-1]
    np.testing.assert_allclose(CENTRES, expected, rtol=1e-6)


def test_stretch_changes_the_length_and_keeps_a_ramp_a_ramp() -> None:
    ramp = np.tile(np.linspace(0.0, 1.0, 100, dtype=np.float32), (64, 1))
    faster = stretch(ramp, 1.25)
    assert faster.shape == (64, 80)
    np.testing.assert_allclose(faster[0], np.linspace(0.0, 1.0, 80), atol=1e-5)


@pytest.mark.parametrize("ratio", [0.9, 1.1])
def test_pitch_shift_moves_the_peak_by_the_ratio(tone: FloatArray, ratio: float) -> None:
    peak = CENTRES[int(shift_pitch(tone, ratio, CENTRES)[:, 0].argmax())]
    assert peak == pytest.approx(1000.0 * ratio, rel=0.05)


def test_cut_leaves_at_least_the_shortest() -> None:
    clip = np.arange(64 * 200, dtype=np.float32).reshape(64, 200)
    lengths = {cut(clip, 70, np.random.default_rng(seed)).shape[1] for seed in range(200)}
    assert min(lengths) >= 70
    assert max(lengths) <= 200
    assert len(lengths) > 50


def test_noise_has_the_ratio_that_was_asked_for() -> None:
    rng = np.random.default_rng(0)
    speech = rng.normal(-20.0, 3.0, (64, 100)).astype(np.float32)
    noise = rng.normal(-50.0, 3.0, (64, 100)).astype(np.float32)
    mixed = 10.0 ** (add_noise(speech, noise, 10.0) / 10.0)
    clean = 10.0 ** (speech / 10.0)
    ratio = 10.0 * np.log10(clean.mean() / (mixed - clean).mean())
    assert ratio == pytest.approx(10.0, abs=0.05)


def test_reverberation_adds_a_tail_that_falls_by_60_db_in_the_decay_time() -> None:
    click = np.full((64, 100), -100.0, np.float32)
    click[:, 10] = 0.0
    wet = reverberate(click, decay_seconds=0.5, late_db=-6.0)
    assert wet[0, 10] == pytest.approx(0.0, abs=0.1)
    assert wet[0, 9] < -85.0  # nothing before the click but the rounding of the transform
    assert wet[0, 11] - wet[0, 36] == pytest.approx(30.0, abs=0.1)


def test_telephone_keeps_only_its_band() -> None:
    gain = telephone(CENTRES)
    inside = (CENTRES >= 300.0) & (CENTRES <= 3400.0)
    assert (gain[inside] == 0.0).all()
    assert (gain[~inside] < -40.0).all()


def test_a_telephone_leaves_no_pattern_above_half_of_its_sample_rate() -> None:
    """A band that only became quieter would tell all to a network that takes its mean out."""
    clip = np.random.default_rng(1).normal(-30.0, 10.0, (64, 120)).astype(np.float32)
    recipe = AugmentationRecipe(
        telephone=1.0, noise=0.0, reverberation=0.0, colour=0.0, time_masks=0, frequency_masks=0
    )
    heard = MelAugmenter(recipe, CENTRES, [])(clip, np.random.default_rng(0))
    assert np.ptp(heard[CENTRES > 4_600.0]) == 0.0
    assert np.ptp(heard[(CENTRES > 600.0) & (CENTRES < 3_000.0)]) > 20.0


def test_the_same_generator_gives_the_same_copy_and_leaves_the_original_alone() -> None:
    clip = np.random.default_rng(1).normal(-30.0, 10.0, (64, 120)).astype(np.float32)
    before = clip.copy()
    augment = MelAugmenter(AugmentationRecipe(), CENTRES, [clip[:, ::-1]])
    first = augment(clip, np.random.default_rng([1, 2]))
    again = augment(clip, np.random.default_rng([1, 2]))
    other = augment(clip, np.random.default_rng([1, 3]))
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(clip, before)
    assert first.shape != other.shape or not np.array_equal(first, other)
    assert first.dtype == np.float32
    assert np.isfinite(first).all()


def test_very_short_clips_survive() -> None:
    augment = MelAugmenter(AugmentationRecipe(), CENTRES, [])
    clip = np.full((64, 3), -30.0, np.float32)
    for seed in range(50):
        changed = augment(clip, np.random.default_rng(seed))
        assert changed.shape[1] >= 2
        assert np.isfinite(changed).all()


def test_gain_moves_every_level_alike_and_no_further_than_asked_for() -> None:
    gain_alone = AugmentationRecipe(
        tempo=0.0,
        pitch=0.0,
        noise=0.0,
        reverberation=0.0,
        colour=0.0,
        telephone=0.0,
        cut=0.0,
        time_masks=0,
        frequency_masks=0,
        gain_db=6.0,
    )
    augment = MelAugmenter(gain_alone, CENTRES, [])
    clip = np.random.default_rng(1).normal(-30.0, 10.0, (64, 40)).astype(np.float32)
    moves = []
    for seed in range(100):
        difference = augment(clip, np.random.default_rng(seed)) - clip
        np.testing.assert_allclose(difference, difference[0, 0], atol=1e-4)
        moves.append(float(difference[0, 0]))
    assert -6.0 <= min(moves) < -5.0
    assert 5.0 < max(moves) <= 6.0


def test_a_codec_leaves_holes_and_coarse_levels_below_its_cutoff() -> None:
    clip = np.random.default_rng(1).normal(-30.0, 12.0, (64, 80)).astype(np.float32)
    coded = code(clip, CENTRES, np.random.default_rng(2))
    assert (coded[CENTRES > 7_500.0] == clip[CENTRES > 7_500.0] - 30.0).all()
    low = CENTRES < 3_500.0
    loudest = clip.argmax(axis=0)
    kept = coded > clip - 10.0
    assert kept[loudest[low[loudest]], np.flatnonzero(low[loudest])].all()
    levels = np.unique(np.round(coded[kept], 3))
    steps = np.diff(levels)
    assert steps.min() > 1.4  # whole steps of one size between the levels that are left
    np.testing.assert_allclose(steps / steps.min(), np.round(steps / steps.min()), atol=1e-2)
