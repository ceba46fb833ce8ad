"""Classical models: classifiers on functional vectors, tuned and calibrated by speaker.

Every clip weighs as much as its emotion is rare, where the classifier can weigh clips. Settings are
searched with folds that share no speaker, on the unweighted average recall. The temperature is
fitted on the scores that each clip gets from a model that never heard its speaker, which leaves
the answers as they are.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from serenade.errors import TrainingError
from serenade.evaluation.confusion import confusion_matrix, unweighted_average_recall
from serenade.model.calibration import probabilities
from serenade.training.calibrate import abstention_threshold, fit_temperature
from serenade.training.classifiers import ClassifierKind, check_grid, get_kind
from serenade.training.voices import Voice, adapt_to_some, learn_population

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from serenade.emotions import LabelSet
    from serenade.model.adaptation import Adaptation
    from serenade.training.vectors import LabelledVectors
    from serenade.types import FloatArray

PROBABILITY_FLOOR = 1e-3
"""Least probability that counts: a leaf that never saw an emotion does not prove it impossible."""

STEP = "classifier"
"""Name of the classifier's step in every pipeline."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One point of a search.

    Parameters
    ----------
    settings : mapping of str to value
        Of the classifier.
    uar : float
        Mean of `fold_uars`.
    fold_uars : tuple of float
        Unweighted average recall on each of the folds, which share no speaker, in [0, 1].
    """

    settings: Mapping[str, Any]
    uar: float
    fold_uars: tuple[float, ...]


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
        Key of :data:`serenade.training.classifiers.CLASSIFIERS`.
    labels : LabelSet
        Emotions in the order of the scores.
    mode : str
        That of the vectors; one of :data:`serenade.evaluation.evaluate.MODES`.
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
    voice : Voice or None
        How it adapts to a speaker, if it does: the pipeline then takes adapted vectors.
    """

    kind: str
    labels: LabelSet
    mode: str
    pipeline: Pipeline
    settings: Mapping[str, Any]
    trials: tuple[Trial, ...]
    temperature: float
    abstain_below: float
    voice: Voice | None = None

    def probabilities(self, vectors: FloatArray) -> npt.NDArray[np.float64]:
        """Give calibrated probabilities, without anything known of the speakers.

        Parameters
        ----------
        vectors : ndarray of shape (n_clips, n_values), float32
            Feature vectors.

        Returns
        -------
        ndarray of shape (n_clips, n_labels), float64
            Rows sum to 1.
        """
        embedded = vectors if self.voice is None else self.voice.population.embed(vectors)
        scores = class_scores(self.pipeline, embedded, n_labels=len(self.labels))
        return probabilities(scores, temperature=self.temperature)


def search(
    kind: str,
    data: LabelledVectors,
    *,
    grid: Mapping[str, Sequence[Any]] | None = None,
    n_folds: int = 3,
    seed: int = 0,
) -> Search:
    """Find the best settings of a classifier with folds that share no speaker, and fit it.

    Parameters
    ----------
    kind : str
        Key of :data:`serenade.training.classifiers.CLASSIFIERS`.
    data : LabelledVectors
        Training clips.
    grid : mapping of str to sequence, optional
        Values to try by setting, as scikit-learn names it; without it, those of the kind.
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
        If there is no such kind or setting, or there are too few clips for it.
    """
    chosen = get_kind(kind)
    values = chosen.grid if grid is None else grid
    check_grid(kind, values)
    folds = _speaker_folds(data, n_folds)
    fewest = min([data.true.size, *(train.size for train, _ in folds)])
    if fewest < chosen.least_clips:
        raise TrainingError(
            f"{kind} needs {chosen.least_clips} training clips and the smallest fold has {fewest};"
            " add clips or choose another classifier"
        )
    sooner = {} if chosen.only_without & values.keys() else chosen.while_searching
    pipeline = _pipeline(chosen, sooner, seed)
    weights = _weights(chosen, data)
    if not folds:
        settings = {name: tried[0] for name, tried in values.items()}
        pipeline.set_params(**_in_step(settings))
        fitted = _fit_as_asked(kind, values, pipeline, data, weights)
        return Search(fitted, settings, ())
    searched = GridSearchCV(
        pipeline,
        {f"{STEP}__{name}": list(tried) for name, tried in values.items()},
        scoring=partial(_uar, n_labels=len(data.labels)),
        cv=folds,
        error_score="raise",
    )
    _fit_as_asked(kind, values, searched, data, weights)
    settings = _without_step(searched.best_params_)
    return Search(searched.best_estimator_, settings, _trials(searched.cv_results_, len(folds)))


def train_classical(
    kind: str,
    data: LabelledVectors,
    *,
    grid: Mapping[str, Sequence[Any]] | None = None,
    n_folds: int = 3,
    answer_precision: float = 0.8,
    seed: int = 0,
    adaptation: Adaptation | None = None,
) -> ClassicalModel:
    """Search, fit and calibrate a classifier.

    Parameters
    ----------
    kind : str
        Key of :data:`serenade.training.classifiers.CLASSIFIERS`.
    data : LabelledVectors
        Training clips. Of a single speaker, nothing can be searched or calibrated: the first
        settings of the kind are used, the temperature is 1 and the model never abstains.
    grid : mapping of str to sequence, optional
        As in :func:`search`.
    n_folds : int
        Folds by speaker of search and calibration; at least 2.
    answer_precision : float
        The model abstains below the confidence at which answers about new speakers are right this
        often, in (0, 1).
    seed : int
        Of classifiers that draw random numbers.
    adaptation : Adaptation, optional
        How far what is known of a speaker is trusted, for a model that adapts to voices.

    Returns
    -------
    ClassicalModel
        Ready to judge or to be exported.

    Raises
    ------
    TrainingError
        If there is no such kind or too few clips for it.
    """
    chosen = get_kind(kind)
    voice = None
    if adaptation is not None:
        voice = Voice(learn_population(data.vectors), adaptation)
        embedded = replace(data, vectors=voice.population.embed(data.vectors))
        data = adapt_to_some(embedded, adaptation, seed=seed)
    found = search(kind, data, grid=grid, n_folds=n_folds, seed=seed)
    temperature, threshold = _calibrate(chosen, found, data, n_folds, answer_precision)
    final = _pipeline(chosen, found.settings, seed)
    return ClassicalModel(
        kind=kind,
        labels=data.labels,
        mode=data.mode,
        pipeline=_fit(final, data.vectors, data.true, _weights(chosen, data)),
        settings=found.settings,
        trials=found.trials,
        temperature=temperature,
        abstain_below=threshold,
        voice=voice,
    )


def _calibrate(
    kind: ClassifierKind,
    found: Search,
    data: LabelledVectors,
    n_folds: int,
    answer_precision: float,
) -> tuple[float, float]:
    """Find temperature and threshold on speakers that are held out in turn."""
    folds = _speaker_folds(data, n_folds)
    if not folds:
        return 1.0, 0.0
    weights = _weights(kind, data)
    n_labels = len(data.labels)
    scores = np.empty((data.true.size, n_labels), np.float32)
    for train, test in folds:
        fold_weights = None if weights is None else weights[train]
        fitted = _fit(clone(found.pipeline), data.vectors[train], data.true[train], fold_weights)
        scores[test] = class_scores(fitted, data.vectors[test], n_labels=n_labels)
    temperature = fit_temperature(scores, data.true, data.corpora)
    threshold = abstention_threshold(
        probabilities(scores, temperature=temperature).max(axis=1),
        scores.argmax(axis=1) == data.true,
        data.corpora,
        precision=answer_precision,
    )
    return temperature, threshold


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


def _fit_as_asked(
    kind: str,
    grid: Mapping[str, Sequence[Any]],
    estimator: Any,  # noqa: ANN401 - scikit-learn has no type stubs
    data: LabelledVectors,
    weights: npt.NDArray[np.float64] | None,
) -> Any:  # noqa: ANN401 - as above
    """Fit with settings that somebody asked for, which scikit-learn checks when it fits."""
    try:
        return _fit(estimator, data.vectors, data.true, weights)
    except ValueError as error:
        reason = " ".join(str(error).splitlines())
        raise TrainingError(f"{kind} cannot be fitted with {dict(grid)}: {reason}") from error


def _trials(results: Mapping[str, Any], n_folds: int) -> tuple[Trial, ...]:
    by_fold = zip(*(results[f"split{fold}_test_score"] for fold in range(n_folds)), strict=True)
    return tuple(
        Trial(_without_step(settings), float(uar), tuple(float(value) for value in uars))
        for settings, uar, uars in zip(
            results["params"], results["mean_test_score"], by_fold, strict=True
        )
    )


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
