"""One session of ``serenade listen``: sound goes in; what is heard is shown, saved, said."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from serenade.audio.recorder import WavRecorder
from serenade.errors import UsageError
from serenade.inference.timeline import HopPrediction, SegmentClosed, SegmentOpened, collect
from serenade.inference.timeline_formats import Track, to_json

if TYPE_CHECKING:
    from pathlib import Path

    from serenade.cli.live_view import View
    from serenade.cli.voice import Speaker, Transcriber
    from serenade.inference.recognizer import Recognizer
    from serenade.inference.timeline import Event, Segment, TimelineConfig
    from serenade.model.adaptation import SpeakerReference
    from serenade.types import FloatArray

_LONGEST_TRANSCRIPT_SECONDS = 60.0


class Recording:
    """The sound of a session as a wav file and its timeline as a JSON file beside it.

    Parameters
    ----------
    folder : Path
        Where they go; is made where needed. The names tell the time.
    sample_rate : int
        Samples per second [Hz].

    Raises
    ------
    UsageError
        If the folder cannot be written.
    """

    def __init__(self, folder: Path, *, sample_rate: int) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"{folder} is no folder to write into ({error.strerror})") from None
        self.path = folder / time.strftime("listen-%Y%m%d-%H%M%S.wav")
        self._recorder = WavRecorder(self.path, sample_rate=sample_rate)
        self._events: list[Event] = []

    def add_samples(self, samples: FloatArray) -> None:
        """Write sound."""
        self._recorder.write(samples)

    def add_event(self, event: Event) -> None:
        """Remember what belongs to the timeline."""
        if isinstance(event, HopPrediction | SegmentClosed):
            self._events.append(event)

    def close(self, *, model: str, labels: tuple[str, ...]) -> None:
        """Finish both files."""
        self._recorder.close()
        timeline = collect(self._events, model=model, labels=labels)
        with self.path.with_suffix(".json").open("w", encoding="utf-8") as file:
            file.writelines(to_json(Track(self.path.name, None, timeline)))


class LiveSession:
    """Passes sound to a stream, and what the stream tells to whoever wants to know.

    Parameters
    ----------
    recognizer : Recognizer
        The model.
    config : TimelineConfig
        How to judge.
    sample_rate : int
        Samples per second of the sound [Hz].
    reference : SpeakerReference or None
        What is known of the speaker.
    adapt : bool
        Whether to get to know the speaker.
    view : View
        Shows everything.
    recording : Recording or None
        Keeps everything.
    transcriber : Transcriber or None
        Writes down what is said.
    speaker : Speaker or None
        Says each emotion.
    """

    def __init__(
        self,
        recognizer: Recognizer,
        config: TimelineConfig,
        *,
        sample_rate: int,
        reference: SpeakerReference | None = None,
        adapt: bool = False,
        view: View,
        recording: Recording | None,
        transcriber: Transcriber | None,
        speaker: Speaker | None,
    ) -> None:
        self._recognizer = recognizer
        self._stream = recognizer.stream(
            sample_rate, config=config, reference=reference, adapt=adapt
        )
        self._rate = sample_rate
        self._view = view
        self._recording = recording
        self._transcriber = transcriber
        self._speaker = speaker
        self._n_samples = 0
        self._kept = np.empty(0, np.float32)

    @property
    def n_samples(self) -> int:
        """Samples that came."""
        return self._n_samples

    @property
    def saved(self) -> Path | None:
        """The wav file, if everything is kept."""
        return None if self._recording is None else self._recording.path

    def add(self, samples: FloatArray) -> None:
        """Take a block of sound.

        Parameters
        ----------
        samples : ndarray of shape (n_samples,), float32
            At least one.
        """
        self._n_samples += samples.size
        if self._recording is not None:
            self._recording.add_samples(samples)
        if self._transcriber is not None:
            n_kept = round(_LONGEST_TRANSCRIPT_SECONDS * self._rate)
            self._kept = np.concatenate((self._kept, samples))[-n_kept:]
        events = self._stream.push(samples)
        self._keep(events)
        self._tell(events)
        self._show_transcripts(wait=False)
        self._view.show_block(samples, self._n_samples / self._rate)

    def finish(self) -> None:
        """End the sound, save, and finish what is under way."""
        events = self._stream.flush()
        self._keep(events)  # before it is shown: the terminal may be gone
        if self._recording is not None:
            self._recording.close(model=self._recognizer.model_id, labels=self._recognizer.labels)
        self._view.finish()
        self._tell(events)
        self._show_transcripts(wait=True)
        if self._transcriber is not None:
            self._transcriber.close()
        if self._speaker is not None:
            self._speaker.close()

    def _keep(self, events: list[Event]) -> None:
        if self._recording is not None:
            for event in events:
                self._recording.add_event(event)

    def _tell(self, events: list[Event]) -> None:
        for event in events:
            self._view.show_event(event)
            if self._speaker is not None and isinstance(event, SegmentOpened) and event.emotion:
                self._speaker.say(event.emotion)
            if isinstance(event, SegmentClosed) and event.segment.is_speech:
                self._transcribe(event.segment)

    def _transcribe(self, segment: Segment) -> None:
        if self._transcriber is None:
            return
        n_dropped = self._n_samples - self._kept.size
        start = max(0, round(segment.start_seconds * self._rate) - n_dropped)
        stop = round(segment.stop_seconds * self._rate) - n_dropped
        self._transcriber.add(segment, self._kept[start:stop])

    def _show_transcripts(self, *, wait: bool) -> None:
        if self._transcriber is not None:
            for transcript in self._transcriber.collect(wait=wait):
                self._view.show_transcript(transcript)
