"""Errors on their way from one process to another."""

from __future__ import annotations

import pickle

from serenade.errors import MissingExtraError


def test_a_missing_extra_is_told_by_a_worker_as_well() -> None:
    error = MissingExtraError("train", "Training a network")
    copy = pickle.loads(pickle.dumps(error))
    assert (str(copy), copy.extra) == (str(error), "train")
