"""The area under the ROC curve: its value, its interval, and its value in many resamples at once.

Definition: the probability that a positive case scores above a negative one, ties counted one half (Hanley & McNeil,
Radiology 1982;143:29). Variance: DeLong, DeLong & Clarke-Pearson, Biometrics 1988;44:837, computed from ranks in
O(n log n) as in Sun & Xu, IEEE Signal Process Lett 2014;21:1389.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gatekeeper.statistics._rank_plan import RankPlan, checked_weights
from gatekeeper.statistics.bootstrap import RESAMPLES, weight_blocks
from gatekeeper.statistics.effective import PHANTOM, freedom_correction
from gatekeeper.statistics.interval import Interval, check_confidence, inverse_logit, normal_quantile
from gatekeeper.statistics.proportions import clopper_pearson, wilson

Floats = NDArray[np.float64]


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
        return area, _no_bounds(confidence)
    centre = math.log(area / (1.0 - area))
    half = normal_quantile(confidence) * math.sqrt(variance) / (area * (1.0 - area))
    return area, Interval(
        inverse_logit(centre - half), inverse_logit(centre + half), confidence, "DeLong, on the log-odds scale"
    )


def auroc_interval(
    scores: Floats,
    labels: NDArray[np.integer] | NDArray[np.bool_],
    patients: NDArray[np.intp] | None = None,
    confidence: float = 0.95,
) -> tuple[float, Interval]:
    """Return the area under the ROC curve and the interval that the gate decides on.

    The variance is DeLong's, summed over patients where they have several cases (Obuchowski, Biometrics 1997;53:567):
    each patient's placements about their means. With the area it gives an effective number of independent pairs, and
    the limits are Wilson's on that number, with t of one less than the patients of the rarer class.

    DeLong's own limits promise too much where few positives overlap with the negatives, or the reverse: near 1 they
    lie above the truth up to ten times as often as they should, since the few who rank badly make the spread, and were
    not drawn. So each class is taken to hold a fifth of a patient more, ranked worst for the lower limit and best for
    the upper one (``effective``, a choice of this project; ``make coverage`` measures it).

    Where the classes are separated, or all scores equal, ``auroc_from_pairs`` gives exact limits; with one patient in
    a class the interval is otherwise [0, 1].

    Parameters
    ----------
    scores, labels : as for ``auroc``, shape (n,)
    patients : codes of the patients, shape (n,); without them each case is a patient

    Raises ValueError as ``auroc`` does.
    """
    check_confidence(confidence)
    scores, positive = _checked(scores, labels)
    codes = np.arange(len(scores)) if patients is None else np.asarray(patients)
    if codes.shape != scores.shape:
        raise ValueError(f"patients {codes.shape} and scores {scores.shape} must be of one length")
    order = np.lexsort((scores, codes))  # so that sums do not depend on the order of rows
    scores, positive, codes = scores[order], positive[order], codes[order]
    above, below = scores[positive], scores[~positive]
    ranks = _Ranks(
        _twice_below(above, np.sort(below)) / (2.0 * len(below)),
        1.0 - _twice_below(below, np.sort(above)) / (2.0 * len(above)),
        codes[positive],
        codes[~positive],
    )
    area = auroc(scores, positive)
    if area in (0.0, 1.0) or scores.min() == scores.max():
        return area, auroc_from_pairs(area, ranks.pairs, confidence) if ranks.pairs else _no_bounds(confidence)
    if ranks.fewest < 2:
        return area, _no_bounds(confidence)
    lower, upper = ranks.lower_limit(area, confidence), 1.0 - ranks.mirrored.lower_limit(1.0 - area, confidence)
    by = "DeLong" if patients is None or len(np.unique(codes)) == len(codes) else "DeLong by patient (Obuchowski)"
    return area, Interval(lower, upper, confidence, f"{by}, Wilson score on the effective number of pairs")


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
    weights: NDArray[np.integer] | Iterable[NDArray[np.integer]],
    clusters: NDArray[np.intp] | None = None,
) -> Floats:
    """Return the area under the ROC curve in each of B resamples; NaN where a resample has one class only.

    A resample is a row of ``weights``: how often it takes each case. The result equals that of ``auroc`` on
    the cases repeated so often. Cases are sorted once; sums of weights are exact integers.

    Parameters
    ----------
    scores, labels : as for ``auroc``, shape (n,)
    weights : shape (B, n), integers >= 0, or blocks of such rows as ``weight_blocks`` draws; with ``clusters`` (B, C)
    clusters : codes from 0 to C - 1, shape (n,); each case then takes the weight of its cluster

    Raises ValueError as ``auroc`` does, and when ``weights`` are not of the shape above, not integers or negative.
    """
    scores, positive = _checked(scores, labels)
    columns = np.arange(len(scores)) if clusters is None else np.asarray(clusters)
    if columns.shape != scores.shape or columns.min() < 0:
        raise ValueError(f"clusters {columns.shape} do not fit {len(scores)} cases, or one is negative")
    blocks = [weights] if isinstance(weights, np.ndarray) else weights
    width, exact = int(columns.max()) + 1, clusters is None
    return RankPlan.of(scores, positive, columns).areas(checked_weights(blocks, width, exact))


def bootstrap_auroc(
    scores: Floats,
    labels: NDArray[np.integer] | NDArray[np.bool_],
    clusters: NDArray[np.intp] | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Floats:
    """Return the area in each resample of ``weight_blocks``, drawn as they are used; a few MB whatever n and B are.

    Parameters and errors are those of ``auroc_of_weights``. The same seed and number of ``clusters`` take the same
    clusters, so that two sets of scores can be compared pair by pair. Without clusters cases are drawn one by one, in
    the order of their classes and scores: the order of rows changes nothing.
    """
    if clusters is not None:
        count = int(np.max(clusters, initial=-1)) + 1
        return auroc_of_weights(scores, labels, weight_blocks(count, resamples, seed), clusters)
    return RankPlan.of(*_checked(scores, labels), None).areas(weight_blocks(len(scores), resamples, seed))


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
class _Ranks:
    """Placements of each case, in [0, 1] and high when it ranks well, and the patients of the cases."""

    of_positives: Floats
    of_negatives: Floats
    patients_of_positives: NDArray[np.intp]
    patients_of_negatives: NDArray[np.intp]

    @property
    def mirrored(self) -> _Ranks:
        """The placements of the scores turned round."""
        patients = (self.patients_of_positives, self.patients_of_negatives)
        return _Ranks(1.0 - self.of_positives, 1.0 - self.of_negatives, *patients)

    @property
    def patients(self) -> tuple[int, int]:
        """Patients with a positive, and patients with a negative case."""
        return len(np.unique(self.patients_of_positives)), len(np.unique(self.patients_of_negatives))

    @property
    def fewest(self) -> int:
        return min(self.patients)

    @property
    def pairs(self) -> int:
        """How many pairs of a positive and a negative case there are in which no patient stands twice."""
        together = len(np.union1d(self.patients_of_positives, self.patients_of_negatives))
        return min(self.fewest, together // 2)

    def lower_limit(self, area: float, confidence: float) -> float:
        """Return Wilson's lower limit, a fifth of a patient of each class added who ranks worst."""
        highest = int(max(self.patients_of_positives.max(), self.patients_of_negatives.max())) + 1
        share = np.zeros(highest)
        shrunk, squares = area, 0.0
        classes = (self.of_positives, self.patients_of_positives), (self.of_negatives, self.patients_of_negatives)
        for (placements, codes), count in zip(classes, self.patients, strict=True):
            grown = 1.0 + PHANTOM / count
            mean = float(placements.mean()) / grown
            share += np.bincount(codes, weights=(placements - mean) / (len(placements) * grown), minlength=highest)
            squares += PHANTOM * (mean / (count * grown)) ** 2
            shrunk /= grown
        few = self.fewest + PHANTOM
        variance = few / (few - 1.0) * (float((share**2).sum()) + squares)
        effective = shrunk * (1.0 - shrunk) / variance * freedom_correction(self.fewest, confidence)
        return wilson(shrunk * effective, effective, confidence).lower


def _no_bounds(confidence: float) -> Interval:
    return Interval(0.0, 1.0, confidence, "none: one case of a class bounds nothing")


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


def _twice_below(of: Floats, among: Floats) -> NDArray[np.int64]:
    """For each value, twice the number of sorted values below it, an equal one counting one."""
    strictly, or_equal = np.searchsorted(among, of, "left"), np.searchsorted(among, of, "right")
    return (strictly + or_equal).astype(np.int64)
