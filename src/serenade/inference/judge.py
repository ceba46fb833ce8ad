"""What a model says about one window, and how it becomes a prediction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from serenade.audio.condition import condition
from serenade.errors import AudioError, UsageError
from serenade.inference.arguments import check_kind
from serenade.inference.front_end import open_front_end
from serenade.inference.overlap import WindowScore
from serenade.model.adaptation import SpeakerReference
from serenade.model.calibration import probabilities
from serenade.types import Prediction, Waveform

if TYPE_CHECKING:
    from serenade.model.scorer import Scorer
    from serenade.model.spec import ModelSpec
    from serenade.types import FloatArray


class WindowJudge:
    """Judges windows with one model; threads and streams may share it.

    Parameters
    ----------
    spec : ModelSpec
        What the model says about itself.
    scorer : Scorer
        Its session.
    reference : SpeakerReference or None
        What is known of the speaker of all windows; ``None`` judges everyone alike.

    Raises
    ------
    ModelError
        If this release has another front end than the model was trained with.
    UsageError
        If the model does not adapt to speakers, or the reference is of another one.
    """

    def __init__(
        self, spec: ModelSpec, scorer: Scorer, reference: SpeakerReference | None = None
    ) -> None:
        self.spec = spec
        self._scorer = scorer
        self._front_end = open_front_end(spec)
        if reference is not None:
            _check_fits(reference, spec)
        self._reference = reference

    def adapted_to(self, reference: SpeakerReference | None) -> WindowJudge:
        """Give a judge of one speaker.

        Parameters
        ----------
        reference : SpeakerReference or None
            What is known of the speaker.

        Returns
        -------
        WindowJudge
            With the same model; this one without reference.

        Raises
        ------
        UsageError
            If the model does not adapt to speakers, or the reference is of another one.
        """
        return self if reference is None else WindowJudge(self.spec, self._scorer, reference)

    def learning(self, reference: SpeakerReference | None) -> LearningJudge:
        """Give a judge that gets to know one speaker.

        Parameters
        ----------
        reference : SpeakerReference or None
            What is known of the speaker before.

        Returns
        -------
        LearningJudge
            With the same model.

        Raises
        ------
        UsageError
            If the model does not adapt to speakers, or the reference is of another one.
        """
        start = empty_reference(self.spec) if reference is None else reference
        return LearningJudge(self.spec, self._scorer, start)

    def learn(self, score: WindowScore, *, n_samples: int, n_new: int) -> None:
        """Take note of a window that was judged; this judge learns nothing from it.

        Parameters
        ----------
        score : WindowScore
            Of the window.
        n_samples, n_new : int
            Its length, and how much of it was in no window before.
        """

    def score(self, samples: FloatArray, *, denoise: bool = False) -> WindowScore | None:
        """Judge one window.

        Parameters
        ----------
        samples : ndarray of shape (n_samples,), float32
            At the rate of the model.
        denoise : bool
            Reduce noise before.

        Returns
        -------
        WindowScore or None
            Weighted by the length [s]; ``None`` if the window is silent or if less than the model
            accepts is left of it without leading and trailing silence.
        """
        window = Waveform(samples, self.spec.sample_rate)
        try:
            conditioned = condition(window, self.spec.conditioning, denoise=denoise)
        except AudioError:
            return None
        if conditioned.duration_seconds < self.spec.windowing.min_seconds:
            return None
        scores = self._scorer.score([self._front_end(conditioned)], reference=self._reference)
        return WindowScore(
            probabilities(scores.logits, temperature=self.spec.temperature)[0],
            None if scores.intensity is None else float(scores.intensity[0]),
            window.duration_seconds,
            None if scores.embedding is None else scores.embedding[0],
        )

    def predict(
        self, score: WindowScore, *, duration_seconds: float, warnings: tuple[str, ...] = ()
    ) -> Prediction:
        """Put a score into the form of a prediction.

        Parameters
        ----------
        score : WindowScore
            Of one window or averaged.
        duration_seconds : float
            Length of what is judged [s].
        warnings : tuple of str
            Codes of :data:`serenade.types.WARNINGS`.

        Returns
        -------
        Prediction
            With the most probable emotion.
        """
        best = int(score.probabilities.argmax())
        confidence = float(score.probabilities[best])
        return Prediction(
            emotion=self.spec.labels.labels[best],
            confidence=confidence,
            probabilities=dict(zip(self.spec.labels, score.probabilities.tolist(), strict=True)),
            abstained=confidence < self.spec.abstain_below,
            intensity=score.intensity,
            duration_seconds=duration_seconds,
            model=self.spec.model_id,
            warnings=warnings,
            adapted_to=None if self._reference is None else self._reference.heard,
        )


class LearningJudge(WindowJudge):
    """Judges each window by what the windows before it told of the speaker.

    Belongs to one stream.

    Parameters
    ----------
    spec, scorer : as for :class:`WindowJudge`
        The model.
    reference : SpeakerReference
        What is known of the speaker before.

    Raises
    ------
    UsageError
        If the reference is of another model.
    """

    def learn(self, score: WindowScore, *, n_samples: int, n_new: int) -> None:
        """Learn from a window, which counts for the share of it that is new."""
        if score.embedding is None or self._reference is None or n_new <= 0:
            return
        self._reference = self._reference.with_clip(
            score.embedding, seconds=n_new / self.spec.sample_rate, weight=n_new / n_samples
        )


def empty_reference(spec: ModelSpec) -> SpeakerReference:
    """Give the reference of a speaker of whom nothing is known.

    Parameters
    ----------
    spec : ModelSpec
        What the model says about itself.

    Returns
    -------
    SpeakerReference
        Of no clips.

    Raises
    ------
    UsageError
        If the model does not adapt to speakers.
    """
    if spec.adaptation is None:
        raise UsageError(
            f"model {spec.model_id} cannot adapt to a speaker; leave the adaptation out, or use a"
            " model whose `serenade models info` tells that it adapts"
        )
    return SpeakerReference.empty(spec.model_id, spec.adaptation)


def _check_fits(reference: SpeakerReference, spec: ModelSpec) -> None:
    check_kind(reference, SpeakerReference, "reference")
    empty = empty_reference(spec)
    if (reference.model, reference.adaptation) != (empty.model, empty.adaptation):
        raise UsageError(
            f"the speaker reference was made with {reference.model} and cannot be used with"
            f" {spec.model_id}; make it with the model that is to use it"
        )
