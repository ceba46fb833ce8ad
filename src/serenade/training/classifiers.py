"""The kinds of classical classifiers, and the settings that are searched."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics.pairwise import linear_kernel, rbf_kernel
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from serenade.errors import TrainingError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


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
    only_without : frozenset of str
        Settings that those do not know: where one of these is searched or fixed, they are not used.
    """

    build: Callable[[int], Any]
    grid: Mapping[str, Sequence[Any]]
    weighs_clips: bool = True
    least_clips: int = 2
    while_searching: Mapping[str, Any] = field(default_factory=dict)
    only_without: frozenset[str] = frozenset()


KERNEL_SETTINGS = frozenset({"kernel", "gamma", "degree", "coef0"})
OUTPUT_SETTINGS = frozenset({"decision_function_shape", "probability"})
"""They change what the scores of a classifier are, which everything after it relies on."""

# gamma="auto" is what the kernel functions do, so both give the same model. The functions compute
# all kernel values in one matrix product, which is three to thirteen times as fast.
CLASSIFIERS: Mapping[str, ClassifierKind] = {
    "svm": ClassifierKind(
        lambda _: SVC(kernel="rbf", gamma="auto", break_ties=True, cache_size=500),
        {"C": (1.0, 10.0, 100.0)},
        while_searching={"kernel": rbf_kernel},
        only_without=KERNEL_SETTINGS,
    ),
    "svm-linear": ClassifierKind(
        lambda _: SVC(kernel="linear", break_ties=True, cache_size=500),
        {"C": (1e-3, 1e-4, 1e-2)},
        while_searching={"kernel": linear_kernel},
        only_without=KERNEL_SETTINGS,
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


def grid_around(kind: str, settings: Mapping[str, Any]) -> dict[str, Sequence[Any]]:
    """Give the usual grid of a classifier, with some settings fixed.

    Parameters
    ----------
    kind : str
        Key of :data:`CLASSIFIERS`.
    settings : mapping of str to value
        One value by setting.

    Returns
    -------
    dict of str to sequence
        Values to try by setting.

    Raises
    ------
    TrainingError
        If there is no such kind.
    """
    return {**get_kind(kind).grid, **{name: (value,) for name, value in settings.items()}}


def check_grid(kind: str, grid: Mapping[str, Sequence[Any]]) -> None:
    """Check that a classifier has the settings of a grid.

    Parameters
    ----------
    kind : str
        Key of :data:`CLASSIFIERS`.
    grid : mapping of str to sequence
        Values to try by setting.

    Raises
    ------
    TrainingError
        If there is no such kind or setting, or no value for it.
    """
    allowed = get_kind(kind).build(0).get_params().keys() - OUTPUT_SETTINGS
    for name, values in grid.items():
        if name not in allowed:
            raise TrainingError(
                f"{kind} has no setting {name!r}; it has {', '.join(sorted(allowed))}"
            )
        if len(values) == 0:
            raise TrainingError(f"setting {name!r} of {kind} has no value to try; give one or more")
