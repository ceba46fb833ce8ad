"""Recognizer: a model that tells which emotion is in a recording."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from serenade.audio.array import from_array
from serenade.audio.decode import decode_blocks
from serenade.audio.naming import AudioSource, name_of
from serenade.audio.quality import measure_quality
from serenade.errors import AudioError, UsageError
from serenade.inference.arguments import (
    check_count,
    check_kind,
    check_model_name,
    check_sources,
)
from serenade.inference.average import WindowAverage
from serenade.inference.batch import predict_in_turn
from serenade.inference.judge import WindowJudge
from serenade.inference.warnings import find_warnings
from serenade.inference.windows import cut_windows
from serenade.model.bundle import Bundle, opened_bundle
from serenade.model.scorer import Scorer, open_scorer
from serenade.model.store import resolve
from serenade.types import Prediction, Waveform

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    import numpy.typing as npt

    from serenade.inference.batch import BatchSource, Outcome
    from serenade.inference.stream import Stream
    from serenade.inference.timeline import Timeline, TimelineConfig
    from serenade.model.adaptation import SpeakerReference
    from serenade.types import FloatArray

    Source = AudioSource | Waveform | npt.NDArray[np.generic]


class Recognizer:
    """Tells which emotion is in a recording.

    Threads may share one. Use :meth:`load` to make one.

    Parameters
    ----------
    bundle : Bundle
        What the model says about itself.
    scorer : Scorer
        Its session.
    threads : int
        Threads of that session, for copies of this recognizer.

    Examples
    --------
    >>> recognizer = Recognizer.load()  # doctest: +SKIP
    >>> recognizer.predict("voice.wav").emotion  # doctest: +SKIP
    'anger'
    """

    def __init__(self, bundle: Bundle, scorer: Scorer, *, threads: int = 1) -> None:
        self._folder = bundle.path.absolute()  # workers and copies open the same after a chdir
        self._threads = threads
        self._spec = bundle.spec
        self._judge = WindowJudge(bundle.spec, scorer)

    def __reduce__(self) -> tuple[Callable[[Path], Recognizer], tuple[Path]]:
        """Copy it, or send it to another process, by opening its model there."""
        return partial(type(self).load, threads=self._threads), (self._folder,)

    @classmethod
    def load(
        cls, name_or_path: str | os.PathLike[str] | None = None, *, threads: int = 1
    ) -> Recognizer:
        """Open a model.

        Parameters
        ----------
        name_or_path : str, path or None
            Name of a bundled model, folder of any model, or ``None`` for the default model.
        threads : int
            Threads that score one recording, 1 to 1,024.

        Returns
        -------
        Recognizer
            Ready to predict.

        Raises
        ------
        ModelError
            If there is no such model, or it is damaged, changed or too new.
        UsageError
            If `threads` is out of range, or the name is neither text nor a path.
        """
        check_model_name(name_or_path)
        threads = check_count(threads, "threads")
        with opened_bundle(resolve(name_or_path)) as bundle:
            scorer = open_scorer(bundle, threads=threads)
        return cls(bundle, scorer, threads=threads)

    @property
    def labels(self) -> tuple[str, ...]:
        """Emotions that the model tells apart, in the order of its probabilities."""
        return self._spec.labels.labels

    @property
    def model_id(self) -> str:
        """Name and version of the model."""
        return self._spec.model_id

    @property
    def adapts_to_speakers(self) -> bool:
        """Whether the model can use what is known of a speaker."""
        return self._spec.adaptation is not None

    def speaker_reference(
        self, sources: Iterable[BatchSource], *, denoise: bool = False
    ) -> SpeakerReference:
        """Get to know a speaker from unlabelled recordings of their speech.

        Two or three clips help a little and many help more; best are clips in different moods.

        Parameters
        ----------
        sources : iterable of path, bytes, binary stream or Waveform
            Recordings of this speaker alone; long ones are heard window by window.
        denoise : bool
            Reduce noise before the model listens, as when it will predict.

        Returns
        -------
        SpeakerReference
            For :meth:`predict`, :meth:`predict_many`, :meth:`timeline` and :meth:`stream` of this
            model.

        Raises
        ------
        UsageError
            If the model does not adapt to speakers, or `sources` is not a list.
        AudioError
            If a recording cannot be read, or all hold only silence.
        """
        from serenade.inference.reference import hear_speaker

        check_sources(sources)
        recordings = (_read(source, None)[1] for source in sources)
        return hear_speaker(self._judge, recordings, denoise=denoise)

    def predict(
        self,
        source: Source,
        sample_rate: int | None = None,
        *,
        denoise: bool = False,
        reference: SpeakerReference | None = None,
    ) -> Prediction:
        """Tell which emotion is in a recording.

        A recording longer than the model's window is read in blocks, judged window by window and
        averaged, weighted by the share of speech.

        Parameters
        ----------
        source : path, bytes, binary stream, Waveform or ndarray
            An audio file, its content, or samples of shape (n_samples,) or
            (n_samples, n_channels).
        sample_rate : int or None
            Samples per second [Hz]; needed for an ndarray and only then.
        denoise : bool
            Reduce noise before the model listens.
        reference : SpeakerReference or None
            What is known of the speaker, from :meth:`speaker_reference`; ``None`` judges them as
            anyone.

        Returns
        -------
        Prediction
            Probabilities and warnings.

        Raises
        ------
        AudioError
            If the source cannot be read, is too short, silent or not finite.
        UsageError
            If `sample_rate` is missing or not wanted, or the reference is of another model.
        """
        judge = self._judge.adapted_to(reference)
        name, blocks = _read(source, sample_rate)
        windowing = self._spec.windowing
        rate = self._spec.sample_rate
        average = WindowAverage(len(self.labels))
        n_samples = 0
        for window in cut_windows(
            blocks,
            size=round(windowing.max_seconds * rate),
            hop=round(windowing.hop_seconds * rate),
        ):
            n_samples = window.start + window.samples.shape[0]
            if n_samples < windowing.min_seconds * rate:
                raise AudioError(
                    f"{name} lasts only {n_samples / rate:.3f} s; the model needs"
                    f" {windowing.min_seconds:g} s or more"
                )
            score = judge.score(window.samples, denoise=denoise)
            if score is not None:
                average.add(score, measure_quality(Waveform(window.samples, rate)))
        if average.is_empty:
            raise AudioError(
                f"{name} holds only silence (less than {windowing.min_seconds:g} s of sound);"
                " check the microphone or the file"
            )
        quality = average.quality(n_samples / rate)
        return judge.predict(
            average.score,
            duration_seconds=quality.duration_seconds,
            warnings=find_warnings(quality, sure_from_seconds=windowing.sure_from_seconds),
        )

    def predict_many(
        self,
        sources: Iterable[BatchSource],
        *,
        workers: int = 1,
        denoise: bool = False,
        reference: SpeakerReference | None = None,
    ) -> Iterator[Outcome]:
        """Tell which emotion is in each of many recordings.

        Parameters
        ----------
        sources : iterable of path, bytes, binary stream or Waveform
            The recordings; taken as they are needed.
        workers : int
            Processes that share the work, 1 to 1,024; with 1 it is done in this process.
        denoise : bool
            Reduce noise before the model listens.
        reference : SpeakerReference or None
            What is known of the speaker of all recordings.

        Yields
        ------
        Outcome
            A prediction or an error for each recording, in order, as soon as it is known.

        Raises
        ------
        UsageError
            If `sources` is not a list, `workers` is out of range, a worker process cannot start,
            or the reference is of another model.
        """
        check_sources(sources)
        workers = check_count(workers, "workers")
        self._judge.adapted_to(reference)  # a reference that does not fit is no error of each file
        if workers == 1:
            predict = partial(self.predict, denoise=denoise, reference=reference)
            return predict_in_turn(predict, sources)
        from serenade.inference.workers import predict_in_workers

        load = partial(_load_predict, self._folder, denoise=denoise, reference=reference)
        return predict_in_workers(load, sources, workers=workers)

    def timeline(
        self,
        source: Source,
        sample_rate: int | None = None,
        *,
        config: TimelineConfig | None = None,
        channel: int | None = None,
        reference: SpeakerReference | None = None,
        adapt: bool = False,
        progress: Callable[[float], None] | None = None,
    ) -> Timeline:
        """Tell which emotion is when in a recording of any length.

        The recording is read in blocks and judged as :meth:`stream` judges it.

        Parameters
        ----------
        source, sample_rate : as for :meth:`predict`
            The recording.
        config : TimelineConfig or None
            How to judge; ``None`` for the defaults.
        channel : int or None
            The channel of a file to take, from 0; ``None`` averages all.
        reference, adapt
            As for :meth:`stream`.
        progress : callable or None
            Called after each block with the length that was read [s].

        Returns
        -------
        Timeline
            Segments without gaps, and a prediction for every hop with speech.

        Raises
        ------
        AudioError
            If the source cannot be read or lacks the channel.
        UsageError
            If `sample_rate` is missing or not wanted, `channel` is given for samples, or the model
            cannot adapt as wanted.
        MissingExtraError
            If the configuration asks for what is not installed.
        """
        from serenade.inference.timeline import collect

        if channel is not None and isinstance(source, Waveform | np.ndarray):
            raise UsageError("channel is only for a file; choose the channel of the samples before")
        _, blocks = _read(source, sample_rate, channel)
        stream = self.stream(
            self._spec.sample_rate, config=config, reference=reference, adapt=adapt
        )
        events = stream.run(blocks, progress=progress)
        return collect(events, model=self.model_id, labels=self.labels)

    def stream(
        self,
        sample_rate: int,
        *,
        config: TimelineConfig | None = None,
        reference: SpeakerReference | None = None,
        adapt: bool = False,
    ) -> Stream:
        """Open a stream for audio that arrives in pieces.

        Streams share the model; a stream itself belongs to one thread.

        Parameters
        ----------
        sample_rate : int
            Samples per second of what will be pushed [Hz]; 8,000 to 192,000.
        config : TimelineConfig or None
            How to judge; ``None`` for the defaults.
        reference : SpeakerReference or None
            What is known of the one speaker of the stream.
        adapt : bool
            Get to know the one speaker of the stream while they talk: each window is judged by
            what was heard before it, on top of the `reference`.

        Returns
        -------
        Stream
            Takes samples and gives events.

        Raises
        ------
        AudioError
            If the rate is out of range.
        UsageError
            If the model does not adapt to speakers, or the reference is of another model.
        MissingExtraError
            If the configuration asks for what is not installed.
        """
        from serenade.inference.activity import open_activity
        from serenade.inference.stream import Stream
        from serenade.inference.timeline import TimelineConfig

        config = TimelineConfig() if config is None else config
        check_kind(config, TimelineConfig, "config")
        activity = open_activity(config, sample_rate=self._spec.sample_rate)
        judge = self._judge.adapted_to(reference)
        if adapt:
            judge = self._judge.learning(reference)
        return Stream(judge, activity, sample_rate=sample_rate, config=config)


def _read(
    source: Source, sample_rate: int | None, channel: int | None = None
) -> tuple[str, Iterator[FloatArray]]:
    """Give the name of a source for messages and its samples in blocks."""
    if isinstance(source, np.ndarray):
        if sample_rate is None:
            raise UsageError("an array needs sample_rate, its samples per second")
        return "the array", iter([from_array(source, sample_rate).samples])
    if sample_rate is not None:
        raise UsageError("sample_rate is only for an array; a file or Waveform has its own")
    if isinstance(source, Waveform):
        waveform = from_array(source.samples, source.sample_rate)
        return "the waveform", iter([waveform.samples])
    if isinstance(source, os.PathLike):
        source = os.fsdecode(source)  # it may be of bytes
    return name_of(source), (block.samples for block in decode_blocks(source, channel=channel))


def _load_predict(
    path: Path, *, denoise: bool, reference: SpeakerReference | None
) -> Callable[[BatchSource], Prediction]:
    """Open a model in a worker process."""
    return partial(Recognizer.load(path).predict, denoise=denoise, reference=reference)
