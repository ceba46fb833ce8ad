"""What a model says about one window, and how it becomes a prediction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from serenade.audio.condition import condition
from serenade.errors import AudioError
from serenade.inference.front_end import open_front_end
from serenade.inference.overlap import WindowScore
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

    Raises
    ------
    ModelError
        If this release has another front end than the model was trained with.
    """

    def __init__(self, spec: ModelSpec, scorer: Scorer) -> None:
        self.spec = spec
        self._scorer = scorer
        self._front_end = open_front_end(spec)

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
        scores = self._scorer.score([self._front_end(conditioned)])
        return WindowScore(
            probabilities(scores.logits, temperature=self.spec.temperature)[0],
            None if scores.intensity is None else float(scores.intensity[0]),
            window.duration_seconds,
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
        )
