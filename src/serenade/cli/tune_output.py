"""What ``serenade tune`` shows: trials as they finish, their table and their picture."""

from __future__ import annotations

import csv
import io
import json
import sys
from enum import StrEnum
from typing import TYPE_CHECKING

from serenade.cli.tables import table_lines
from serenade.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from serenade.training.search_space import SearchSpace
    from serenade.training.study import TuningTrial
    from serenade.training.tuning import Tuning


class TrialFormat(StrEnum):
    """How trials are written."""

    TEXT = "text"
    JSON = "json"
    CSV = "csv"


class TrialPrinter:
    """Prints each trial on standard error, with the time that is left."""

    def __init__(self) -> None:
        self._seconds: list[float] = []
        self._best = 0.0

    def __call__(self, trial: TuningTrial, n_trials: int) -> None:
        """Print a trial.

        Parameters
        ----------
        trial : TuningTrial
            The last that was finished.
        n_trials : int
            Trials of the whole search.
        """
        self._seconds.append(trial.seconds)
        self._best = max(self._best, trial.score)
        left = sum(self._seconds) / len(self._seconds) * (n_trials - trial.number) / 60
        stopped = f", stopped after {trial.epochs} epochs" if trial.stopped else ""
        print(
            f"trial {trial.number}/{n_trials}  {_reached(trial)}{stopped}"
            f"  best now {100 * self._best:.1f} %  {trial.seconds:.0f} s, {left:.0f} min left"
            f"  {_settings_text(trial)}",
            file=sys.stderr,
            flush=True,
        )


def trials_text(trials: Sequence[TuningTrial], form: TrialFormat) -> str:
    """Give trials as a table, the best first in text.

    Parameters
    ----------
    trials : sequence of TuningTrial
        At least one.
    form : TrialFormat
        How to write them.

    Returns
    -------
    str
        With a line break at its end.
    """
    if form is TrialFormat.JSON:
        content = {
            "schema": 1,
            "kind": "tuning",
            "trials": [trial.to_json() for trial in trials],
        }
        return json.dumps(content, ensure_ascii=False, indent=1) + "\n"
    names = list(trials[0].settings)
    if form is TrialFormat.CSV:
        file = io.StringIO()
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["trial", "uar", "epochs", "stopped", "seconds", *names])
        for trial in trials:
            record = trial.to_json()
            settings = record.pop("settings")
            writer.writerow([*record.values(), *(settings[name] for name in names)])
        return file.getvalue()
    rows = (
        [
            str(trial.number),
            _reached(trial).removeprefix("UAR "),
            f"{trial.epochs}{' stopped' if trial.stopped else ''}" if trial.epochs else "–",
            f"{trial.seconds:.0f}",
            *(_short(trial.settings[name]) for name in names),
        ]
        for trial in sorted(trials, key=lambda trial: -trial.score)
    )
    return "\n".join(table_lines(["trial", "UAR", "epochs", "s", *names], rows)) + "\n"


def write_trials(
    tuning: Tuning, folder: Path, *, title: str, space: SearchSpace
) -> tuple[str, ...]:
    """Write ``trials.json``, ``trials.csv`` and, where matplotlib is there, ``trials.png``.

    Parameters
    ----------
    tuning : Tuning
        What was found.
    folder : Path
        Of the search.
    title : str
        Above the picture.
    space : SearchSpace
        What was searched; tells which settings are drawn in steps of equal ratio.

    Returns
    -------
    tuple of str
        What the user should know.

    Raises
    ------
    UsageError
        If the folder cannot be written.
    """
    try:
        for form in (TrialFormat.JSON, TrialFormat.CSV):
            path = folder / f"trials.{form}"
            path.write_text(trials_text(tuning.trials, form), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{folder} cannot be written ({error.strerror}); free space") from error
    try:
        from serenade.plots.style import save_figure
        from serenade.plots.trials import plot_trials
    except ModuleNotFoundError:
        return ('no picture of the trials: pip install "serenade[plots]"',)
    from serenade.training.search_space import NETWORK_SPACE, Range

    searched = space.space or NETWORK_SPACE
    drawn = [trial for trial in tuning.trials if trial.uar is not None]
    figure = plot_trials(
        [trial.score for trial in drawn],
        [trial.settings for trial in drawn],
        stopped=[trial.stopped for trial in drawn],
        logarithmic=[n for n, v in searched.items() if isinstance(v, Range) and v.log],
        title=title,
    )
    save_figure(figure, folder / "trials.png")
    return ()


def _reached(trial: TuningTrial) -> str:
    return "diverged" if trial.uar is None else f"UAR {100 * trial.uar:.1f} %"


def _settings_text(trial: TuningTrial) -> str:
    return ", ".join(f"{name} {_short(value)}" for name, value in trial.settings.items())


def _short(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
