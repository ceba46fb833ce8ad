"""The masked loss against torch's own cross-entropy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.utils.class_weight import compute_class_weight
from torch.nn import functional

from serenade.training.losses import class_weights, masked_cross_entropy


def test_with_all_labels_allowed_it_is_torchs_cross_entropy() -> None:
    torch.manual_seed(0)
    logits, classes = torch.randn(16, 5), torch.randint(0, 5, (16,))
    targets = functional.one_hot(classes, 5).float()
    got = masked_cross_entropy(
        logits, targets, torch.ones(16, 5, dtype=torch.bool), label_smoothing=0.1
    )
    expected = functional.cross_entropy(logits, classes, label_smoothing=0.1, reduction="none")
    torch.testing.assert_close(got, expected)


def test_a_label_that_the_corpus_lacks_neither_counts_nor_learns() -> None:
    logits = torch.tensor([[1.0, 2.0, 50.0]], requires_grad=True)
    allowed = torch.tensor([[True, True, False]])
    loss = masked_cross_entropy(
        logits, torch.tensor([[1.0, 0.0, 0.0]]), allowed, label_smoothing=0.1
    )
    expected = functional.cross_entropy(
        torch.tensor([[1.0, 2.0]]), torch.tensor([0]), label_smoothing=0.1
    )
    assert float(loss.detach()) == pytest.approx(float(expected), rel=1e-6)
    loss.sum().backward()  # type: ignore[no-untyped-call]
    assert logits.grad is not None
    assert logits.grad[0, 2] == 0.0
    assert logits.grad[0, 0] != 0.0


def test_focal_loss_is_that_of_its_paper() -> None:
    torch.manual_seed(0)
    logits, classes = torch.randn(8, 4), torch.randint(0, 4, (8,))
    got = masked_cross_entropy(
        logits,
        functional.one_hot(classes, 4).float(),
        torch.ones(8, 4, dtype=torch.bool),
        label_smoothing=0.0,
        focal_gamma=2.0,
    )
    true = torch.softmax(logits, dim=1)[torch.arange(8), classes]
    torch.testing.assert_close(got, -((1 - true) ** 2) * torch.log(true))


def test_focal_loss_of_a_certain_clip_has_a_finite_gradient() -> None:
    logits = torch.tensor([[200.0, -200.0]], requires_grad=True)
    loss = masked_cross_entropy(
        logits,
        torch.tensor([[1.0, 0.0]]),
        torch.ones(1, 2, dtype=torch.bool),
        label_smoothing=0.0,
        focal_gamma=0.5,
    )
    loss.sum().backward()  # type: ignore[no-untyped-call]
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()


def test_class_weights_are_those_of_scikit_learn() -> None:
    classes = np.array([0, 0, 0, 2, 2, 3])
    targets = np.eye(4, dtype=np.float32)[classes]
    there = np.array([0, 2, 3])
    expected = compute_class_weight("balanced", classes=there, y=classes)
    np.testing.assert_allclose(class_weights(targets).numpy()[there], expected, rtol=1e-6)
    assert class_weights(targets)[1] == 0.0
