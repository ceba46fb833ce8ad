"""What commands know of a speaker before they listen: ``--speaker-reference``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from serenade.cli.inputs import STDIN, find_inputs
from serenade.cli.messages import print_message
from serenade.errors import UsageError

if TYPE_CHECKING:
    from serenade.inference.recognizer import Recognizer
    from serenade.model.adaptation import SpeakerReference


def hear_reference(
    recognizer: Recognizer, arguments: list[str], *, denoise: bool = False
) -> SpeakerReference | None:
    """Get to know the speaker of recordings.

    Parameters
    ----------
    recognizer : Recognizer
        The model.
    arguments : list of str
        Files, folders and patterns with recordings of the speaker alone; may be none.
    denoise : bool
        Reduce noise before the model listens.

    Returns
    -------
    SpeakerReference or None
        What is known; ``None`` without arguments.

    Raises
    ------
    SerenadeError
        If the model does not adapt to speakers or a recording cannot be used.
    """
    if not arguments:
        return None
    inputs = find_inputs(arguments)
    for item in inputs:
        if item.problem is not None:
            raise item.problem
        if item.path == STDIN:
            raise UsageError("--speaker-reference needs files or folders, not standard input")
    reference = recognizer.speaker_reference([item.path for item in inputs], denoise=denoise)
    heard = reference.heard
    print_message(f"adapted to {heard.n_clips} clips ({heard.seconds:.1f} s) of the speaker")
    return reference
