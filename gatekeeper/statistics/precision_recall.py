"""Average precision, precision at a sensitivity and sensitivity at a precision, in many resamples at once.

Definitions: average precision is Σ (R_k - R_{k-1}) P_k over the cuts of the score from the highest down, without
interpolation, cases of one score together (Buckley & Voorhees, SIGIR 2000:33; scikit-learn's
``average_precision_score``). The other two are the best of one rate among all cuts at which the other is at least the
one asked for (Metrics Reloaded, Maier-Hein et al., Nat Methods 2024, doi 10.1038/s41592-023-02151-z). All depend on
the test set's prevalence.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gatekeeper.statistics._falling import Counts, Weights, apart, few_rows, in_order, paired, room_for
from gatekeeper.statistics.bca import bca_interval
from gatekeeper.statistics.bootstrap import RESAMPLES, percentile_interval, weight_blocks
from gatekeeper.statistics.influence import by_patient, no_bounds, ranked_interval
from gatekeeper.statistics.interval import Interval, Undecidable, check_confidence
from gatekeeper.statistics.proportions import clopper_pearson

Floats = NDArray[np.float64]

_Of = Callable[[Counts, Counts], Floats]  # a number of each resample, from its hits and calls at every cut

_ROUNDING = 1e-9  # 0.55 of 100 cases is 55 of them, though 0.55 * 100 in binary is a little more
_SPAN = (0.0, 1.0)
_BOOTSTRAP = "patient-cluster bootstrap"
_SEPARATED = "least of any ROC curve, from {:,} independent pairs, since the classes are separated"


def average_precision(scores: Floats, positive: NDArray[np.bool_]) -> float:
    """Return the average precision, in (0, 1]; the share of positives when all scores are equal.

    Parameters
    ----------
    scores : shape (n,), higher is more positive; infinite values rank as such
    positive : shape (n,), True where a case is positive

    Raises ValueError when a score is NaN, the shapes differ or no case is positive.
    """
    return float(_Curve.of(scores, positive).once(_average)[0])


def average_precision_of_weights(
    scores: Floats, positive: NDArray[np.bool_], weights: Weights, clusters: NDArray[np.intp]
) -> Floats:
    """Return the average precision in each of B resamples; NaN where a resample has no positive case.

    Parameters
    ----------
    scores, positive : as for ``average_precision``
    weights : shape (B, C), how often each resample takes each cluster, or blocks of such rows
    clusters : codes below C, shape (n,)

    Equals ``average_precision`` on the cases repeated so often, to within the rounding of a sum.
    """
    return _Curve.of(scores, positive).many(_average, weights, clusters)


def precision_at_sensitivity_of_weights(
    scores: Floats, positive: NDArray[np.bool_], sensitivity: float, weights: Weights, clusters: NDArray[np.intp]
) -> Floats:
    """Return, in each of B resamples, the best precision among all cuts that call at least this share of positives.

    Such a cut is always there: the lowest calls all. NaN where a resample has no positive case. Parameters and errors
    as for ``average_precision_of_weights``; also ValueError unless 0 < sensitivity <= 1.
    """
    return _Curve.of(scores, positive).many(_precision_at(sensitivity), weights, clusters)


def sensitivity_at_precision_of_weights(
    scores: Floats, positive: NDArray[np.bool_], precision: float, weights: Weights, clusters: NDArray[np.intp]
) -> Floats:
    """Return, in each of B resamples, the best sensitivity among all cuts at which this share of alarms is right.

    NaN where no cut has such a precision, or a resample no positive case. Parameters and errors as for
    ``average_precision_of_weights``; also ValueError unless 0 < precision <= 1.
    """
    return _Curve.of(scores, positive).many(_sensitivity_at(precision), weights, clusters)


def average_precision_interval(
    scores: Floats,
    positive: NDArray[np.bool_],
    patients: NDArray[np.intp],
    confidence: float = 0.95,
    times: float = 1.0,
) -> tuple[float, Interval]:
    """Return the average precision and the interval that the gate decides on (``influence.ranked_interval``).

    Percentile limits of resamples lie above the truth in 3 to 12 % of test sets of 100 to 300 cases instead of 2.5 %,
    more often the nearer it is to 1; BCa's in up to 7 %. Where the classes are separated there is no spread:
    ``average_precision_from_pairs`` bounds it. With one patient in a class, or all scores equal, it is [0, 1].

    Parameters
    ----------
    scores, positive : as for ``average_precision``, cases of both classes
    patients : codes of the patients, shape (n,)
    times : for the interval of so many times as many patients who tell the same

    Raises ValueError as ``average_precision`` does, and without a negative case.
    """
    check_confidence(confidence)
    value = float(_Curve.of(scores, positive).once(_average)[0])
    unbounded = _unbounded(scores, positive, patients, confidence)
    if unbounded is not None:
        return value, unbounded
    separated = _separated_area(scores, positive, patients, confidence)
    if separated is not None:
        return value, average_precision_from_pairs(separated[1], _odds(positive), confidence)
    contributions = by_patient(average_precision_contributions(scores, positive), patients)
    fewest = min(len(np.unique(patients[positive])), len(np.unique(patients[~positive])))
    return value, ranked_interval(value, contributions, _SPAN, fewest, confidence, times)


def average_precision_from_pairs(pairs: int, odds: float, confidence: float = 0.95) -> Interval:
    """Return conservative limits of an average precision of 1: every positive case scored above every negative one.

    With an area under the ROC curve of A that is so with probability A^pairs at most, so A is at least Clopper and
    Pearson's limit for ``pairs`` of ``pairs``. The least average precision of any ROC curve with q = 1 - A above it is,
    with r negatives for each positive, 1 - √(6 r q) / 3, or 4 / (9 (r q + 1/2)) where r q > 1/6: the minimum of
    ∫ t / (t + r f(t)) dt over false-positive rates f of mean q. No cut needs to be assumed.

    Raises ValueError unless ``pairs`` (of a positive and a negative that share no patient) and ``odds`` are above 0.
    """
    if pairs < 1 or not odds > 0.0:
        raise ValueError("limits from pairs need a pair, and negatives for each positive")
    spared = odds * (1.0 - clopper_pearson(pairs, pairs, confidence).lower)
    lower = 1.0 - math.sqrt(6.0 * spared) / 3.0 if spared <= 1.0 / 6.0 else 4.0 / (9.0 * (spared + 0.5))
    return Interval(lower, 1.0, confidence, _SEPARATED.format(pairs))


def average_precision_contributions(scores: Floats, positive: NDArray[np.bool_]) -> Floats:
    """Return the derivative of the average precision to the weight of each case, shape (n,); they add up to 0.

    (1 / P) (y_j (p_j - AP) + Σ (y_j - p_i) / n_i), the sum over positives i that score no more than j; p_i is the
    precision and n_i the number of cases called at the cut at i, P the number of positives.
    """
    curve = _Curve.of(scores, positive)
    tp, called = curve.counted(np.ones((1, len(scores)), dtype=np.int64))
    at = tp[0] / called[0]
    new = np.diff(tp[0], prepend=0) / called[0]
    value = float((np.diff(tp[0], prepend=0) * at).sum()) / curve.positives
    group = np.searchsorted(-curve.cuts, -np.asarray(scores, dtype=np.float64), "left")
    from_here, times_precision = (np.append(np.cumsum(part[::-1])[::-1], 0.0) for part in (new, new * at))
    own = np.append(at, 0.0)[group] - value
    return np.asarray((positive * (own + from_here[group]) - times_precision[group]) / curve.positives)


def precision_at_sensitivity_interval(
    scores: Floats,
    positive: NDArray[np.bool_],
    sensitivity: float,
    patients: NDArray[np.intp],
    confidence: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> tuple[float, Interval]:
    """Return the best precision at a sensitivity and the interval that the gate decides on.

    Bias-corrected percentile limits over resamples of patients. Where the classes are separated: an area A under the
    ROC curve lets f, the false-positive rate at the sensitivity s, be (1 - A) / (1 - s) at most, and the precision is
    s / (s + r f) at least, r negatives for each positive. With one patient in a class, or all scores equal, [0, 1].

    Parameters and errors as for ``average_precision_interval``; also Undecidable where more than 5 % of the resamples
    have no positive case.
    """
    check_confidence(confidence)
    value, replicates = _resampled(_precision_at(sensitivity), scores, positive, patients, resamples, seed)
    unbounded = _unbounded(scores, positive, patients, confidence)
    if unbounded is not None:
        return value, unbounded
    separated = _separated_area(scores, positive, patients, confidence)
    if separated is not None:
        lost, pairs = separated
        alarms = min(1.0, lost / (1.0 - sensitivity)) if sensitivity < 1.0 else 1.0
        lower = sensitivity / (sensitivity + _odds(positive) * alarms)
        return value, Interval(lower, 1.0, confidence, _SEPARATED.format(pairs))
    if replicates.min() == replicates.max():
        return value, no_bounds(_SPAN, confidence, "no resample differs")
    return value, bca_interval(replicates, value, np.zeros(2), confidence, f"{_BOOTSTRAP}, bias-corrected")


def sensitivity_at_precision_interval(
    scores: Floats,
    positive: NDArray[np.bool_],
    precision: float,
    patients: NDArray[np.intp],
    confidence: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> tuple[float, Interval]:
    """Return the best sensitivity at a precision and the interval that the gate decides on.

    Percentile limits over resamples of patients. Where the classes are separated, a sensitivity t has the precision p
    unless the false-positive rate there is above k t, k = (1 - p) / (r p); an area A under the ROC curve lets that be
    so for all t above √(1 - 2 (1 - A) / k) at most. With one patient in a class, or all scores equal, it is [0, 1].

    Raises Undecidable where no cut of the test set, or none in more than 5 % of the resamples, has such a precision.
    """
    check_confidence(confidence)
    value, replicates = _resampled(_sensitivity_at(precision), scores, positive, patients, resamples, seed)
    unbounded = _unbounded(scores, positive, patients, confidence)
    if unbounded is not None:
        return value, unbounded
    separated = _separated_area(scores, positive, patients, confidence)
    if separated is not None:
        lost, pairs = separated
        left = 1.0 - 2.0 * lost * _odds(positive) * precision / (1.0 - precision) if precision < 1.0 else 0.0
        return value, Interval(math.sqrt(max(0.0, left)), 1.0, confidence, _SEPARATED.format(pairs))
    if np.nanmin(replicates) == np.nanmax(replicates):
        return value, no_bounds(_SPAN, confidence, "no resample differs")
    return value, percentile_interval(replicates, confidence, f"{_BOOTSTRAP}, percentile")


def _separated_area(
    scores: Floats, positive: NDArray[np.bool_], patients: NDArray[np.intp], confidence: float
) -> tuple[float, int] | None:
    """Return 1 - A for the least area A that lets all positives score above all negatives; None where they do not."""
    pairs = _pairs(patients, positive)
    if pairs < 1 or scores[positive].min() <= scores[~positive].max():
        return None
    return 1.0 - clopper_pearson(pairs, pairs, confidence).lower, pairs


def _resampled(
    of: _Of,
    scores: Floats,
    positive: NDArray[np.bool_],
    patients: NDArray[np.intp],
    resamples: int,
    seed: int,
) -> tuple[float, Floats]:
    curve = _Curve.of(scores, positive)
    value = float(curve.once(of)[0])
    if not math.isfinite(value):
        raise Undecidable("no cut of the score reaches the rate that was asked for")
    return value, curve.many(of, weight_blocks(int(patients.max()) + 1, resamples, seed), patients)


def _average(tp: Counts, called: Counts) -> Floats:
    new = tp.copy()
    new[:, 1:] -= tp[:, :-1]
    at = tp / np.maximum(called, 1)
    total = tp[:, -1]
    return np.asarray(np.divide(np.einsum("ij,ij->i", new, at), total, out=np.full(len(tp), np.nan), where=total > 0))


def _precision_at(sensitivity: float) -> _Of:
    _check_share(sensitivity, "sensitivity")

    def of(tp: Counts, called: Counts) -> Floats:
        total = tp[:, -1:]
        enough = (tp >= np.ceil(sensitivity * total - _ROUNDING)) & (tp > 0)
        at = np.where(enough, tp / np.maximum(called, 1), 0.0)
        return np.where(total[:, 0] > 0, at.max(axis=1), np.nan)

    return of


def _sensitivity_at(precision: float) -> _Of:
    _check_share(precision, "precision")

    def of(tp: Counts, called: Counts) -> Floats:
        found = np.where((tp >= precision * called - _ROUNDING) & (tp > 0), tp, 0).max(axis=1)
        return np.asarray(np.divide(found, tp[:, -1], out=np.full(len(tp), np.nan), where=found > 0))

    return of


@dataclass(frozen=True)
class _Curve:
    """Cases from the highest score down, and the last case of each score that a positive case has.

    Between such scores precision only falls, and no sensitivity is gained.
    """

    order: NDArray[np.intp]
    hits: NDArray[np.intp]
    ends: NDArray[np.intp]
    cuts: Floats

    @classmethod
    def of(cls, scores: Floats, positive: NDArray[np.bool_]) -> _Curve:
        scores, positive = np.asarray(scores, dtype=np.float64), np.asarray(positive, dtype=np.bool_)
        if scores.ndim != 1 or scores.shape != positive.shape or np.isnan(scores).any():
            raise ValueError("scores and labels must be of one length, and no score NaN")
        if not positive.any():
            raise ValueError("precision over sensitivity needs a positive case")
        order = np.argsort(-scores, kind="stable")
        cuts = np.unique(scores[positive])[::-1]
        return cls(order, np.flatnonzero(positive[order]), np.searchsorted(-scores[order], -cuts, "right") - 1, cuts)

    @property
    def positives(self) -> int:
        return len(self.hits)

    def once(self, of: _Of) -> Floats:
        return of(*self.counted(np.ones((1, len(self.order)), dtype=np.int64)))

    def counted(self, ordered: Counts) -> tuple[Counts, Counts]:
        """Return true positives and calls at each cut, for weights (B, n) in the order of the cases; sums those up."""
        tp = ordered.take(self.hits, axis=1)
        np.cumsum(tp, axis=1, out=tp)
        if len(self.hits) > len(self.ends):
            tp = tp.take(np.searchsorted(self.hits, self.ends, "right") - 1, axis=1)
        return tp, np.cumsum(ordered, axis=1, out=ordered).take(self.ends, axis=1)

    def many(self, of: _Of, weights: Weights, clusters: NDArray[np.intp]) -> Floats:
        columns, cases = clusters[self.order], len(self.order)
        pieces, room = [], room_for(cases)
        for few in few_rows(weights, columns, cases):
            tp, called = self.counted(in_order(paired(few, cases), columns, room))
            pieces.append(of(apart(tp, len(few)), apart(called, len(few))))
        return np.concatenate(pieces) if pieces else np.empty(0)


def _unbounded(
    scores: Floats, positive: NDArray[np.bool_], patients: NDArray[np.intp], confidence: float
) -> Interval | None:
    if positive.all():
        raise ValueError("an interval of precision over sensitivity needs cases of both classes")
    if min(len(np.unique(patients[positive])), len(np.unique(patients[~positive]))) < 2:
        return no_bounds(_SPAN, confidence, "one patient of a class bounds nothing")
    return no_bounds(_SPAN, confidence, "all scores are equal") if scores.min() == scores.max() else None


def _odds(positive: NDArray[np.bool_]) -> float:
    """Return how many negatives there are for each positive."""
    return float((~positive).sum()) / float(positive.sum())


def _pairs(patients: NDArray[np.intp], positive: NDArray[np.bool_]) -> int:
    """Return how many pairs of a positive and a negative case there are in which no patient stands twice."""
    above, below = np.unique(patients[positive]), np.unique(patients[~positive])
    return min(len(above), len(below), len(np.union1d(above, below)) // 2)


def _check_share(share: float, name: str) -> None:
    if not 0.0 < share <= 1.0:
        raise ValueError(f"a {name} to reach lies above 0 and at most at 1, not at {share}")
