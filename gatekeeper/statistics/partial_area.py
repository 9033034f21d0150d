"""The area under the ROC curve up to a false-positive rate, raw and standardised, in many resamples at once.

The curve joins its points by straight lines, cases of one score together. Standardised: McClish, "Analyzing a portion
of the ROC curve", Med Decis Making 1989;9:190 (scikit-learn's ``roc_auc_score`` with ``max_fpr``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gatekeeper.statistics._falling import Counts, Weights, apart, few_rows, in_order, paired, room_for
from gatekeeper.statistics.influence import by_patient, no_bounds, ranked_interval
from gatekeeper.statistics.interval import Interval, check_confidence
from gatekeeper.statistics.proportions import clopper_pearson
from gatekeeper.statistics.roc import auroc_from_pairs

Floats = NDArray[np.float64]


def partial_auroc(scores: Floats, positive: NDArray[np.bool_], most: float, standardised: bool = True) -> float:
    """Return the area under the ROC curve up to the false-positive rate ``most``.

    Raw it lies in [0, most]. Standardised it is (1 + (area - most² / 2) / (most - most² / 2)) / 2: 1/2 where the curve
    lies on the diagonal, 1 where it is perfect, (1 - most) / (2 - most) at least.

    Parameters
    ----------
    scores : shape (n,), higher is more positive; infinite values rank as such
    positive : shape (n,), True where a case is positive

    Raises ValueError when a score is NaN, all cases are of one class, or unless 0 < most <= 1.
    """
    return float(_Curve.of(scores, positive, most).areas(np.ones((1, len(scores)), dtype=np.int64), standardised)[0])


def partial_auroc_of_weights(
    scores: Floats,
    positive: NDArray[np.bool_],
    most: float,
    weights: Weights,
    clusters: NDArray[np.intp],
    standardised: bool = True,
) -> Floats:
    """Return the partial area in each of B resamples; NaN where a resample has one class only.

    Parameters
    ----------
    scores, positive, most : as for ``partial_auroc``
    weights : shape (B, C), how often each resample takes each cluster, or blocks of such rows
    clusters : codes below C, shape (n,)

    Equals ``partial_auroc`` on the cases repeated so often, to within the rounding of a sum.
    """
    return _Curve.of(scores, positive, most).many(weights, clusters, standardised)


def partial_auroc_interval(
    scores: Floats,
    positive: NDArray[np.bool_],
    most: float,
    patients: NDArray[np.intp],
    confidence: float = 0.95,
    standardised: bool = True,
    times: float = 1.0,
) -> tuple[float, Interval]:
    """Return the partial area and the interval that the gate decides on (``influence.ranked_interval``).

    Where the classes are separated it is bounded by exact limits of the whole area A: what the curve loses up to
    ``most``, it loses of A as well, so that the raw area is at least ``most`` - (1 - A). With one patient in a class,
    or all scores equal, the interval is the whole span. ``times`` : as for ``ranked_interval``.

    Raises ValueError as ``partial_auroc`` does.
    """
    check_confidence(confidence)
    curve = _Curve.of(scores, positive, most)
    value = partial_auroc(scores, positive, most, standardised)
    span = (float(curve.scaled(np.zeros(1), standardised)[0]), float(curve.scaled(np.array([most]), standardised)[0]))
    above, below = np.unique(patients[positive]), np.unique(patients[~positive])
    pairs = min(len(above), len(below), len(np.union1d(above, below)) // 2)
    if scores[positive].min() > scores[~positive].max() and pairs:
        lost = 1.0 - clopper_pearson(pairs, pairs, confidence).lower
        lower = float(curve.scaled(np.array([max(0.0, most - lost)]), standardised)[0])
        return value, Interval(lower, span[1], confidence, auroc_from_pairs(1.0, pairs, confidence).method)
    if min(len(above), len(below)) < 2:
        return value, no_bounds(span, confidence, "one patient of a class bounds nothing")
    if scores.min() == scores.max():
        return value, no_bounds(span, confidence, "all scores are equal")
    contributions = by_patient(partial_auroc_contributions(scores, positive, most), patients)
    scale = (span[1] - span[0]) / most
    fewest = min(len(above), len(below))
    return value, ranked_interval(value, scale * contributions, span, fewest, confidence, times)


def partial_auroc_contributions(scores: Floats, positive: NDArray[np.bool_], most: float) -> Floats:
    """Return the derivative of the raw partial area to the weight of each case, shape (n,); they add up to 0.

    A positive case lifts the curve to the right of it, up to ``most``; a negative one pushes the curve to the right,
    and the cap by ``most`` of that. Where the curve is upright at the cap the derivative is that to the right.
    """
    return _Curve.of(scores, positive, most).contributions()


@dataclass(frozen=True)
class _Curve:
    """Cases from the highest score down, which of them are positive, and the last case of each score."""

    order: NDArray[np.intp]
    labels: NDArray[np.bool_]
    ends: NDArray[np.intp]
    most: float

    @classmethod
    def of(cls, scores: Floats, positive: NDArray[np.bool_], most: float) -> _Curve:
        scores, positive = np.asarray(scores, dtype=np.float64), np.asarray(positive, dtype=np.bool_)
        if scores.ndim != 1 or scores.shape != positive.shape or np.isnan(scores).any():
            raise ValueError("scores and labels must be of one length, and no score NaN")
        if positive.all() or not positive.any():
            raise ValueError("the area under the ROC curve needs cases of both classes")
        if not 0.0 < most <= 1.0:
            raise ValueError(f"a partial area goes to a false-positive rate above 0 and at most at 1, not to {most}")
        order = np.argsort(-scores, kind="stable")
        falling = scores[order]
        ends = np.append(np.flatnonzero(falling[1:] != falling[:-1]), len(falling) - 1)
        return cls(order, positive[order], ends, most)

    def areas(self, ordered: Counts, standardised: bool) -> Floats:
        """Return the area for each row of weights (B, n) in the order of the cases; NaN where a class is missing."""
        tp, fp = self._counted(ordered)
        return self.scaled(self._raw(tp, fp, tp[:, -1], fp[:, -1]), standardised)

    def many(self, weights: Weights, clusters: NDArray[np.intp], standardised: bool) -> Floats:
        """Return the area in each resample, from the cases above the cap alone; from all where those do not suffice."""
        columns = clusters[self.order]
        sizes = [np.bincount(columns[part]) for part in (self.labels, ~self.labels)]
        head = self._head(columns)
        cases = len(head.order)
        pieces, room = [], room_for(cases)
        for few in few_rows(weights, columns, cases):
            pairs = paired(few, len(columns))
            totals = np.stack([np.einsum("ij,j->i", pairs[:, : len(size)], size) for size in sizes], axis=1)
            positives, negatives = apart(totals, len(few)).T
            counted = head._counted(in_order(pairs, columns[:cases], room))
            tp, fp = (apart(counts, len(few)) for counts in counted)
            raw = head._raw(tp, fp, positives, negatives)
            short = fp[:, -1] <= self._reach(negatives) if cases < len(columns) else np.zeros(len(few), dtype=np.bool_)
            for row in np.flatnonzero(short):
                raw[row] = self.areas(few[row : row + 1].take(columns, axis=1), standardised=False)[0]
            pieces.append(raw)
        return self.scaled(np.concatenate(pieces) if pieces else np.empty(0), standardised)

    def _head(self, columns: NDArray[np.intp]) -> _Curve:
        """Return the highest cases, as many as pass the cap in nearly all resamples of the clusters."""
        negatives = np.cumsum(~self.labels)[self.ends]
        share = self.most + 5.0 * np.sqrt(self.most / len(np.unique(columns[~self.labels])))
        last = int(np.searchsorted(negatives, share * negatives[-1], "right"))
        if last >= len(self.ends) - 1:
            return self
        cases = int(self.ends[last]) + 1
        return _Curve(self.order[:cases], self.labels[:cases], self.ends[: last + 1], self.most)

    def _reach(self, negatives: Counts) -> Floats:
        """Return the number of false positives at the cap, and the rounding of it."""
        return self.most * negatives + 1e-9 * negatives

    def _raw(self, tp: Counts, fp: Counts, positives: Counts, negatives: Counts) -> Floats:
        """Return the raw area, from counts (B, cuts + 1) that pass the cap or are those of all cases."""
        cap, reach = self.most * negatives, self._reach(negatives)
        raw = np.full(len(tp), np.nan)
        for row in np.flatnonzero((positives > 0) & (negatives > 0)):
            last = int(np.searchsorted(fp[row], reach[row], "right")) - 1
            wide, high = np.diff(fp[row, : last + 1]), tp[row, 1 : last + 1] + tp[row, :last]
            total = float(np.einsum("i,i->", wide, high)) / 2.0
            over = float(cap[row] - fp[row, last])
            if over > 0.0 and last + 1 < fp.shape[1]:
                slope = (tp[row, last + 1] - tp[row, last]) / (fp[row, last + 1] - fp[row, last])
                total += over * (float(tp[row, last]) + over * float(slope) / 2.0)
            raw[row] = total / (float(positives[row]) * float(negatives[row]))
        return raw

    def scaled(self, raw: Floats, standardised: bool) -> Floats:
        chance = self.most**2 / 2.0
        return 0.5 * (1.0 + (raw - chance) / (self.most - chance)) if standardised else raw

    def contributions(self) -> Floats:
        tp, fp = (counts[0] for counts in self._counted(np.ones((1, len(self.order)), dtype=np.int64)))
        tpr, fpr = tp / tp[-1], fp / fp[-1]
        raw = float(self.areas(np.ones((1, len(self.order)), dtype=np.int64), standardised=False)[0])
        wide, rise = np.diff(fpr), np.diff(tpr)
        part = np.divide(self.most - fpr[:-1], wide, out=(fpr[:-1] < self.most) * 1.0, where=wide > 0).clip(0.0, 1.0)
        height = float((tpr[:-1] + rise * part)[part > 0.0].max())  # of the curve at the cap
        right = np.maximum(self.most - fpr[1:], 0.0) + wide * part**2 / 2.0
        passed = np.where(part > 0.0, tpr[:-1] + rise * part - rise * part**2 / 2.0, height)
        of_positive, of_negative = (right - raw) / tp[-1], (self.most * height - height + passed - raw) / fp[-1]
        group = np.searchsorted(self.ends, np.arange(len(self.order)), "left")
        found = np.empty(len(self.order))
        found[self.order] = np.where(self.labels, of_positive[group], of_negative[group])
        return found

    def _counted(self, ordered: Counts) -> tuple[Counts, Counts]:
        """Return true and false positives at each cut, from 0 on, for weights (B, n) in the order of the cases."""
        tp, fp = (np.zeros((len(ordered), len(self.ends) + 1), dtype=np.int64) for _ in range(2))
        called = np.cumsum(ordered, axis=1)
        hits = np.cumsum(np.multiply(ordered, self.labels, out=ordered), axis=1, out=ordered)
        tp[:, 1:] = hits if len(self.ends) == len(self.order) else hits.take(self.ends, axis=1)
        fp[:, 1:] = called if len(self.ends) == len(self.order) else called.take(self.ends, axis=1)
        fp -= tp
        return tp, fp
