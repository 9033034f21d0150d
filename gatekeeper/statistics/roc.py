"""The area under the ROC curve: its value, its interval, and its value in many resamples at once.

Definition: the probability that a positive case scores above a negative one, ties counted one half (Hanley & McNeil,
Radiology 1982;143:29). Variance: DeLong, DeLong & Clarke-Pearson, Biometrics 1988;44:837, computed from ranks in
O(n log n) as in Sun & Xu, IEEE Signal Process Lett 2014;21:1389.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gatekeeper.statistics.interval import Interval, check_confidence, inverse_logit, normal_quantile
from gatekeeper.statistics.proportions import clopper_pearson

Floats = NDArray[np.float64]

_CHUNK_ELEMENTS = 1 << 17  # weights handled at a time: the working arrays stay in the processor's cache
_SAFE_IN_INT32 = 1 << 30


def auroc(scores: Floats, labels: NDArray[np.integer] | NDArray[np.bool_]) -> float:
    """Return the area under the ROC curve, in [0, 1].

    Parameters
    ----------
    scores : shape (n,), higher is more positive; infinite values rank as such
    labels : shape (n,), 1 or True is positive, 0 or False is negative

    Raises ValueError when a score is NaN, a label is neither 0 nor 1, or all cases are of one class.
    """
    return _Placements.of(scores, labels).area


def delong(
    scores: Floats, labels: NDArray[np.integer] | NDArray[np.bool_], confidence: float = 0.95
) -> tuple[float, Interval]:
    """Return the area under the ROC curve of independent cases and its interval.

    The interval is DeLong's, symmetric on the log-odds scale: logit(A) ± z SE(A) / (A (1 - A)), taken back to [0, 1].

    DeLong's variance says nothing where it is 0 or undefined. It is 0 when A is 1 or 0 and when all scores are equal:
    then ``auroc_from_pairs`` gives a conservative interval from min(positives, negatives) pairs. It is undefined with
    one case of a class: then, unless A is 1 or 0, the interval is [0, 1].

    Raises ValueError as ``auroc`` does.
    """
    check_confidence(confidence)
    placements = _Placements.of(scores, labels)
    area, variance = placements.area, placements.variance
    if area in (0.0, 1.0) or variance == 0.0:
        return area, auroc_from_pairs(area, placements.pairs, confidence)
    if variance is None:
        return area, Interval(0.0, 1.0, confidence, "none: one case of a class bounds nothing")
    centre = math.log(area / (1.0 - area))
    half = normal_quantile(confidence) * math.sqrt(variance) / (area * (1.0 - area))
    return area, Interval(
        inverse_logit(centre - half), inverse_logit(centre + half), confidence, "DeLong, on the log-odds scale"
    )


def auroc_from_pairs(area: float, pairs: int, confidence: float = 0.95) -> Interval:
    """Return conservative limits of an area that nothing in the data contradicts: 1, 0, or all scores equal.

    ``pairs`` counts pairs of a positive and a negative that share no case (with clusters: no patient). All of them
    being in order has probability A^pairs at most, so with A = 1 seen the lower limit is that of Clopper and Pearson
    for ``pairs`` of ``pairs`` hits; no assumption on the scores allows a tighter one. With A = 0 it is the mirror
    image. When all scores are equal every pair is a tie, and A may lie anywhere between half of that limit and one
    less that half.

    Raises ValueError for no pair, or an area other than 0, 1/2 and 1.
    """
    limit = clopper_pearson(pairs, pairs, confidence).lower
    limits = {1.0: (limit, 1.0), 0.0: (0.0, 1.0 - limit), 0.5: (limit / 2.0, 1.0 - limit / 2.0)}
    if area not in limits:
        raise ValueError(f"pairs do not bound an area of {area}")
    why = "all scores are equal" if area == 0.5 else "the classes are separated"
    return Interval(*limits[area], confidence, f"Clopper-Pearson (exact) over {pairs:,} independent pairs, since {why}")


def auroc_of_weights(
    scores: Floats,
    labels: NDArray[np.integer] | NDArray[np.bool_],
    weights: NDArray[np.integer],
    clusters: NDArray[np.intp] | None = None,
) -> Floats:
    """Return the area under the ROC curve in each of B resamples; NaN where a resample has one class only.

    A resample is a row of ``weights``: how often it takes each case. The result equals that of ``auroc`` on the cases
    repeated so often. Cases are sorted once; sums of weights are exact integers; besides its arguments the function
    needs a few MB.

    Parameters
    ----------
    scores, labels : as for ``auroc``, shape (n,)
    weights : shape (B, n), integers >= 0; with ``clusters`` shape (B, C)
    clusters : codes from 0 to C - 1, shape (n,); each case then takes the weight of its cluster

    Raises ValueError as ``auroc`` does, and when ``weights`` are not of the shape above, not integers or negative.
    """
    scores, positive = _checked(scores, labels)
    columns = np.arange(weights.shape[-1]) if clusters is None else np.asarray(clusters)
    _check_weights(weights, columns, len(scores))
    plan = _RankPlan.of(scores, positive, columns)
    rows = max(1, _CHUNK_ELEMENTS // len(scores))
    pieces = [plan.areas(weights[start : start + rows]) for start in range(0, len(weights), rows)]
    return np.concatenate(pieces) if pieces else np.empty(0)


@dataclass(frozen=True)
class _Placements:
    """Twice the number of cases of the other class on the right side of each case, a tie counting one; integers."""

    of_positives: NDArray[np.int64]
    of_negatives: NDArray[np.int64]

    @classmethod
    def of(cls, scores: Floats, labels: NDArray[np.integer] | NDArray[np.bool_]) -> _Placements:
        scores, positive = _checked(scores, labels)
        above, below = np.sort(scores[positive]), np.sort(scores[~positive])
        return cls(_twice_below(above, below), 2 * len(above) - _twice_below(below, above))

    @property
    def pairs(self) -> int:
        return min(len(self.of_positives), len(self.of_negatives))

    @property
    def area(self) -> float:
        return int(self.of_positives.sum()) / (2 * len(self.of_positives) * len(self.of_negatives))

    @property
    def variance(self) -> float | None:
        """DeLong's variance of the area: of the mean placement in each class, added; None with one case of a class."""
        m, n = len(self.of_positives), len(self.of_negatives)
        if self.pairs < 2:
            return None
        of_positives = float(np.var(self.of_positives / (2.0 * n), ddof=1)) / m
        of_negatives = float(np.var(self.of_negatives / (2.0 * m), ddof=1)) / n
        return of_positives + of_negatives


@dataclass(frozen=True)
class _RankPlan:
    """Where the weight of each case stands, sorted by score within its class, and how many negatives lie below."""

    positives: NDArray[np.intp]
    negatives: NDArray[np.intp]
    strictly_below: NDArray[np.intp]
    below_or_equal: NDArray[np.intp]

    @classmethod
    def of(cls, scores: Floats, positive: NDArray[np.bool_], columns: NDArray[np.intp]) -> _RankPlan:
        order = np.argsort(scores, kind="stable")
        above, below = order[positive[order]], order[~positive[order]]
        return cls(
            positives=columns[above],
            negatives=columns[below],
            strictly_below=np.searchsorted(scores[below], scores[above], "left"),
            below_or_equal=np.searchsorted(scores[below], scores[above], "right"),
        )

    def areas(self, weights: NDArray[np.integer]) -> Floats:
        of_positives, of_negatives = weights[:, self.positives], weights[:, self.negatives]
        largest = int(of_negatives.sum(axis=1, dtype=np.int64).max())
        exact = np.int32 if largest < _SAFE_IN_INT32 else np.int64
        up_to = np.zeros((len(weights), len(self.negatives) + 1), dtype=exact)
        np.cumsum(of_negatives, axis=1, dtype=exact, out=up_to[:, 1:])
        twice_below = up_to[:, self.strictly_below] + up_to[:, self.below_or_equal]
        won = np.einsum("ij,ij->i", of_positives.astype(np.float64), twice_below.astype(np.float64))
        pairs = of_positives.sum(axis=1, dtype=np.float64) * up_to[:, -1]
        return np.asarray(np.divide(won, 2.0 * pairs, out=np.full(len(weights), np.nan), where=pairs > 0))


def _checked(scores: Floats, labels: NDArray[np.integer] | NDArray[np.bool_]) -> tuple[Floats, NDArray[np.bool_]]:
    scores, labels = np.asarray(scores, dtype=np.float64), np.asarray(labels)
    if scores.ndim != 1 or scores.shape != labels.shape:
        raise ValueError(f"scores {scores.shape} and labels {labels.shape} must be of one length")
    if np.isnan(scores).any():
        raise ValueError("a score is NaN")
    positive = labels == 1
    if not (positive | (labels == 0)).all():
        raise ValueError("a label is neither 0 nor 1")
    if positive.all() or not positive.any():
        raise ValueError("the area under the ROC curve needs cases of both classes")
    return scores, positive


def _check_weights(weights: NDArray[np.integer], columns: NDArray[np.intp], cases: int) -> None:
    if not np.issubdtype(weights.dtype, np.integer):
        raise ValueError(f"weights are counts of cases, not {weights.dtype}")
    if weights.ndim != 2 or len(columns) != cases or columns.min() < 0 or columns.max() >= weights.shape[1]:
        raise ValueError(f"weights {weights.shape} do not fit {cases} cases or their clusters")
    if np.issubdtype(weights.dtype, np.signedinteger) and weights.size and weights.min() < 0:
        raise ValueError("a weight is negative")


def _twice_below(of: Floats, among: Floats) -> NDArray[np.int64]:
    """For each value, twice the number of sorted values below it, an equal one counting one."""
    strictly, or_equal = np.searchsorted(among, of, "left"), np.searchsorted(among, of, "right")
    return (strictly + or_equal).astype(np.int64)
