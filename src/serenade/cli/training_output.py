"""What training shows: epochs as they finish, and the measured bundle at the end."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from serenade.training.comparison import ComparisonRow
    from serenade.training.fit import EpochRecord
    from serenade.training.package import Packaged


def draw_reading(what: str, done: int, total: int) -> None:
    """Draw a line over itself on a terminal.

    Parameters
    ----------
    what : str
        What is being done.
    done, total : int
        How far it is.
    """
    if sys.stderr.isatty() and (done % 50 == 0 or done == total):
        end = "\n" if done == total else ""
        print(f"\r{what} {done}/{total}", end=end, file=sys.stderr, flush=True)


def print_epoch(record: EpochRecord, n_epochs: int) -> None:
    """Print one epoch on standard error, with the time that is left.

    Parameters
    ----------
    record : EpochRecord
        What the epoch gave.
    n_epochs : int
        Epochs of the whole run.
    """
    minutes = record.seconds * (n_epochs - record.epoch) / 60
    validation = (
        "no validation clips"
        if record.validation_uar is None
        else f"{'LEAKING ' if record.leaking else ''}validation loss {record.validation_loss:.3f}"
        f" UAR {100 * record.validation_uar:.1f} %"
    )
    print(
        f"epoch {record.epoch}/{n_epochs}"
        f"  train loss {record.train_loss:.3f} UAR {100 * record.train_uar:.1f} %"
        f"  {validation}  {record.seconds:.0f} s, {minutes:.0f} min left",
        file=sys.stderr,
        flush=True,
    )


def print_packaged(packaged: Packaged) -> None:
    """Print what the finished bundle reaches, as a table on standard output.

    Parameters
    ----------
    packaged : Packaged
        The bundle and its results.
    """
    leaks = {leak for result in packaged.results.values() for leak in result.setting.leaks or ()}
    heard = "speakers it may have HEARD (the split leaks)" if leaks else "unseen speakers"
    print(f"{'corpus':<12} {'clips':>6} {'speakers':>8}  UAR on {heard}, 95 % interval")
    for name, result in packaged.results.items():
        uar = result.closed.uar
        print(
            f"{name:<12} {result.closed.metrics.n_clips:>6} {result.n_speakers:>8}"
            f"  {100 * uar.value:5.1f} % ({100 * uar.low:.1f} to {100 * uar.high:.1f})"
        )
    for leak in sorted(leaks):
        print(f"the figures are too good: {leak}")
    if packaged.test is not None:
        print(f"test folder: {packaged.test}")
    print(f"bundle: {packaged.folder}  (ONNX differs by {packaged.parity:.1e} at most)")


def print_comparison(rows: Sequence[ComparisonRow]) -> None:
    """Print several models as one table on standard output, in %.

    Parameters
    ----------
    rows : sequence of ComparisonRow
        Measured on the same clips.
    """
    print(
        f"\n{'model':<24} {'clips':>6} {'accuracy':>9} {'precision':>10} {'recall':>7} {'F1':>6}"
        "  (precision, recall and F1: mean over the emotions)"
    )
    for row in rows:
        print(
            f"{row.name:<24} {row.clips:>6} {100 * row.accuracy:>9.1f} {100 * row.precision:>10.1f}"
            f" {100 * row.recall:>7.1f} {100 * row.f1:>6.1f}"
        )
