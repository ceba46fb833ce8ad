"""Classical models: classifiers on functional vectors, tuned and calibrated by speaker.

Every clip weighs as much as its emotion is rare, where the classifier can weigh clips. Settings are
searched with folds that share no speaker, on the unweighted average recall. The temperature is
fitted on the scores that each clip gets from a model that never heard its speaker, which leaves
the answers as they are.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from sklearn.base import clone
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics.pairwise import linear_kernel, rbf_kernel
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from serenade.emotions import LabelSet
from serenade.errors import TrainingError
from serenade.evaluation.confusion import confusion_matrix, unweighted_average_recall
from serenade.evaluation.readings import in_order
from serenade.model.calibration import probabilities
from serenade.training.calibrate import abstention_threshold, fit_temperature

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from serenade.corpora.manifest import Utterance
    from serenade.types import FloatArray

PROBABILITY_FLOOR = 1e-3
"""Least probability that counts: a leaf that never saw an emotion does not prove it impossible."""

STEP = "classifier"
"""Name of the classifier's step in every pipeline."""


@dataclass(frozen=True, slots=True, eq=False)
class ClassifierKind:
    """One kind of classifier.

    Parameters
    ----------
    build : callable
        Gives an unfitted classifier for a seed.
    grid : mapping of str to sequence
        Values to search by setting; the first of each is used where nothing can be searched.
    weighs_clips : bool
        Whether it can give clips different weights.
    least_clips : int
        Fewer training clips than this are refused.
    while_searching : mapping of str to value
        Settings that give the same answers sooner, but cannot be exported.
    """

    build: Callable[[int], Any]
    grid: Mapping[str, Sequence[Any]]
    weighs_clips: bool = True
    least_clips: int = 2
    while_searching: Mapping[str, Any] = field(default_factory=dict)


# gamma="auto" is what the kernel functions do, so both give the same model. The functions compute
# all kernel values in one matrix product, which is three to thirteen times as fast.
CLASSIFIERS: Mapping[str, ClassifierKind] = {
    "svm": ClassifierKind(
        lambda _: SVC(kernel="rbf", gamma="auto", break_ties=True, cache_size=500),
        {"C": (1.0, 10.0, 100.0)},
        while_searching={"kernel": rbf_kernel},
    ),
    "svm-linear": ClassifierKind(
        lambda _: SVC(kernel="linear", break_ties=True, cache_size=500),
        {"C": (1e-3, 1e-4, 1e-2)},
        while_searching={"kernel": linear_kernel},
    ),
    "logistic-regression": ClassifierKind(
        lambda _: LogisticRegression(max_iter=500), {"C": (1e-2, 1e-3, 1e-1)}
    ),
    "k-nearest-neighbours": ClassifierKind(
        lambda _: KNeighborsClassifier(),
        {"n_neighbors": (15, 5, 45)},
        weighs_clips=False,
        least_clips=45,
    ),
    "random-forest": ClassifierKind(
        lambda seed: RandomForestClassifier(300, random_state=seed), {"min_samples_leaf": (2, 8)}
    ),
    "decision-tree": ClassifierKind(
        lambda seed: DecisionTreeClassifier(random_state=seed), {"min_samples_leaf": (20, 5, 80)}
    ),
    "gradient-boosting": ClassifierKind(
        lambda seed: GradientBoostingClassifier(
            n_estimators=150, subsample=0.5, max_features="sqrt", random_state=seed
        ),
        {"max_depth": (3, 5)},
    ),
    "mlp": ClassifierKind(
        lambda seed: MLPClassifier((128,), max_iter=40, random_state=seed), {"alpha": (1.0, 0.01)}
    ),
}
"""Kinds by name."""


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
    """

    vectors: FloatArray
    true: npt.NDArray[np.int64]
    speakers: npt.NDArray[np.str_]
    corpora: npt.NDArray[np.str_]
    labels: LabelSet

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
        return LabelledVectors(
            self.vectors[keep],
            self.true[keep],
            self.speakers[keep],
            self.corpora[keep],
            self.labels,
        )


@dataclass(frozen=True, slots=True)
class Trial:
    """One point of a search.

    Parameters
    ----------
    settings : mapping of str to value
        Of the classifier.
    uar : float
        Mean unweighted average recall over folds that share no speaker, in [0, 1].
    """

    settings: Mapping[str, Any]
    uar: float


@dataclass(frozen=True, slots=True, eq=False)
class Search:
    """What a search found.

    Parameters
    ----------
    pipeline : Pipeline
        With the best settings, fitted on all clips.
    settings : mapping of str to value
        The best.
    trials : tuple of Trial
        All; empty where there was a single speaker, so that nothing could be searched.
    """

    pipeline: Pipeline
    settings: Mapping[str, Any]
    trials: tuple[Trial, ...]


@dataclass(frozen=True, slots=True, eq=False)
class ClassicalModel:
    """A fitted classifier with its calibration.

    Parameters
    ----------
    kind : str
        Key of :data:`CLASSIFIERS`.
    labels : LabelSet
        Emotions in the order of the scores.
    pipeline : Pipeline
        Scaler and classifier, fitted on all clips.
    settings : mapping of str to value
        Found by the search.
    trials : tuple of Trial
        All that was tried.
    temperature : float
        Divides the scores before the softmax.
    abstain_below : float
        Confidence below which answers are too often wrong, in [0, 1].
    """

    kind: str
    labels: LabelSet
    pipeline: Pipeline
    settings: Mapping[str, Any]
    trials: tuple[Trial, ...]
    temperature: float
    abstain_below: float

    def probabilities(self, vectors: FloatArray) -> npt.NDArray[np.float64]:
        """Give calibrated probabilities.

        Parameters
        ----------
        vectors : ndarray of shape (n_clips, n_values), float32
            Feature vectors.

        Returns
        -------
        ndarray of shape (n_clips, n_labels), float64
            Rows sum to 1.
        """
        scores = class_scores(self.pipeline, vectors, n_labels=len(self.labels))
        return probabilities(scores, temperature=self.temperature)


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


def adapt_to_speakers(vectors: FloatArray, speakers: npt.NDArray[np.str_]) -> FloatArray:
    """Standardise the vectors of each speaker by that speaker's own clips, without their labels.

    This is the mode ``"speaker-adapted"``: it needs several clips of the test speaker before the
    first can be judged, so its figures never stand in one column with others.

    Parameters
    ----------
    vectors : ndarray of shape (n_clips, n_values), float32
        Feature vectors.
    speakers : ndarray of shape (n_clips,), str
        Who speaks.

    Returns
    -------
    ndarray of shape (n_clips, n_values), float32
        For each speaker of mean 0 and deviation 1; 0 where all clips of a speaker are alike.
    """
    adapted = np.empty_like(vectors)
    for speaker in np.unique(speakers):
        own = speakers == speaker
        adapted[own] = StandardScaler().fit_transform(vectors[own])
    return adapted


def search(kind: str, data: LabelledVectors, *, n_folds: int = 3, seed: int = 0) -> Search:
    """Find the best settings of a classifier with folds that share no speaker, and fit it.

    Parameters
    ----------
    kind : str
        Key of :data:`CLASSIFIERS`.
    data : LabelledVectors
        Training clips.
    n_folds : int
        At least 2; fewer where there are fewer speakers.
    seed : int
        Of classifiers that draw random numbers.

    Returns
    -------
    Search
        Fitted with its best settings.

    Raises
    ------
    TrainingError
        If there is no such kind or there are too few clips for it.
    """
    chosen = get_kind(kind)
    folds = _speaker_folds(data, n_folds)
    fewest = min([data.true.size, *(train.size for train, _ in folds)])
    if fewest < chosen.least_clips:
        raise TrainingError(
            f"{kind} needs {chosen.least_clips} training clips and the smallest fold has {fewest};"
            " add clips or choose another classifier"
        )
    pipeline = _pipeline(chosen, chosen.while_searching, seed)
    weights = _weights(chosen, data)
    if not folds:
        settings = {name: values[0] for name, values in chosen.grid.items()}
        pipeline.set_params(**_in_step(settings))
        return Search(_fit(pipeline, data.vectors, data.true, weights), settings, ())
    grid = GridSearchCV(
        pipeline,
        {f"{STEP}__{name}": list(values) for name, values in chosen.grid.items()},
        scoring=partial(_uar, n_labels=len(data.labels)),
        cv=folds,
        error_score="raise",
    )
    _fit(grid, data.vectors, data.true, weights)
    trials = tuple(
        Trial(_without_step(settings), float(uar))
        for settings, uar in zip(
            grid.cv_results_["params"], grid.cv_results_["mean_test_score"], strict=True
        )
    )
    return Search(grid.best_estimator_, _without_step(grid.best_params_), trials)


def train_classical(
    kind: str,
    data: LabelledVectors,
    *,
    n_folds: int = 3,
    answer_precision: float = 0.8,
    seed: int = 0,
) -> ClassicalModel:
    """Search, fit and calibrate a classifier.

    Parameters
    ----------
    kind : str
        Key of :data:`CLASSIFIERS`.
    data : LabelledVectors
        Training clips of at least two speakers.
    n_folds : int
        Folds by speaker of search and calibration; at least 2.
    answer_precision : float
        The model abstains below the confidence at which answers about new speakers are right this
        often, in (0, 1).
    seed : int
        Of classifiers that draw random numbers.

    Returns
    -------
    ClassicalModel
        Ready to judge or to be exported.

    Raises
    ------
    TrainingError
        If there is no such kind, too few clips for it, or only one speaker.
    """
    chosen = get_kind(kind)
    folds = _speaker_folds(data, n_folds)
    if not folds:
        raise TrainingError(
            f"all training clips are of speaker {data.speakers[0]!r}; probabilities are calibrated"
            " on speakers that the model did not hear, so give clips of two or more"
        )
    found = search(kind, data, n_folds=n_folds, seed=seed)
    weights = _weights(chosen, data)
    n_labels = len(data.labels)
    scores = np.empty((data.true.size, n_labels), np.float32)
    for train, test in folds:
        fold_weights = None if weights is None else weights[train]
        fitted = _fit(clone(found.pipeline), data.vectors[train], data.true[train], fold_weights)
        scores[test] = class_scores(fitted, data.vectors[test], n_labels=n_labels)
    temperature = fit_temperature(scores, data.true, data.corpora)
    confidence = probabilities(scores, temperature=temperature).max(axis=1)
    threshold = abstention_threshold(
        confidence,
        scores.argmax(axis=1) == data.true,
        data.corpora,
        precision=answer_precision,
    )
    final = _pipeline(chosen, found.settings, seed)
    return ClassicalModel(
        kind=kind,
        labels=data.labels,
        pipeline=_fit(final, data.vectors, data.true, weights),
        settings=found.settings,
        trials=found.trials,
        temperature=temperature,
        abstain_below=threshold,
    )


def class_scores(pipeline: Pipeline, vectors: FloatArray, *, n_labels: int) -> FloatArray:
    """Give the scores whose softmax, after the temperature, are probabilities.

    Parameters
    ----------
    pipeline : Pipeline
        Fitted on positions in a label set.
    vectors : ndarray of shape (n_clips, n_values), float32
        Feature vectors.
    n_labels : int
        Length of the label set.

    Returns
    -------
    ndarray of shape (n_clips, n_labels), float32
        Decision values, or logarithms of probabilities where a classifier gives these. An emotion
        that the pipeline was not fitted on scores as low as the lowest.
    """
    if gives_decisions(pipeline):
        known = np.asarray(pipeline.decision_function(vectors), np.float32)
        if known.ndim == 1:  # two classes: the value speaks for the second
            known = np.stack([-known, known], axis=1)
    else:
        known = np.log(np.maximum(pipeline.predict_proba(vectors), PROBABILITY_FLOOR))
    scores = np.repeat(known.min(axis=1, keepdims=True), n_labels, axis=1).astype(np.float32)
    scores[:, pipeline.classes_] = known
    return scores


def gives_decisions(pipeline: Pipeline) -> bool:
    """Tell whether the scores of a pipeline are decision values.

    Parameters
    ----------
    pipeline : Pipeline
        Fitted or not.

    Returns
    -------
    bool
        Otherwise they are logarithms of probabilities.
    """
    return isinstance(pipeline.named_steps[STEP], SVC)


def get_kind(name: str) -> ClassifierKind:
    """Give a kind of classifier by its name.

    Parameters
    ----------
    name : str
        Key of :data:`CLASSIFIERS`.

    Returns
    -------
    ClassifierKind
        The kind.

    Raises
    ------
    TrainingError
        If there is none of that name.
    """
    if name not in CLASSIFIERS:
        raise TrainingError(f"unknown classifier {name!r}; allowed are {', '.join(CLASSIFIERS)}")
    return CLASSIFIERS[name]


def _pipeline(kind: ClassifierKind, settings: Mapping[str, Any], seed: int) -> Pipeline:
    pipeline = Pipeline([("scaler", StandardScaler()), (STEP, kind.build(seed))])
    return pipeline.set_params(**_in_step(settings))


def _in_step(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{STEP}__{name}": value for name, value in settings.items()}


def _without_step(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {name.removeprefix(f"{STEP}__"): value for name, value in settings.items()}


def _weights(kind: ClassifierKind, data: LabelledVectors) -> npt.NDArray[np.float64] | None:
    """Weigh every clip so that all emotions weigh the same, with a mean of 1."""
    if not kind.weighs_clips:
        return None
    _, inverse, counts = np.unique(data.true, return_inverse=True, return_counts=True)
    return np.asarray(data.true.size / (counts.size * counts[inverse]))


def _speaker_folds(
    data: LabelledVectors, n_folds: int
) -> list[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]]:
    """Give the positions of training and test clips; nothing where there is a single speaker."""
    count = min(n_folds, np.unique(data.speakers).size)
    if count < 2:
        return []
    return list(GroupKFold(count).split(data.vectors, data.true, data.speakers))


def _fit(
    estimator: Any,  # noqa: ANN401 - scikit-learn has no type stubs
    vectors: FloatArray,
    true: npt.NDArray[np.int64],
    weights: npt.NDArray[np.float64] | None,
) -> Any:  # noqa: ANN401 - as above
    options = {} if weights is None else {f"{STEP}__sample_weight": weights}
    with warnings.catch_warnings():
        # A fixed number of iterations is part of the settings.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return estimator.fit(vectors, true, **options)


def _uar(
    pipeline: Pipeline, vectors: FloatArray, true: npt.NDArray[np.int64], *, n_labels: int
) -> float:
    answers = class_scores(pipeline, vectors, n_labels=n_labels).argmax(axis=1)
    return float(unweighted_average_recall(confusion_matrix(true, answers, n_labels=n_labels)))
