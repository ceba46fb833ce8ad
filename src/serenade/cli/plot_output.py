"""Pictures that commands draw where ``--plot`` or a finished run asks for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from serenade.cli.inputs import STDIN, find_inputs
from serenade.errors import MissingExtraError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from serenade.inference.batch import Outcome
    from serenade.inference.timeline_formats import Track

LONGEST_SECONDS = 120.0
"""Longer recordings are drawn as a timeline [s]."""

CURVES_FILE = "curves.png"


def check_plot(plot: Path, paths: list[str]) -> None:
    """Check that a picture can be drawn before anything is judged.

    Parameters
    ----------
    plot : Path
        File that the picture goes to.
    paths : list of str
        Arguments of the command.

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    UsageError
        If the extension is unknown or there is not exactly one file.
    """
    try:
        from serenade.plots.style import check_picture_path
    except ModuleNotFoundError as error:
        raise MissingExtraError("plots", "Drawing pictures") from error
    check_picture_path(plot)
    n_inputs = len(find_inputs(paths))
    if n_inputs != 1 or STDIN in paths:
        raise UsageError(f"--plot draws one file, and there are {n_inputs} or standard input")


def drawn(outcomes: Iterator[Outcome], plot: Path) -> Iterator[Outcome]:
    """Draw clips as their predictions pass by.

    Parameters
    ----------
    outcomes : iterator of Outcome
        Of one clip.
    plot : Path
        File that the picture goes to.

    Yields
    ------
    Outcome
        As it came.

    Raises
    ------
    UsageError
        If the recording is too long for this picture, or the file cannot be written.
    """
    from serenade.audio.decode import decode
    from serenade.plots.clip import plot_prediction
    from serenade.plots.style import save_figure

    for outcome in outcomes:
        prediction = outcome.prediction
        if prediction is not None:
            if prediction.duration_seconds > LONGEST_SECONDS:
                raise UsageError(
                    f"{outcome.path} lasts {prediction.duration_seconds:.0f} s and --plot shows"
                    f" clips of up to {LONGEST_SECONDS:.0f} s; add --timeline"
                )
            save_figure(plot_prediction(decode(outcome.path), prediction), plot)
        yield outcome


def draw_timeline(tracks: list[Track], plot: Path) -> None:
    """Draw the timeline of a recording.

    Parameters
    ----------
    tracks : list of Track
        The first is drawn.
    plot : Path
        File that the picture goes to.

    Raises
    ------
    UsageError
        If the file cannot be written.
    """
    from serenade.plots.style import save_figure
    from serenade.plots.timeline import plot_timeline

    save_figure(plot_timeline(tracks[0].timeline), plot)


def draw_curves(run_folder: Path, *, title: str) -> None:
    """Draw the curves of a training run into its folder, where matplotlib is installed.

    Parameters
    ----------
    run_folder : Path
        With ``metrics.jsonl``; ``curves.png`` is made or replaced.
    title : str
        Above the picture, and whether validation leaks.
    """
    from serenade.evaluation.report import read_epochs

    try:
        from serenade.plots.style import save_figure
        from serenade.plots.training import plot_training_curves
    except ModuleNotFoundError:
        return  # the run has curves.html, which needs nothing
    epochs = read_epochs(run_folder)
    leak = " (validation leaks)" if any(epoch.get("leaking") for epoch in epochs) else ""
    figure = plot_training_curves(epochs, title=title + leak)
    save_figure(figure, run_folder / CURVES_FILE)
