"""The training loop: epochs of augmented batches, a moving average of the weights, checkpoints."""

from __future__ import annotations

import math
import time
from copy import deepcopy
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from serenade.errors import TrainingError
from serenade.evaluation.confusion import confusion_matrix, unweighted_average_recall
from serenade.training.average import update_average
from serenade.training.batches import (
    Augmenter,
    Batch,
    LabelledStates,
    draw_epoch,
    epoch_batches,
)
from serenade.training.checkpoint import (
    check_keys,
    decode_checkpoint,
    optimiser_tensors,
    restore_optimiser,
    restore_weights,
    save_checkpoint,
)
from serenade.training.history import check_losses, write_history
from serenade.training.losses import class_weights, intensity_error, masked_cross_entropy
from serenade.training.processes import ALONE, Processes
from serenade.training.schedule import best_epoch, exhausted, learning_rate
from serenade.training.scoring import accuracy, evaluate, uar_by_group

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from serenade.training.networks.base import SpeechNetwork
    from serenade.training.recipe import Recipe


@dataclass(frozen=True, slots=True)
class EpochRecord:
    """What one epoch gave; a line of ``metrics.jsonl``.

    Parameters
    ----------
    epoch : int
        From 1.
    train_loss : float
        Mean over clips.
    train_uar : float
        On the augmented and mixed training clips as they were seen, in [0, 1].
    train_accuracy : float
        The same, each clip counting the same.
    validation_loss : float or None
        Of the averaged weights, mean over clips; ``None`` if nothing was held back.
    validation_uar : float or None
        Of the averaged weights, mean over corpora, in [0, 1]; ``None`` likewise.
    validation_uar_by_corpus : mapping of str to float
        The same for each corpus.
    validation_accuracy : float or None
        Share of the validation clips that are right, in [0, 1]; ``None`` likewise.
    leaking : bool
        Whether training shares speakers or clips with validation, so that its figures are too good.
    seconds : float
        Wall time of the epoch [s].
    """

    epoch: int
    train_loss: float
    train_uar: float
    train_accuracy: float
    validation_loss: float | None
    validation_uar: float | None
    validation_uar_by_corpus: Mapping[str, float]
    validation_accuracy: float | None
    leaking: bool
    seconds: float


@dataclass(frozen=True, slots=True)
class _Validation:
    """Figures of the validation clips; none where there are no clips."""

    loss: float | None
    uar: float | None
    uar_by_corpus: dict[str, float]
    accuracy: float | None


@dataclass(slots=True)
class _Progress:
    """What changes from epoch to epoch beside the weights."""

    epoch: int
    step: int
    history: list[dict[str, Any]]


class Fit:
    """One training run in its folder.

    Parameters
    ----------
    network : SpeechNetwork
        With its initial weights; trained in place.
    recipe : Recipe
        Everything that decides the result.
    train, validation : LabelledStates
        Clips. Without validation clips the last epoch counts as the best.
    augment : callable
        Changes the states of a training clip.
    folder : Path
        Run folder: ``last.safetensors``, ``best.safetensors`` and ``metrics.jsonl``.
    leaks : sequence of str
        What training and validation share; empty if the split is sound.
    processes : Processes
        Who trains along, and on which device; only the main process writes.

    Raises
    ------
    TrainingError
        If there are more processes than clips in a batch.
    """

    def __init__(
        self,
        network: SpeechNetwork,
        recipe: Recipe,
        train: LabelledStates,
        validation: LabelledStates,
        augment: Augmenter,
        folder: Path,
        leaks: Sequence[str] = (),
        processes: Processes = ALONE,
    ) -> None:
        self.network = network
        self.recipe = recipe
        self.train = train
        self.validation = validation
        self.augment = augment
        self.folder = folder
        self.leaking = bool(leaks)
        self.processes = processes
        options = recipe.optimiser
        if processes.count > options.batch_size:
            raise TrainingError(
                f"optimiser.batch_size {options.batch_size} leaves nothing for some of the"
                f" {processes.count} processes; it is the batch of all together"
            )
        self.steps_per_epoch = math.ceil(len(train) / options.batch_size)
        self.n_epochs = max(options.epochs, math.ceil(options.min_steps / self.steps_per_epoch))
        self.class_weights = (
            class_weights(train.targets).to(processes.device) if options.class_weights else None
        )
        n_hints = 0 if train.hints is None else train.hints.shape[1]
        self.hint_head = nn.Linear(network.n_embedding, n_hints) if n_hints else nn.Identity()
        self.trained = nn.ModuleDict({"network": network, "hint_head": self.hint_head})
        self.trained.to(processes.device)
        self.step = processes.parallel(_Step(self.trained, self._loss))

    def run(self, on_epoch: Callable[[EpochRecord, int], None]) -> SpeechNetwork:
        """Train to the end, from the last checkpoint if there is one.

        Parameters
        ----------
        on_epoch : callable
            Called with the record of each finished epoch and the number of epochs.

        Returns
        -------
        SpeechNetwork
            With the averaged weights of the best epoch.

        Raises
        ------
        DivergedError
            If a loss is no number any more.
        TrainingError
            If a checkpoint cannot be read or written.
        """
        options = self.recipe.optimiser
        optimiser = self._optimiser()
        average = deepcopy(self.network).requires_grad_(False)
        progress = self._resume(optimiser, average)
        while progress.epoch < self.n_epochs and not exhausted(options, progress.history):
            record = self._epoch(optimiser, average, progress)
            check_losses(asdict(record))
            progress.history.append(asdict(record))
            is_best = best_epoch(progress.history, options.monitor) == record.epoch - 1
            if is_best and self.processes.is_main:
                save_checkpoint(
                    self.folder / "best.safetensors", average.state_dict(), asdict(record)
                )
            if self.processes.is_main:
                self._save(optimiser, average, progress)
                on_epoch(record, self.n_epochs)
        best = self.folder / "best.safetensors"
        weights, _ = decode_checkpoint(self.processes.read(best) or b"", best)
        restore_weights(average, weights, best)
        return average.cpu().eval()

    def _epoch(
        self, optimiser: torch.optim.Optimizer, average: SpeechNetwork, progress: _Progress
    ) -> EpochRecord:
        started = time.monotonic()
        options, seed, epoch = self.recipe.optimiser, self.recipe.seed, progress.epoch
        order = draw_epoch(self.train, balance=options.balance, seed=seed, epoch=epoch)
        n_steps = self.n_epochs * self.steps_per_epoch
        # Dropout and mixup of this epoch, whatever came before; other ones in every process.
        torch.manual_seed(seed * 100_003 + epoch + self.processes.rank * 1_000_003_001)
        mixing = np.random.default_rng([seed, epoch, 4, self.processes.rank])
        self.network.train()
        loss_sum, n_seen = 0.0, 0
        hits = np.zeros((self.network.n_labels, self.network.n_labels), np.int64)
        for batch in epoch_batches(
            self.train,
            order,
            self.augment,
            batch_size=options.batch_size,
            seed=seed,
            epoch=epoch,
            processes=self.processes,
        ):
            batch = batch.to(self.processes.device)
            rate = learning_rate(
                options, step=progress.step, n_steps=n_steps, history=progress.history
            )
            for group in optimiser.param_groups:
                group["lr"] = rate * group["rate_scale"]
            loss, logits = self.step(batch, mixing)
            optimiser.zero_grad()
            # The mean over all rows: gradients are averaged over processes, which sum is divided.
            (loss.sum() * (self.processes.count / batch.n_together)).backward()
            if options.gradient_norm > 0:
                torch.nn.utils.clip_grad_norm_(self.trained.parameters(), options.gradient_norm)
            optimiser.step()
            progress.step += 1
            update_average(average, self.network, decay=options.average_decay, step=progress.step)
            loss_sum += float(loss.detach().sum())
            n_seen += loss.shape[0]
            hits += _hits(batch, logits.detach())
        hits = self.processes.total(hits)
        loss_sum, n_seen = self.processes.total(np.array([loss_sum, n_seen], np.float32)).tolist()
        progress.epoch += 1
        validation = self._validate(average)
        return EpochRecord(
            epoch=progress.epoch,
            train_loss=loss_sum / n_seen,
            train_uar=float(unweighted_average_recall(hits)),
            train_accuracy=float(hits.trace() / hits.sum()),
            validation_loss=validation.loss,
            validation_uar=validation.uar,
            validation_uar_by_corpus=validation.uar_by_corpus,
            validation_accuracy=validation.accuracy,
            leaking=self.leaking,
            seconds=time.monotonic() - started,
        )

    def _validate(self, average: SpeechNetwork) -> _Validation:
        """Judge the averaged weights."""
        if not len(self.validation):
            return _Validation(None, None, {}, None)
        loss, logits = evaluate(average, self.validation, self.recipe, self.processes)
        by_corpus = uar_by_group(logits, self.validation)
        uar = float(np.mean(list(by_corpus.values())))
        return _Validation(loss, uar, by_corpus, accuracy(logits, self.validation))

    def _loss(self, batch: Batch, mixing: np.random.Generator) -> tuple[Tensor, Tensor]:
        """Loss of each clip, with mixup of neighbours in the batch, and the logits."""
        options = self.recipe.optimiser
        alpha = self.recipe.augmentation.mixup
        share = float(mixing.beta(alpha, alpha)) if alpha > 0 else 1.0
        device = self.processes.device
        partner = torch.from_numpy(mixing.permutation(batch.n_frames.shape[0])).to(device)
        share = max(share, 1.0 - share)
        states = batch.states
        if self.recipe.augmentation.mixed == "states":
            states = _mix(states, partner, share)
        with torch.autocast(device.type, torch.bfloat16, enabled=options.precision == "bf16"):
            embedding = self.network.embed(states, batch.n_frames)
            if self.recipe.augmentation.mixed == "embedding":
                embedding = _mix(embedding, partner, share)
            logits = self.network.decide(embedding)
        own = self._cross_entropy(logits, batch.targets, batch.allowed)
        other = self._cross_entropy(logits, batch.targets[partner], batch.allowed[partner])
        loss = share * own + (1.0 - share) * other
        if batch.hints is not None:
            wanted = _mix(batch.hints, partner, share)
            errors = (self.hint_head(embedding.float()) - wanted).square().mean(dim=1)
            loss = loss + self.recipe.teacher.hint_weight * errors
        if options.intensity_weight > 0:
            rated = self.network.rate_intensity(embedding.float())
            wanted = _mix(batch.intensity, partner, share)  # NaN if one of both is
            loss = loss + options.intensity_weight * intensity_error(rated, wanted)
        return loss, logits

    def _cross_entropy(self, logits: Tensor, targets: Tensor, allowed: Tensor) -> Tensor:
        options = self.recipe.optimiser
        loss = masked_cross_entropy(
            logits,
            targets,
            allowed,
            label_smoothing=options.label_smoothing,
            foreign_label_weight=options.foreign_label_weight,
            focal_gamma=options.focal_gamma if options.loss == "focal" else 0.0,
        )
        if self.class_weights is None:
            return loss
        return loss * (targets * self.class_weights).sum(dim=1)

    def _optimiser(self) -> torch.optim.Optimizer:
        options, groups = self.recipe.optimiser, self._parameter_groups()
        if options.algorithm == "adamw":
            return torch.optim.AdamW(groups, lr=options.learning_rate)
        return torch.optim.Adam(
            [{**group, "weight_decay": 0.0} for group in groups], lr=options.learning_rate
        )

    def _parameter_groups(self) -> list[dict[str, Any]]:
        """Decay matrices and kernels, not biases and norms; slow down the encoder's layers."""
        options = self.recipe.optimiser
        groups: dict[tuple[float, float], list[nn.Parameter]] = {}
        for name, parameter in self.trained.named_parameters():
            if not parameter.requires_grad:
                continue
            above = self.network.layers_above(name.removeprefix("network."))
            scale = 1.0 if above is None else options.encoder_rate * options.layer_decay**above
            decay = options.weight_decay if parameter.ndim > 1 else 0.0
            groups.setdefault((scale, decay), []).append(parameter)
        return [
            {"params": parameters, "weight_decay": decay, "rate_scale": scale}
            for (scale, decay), parameters in groups.items()
        ]

    def _save(
        self, optimiser: torch.optim.Optimizer, average: SpeechNetwork, progress: _Progress
    ) -> None:
        tensors = {f"trained/{k}": v for k, v in self.trained.state_dict().items()}
        tensors |= {f"average/{k}": v.clone() for k, v in average.state_dict().items()}
        tensors |= {
            f"optimiser/{k}": v for k, v in optimiser_tensors(optimiser, self.trained).items()
        }
        save_checkpoint(self.folder / "last.safetensors", tensors, asdict(progress))
        write_history(self.folder, progress.history)

    def _resume(self, optimiser: torch.optim.Optimizer, average: SpeechNetwork) -> _Progress:
        path = self.folder / "last.safetensors"
        content = self.processes.read(path)
        if content is None:
            return _Progress(epoch=0, step=0, history=[])
        tensors, state = decode_checkpoint(content, path)
        check_keys(state, _Progress, path)
        for epoch in state["history"]:
            check_keys(epoch, EpochRecord, path)
            check_losses(epoch)
        restore_weights(self.trained, _part(tensors, "trained/"), path)
        restore_weights(average, _part(tensors, "average/"), path)
        restore_optimiser(optimiser, self.trained, _part(tensors, "optimiser/"), path)
        if self.processes.is_main:
            write_history(self.folder, state["history"])
        return _Progress(**state)


class _Step(nn.Module):
    """The loss of a batch as one module: the form in which gradients can be averaged."""

    def __init__(
        self,
        trained: nn.Module,
        loss: Callable[[Batch, np.random.Generator], tuple[Tensor, Tensor]],
    ) -> None:
        super().__init__()
        self.trained = trained
        self.loss = loss

    def forward(self, batch: Batch, mixing: np.random.Generator) -> tuple[Tensor, Tensor]:
        return self.loss(batch, mixing)


def _hits(batch: Batch, logits: Tensor) -> npt.NDArray[np.int64]:
    """Confusion matrix of a training batch."""
    predicted = logits.float().masked_fill(~batch.allowed, -1e4).argmax(1)
    true = batch.targets.argmax(1)
    return confusion_matrix(true.cpu().numpy(), predicted.cpu().numpy(), n_labels=logits.shape[1])


def _mix(x: Tensor, partner: Tensor, share: float) -> Tensor:
    """Mix every row with that of its partner."""
    return share * x + (1.0 - share) * x[partner]


def _part(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
