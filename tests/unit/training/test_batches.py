"""Batches: what an epoch draws, and that each epoch can be drawn again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from serenade.training.batches import (
    LabelledStates,
    draw_epoch,
    epoch_batches,
    plain_batches,
)

if TYPE_CHECKING:
    from serenade.types import FloatArray


@pytest.fixture
def clips() -> LabelledStates:
    rng = np.random.default_rng(0)
    lengths = rng.integers(5, 60, 200)
    states = [np.full((4, n), n, np.float16) for n in lengths]
    classes = np.where(np.arange(200) < 180, 0, 1)
    targets = np.eye(3, dtype=np.float32)[classes]
    return LabelledStates(
        states,
        targets,
        np.ones((200, 3), bool),
        ["big"] * 150 + ["small"] * 50,
        np.full(200, np.nan, np.float32),
    )


def _same(states: FloatArray, rng: np.random.Generator) -> FloatArray:
    return states


def test_without_balance_every_clip_is_drawn_once(clips: LabelledStates) -> None:
    order = draw_epoch(clips, balance=0.0, seed=1, epoch=0)
    assert sorted(order.tolist()) == list(range(200))


def test_full_balance_draws_rare_classes_as_often_as_common_ones(clips: LabelledStates) -> None:
    drawn = np.concatenate([draw_epoch(clips, balance=1.0, seed=1, epoch=e) for e in range(40)])
    classes, groups = clips.targets.argmax(1)[drawn], np.array(clips.groups)[drawn]
    counts = [
        int(((classes == c) & (groups == g)).sum())
        for c, g in [(0, "big"), (0, "small"), (1, "small")]
    ]
    assert max(counts) / min(counts) < 1.15


def test_epochs_differ_and_each_can_be_repeated(clips: LabelledStates) -> None:
    first = draw_epoch(clips, balance=0.5, seed=1, epoch=0)
    np.testing.assert_array_equal(first, draw_epoch(clips, balance=0.5, seed=1, epoch=0))
    assert not np.array_equal(first[:50], draw_epoch(clips, balance=0.5, seed=1, epoch=1)[:50])


def test_batches_hold_every_drawn_clip_with_its_own_target(clips: LabelledStates) -> None:
    order = draw_epoch(clips, balance=0.0, seed=1, epoch=0)
    seen = 0
    for batch in epoch_batches(clips, order, _same, batch_size=16, seed=1, epoch=0):
        assert batch.states.shape[0] <= 16
        assert batch.states.shape[2] == int(batch.n_frames.max())
        for row, length in zip(batch.states, batch.n_frames.tolist(), strict=True):
            assert (row[:, :length] == length).all()
            assert (row[:, length:] == 0).all()
        seen += batch.n_frames.shape[0]
    assert seen == 200


def test_clips_of_like_length_share_a_batch(clips: LabelledStates) -> None:
    order = draw_epoch(clips, balance=0.0, seed=1, epoch=0)
    batches = list(epoch_batches(clips, order, _same, batch_size=16, seed=1, epoch=0))
    spread = [int(batch.n_frames.max() - batch.n_frames.min()) for batch in batches]
    assert np.mean(spread) < 10


def test_plain_batches_give_every_clip_once_unchanged(clips: LabelledStates) -> None:
    indices = []
    for batch, rows in plain_batches(clips, batch_size=32):
        assert torch.equal(batch.targets, torch.from_numpy(clips.targets[rows]))
        indices.extend(rows)
    assert sorted(indices) == list(range(200))
