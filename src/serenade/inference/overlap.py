"""What overlapping windows say together about each hop."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from serenade.types import FloatArray

    Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class WindowScore:
    """What the model says about one window.

    Parameters
    ----------
    probabilities : ndarray of shape (n_labels,), float64
        Sum to 1.
    intensity : float or None
        Strength of the emotion, in [0, 1], where the model tells it.
    weight : float
        How much it counts, above 0; the length of the window.
    embedding : ndarray of shape (n_embedding,), float32, or None
        Inner vector of a single window, from a model that adapts to speakers.
    """

    probabilities: Floats
    intensity: float | None
    weight: float
    embedding: FloatArray | None = None


class OverlapAverage:
    """Average the windows that cover each hop, as they come.

    Parameters
    ----------
    window_hops : int
        Length of a window [hops]; it ends with the hop that it is added with.
    """

    def __init__(self, *, window_hops: int) -> None:
        self._window_hops = window_hops
        self._pending: deque[list[WindowScore]] = deque()

    def push(self, score: WindowScore | None) -> list[WindowScore | None]:
        """Take the next hop, with the window that ends with it.

        Parameters
        ----------
        score : WindowScore or None
            ``None`` where no window ends.

        Returns
        -------
        list of WindowScore or None
            Averages of the hops that no later window covers, in order; ``None`` for a hop that no
            window covers.
        """
        self._pending.append([])
        self.revise(score)
        return self._take(self._window_hops - 1)

    def revise(self, score: WindowScore | None) -> None:
        """Add another window that ends with the last hop.

        Parameters
        ----------
        score : WindowScore or None
            ``None`` changes nothing.
        """
        if score is not None:
            for covering in list(self._pending)[-self._window_hops :]:
                covering.append(score)

    def finish(self) -> list[WindowScore | None]:
        """Give the averages of all hops that are left.

        Returns
        -------
        list of WindowScore or None
            As from :meth:`push`.
        """
        return self._take(0)

    def _take(self, n_kept: int) -> list[WindowScore | None]:
        n_taken = max(0, len(self._pending) - n_kept)
        return [average_scores(self._pending.popleft()) for _ in range(n_taken)]


def average_scores(scores: list[WindowScore]) -> WindowScore | None:
    """Average windows by their weights.

    Parameters
    ----------
    scores : list of WindowScore
        Any number.

    Returns
    -------
    WindowScore or None
        With the sum of the weights; ``None`` without windows.
    """
    if not scores:
        return None
    weights = np.array([score.weight for score in scores])
    shares = weights / weights.sum()
    probabilities = shares @ np.stack([score.probabilities for score in scores])
    intensities = [score.intensity for score in scores if score.intensity is not None]
    intensity = float(shares @ np.array(intensities)) if intensities else None
    return WindowScore(probabilities, intensity, float(weights.sum()))
