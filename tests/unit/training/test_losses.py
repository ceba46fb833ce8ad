"""The masked loss against torch's own cross-entropy."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from serenade.training.losses import masked_cross_entropy


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
