"""The values that every room shares: waveform, conditioning, quality and prediction."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Mapping

FloatArray = npt.NDArray[np.float32]

JSON_SCHEMA_VERSION = 1
"""Version of the JSON that describes one prediction."""


@dataclass(frozen=True, slots=True, eq=False)
class Waveform:
    """Mono audio in memory.

    Parameters
    ----------
    samples : ndarray of shape (n_samples,), float32
        Amplitude, nominally in [-1, 1]. Finite.
    sample_rate : int
        Samples per second [Hz].
    """

    samples: FloatArray
    sample_rate: int

    @property
    def duration_seconds(self) -> float:
        """Length [s]."""
        return len(self.samples) / self.sample_rate


@dataclass(frozen=True, slots=True)
class Conditioning:
    """What is done to a clip between decoding and the model.

    Part of a bundle, so that training and prediction treat audio alike.

    Parameters
    ----------
    remove_offset : bool
        Subtract the mean.
    trim_below_db : float or None
        Cut leading and trailing frames that lie this far below the loudest 10 ms frame [dB];
        ``None`` keeps them.
    trim_padding_seconds : float
        Kept on either side of what trimming leaves [s].
    level_dbfs : float or None
        Root-mean-square level of the active part after normalisation [dB relative to full scale];
        ``None`` leaves the level alone.
    reduce_noise : bool
        Reduce steady noise, always, not only when the user asks for it.
    """

    remove_offset: bool = True
    trim_below_db: float | None = 40.0
    trim_padding_seconds: float = 0.05
    level_dbfs: float | None = -26.0
    reduce_noise: bool = False

    def to_json(self) -> dict[str, Any]:
        """Give the steps as JSON types, for bundles and for the keys of caches.

        Returns
        -------
        dict
            ``reduce_noise`` only where it is on: bundles and caches that are older than this step
            stay as they are.
        """
        table = asdict(self)
        if not self.reduce_noise:
            del table["reduce_noise"]
        return table


@dataclass(frozen=True, slots=True)
class Quality:
    """Measures of how usable a recording is.

    Parameters
    ----------
    duration_seconds : float
        Length [s].
    level_dbfs : float
        Root-mean-square level [dB relative to full scale]; ``-inf`` for digital silence.
    clipping_share : float
        Share of samples at or beyond full scale, in [0, 1].
    snr_db : float
        Estimated signal-to-noise ratio [dB].
    speech_share : float
        Share of 10 ms frames that hold voice activity, in [0, 1].
    """

    duration_seconds: float
    level_dbfs: float
    clipping_share: float
    snr_db: float
    speech_share: float


WARNINGS: Mapping[str, str] = {
    "clipping": "parts of the recording are clipped",
    "too_quiet": "the recording is very quiet",
    "no_speech": "hardly any speech was found",
    "too_short": "the recording is shorter than the model is sure about",
    "noisy": "the recording is noisy",
}
"""Codes that :attr:`Prediction.warnings` may hold, with what they mean."""


@dataclass(frozen=True, slots=True)
class HeardSpeech:
    """How much of a speaker's own speech was heard until a prediction was told.

    Parameters
    ----------
    n_clips : int
        Clips, or windows of long recordings.
    seconds : float
        Sound in them [s]; what two windows share counts once.
    """

    n_clips: int
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """Give it as a JSON object.

        Returns
        -------
        dict
            ``clips`` and ``seconds``.
        """
        return {"clips": self.n_clips, "seconds": round(self.seconds, 3)}


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a model says about one recording.

    Parameters
    ----------
    emotion : str
        The most probable emotion.
    confidence : float
        Its calibrated probability, in [0, 1].
    probabilities : mapping of str to float
        Probability of every emotion of the model, in the model's label order; sums to 1.
    abstained : bool
        Whether the confidence lies below the model's threshold: "not sure".
    intensity : float or None
        Strength of the emotion, in [0, 1], where the model tells it.
    duration_seconds : float
        Length of the recording as given [s].
    model : str
        Name and version of the bundle.
    warnings : tuple of str
        Codes of :data:`WARNINGS`.
    adapted_to : HeardSpeech or None
        Speech of the speaker that the model was adapted to; ``None`` without adaptation.
    """

    emotion: str
    confidence: float
    probabilities: Mapping[str, float]
    abstained: bool
    intensity: float | None
    duration_seconds: float
    model: str
    warnings: tuple[str, ...] = field(default=())
    adapted_to: HeardSpeech | None = None

    def to_json(self, path: str) -> dict[str, Any]:
        """Give the prediction as the JSON object of ``docs/prediction.schema.json``.

        Parameters
        ----------
        path : str
            How the input is named in the output.

        Returns
        -------
        dict
            Only JSON types; numbers are rounded to six decimals. Without adaptation there is no
            ``adapted_to``.
        """
        record: dict[str, Any] = {
            "schema": JSON_SCHEMA_VERSION,
            "path": path,
            "duration_s": round(self.duration_seconds, 6),
            "model": self.model,
            "emotion": self.emotion,
            "confidence": round(self.confidence, 6),
            "abstained": self.abstained,
            "probabilities": {name: round(p, 6) for name, p in self.probabilities.items()},
            "intensity": None if self.intensity is None else round(self.intensity, 6),
            "warnings": list(self.warnings),
        }
        if self.adapted_to is not None:
            record["adapted_to"] = self.adapted_to.to_json()
        return record
