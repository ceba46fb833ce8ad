"""Processes that train one network together, each on its share of every batch.

``torchrun`` starts them and says through the environment who is who; without it there is one. Each
process augments and computes its own rows of the global batch, and the gradients are averaged, so
that the result is that of one process with the same batch but for rounding. What a clip's result
could borrow from its batch is shared as well: the padded length and the statistics of batch
normalisation. Dropout and mixup draw other numbers in every process.

References
----------
Li et al., "PyTorch Distributed: experiences on accelerating data parallel training", VLDB 2020.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
import torch.distributed as dist
from torch import Tensor, nn

from serenade.errors import TrainingError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DEVICES = ("auto", "cpu", "cuda", "mps")
PATIENCE = timedelta(hours=6)
"""How long a process waits for the others: one of them may read all audio or export meanwhile."""


@dataclass(frozen=True, slots=True)
class Processes:
    """Who trains along, seen from one of the processes.

    Parameters
    ----------
    rank, count : int
        Number of this process, from 0, and how many there are.
    local_rank : int
        Number of this process on its machine.
    device : torch.device
        Where this process computes.
    """

    rank: int = 0
    count: int = 1
    local_rank: int = 0
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    @property
    def is_main(self) -> bool:
        """Whether this is the process that writes files and talks."""
        return self.rank == 0

    def rows(self, n_rows: int) -> npt.NDArray[np.int64]:
        """Choose the rows of a global batch that this process computes.

        Parameters
        ----------
        n_rows : int
            Of the global batch.

        Returns
        -------
        ndarray of shape (n_own,), int64
            Every `count`-th row; all rows of a batch that is too small for every process to get
            one, which leaves its mean gradient as it is.
        """
        first, step = (self.rank, self.count) if n_rows >= self.count else (0, 1)
        return np.arange(first, n_rows, step)

    def n_computed(self, n_rows: int) -> int:
        """Count the rows that all processes together compute of a global batch of `n_rows`."""
        return n_rows if n_rows >= self.count else n_rows * self.count

    def largest(self, value: int) -> int:
        """Give the largest value among the processes."""
        if self.count == 1:
            return value
        shared = torch.tensor([value], device=self.device)
        dist.all_reduce(shared, dist.ReduceOp.MAX)
        return int(shared[0])

    def total(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Add up the arrays of all processes; every process gets the same sum."""
        if self.count == 1:
            return values
        shared = torch.from_numpy(values.copy()).to(self.device)
        dist.all_reduce(shared)
        return shared.cpu().numpy()

    def wait(self) -> None:
        """Wait until every process is here."""
        if self.count > 1:
            self.largest(0)  # unlike a barrier it needs no guess of the device

    @contextmanager
    def one_first(self) -> Iterator[None]:
        """Let one process of each machine run a block before the others, which then find its cache.

        Yields
        ------
        None
            In the first process at once, in the others when it is done.
        """
        if self.local_rank > 0:
            self.wait()
        yield
        if self.local_rank == 0:
            self.wait()

    def read(self, path: Path) -> bytes | None:
        """Read a file that only the main process needs to have.

        Parameters
        ----------
        path : Path
            On the machine of the main process.

        Returns
        -------
        bytes or None
            Its content in every process; ``None`` if there is no such file.

        Raises
        ------
        TrainingError
            If the file is there and cannot be read.
        """
        content: bytes | None = None
        if self.is_main and path.exists():
            try:
                content = path.read_bytes()
            except OSError as error:
                raise TrainingError(f"{str(path)!r} cannot be read ({error.strerror})") from error
        if self.count == 1:
            return content
        size = self.largest(-1 if content is None else len(content))
        if size < 0:
            return None
        shared = torch.zeros(size, dtype=torch.uint8, device=self.device)
        if content is not None:
            shared.copy_(torch.frombuffer(bytearray(content), dtype=torch.uint8))
        dist.broadcast(shared, src=0)
        return shared.cpu().numpy().tobytes()

    def parallel(self, module: nn.Module) -> nn.Module:
        """Average the gradients of a module's parameters over the processes in each backward pass.

        Its batch normalisations become those of the whole global batch.

        Parameters
        ----------
        module : Module
            On the device; called as a whole.

        Returns
        -------
        Module
            Called as `module` is.
        """
        if self.count == 1:
            return module
        share_batch_norms(module)
        parallel = nn.parallel.DistributedDataParallel(module)
        parallel.require_forward_param_sync = False  # buffers are alike already
        return parallel


ALONE = Processes()
"""One process on the CPU."""


@contextmanager
def open_processes(device: str = "auto") -> Iterator[Processes]:
    """Join the processes that ``torchrun`` started, or be the only one.

    Parameters
    ----------
    device : {"auto", "cpu", "cuda", "mps"}
        Where to compute; ``"auto"`` takes CUDA or MPS where it is there. Of several CUDA devices
        each process of a machine gets its own.

    Yields
    ------
    Processes
        This process and the others; they part at the end.

    Raises
    ------
    UsageError
        If the device is unknown or not there, or there are more processes than CUDA devices.
    TrainingError
        If another process is lost.
    """
    count = int(os.environ.get("WORLD_SIZE", "1"))
    local_rank = int(os.environ.get("LOCAL_RANK", "0"))
    chosen = choose_device(device, local_rank=local_rank)
    if count == 1:
        yield Processes(device=chosen)
        return
    if chosen.type == "mps":
        raise UsageError("several processes cannot share an MPS device; use --device cpu")
    backend = "nccl" if chosen.type == "cuda" else "gloo"
    try:
        dist.init_process_group(backend, timeout=PATIENCE)
        yield Processes(dist.get_rank(), count, local_rank, chosen)
        dist.destroy_process_group()
    except (dist.DistError, RuntimeError) as error:
        if not _is_lost(error):
            raise
        raise TrainingError(
            "a process that trained along is gone; finished epochs are kept, run the command again"
        ) from error


def choose_device(name: str, *, local_rank: int = 0) -> torch.device:
    """Find the device that a name means.

    Parameters
    ----------
    name : {"auto", "cpu", "cuda", "mps"}
        As the user gives it.
    local_rank : int
        Number of this process on its machine; chooses among CUDA devices.

    Returns
    -------
    torch.device
        It is there.

    Raises
    ------
    UsageError
        If the name is unknown or there is no such device.
    """
    if name not in DEVICES:
        raise UsageError(f"device {name!r} is unknown; choose one of {', '.join(DEVICES)}")
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        name = next((kind for kind, present in there.items() if present), "cpu")
    if not there.get(name, True):
        raise UsageError(
            f"device {name!r} is not there or this torch cannot use it; choose --device cpu, or"
            " install the torch build for it (https://pytorch.org/get-started)"
        )
    if name != "cuda":
        return torch.device(name)
    if local_rank >= torch.cuda.device_count():
        raise UsageError(
            f"process {local_rank} of this machine has no CUDA device, there are"
            f" {torch.cuda.device_count()}; start torchrun with that --nproc-per-node"
        )
    torch.cuda.set_device(local_rank)
    return torch.device("cuda", local_rank)


def share_batch_norms(module: nn.Module) -> None:
    """Let all batch normalisations in a module use the statistics of the whole global batch.

    Parameters
    ----------
    module : Module
        Changed in place; the names of its tensors stay.
    """
    for name, child in module.named_children():
        if isinstance(child, nn.BatchNorm1d | nn.BatchNorm2d):
            setattr(module, name, _SharedBatchNorm.from_plain(child))
        else:
            share_batch_norms(child)


class _SharedBatchNorm(nn.modules.batchnorm._BatchNorm):  # noqa: SLF001 - torch's base of all of them
    """Batch normalisation over all processes; torch's own knows only CUDA."""

    @classmethod
    def from_plain(cls, plain: nn.BatchNorm1d | nn.BatchNorm2d) -> _SharedBatchNorm:
        shared = cls(plain.num_features, plain.eps, plain.momentum, affine=plain.affine)
        shared.load_state_dict(plain.state_dict())
        place = next(plain.buffers()).device
        return shared.to(place).train(plain.training)

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return super().forward(x)
        axes = [0, *range(2, x.ndim)]
        shape = [1, -1, *[1] * (x.ndim - 2)]
        wide = x.float()
        count = torch.tensor([x.numel() / x.shape[1]], device=x.device)
        sums = _total(torch.cat([wide.sum(axes), count]))
        n_values = sums[-1].detach()
        mean = sums[:-1] / n_values
        centred = wide - mean.reshape(shape)
        variance = _total(centred.square().sum(axes)) / n_values
        with torch.no_grad():
            momentum = self.momentum or 0.0
            unbiased = variance * n_values / (n_values - 1.0)
            self.running_mean.lerp_(mean, momentum)  # type: ignore[union-attr]
            self.running_var.lerp_(unbiased, momentum)  # type: ignore[union-attr]
            self.num_batches_tracked.add_(1)  # type: ignore[union-attr]
        result = centred * torch.rsqrt(variance + self.eps).reshape(shape)
        if self.affine:
            result = result * self.weight.reshape(shape) + self.bias.reshape(shape)
        narrowed: Tensor = result.to(x.dtype)
        return narrowed

    def _check_input_dim(self, x: Tensor) -> None:
        """Take any number of dimensions."""


def _total(values: Tensor) -> Tensor:
    total: Tensor = _SumOverProcesses.apply(values)  # type: ignore[no-untyped-call]
    return total


class _SumOverProcesses(torch.autograd.Function):
    """A sum over all processes whose gradient is the sum of their gradients."""

    @staticmethod
    def forward(_: Any, values: Tensor) -> Tensor:  # noqa: ANN401 - torch's context has no type
        total = values.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(_: Any, gradient: Tensor) -> Tensor:  # noqa: ANN401 - as above
        total = gradient.clone()
        dist.all_reduce(total)
        return total


def _is_lost(error: Exception) -> bool:
    """Tell a lost peer from other failures; gloo says it in plain runtime errors."""
    said = str(error)
    return isinstance(error, dist.DistError) or any(
        mark in said for mark in ("Connection closed by peer", "Connection reset", "gloo/transport")
    )
