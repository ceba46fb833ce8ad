"""Scores of labelled states: what the training loop watches and what a run ends with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch

from serenade.evaluation.confusion import confusion_matrix, unweighted_average_recall
from serenade.training.batches import plain_batches
from serenade.training.losses import masked_cross_entropy
from serenade.training.processes import ALONE, Processes

if TYPE_CHECKING:
    from serenade.training.batches import LabelledStates
    from serenade.training.networks.base import SpeechNetwork
    from serenade.training.recipe import Recipe

EVALUATION_BATCH = 64


@dataclass(frozen=True, slots=True)
class TestScore:
    """How a network does on the clips of a test folder.

    Parameters
    ----------
    loss : float
        Mean over clips.
    n_right, n_clips : int
        Clips that are answered rightly, and all of them.
    """

    __test__ = False  # the name does not make it a test

    loss: float
    n_right: int
    n_clips: int

    def __str__(self) -> str:
        share = 100 * self.n_right / self.n_clips
        return (
            f"average loss {self.loss:.4f}, accuracy {self.n_right}/{self.n_clips} ({share:.0f}%)"
        )


def evaluate(
    network: SpeechNetwork, clips: LabelledStates, recipe: Recipe, processes: Processes = ALONE
) -> tuple[float, npt.NDArray[np.float32]]:
    """Score clips without augmentation.

    Parameters
    ----------
    network : SpeechNetwork
        Put into evaluation mode.
    clips : LabelledStates
        What is scored.
    recipe : Recipe
        Gives the label smoothing of the loss.
    processes : Processes
        They share the batches; the network is on their device.

    Returns
    -------
    loss : float
        Cross-entropy, mean over clips, whatever loss is trained with.
    logits : ndarray of shape (n_clips, n_labels)
        In the order of `clips`.
    """
    network.eval()
    logits = np.zeros(clips.targets.shape, np.float32)
    loss_sum = 0.0
    with torch.inference_mode():
        for number, (batch, indices) in enumerate(
            plain_batches(clips, batch_size=EVALUATION_BATCH)
        ):
            if number % processes.count != processes.rank:
                continue
            batch = batch.to(processes.device)
            scored = network.classify(batch.states, batch.n_frames)
            loss = masked_cross_entropy(
                scored,
                batch.targets,
                batch.allowed,
                label_smoothing=recipe.optimiser.label_smoothing,
                foreign_label_weight=recipe.optimiser.foreign_label_weight,
            )
            loss_sum += float(loss.sum())
            logits[indices] = scored.float().cpu().numpy()
    loss_sum = float(processes.total(np.array([loss_sum], np.float32))[0])
    return loss_sum / max(1, len(clips)), processes.total(logits)


def score_test(network: SpeechNetwork, clips: LabelledStates, recipe: Recipe) -> TestScore:
    """Judge clips that took no part in training.

    Parameters
    ----------
    network, clips, recipe
        As in :func:`evaluate`.

    Returns
    -------
    TestScore
        Among the labels that a clip's corpus knows.
    """
    loss, logits = evaluate(network, clips, recipe)
    return TestScore(loss, int(_right(logits, clips).sum()), len(clips))


def accuracy(logits: npt.NDArray[np.float32], clips: LabelledStates) -> float:
    """Share of clips that are answered rightly, among the labels that their corpus knows.

    Parameters
    ----------
    logits : ndarray of shape (n_clips, n_labels)
        Scores.
    clips : LabelledStates
        Targets.

    Returns
    -------
    float
        In [0, 1].
    """
    return float(_right(logits, clips).mean())


def uar_by_group(logits: npt.NDArray[np.float32], clips: LabelledStates) -> dict[str, float]:
    """Unweighted average recall of each corpus, among the labels that it knows.

    Parameters
    ----------
    logits : ndarray of shape (n_clips, n_labels)
        Scores.
    clips : LabelledStates
        Targets and corpora.

    Returns
    -------
    dict of str to float
        In [0, 1], by corpus name.
    """
    predicted = _answers(logits, clips)
    true = clips.targets.argmax(axis=1)
    groups = np.array(clips.groups)
    return {
        str(group): _uar(true[groups == group], predicted[groups == group], logits.shape[1])
        for group in np.unique(groups)
    }


def _answers(logits: npt.NDArray[np.float32], clips: LabelledStates) -> npt.NDArray[np.int64]:
    answers: npt.NDArray[np.int64] = np.where(clips.allowed, logits, -np.inf).argmax(axis=1)
    return answers


def _right(logits: npt.NDArray[np.float32], clips: LabelledStates) -> npt.NDArray[np.bool_]:
    right: npt.NDArray[np.bool_] = _answers(logits, clips) == clips.targets.argmax(axis=1)
    return right


def _uar(true: npt.NDArray[np.int64], predicted: npt.NDArray[np.int64], n_labels: int) -> float:
    return float(unweighted_average_recall(confusion_matrix(true, predicted, n_labels=n_labels)))
