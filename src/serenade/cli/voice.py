"""What can be done with words: write down what was said, and say the emotion."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from serenade.audio.playback import check_loudspeaker
from serenade.errors import MissingExtraError

if TYPE_CHECKING:
    from serenade.inference.timeline import Segment
    from serenade.types import FloatArray


class Transcript(NamedTuple):
    """What was said in a segment."""

    segment: Segment
    text: str


class Transcriber:
    """Writes down segments in the background, without network (CMU Sphinx, English).

    Parameters
    ----------
    sample_rate : int
        Samples per second of the audio [Hz].

    Raises
    ------
    MissingExtraError
        If SpeechRecognition or PocketSphinx is not installed.
    """

    def __init__(self, *, sample_rate: int) -> None:
        try:
            # SpeechRecognition itself would only miss it when it listens
            import_module("pocketsphinx")
            self._module: Any = import_module("speech_recognition")
        except ImportError:
            raise MissingExtraError("voice", "Writing down what is said") from None
        self._recogniser = self._module.Recognizer()
        self._sample_rate = sample_rate
        self._worker = ThreadPoolExecutor(max_workers=1)
        self._pending: list[tuple[Segment, Future[str]]] = []

    def add(self, segment: Segment, samples: FloatArray) -> None:
        """Ask for a segment.

        Parameters
        ----------
        segment : Segment
            Which one.
        samples : ndarray of shape (n_samples,), float32
            What was said in it.
        """
        self._pending.append((segment, self._worker.submit(self.write_down, samples)))

    def collect(self, *, wait: bool = False) -> list[Transcript]:
        """Give what was written down by now.

        Parameters
        ----------
        wait : bool
            Whether to wait for everything that was asked for.

        Returns
        -------
        list of Transcript
            In the order of the segments; without those in which no word was understood.
        """
        done: list[Transcript] = []
        while self._pending and (wait or self._pending[0][1].done()):
            segment, future = self._pending.pop(0)
            text = future.result()
            if text:
                done.append(Transcript(segment, text))
        return done

    def close(self) -> None:
        """Drop what is not yet written down."""
        self._worker.shutdown(cancel_futures=True)

    def write_down(self, samples: FloatArray) -> str:
        """Write down what is said, at once.

        Parameters
        ----------
        samples : ndarray of shape (n_samples,), float32
            In [-1, 1].

        Returns
        -------
        str
            Empty if no word was understood.
        """
        content = np.rint(samples.clip(-1.0, 1.0) * 32767.0).astype("<i2").tobytes()
        audio = self._module.AudioData(content, self._sample_rate, 2)
        try:
            return str(self._recogniser.recognize_sphinx(audio)).strip()
        except self._module.UnknownValueError:
            return ""


class Speaker:
    """Says words aloud in the background.

    Raises
    ------
    MissingExtraError
        If pyttsx3 or the speech synthesis of the system is not installed.
    AudioError
        If there is no loudspeaker.
    """

    def __init__(self) -> None:
        try:
            self._engine: Any = import_module("pyttsx3").init()
        except (ImportError, OSError, RuntimeError):
            raise MissingExtraError("voice", "Saying the emotion (with espeak-ng)") from None
        check_loudspeaker()
        self._worker = ThreadPoolExecutor(max_workers=1)

    def say(self, text: str) -> None:
        """Say a text when what was said before is through.

        Parameters
        ----------
        text : str
            Some words.
        """
        self._worker.submit(self._say, text)

    def finish(self) -> None:
        """Wait until everything is said."""
        self._worker.shutdown()

    def close(self) -> None:
        """Drop what was not yet begun."""
        self._worker.shutdown(cancel_futures=True)

    def _say(self, text: str) -> None:
        self._engine.say(text)
        self._engine.runAndWait()
