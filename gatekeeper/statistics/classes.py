"""Several classes: intervals of metrics of a K x K table, and areas under ROC curves averaged over classes.

Sources: Fleiss, Cohen & Everitt, Psychol Bull 1969;72:323 (variance of weighted kappa by the delta method; the one
here, of leaving patients out, is alike to first order); Hand & Till, Mach Learn 2001;45:171 (one class against
another); Provost & Domingos, CeDER working paper 00-04, 2000 (one class against the rest, by the classes' shares).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gatekeeper.statistics.bootstrap import RESAMPLES, bootstrap_sums
from gatekeeper.statistics.calibration import checked_classes
from gatekeeper.statistics.influence import by_patient, no_bounds, ranked_interval, score_interval
from gatekeeper.statistics.interval import Interval, check_confidence
from gatekeeper.statistics.proportions import clopper_pearson
from gatekeeper.statistics.roc import auroc_of_weights

Floats = NDArray[np.float64]
Weights = NDArray[np.integer] | Iterable[NDArray[np.integer]]
Formula = Callable[[Floats], Floats]

_SPAN = (0.0, 1.0)


def table_replicates(formula: Formula, counts: Floats, resamples: int = RESAMPLES, seed: int = 0) -> Floats:
    """Return a metric of a table in each resample of the patients; NaN where it has no value.

    Parameters
    ----------
    formula : takes tables of shape (..., K, K), gives numbers of shape (...)
    counts : shape (C, K, K), by patient
    """
    _check_counts(counts)
    classes = counts.shape[-1]
    return formula(bootstrap_sums(counts.reshape(len(counts), -1), resamples, seed).reshape(-1, classes, classes))


def table_interval(
    formula: Formula, counts: Floats, span: tuple[float, float], confidence: float = 0.95, times: float = 1.0
) -> tuple[float, Interval]:
    """Return a metric of a K x K table and the interval that the gate decides on.

    Wilson's limits on the effective number of trials, from the variance over patients, each left out in turn. Where no
    call is wrong, a share u of cases may be wrong all the same, Clopper and Pearson's upper limit of 0 of C patients:
    the other limit is the worst that the metric takes when u of the cases go into one wrong cell. Where leaving a
    patient out leaves the metric without a value, or fewer than two patients are there, it is the whole span.

    Parameters
    ----------
    formula : as for ``table_replicates``; ``counts`` : shape (C, K, K), by patient
    span : the least and the greatest value of the metric
    times : for the interval of so many times as many patients who tell the same

    Raises ValueError where the metric has no value.
    """
    check_confidence(confidence)
    _check_counts(counts)
    counts = counts[counts.sum(axis=(1, 2)) > 0]
    total = counts.sum(axis=0)
    value = float(formula(total))
    if not math.isfinite(value):
        raise ValueError("a metric without a value has no interval")
    if np.trace(total) == total.sum():
        return value, _errorless(formula, total, len(counts) * times, span, confidence)
    kinds, times_seen = np.unique(counts.reshape(len(counts), -1), axis=0, return_counts=True)
    without = np.repeat(formula(total - kinds.reshape(-1, *total.shape)), times_seen)
    if len(counts) < 2 or not np.isfinite(without).all():
        return value, no_bounds(span, confidence, "without one of the patients the metric has no value")
    contributions = (len(counts) - 1.0) / len(counts) * (without.mean() - without)
    if not span[0] < value < span[1] or not (contributions != 0.0).any():
        return value, no_bounds(span, confidence, "no patient differs")
    return value, score_interval(value, contributions, span, confidence, times=times)


def one_against_rest_of_weights(
    scores: Floats, labels: NDArray[np.integer], weights: Weights, clusters: NDArray[np.intp], weighted: bool = False
) -> Floats:
    """Return the mean over classes of the area under the ROC curve against the rest, in each of B resamples.

    Parameters
    ----------
    scores : shape (n, K), rows of probabilities; ``labels`` : shape (n,), 0 to K - 1, each of them there
    weights : shape (B, C), how often each resample takes each cluster, or blocks of such rows
    clusters : codes below C, shape (n,)
    weighted : by the share of each class in the resample, else all alike

    NaN where a resample lacks a class. Raises ValueError for other scores or labels.
    """
    return _Areas.against_rest(scores, labels, weighted).many(weights, clusters)


def hand_till_of_weights(
    scores: Floats, labels: NDArray[np.integer], weights: Weights, clusters: NDArray[np.intp]
) -> Floats:
    """Return Hand and Till's M in each of B resamples: the mean area over ordered pairs of classes (i, j).

    Each is the probability that a case of i has a higher score for i than a case of j. Does not depend on the shares of
    the classes. Parameters and errors as for ``one_against_rest_of_weights``.
    """
    return _Areas.of_pairs(scores, labels).many(weights, clusters)


def one_against_rest_interval(
    scores: Floats,
    labels: NDArray[np.integer],
    patients: NDArray[np.intp],
    confidence: float = 0.95,
    weighted: bool = False,
    times: float = 1.0,
) -> tuple[float, Interval]:
    """Return the mean area against the rest and the interval that the gate decides on (``_Areas.interval``)."""
    return _Areas.against_rest(scores, labels, weighted).interval(patients, confidence, times)


def hand_till_interval(
    scores: Floats,
    labels: NDArray[np.integer],
    patients: NDArray[np.intp],
    confidence: float = 0.95,
    times: float = 1.0,
) -> tuple[float, Interval]:
    """Return Hand and Till's M and the interval that the gate decides on (``_Areas.interval``)."""
    return _Areas.of_pairs(scores, labels).interval(patients, confidence, times)


@dataclass(frozen=True)
class _Areas:
    """Areas to be averaged: of each, which score ranks (column), who is positive, and who takes part; (n,) each."""

    scores: Floats
    columns: tuple[int, ...]
    positive: tuple[NDArray[np.bool_], ...]
    part: tuple[NDArray[np.bool_], ...]
    weighted: bool = False

    @classmethod
    def against_rest(cls, scores: Floats, labels: NDArray[np.integer], weighted: bool) -> _Areas:
        scores, labels, classes = _all_classes(scores, labels)
        everyone = np.ones(len(labels), dtype=np.bool_)
        return cls(scores, classes, tuple(labels == k for k in classes), (everyone,) * len(classes), weighted)

    @classmethod
    def of_pairs(cls, scores: Floats, labels: NDArray[np.integer]) -> _Areas:
        scores, labels, classes = _all_classes(scores, labels)
        pairs = [(i, j) for i in classes for j in classes if i != j]
        return cls(
            scores,
            tuple(i for i, _ in pairs),
            tuple(labels == i for i, _ in pairs),
            tuple((labels == i) | (labels == j) for i, j in pairs),
        )

    def many(self, weights: Weights, clusters: NDArray[np.intp]) -> Floats:
        blocks = [weights] if isinstance(weights, np.ndarray) else [_small(block) for block in weights]
        areas, shares = [], []
        for column, positive, part in zip(self.columns, self.positive, self.part, strict=True):
            scores = self.scores[part, column]
            areas.append(auroc_of_weights(scores, positive[part], blocks, clusters[part]))
            if self.weighted:
                cases = np.bincount(clusters[positive], minlength=int(clusters.max()) + 1)
                shares.append(np.concatenate([block[:, : len(cases)] @ cases.astype(np.float64) for block in blocks]))
        if not self.weighted:
            return np.asarray(np.mean(areas, axis=0))
        return np.asarray((np.stack(areas) * shares).sum(axis=0) / np.sum(shares, axis=0))

    def interval(self, patients: NDArray[np.intp], confidence: float, times: float) -> tuple[float, Interval]:
        """``ranked_interval``; exact limits where all classes are separated; [0, 1] with one patient in a class.

        Exact: that all areas A_k are 1 has probability min A_k^(m_k) at most, m_k pairs without a patient in common,
        so that their mean is at least that of Clopper and Pearson's limits.
        """
        check_confidence(confidence)
        value = float(self.many(np.ones((1, int(patients.max()) + 1), dtype=np.int64), patients)[0])
        fewest = min(len(np.unique(patients[mask])) for mask in self.positive)
        if fewest < 2:
            return value, no_bounds(_SPAN, confidence, "one patient of a class bounds nothing")
        if value == 1.0:
            return value, self._separated(patients, confidence)
        contributions = by_patient(self._contributions(), patients)
        classes = self.scores.shape[1]
        return value, ranked_interval(value, contributions, _SPAN, classes * fewest, confidence, times)

    def _separated(self, patients: NDArray[np.intp], confidence: float) -> Interval:
        lower, least = 0.0, len(patients)
        shares = [float(mask.sum()) if self.weighted else 1.0 for mask in self.positive]
        for share, positive, part in zip(shares, self.positive, self.part, strict=True):
            above, below = np.unique(patients[positive]), np.unique(patients[part & ~positive])
            pairs = min(len(above), len(below), len(np.union1d(above, below)) // 2)
            least = min(least, pairs)
            lower += share / sum(shares) * (clopper_pearson(pairs, pairs, confidence).lower if pairs else 0.0)
        method = f"Clopper-Pearson (exact) over {least:,} independent pairs or more, since the classes are separated"
        return Interval(lower, 1.0, confidence, method)

    def _contributions(self) -> Floats:
        """Return the derivative of the mean area to the weight of each case, shape (n,); they add up to 0."""
        found, values, total = np.zeros(len(self.scores)), [], len(self.scores)
        shares = [mask.mean() if self.weighted else 1.0 / len(self.columns) for mask in self.positive]
        for share, column, positive, part in zip(shares, self.columns, self.positive, self.part, strict=True):
            above, below = self.scores[part & positive, column], self.scores[part & ~positive, column]
            of_above, of_below = _below(above, np.sort(below)), 1.0 - _below(below, np.sort(above))
            area = float(np.sort(of_above).mean())  # whatever the order of rows
            values.append(area)
            found[part & positive] += share * (of_above - area) / len(above)
            found[part & ~positive] += share * (of_below - area) / len(below)
        if self.weighted:
            mean = float(np.dot(shares, values))
            for area, positive in zip(values, self.positive, strict=True):
                found[positive] += (area - mean) / total
        return found


def _below(of: Floats, among: Floats) -> Floats:
    """Return the share of sorted values below each value, an equal one counting one half."""
    return (np.searchsorted(among, of, "left") + np.searchsorted(among, of, "right")) / (2.0 * len(among))


def _all_classes(scores: Floats, labels: NDArray[np.integer]) -> tuple[Floats, NDArray[np.intp], tuple[int, ...]]:
    scores, labels = checked_classes(scores, labels)
    if len(np.unique(labels)) < scores.shape[1]:
        raise ValueError("a mean area over classes needs cases of every class")
    return scores, labels, tuple(range(scores.shape[1]))


def _small(block: NDArray[np.integer]) -> NDArray[np.uint16]:
    """Return a block in a quarter of the memory: it is gone through once for each area."""
    return block.astype(np.uint16)


def _errorless(
    formula: Formula, total: Floats, patients: float, span: tuple[float, float], confidence: float
) -> Interval:
    share, classes = clopper_pearson(0, patients, confidence).upper, len(total)
    value = float(formula(total))
    reached = [value]
    for i in range(classes):
        for j in range(classes):
            moved = total.copy()
            wrong = min(share * float(total.sum()), float(total[i, i])) if i != j else 0.0
            moved[i, i] -= wrong
            moved[i, j] += wrong
            reached.append(float(formula(moved)))
    undefined = not np.isfinite(reached).all()
    far = span[0] if value >= (span[0] + span[1]) / 2.0 else span[1]
    lower, upper = (min(value, far), max(value, far)) if undefined else (min(reached), max(reached))
    return Interval(lower, upper, confidence, "Clopper-Pearson (exact) share of wrong calls, put where it is worst")


def _check_counts(counts: Floats) -> None:
    if counts.ndim != 3 or counts.shape[1] != counts.shape[2] or not np.isfinite(counts).all() or (counts < 0).any():
        raise ValueError(f"counts must be finite, 0 or more, and of shape (C, K, K), not {counts.shape}")
    if counts.sum() <= 0:
        raise ValueError("a table without a case")
