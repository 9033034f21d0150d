"""Sensitivity at a specificity, and specificity at a sensitivity, on the empirical ROC curve.

Definition (Metrics Reloaded, Maier-Hein et al., Nat Methods 2024, doi 10.1038/s41592-023-02151-z): the best of one
rate among all cuts of the score at which the other rate is at least the one asked for; nothing is interpolated.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gatekeeper.statistics.bootstrap import RESAMPLES

Floats = NDArray[np.float64]

_CHUNK_ELEMENTS = 1 << 16
_ROUNDING = 1e-9  # 0.9 of 30 cases is 27 of them, though 0.9 * 30 in binary is a little more


def rate_at(
    scores: Floats,
    of_class: NDArray[np.bool_],
    other_rate: float,
    weights: NDArray[np.integer] | Iterable[NDArray[np.integer]],
    clusters: NDArray[np.intp],
) -> Floats:
    """Return, in each of B resamples, the share of a class that scores beyond a cut that keeps the other class out.

    With ``of_class`` the positives it is the sensitivity at the least cut at which at least ``other_rate`` of the
    negatives score lower. For the specificity at a sensitivity, negate the scores and take the negatives.

    Parameters
    ----------
    scores : shape (n,), higher speaks for the class; ``of_class`` : shape (n,), True where a case is of the class
    other_rate : share of the other class that must stay below the cut, 0 < other_rate < 1
    weights : shape (B, C), how often each resample takes each cluster, or blocks of such rows
    clusters : codes below C, shape (n,)

    Returns
    -------
    Shares of shape (B,); NaN where a resample has one class only. Raises ValueError for a NaN among the scores.
    """
    curve = _Curve.of(scores, of_class, other_rate)
    own, others = clusters[curve.own], clusters[curve.others]
    rows = max(1, _CHUNK_ELEMENTS // max(1, len(scores)))
    blocks = [weights] if isinstance(weights, np.ndarray) else weights
    pieces = []
    for piece in (block[start : start + rows] for block in blocks for start in range(0, len(block), rows)):
        below = np.cumsum(piece.take(others, axis=1), axis=1, dtype=np.int64)
        of_own = piece.take(own, axis=1)
        rates = np.full(len(piece), np.nan)
        for row, (kept_out, taken) in enumerate(zip(below, of_own, strict=True)):
            total, all_others = int(taken.sum()), int(kept_out[-1]) if len(kept_out) else 0
            if total and all_others:
                last = np.searchsorted(kept_out, curve.asked(all_others))
                rates[row] = taken[curve.beyond[last] :].sum() / total
        pieces.append(rates)
    return np.concatenate(pieces)


def bootstrap_rate_at(
    scores: Floats, of_class: NDArray[np.bool_], other_rate: float, resamples: int = RESAMPLES, seed: int = 0
) -> Floats:
    """Return ``rate_at`` in resamples of independent cases, without drawing the cases.

    What decides in a resample is its number of cases of each class, which score of the other class is its cut, and how
    many cases of the class lie beyond. The first and the last are binomial; the cut is an order statistic of draws with
    replacement: the score at a beta-distributed rank. So three numbers a resample have the distribution that drawing n
    cases has. Drawn by numpy's RandomState, whose stream is frozen (NEP 19).

    Parameters and errors as for ``rate_at``. Returns shares of shape (resamples,).
    """
    curve = _Curve.of(scores, of_class, other_rate)
    if len(curve.own) == 0 or len(curve.others) == 0:
        return np.full(resamples, np.nan)
    source = np.random.RandomState(np.random.PCG64(seed))
    own = source.binomial(len(scores), len(curve.own) / len(scores), size=resamples)
    others = len(scores) - own
    defined = (own > 0) & (others > 0)
    asked = np.maximum(1, curve.asked(np.maximum(others, 1)))
    ranks = source.beta(asked, np.maximum(others, asked) - asked + 1)
    cuts = np.minimum((ranks * len(curve.others)).astype(np.intp), len(curve.others) - 1)
    beyond = 1.0 - curve.beyond[cuts] / len(curve.own)
    called = source.binomial(own, beyond)
    return np.asarray(np.divide(called, own, out=np.full(resamples, np.nan), where=defined))


@dataclass(frozen=True)
class _Curve:
    """Cases of a class, and of the other one, by score; for each of the latter how many of the former score no more.

    ``beyond`` has one entry for each case of the other class, taken as the last one below the cut.
    """

    own: NDArray[np.intp]
    others: NDArray[np.intp]
    beyond: NDArray[np.intp]
    rate: float

    @classmethod
    def of(cls, scores: Floats, of_class: NDArray[np.bool_], rate: float) -> _Curve:
        if np.isnan(scores).any():
            raise ValueError("a score is NaN")
        own, others = _sorted(scores, of_class), _sorted(scores, ~of_class)
        return cls(own, others, np.searchsorted(scores[own], scores[others], "right"), rate)

    def asked(self, others: NDArray[np.int64] | int) -> NDArray[np.int64]:
        """Return how many cases of the other class must stay below the cut."""
        return np.ceil(self.rate * np.asarray(others) - _ROUNDING).astype(np.int64)


def _sorted(scores: Floats, mask: NDArray[np.bool_]) -> NDArray[np.intp]:
    rows = np.flatnonzero(mask)
    return rows[np.argsort(scores[rows], kind="stable")]
