"""Pictures that commands draw where ``--plot`` or a finished run asks for them."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from serenade.cli.inputs import STDIN, find_inputs
from serenade.errors import AudioError, MissingExtraError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from serenade.inference.batch import Outcome
    from serenade.inference.timeline_formats import Track

LONGEST_SECONDS = 120.0
"""Longer recordings are drawn as a timeline [s]."""

CURVES_FILE = "curves.png"


def check_plot(plot: Path, paths: list[str], *, timeline: bool = True) -> None:
    """Check that a picture can be drawn before anything is judged.

    Parameters
    ----------
    plot : Path
        File that the picture goes to.
    paths : list of str
        Arguments of the command.
    timeline : bool
        Whether the recording is drawn as a timeline, at any length.

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    UsageError
        If the extension is unknown, the picture cannot be written, or there is not exactly one
        file that is short enough, as far as its beginning tells.
    """
    try:
        from serenade.plots.style import check_picture_path
    except ModuleNotFoundError as error:
        raise MissingExtraError("plots", "Drawing pictures") from error
    check_picture_path(plot)
    inputs = find_inputs(paths)
    if len(inputs) != 1 or STDIN in paths:
        raise UsageError(f"--plot draws one file, and there are {len(inputs)} or standard input")
    if not timeline and inputs[0].problem is None:
        from serenade.audio.decode import probe

        with suppress(AudioError):  # the command says what cannot be read
            _check_length(inputs[0].path, probe(inputs[0].path).duration_seconds or 0.0)


def draw_predictions(outcomes: Iterable[Outcome], plot: Path) -> None:
    """Draw what was judged, when it has been told: a picture that fails holds nothing up.

    Parameters
    ----------
    outcomes : iterable of Outcome
        Of one clip; nothing is drawn of one that failed.
    plot : Path
        File that the picture goes to.

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
            _check_length(outcome.path, prediction.duration_seconds)
            save_figure(plot_prediction(decode(outcome.path), prediction), plot)


def _check_length(path: str, seconds: float) -> None:
    if seconds > LONGEST_SECONDS:
        raise UsageError(
            f"{path} lasts {seconds:.0f} s and --plot shows clips of up to"
            f" {LONGEST_SECONDS:.0f} s; add --timeline"
        )


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
