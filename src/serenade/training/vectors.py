"""Clips as feature vectors with their truth."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from sklearn.preprocessing import StandardScaler

from serenade.emotions import LabelSet, in_order
from serenade.errors import TrainingError
from serenade.evaluation.evaluate import MODES

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from serenade.corpora.manifest import Utterance
    from serenade.types import FloatArray

SPEAKER_INDEPENDENT, SPEAKER_ADAPTED = MODES


@dataclass(frozen=True, slots=True, eq=False)
class LabelledVectors:
    """Clips as vectors with their truth.

    Parameters
    ----------
    vectors : ndarray of shape (n_clips, n_values), float32
        From :func:`serenade.training.feature_cache.cached_features`.
    true : ndarray of shape (n_clips,), int64
        Emotions as positions in `labels`.
    speakers, corpora : ndarray of shape (n_clips,), str
        Who speaks (unique across corpora) and where the clip is from.
    labels : LabelSet
        The emotions.
    mode : str
        One of :data:`serenade.evaluation.evaluate.MODES`.
    """

    vectors: FloatArray
    true: npt.NDArray[np.int64]
    speakers: npt.NDArray[np.str_]
    corpora: npt.NDArray[np.str_]
    labels: LabelSet
    mode: str = SPEAKER_INDEPENDENT

    def where(self, keep: npt.NDArray[np.bool_]) -> LabelledVectors:
        """Give some of the clips.

        Parameters
        ----------
        keep : ndarray of shape (n_clips,), bool
            Which.

        Returns
        -------
        LabelledVectors
            With the same labels.
        """
        return replace(
            self,
            vectors=self.vectors[keep],
            true=self.true[keep],
            speakers=self.speakers[keep],
            corpora=self.corpora[keep],
        )


def label_vectors(vectors: FloatArray, utterances: Sequence[Utterance]) -> LabelledVectors:
    """Put vectors and the truth of their utterances together.

    Parameters
    ----------
    vectors : ndarray of shape (n_clips, n_values), float32
        One row per utterance.
    utterances : sequence of Utterance
        All with a known speaker.

    Returns
    -------
    LabelledVectors
        Its labels are the emotions that the utterances have.

    Raises
    ------
    TrainingError
        If a speaker is unknown or there are fewer than two emotions.
    """
    unknown = [utterance.id for utterance in utterances if utterance.speaker is None]
    if unknown:
        raise TrainingError(
            f"{len(unknown)} utterances have no known speaker, first {unknown[0]!r}; classical"
            " models are tuned by speaker, so give the speakers in the manifest"
        )
    emotions = in_order(utterance.emotion for utterance in utterances)
    if len(emotions) < 2:
        raise TrainingError(
            f"the utterances have the emotions {', '.join(emotions) or 'none'};"
            " two or more are needed to tell them apart"
        )
    labels = LabelSet(emotions)
    return LabelledVectors(
        vectors=vectors,
        true=np.array([labels.index(u.emotion) for u in utterances], np.int64),
        speakers=np.array([str(u.speaker_key) for u in utterances]),
        corpora=np.array([u.corpus for u in utterances]),
        labels=labels,
    )


def adapt_to_speakers(data: LabelledVectors) -> LabelledVectors:
    """Standardise the vectors of each speaker by that speaker's own clips, without their labels.

    It takes several clips of a test speaker before the first can be judged, so figures of this
    mode never stand in one column with others.

    Parameters
    ----------
    data : LabelledVectors
        Training and test clips.

    Returns
    -------
    LabelledVectors
        Mode ``"speaker-adapted"``: for each speaker of mean 0 and deviation 1; 0 where all clips
        of a speaker are alike.
    """
    adapted = np.empty_like(data.vectors)
    for speaker in np.unique(data.speakers):
        own = data.speakers == speaker
        adapted[own] = StandardScaler().fit_transform(data.vectors[own])
    return replace(data, vectors=adapted, mode=SPEAKER_ADAPTED)
