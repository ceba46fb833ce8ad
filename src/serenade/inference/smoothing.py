"""Which emotion holds at every hop, without flicker.

The emotions of a stretch of speech are chosen together: of all sequences whose emotions last long
enough, the one that gathers the most probability, where every change costs a fixed amount. So a
change must be worth its cost, which is the hysteresis: a lead that is small or short changes
nothing. Because the sequence is optimal, the emotion that holds over a run of hops is also the one
with the highest mean probability in it.

References
----------
G. D. Forney: "The Viterbi algorithm", Proceedings of the IEEE 61(3), 1973 (the search; decisions
are given as soon as all surviving paths agree).
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.intp]

LONGEST_DOUBT = 120
"""A hop is decided when so many have followed, even if two emotions are still tied."""


class Smoother:
    """Choose the emotion of every hop of one stretch of speech, in bounded memory.

    Parameters
    ----------
    n_labels : int
        Number of emotions, 2 or more.
    switch_cost : float
        What a change of emotion must gain, as a sum of probability over hops; 0 or more.
    min_hops : int
        The least hops that an emotion lasts, 1 or more; only a whole stretch may be shorter.
    """

    def __init__(self, *, n_labels: int, switch_cost: float, min_hops: int) -> None:
        self._switch_cost = switch_cost
        self._min_hops = min_hops
        # scores[e, a]: best path that ends in emotion e, held for a + 1 hops (the last column: or
        # more); -inf where there is none
        self._scores = np.full((n_labels, min_hops), -np.inf)
        self._origins: deque[Ints] = deque()
        self._n_hops = 0

    def push(self, probabilities: Floats) -> list[int]:
        """Take the next hop and give the hops that are decided by it.

        Parameters
        ----------
        probabilities : ndarray of shape (n_labels,), float64
            Of the hop; zeros where nothing is known about it.

        Returns
        -------
        list of int
            Label indices of the hops that follow those decided before.
        """
        n_labels, min_hops = self._scores.shape
        if self._n_hops == 0:
            self._scores[:, 0] = probabilities
            origins = np.arange(n_labels * min_hops)
        else:
            self._scores, origins = self._extend(probabilities)
        self._scores -= self._scores.max()
        self._origins.append(origins)
        self._n_hops += 1
        return self._agreed()

    def finish(self) -> list[int]:
        """End the stretch.

        Returns
        -------
        list of int
            Label indices of the hops that were not yet decided.
        """
        if not self._origins:
            return []
        age = min(self._n_hops, self._min_hops) - 1
        best = int(self._scores[:, age].argmax()) * self._min_hops + age
        decided = [int(states[0]) // self._min_hops for states in self._trace(np.array([best]))]
        self._origins.clear()
        return decided

    def _extend(self, probabilities: Floats) -> tuple[Floats, Ints]:
        """Give the scores one hop later, and the state that each best path comes from."""
        n_labels, min_hops = self._scores.shape
        states = np.arange(n_labels * min_hops).reshape(n_labels, min_hops)
        free, free_states = self._scores[:, -1], states[:, -1]
        scores = np.empty_like(self._scores)
        origins = np.empty_like(states)
        scores[:, 1:], origins[:, 1:] = self._scores[:, :-1], states[:, :-1]
        leaders = np.argsort(-free, kind="stable")[:2]
        rivals = np.where(np.arange(n_labels) == leaders[0], leaders[1], leaders[0])
        scores[:, 0] = free[rivals] - self._switch_cost
        origins[:, 0] = free_states[rivals]
        stays = free >= scores[:, -1]
        scores[stays, -1], origins[stays, -1] = free[stays], free_states[stays]
        return scores + probabilities[:, None], origins.reshape(-1)

    def _agreed(self) -> list[int]:
        """Give the hops on whose emotion all surviving paths agree."""
        alive = np.flatnonzero(np.isfinite(self._scores))
        paths = self._trace(alive)
        if len(paths) > LONGEST_DOUBT:
            best = paths[0][self._scores.reshape(-1)[alive].argmax()] // self._min_hops
            self._scores.reshape(-1)[alive[paths[0] // self._min_hops != best]] = -np.inf
            paths = [states[paths[0] // self._min_hops == best] for states in paths]
        decided: list[int] = []
        for states in paths:
            labels = states // self._min_hops
            if (labels != labels[0]).any():
                break
            decided.append(int(labels[0]))
            self._origins.popleft()
        return decided

    def _trace(self, states: Ints) -> list[Ints]:
        """Follow paths back from their last states to the first undecided hop."""
        paths = [states]
        for origins in list(self._origins)[:0:-1]:
            states = origins[states]
            paths.append(states)
        return paths[::-1]


def smooth(probabilities: Floats, *, switch_cost: float, min_hops: int) -> list[int]:
    """Choose the emotion of every hop of a whole stretch of speech.

    Parameters
    ----------
    probabilities : ndarray of shape (n_hops, n_labels), float64
        At least one hop.
    switch_cost, min_hops : float, int
        As for :class:`Smoother`.

    Returns
    -------
    list of int
        One label index per hop.
    """
    smoother = Smoother(n_labels=probabilities.shape[1], switch_cost=switch_cost, min_hops=min_hops)
    decided = [label for hop in probabilities for label in smoother.push(hop)]
    return decided + smoother.finish()
