"""What ``serenade predict`` does with words: write down what a clip says, and say its emotion."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

from serenade.cli.bars import printable

if TYPE_CHECKING:
    from serenade.cli.voice import Speaker, Transcriber
    from serenade.inference.batch import Outcome


class ClipVoice:
    """Takes the outcome of every clip after it is printed.

    Parameters
    ----------
    file : TextIO
        Where words are written.
    transcriber : Transcriber or None
        Writes down what is said.
    speaker : Speaker or None
        Says the emotion.
    """

    def __init__(
        self, file: TextIO, *, transcriber: Transcriber | None, speaker: Speaker | None
    ) -> None:
        self._file = file
        self._transcriber = transcriber
        self._speaker = speaker

    def tell(self, outcome: Outcome) -> None:
        """Write and say what belongs to a clip; nothing where it failed.

        Parameters
        ----------
        outcome : Outcome
            Of a file.
        """
        if outcome.prediction is None:
            return
        if self._speaker is not None:
            self._speaker.say(outcome.prediction.emotion)
        if self._transcriber is not None:
            from serenade.audio.decode import decode

            words = self._transcriber.write_down(decode(outcome.path).samples)
            self._file.write(f"  said: {printable(words) or '(no word was understood)'}\n\n")
            self._file.flush()

    def finish(self) -> None:
        """Wait until everything is said."""
        if self._speaker is not None:
            self._speaker.finish()
        if self._transcriber is not None:
            self._transcriber.close()


def open_clip_voice(file: TextIO, *, transcribe: bool, speak: bool) -> ClipVoice:
    """Find the programs that are asked for.

    Parameters
    ----------
    file : TextIO
        Where words are written.
    transcribe, speak : bool
        What is asked for.

    Returns
    -------
    ClipVoice
        Does nothing if nothing is asked for.

    Raises
    ------
    MissingExtraError
        If the extra ``voice`` is asked for and not installed.
    """
    if not transcribe and not speak:
        return ClipVoice(file, transcriber=None, speaker=None)
    from serenade.audio.decode import SAMPLE_RATE
    from serenade.cli import voice

    return ClipVoice(
        file,
        transcriber=voice.Transcriber(sample_rate=SAMPLE_RATE) if transcribe else None,
        speaker=voice.Speaker() if speak else None,
    )
