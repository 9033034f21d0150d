"""Calibration of probabilities by bins: the reliability curve, and expected and maximum calibration error.

Sources: Naeini, Cooper & Hauskrecht, AAAI 2015:2901 (ECE, MCE); Guo, Pleiss, Sun & Weinberger, ICML 2017:1321 (top
label); Kull et al., NeurIPS 2019;32:12316 (class-wise). Bins are closed on the right, the first also on the left:
a score of 0.2 with bins a tenth wide is in (0.1, 0.2].
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from gatekeeper.statistics.bootstrap import RESAMPLES, weight_blocks, weighted_sums
from gatekeeper.statistics.effective import equivalent_trials
from gatekeeper.statistics.influence import no_bounds
from gatekeeper.statistics.interval import Interval, check_confidence, error_each_side
from gatekeeper.statistics.proportions import clopper_pearson

Floats = NDArray[np.float64]
Labels = NDArray[np.integer] | NDArray[np.bool_]

BINS = 15

_BATCH_ROWS = 16  # so that the sums by cluster, which the cache does not hold, are read less often


@dataclass(frozen=True)
class ReliabilityBin:
    """One bin of a reliability curve: scores in (``above``, ``up_to``], their mean, and the share that is positive."""

    above: float
    up_to: float
    cases: int
    mean_score: float
    observed: float
    interval: Interval


@dataclass(frozen=True)
class Binned:
    """Sums by cluster and bin: how many cases, and scores less labels; both of shape (C, bins)."""

    cases: Floats
    surplus: Floats

    @classmethod
    def of(cls, scores: Floats, labels: Labels, edges: Floats, clusters: NDArray[np.intp]) -> Binned:
        """Sum up scores in [0, 1] and labels of 0 and 1, both of shape (n,), whose clusters are codes from 0 on."""
        chances, truth = checked(scores, labels)
        surplus = chances - truth
        bins, count = len(edges) - 1, int(clusters.max()) + 1
        code = clusters * bins + bin_of(chances, edges)
        order = np.lexsort((surplus, code))  # so that sums do not depend on the order of rows
        sums = np.bincount(code[order], surplus[order], count * bins).astype(np.float64)
        cases = np.bincount(code, None, count * bins).astype(np.float64)
        return cls(cases.reshape(count, bins), sums.reshape(count, bins))

    @classmethod
    def of_classes(
        cls, scores: Floats, labels: NDArray[np.integer], edges: Floats, clusters: NDArray[np.intp]
    ) -> Binned:
        """Sum up each class against the rest, the bins of all classes side by side: shape (C, K bins).

        Each case counts once for each class, so that the expected error is the mean of the classes' errors.
        """
        scores, labels = checked_classes(scores, labels)
        parts = [cls.of(scores[:, k], labels == k, edges, clusters) for k in range(scores.shape[1])]
        return cls(np.concatenate([p.cases for p in parts], 1), np.concatenate([p.surplus for p in parts], 1))

    def expected(self, weights: NDArray[np.integer] | Iterable[NDArray[np.integer]]) -> Floats:
        """Return the expected calibration error in each of B resamples; NaN where a resample has no case."""
        return self.of_sums(self.sums(weights), expected=True)

    def maximum(self, weights: NDArray[np.integer] | Iterable[NDArray[np.integer]]) -> Floats:
        """Return the maximum calibration error, over bins with a case, in each of B resamples."""
        return self.of_sums(self.sums(weights), expected=False)

    def resampled(self, expected: bool, resamples: int, seed: int) -> Floats:
        """Return either error in each of so many resamples of the clusters, drawn by ``weight_blocks``."""
        return self.of_sums(self.sums(weight_blocks(len(self.cases), resamples, seed)), expected)

    def sums(self, weights: NDArray[np.integer] | Iterable[NDArray[np.integer]]) -> Floats:
        """Return cases and surplus by bin in each of B resamples, shape (B, 2 bins)."""
        by_cluster, blocks = self.by_cluster, [weights] if isinstance(weights, np.ndarray) else weights
        return np.concatenate([weighted_sums(few, by_cluster) for few in _batches(blocks)])

    @property
    def by_cluster(self) -> Floats:
        """Cases and surplus side by side, shape (C, 2 bins)."""
        return np.concatenate([self.cases, self.surplus], axis=1)

    @staticmethod
    def of_sums(sums: Floats, expected: bool) -> Floats:
        """Return either error from sums (B, 2 bins) of cases and surplus; NaN where there is no case."""
        cases, surplus = np.split(sums, 2, axis=1)
        gaps, total = np.abs(surplus), cases.sum(axis=1)
        nothing = np.full(len(sums), np.nan)
        if expected:
            return np.asarray(np.divide(gaps.sum(axis=1), total, out=nothing, where=total > 0))
        largest = np.divide(gaps, cases, out=np.zeros_like(gaps), where=cases > 0).max(axis=1)
        return np.where(total > 0, largest, nothing)


def equal_width(bins: int = BINS) -> Floats:
    """Return the edges 0, 1/bins, ..., 1, each the nearest number to its fraction; ValueError without a bin."""
    if bins < 1:
        raise ValueError(f"calibration needs a bin, not {bins}")
    return np.arange(bins + 1) / bins


def equal_count(scores: Floats, bins: int = BINS) -> Floats:
    """Return edges that part the scores into bins of one size, at the scores of rank ⌈k n / bins⌉.

    Equal scores stay in one bin, so that there may be fewer bins. Raises ValueError without a bin or a score.
    """
    if bins < 1 or scores.size == 0:
        raise ValueError(f"{scores.size} scores do not fill {bins} bins")
    ranks = np.array([-(-k * scores.size // bins) - 1 for k in range(1, bins)], dtype=np.intp)
    inner = np.unique(np.sort(scores)[ranks])
    return np.concatenate([[0.0], inner[(inner > 0.0) & (inner < 1.0)], [1.0]])


def bin_of(scores: Floats, edges: Floats) -> NDArray[np.intp]:
    """Return the bin of each score, from 0 on: (edge, next edge], 0 in the first."""
    return np.searchsorted(edges[1:-1], scores, "left")


def expected_calibration_error(scores: Floats, labels: Labels, edges: Floats) -> float:
    """Return Σ (n_b / n) |mean score - share of positives| over the bins, in [0, 1].

    It is too high in small samples, of a well calibrated candidate the most: there it is about Σ √(2 p (1 - p) n_b / π)
    / n, 0.02 to 0.06 with 15 bins and 300 cases. Raises ValueError as ``checked`` does.
    """
    return float(_binned(scores, labels, edges).expected(_ONCE)[0])


def maximum_calibration_error(scores: Floats, labels: Labels, edges: Floats) -> float:
    """Return the greatest |mean score - share of positives| of a bin with a case. Raises ValueError as ``checked``."""
    return float(_binned(scores, labels, edges).maximum(_ONCE)[0])


def calibration_error_interval(
    scores: Floats,
    labels: Labels,
    edges: Floats,
    patients: NDArray[np.intp],
    maximum: bool = False,
    confidence: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> tuple[float, Interval]:
    """Return the expected (or maximum) calibration error and the interval that the gate decides on.

    Sampling adds to the error, and resampling adds to it once more. So the upper limit, the percentile one of resamples
    of patients, is too high rather than too low (below the truth in under 1 % of test sets). The lower limit of the
    expected error is what is left after the upper percentile of Σ |s*_b - s_b|, s_b the surplus of scores in a bin, is
    taken off: by the triangle inequality the error cannot be further from the truth than that. The lower limit of the
    maximum error is the greatest distance of a bin's mean score from Clopper and Pearson's interval of its share, with
    Bonferroni's correction for the bins. With fewer than two patients the interval is [0, 1].

    Parameters
    ----------
    scores : shape (n,), probabilities; ``labels`` : shape (n,), 0 or 1; ``edges`` : of the bins, held in all resamples
    patients : codes from 0 to C - 1, shape (n,)

    Raises ValueError as ``checked`` does.
    """
    check_confidence(confidence)
    binned = Binned.of(scores, labels, edges, patients)
    if not maximum:
        return _expected_interval(binned, confidence, resamples, seed)
    value = float(binned.maximum(np.ones((1, len(binned.cases)), dtype=np.int64))[0])
    if _patients_of(binned) < 2:
        return value, no_bounds((0.0, 1.0), confidence, "one patient bounds nothing")
    upper = float(np.quantile(binned.resampled(False, resamples, seed), 1.0 - error_each_side(confidence)))
    each = 1.0 - (1.0 - confidence) / int((binned.cases.sum(axis=0) > 0).sum())
    curve = reliability_curve(scores, labels, edges, patients, each)
    lower = max(
        max(part.interval.lower - part.mean_score, part.mean_score - part.interval.upper, 0.0) for part in curve
    )
    method = "percentile of resamples of patients above, exact limits of the bins' shares below"
    return value, Interval(min(lower, value), max(upper, value), confidence, method)


def reliability_curve(
    scores: Floats, labels: Labels, edges: Floats, patients: NDArray[np.intp], confidence: float = 0.95
) -> tuple[ReliabilityBin, ...]:
    """Return the bins that hold a case, with Clopper and Pearson's interval of the share of positives.

    On the effective number of cases where a patient has several in a bin; of one patient alone the interval is [0, 1]
    unless all cases are of one class. Raises ValueError as ``checked`` does.
    """
    chances, truth = checked(scores, labels)
    found = bin_of(chances, edges)
    return tuple(
        _reliability(chances[found == place], truth[found == place], patients[found == place], edges, place, confidence)
        for place in np.unique(found).tolist()
    )


def top_label(scores: Floats, labels: NDArray[np.integer]) -> tuple[Floats, NDArray[np.int8]]:
    """Return the highest of each row's probabilities, and 1 where it stands at the label; of equal ones, the first."""
    scores, labels = checked_classes(scores, labels)
    return scores.max(axis=1), (scores.argmax(axis=1) == labels).astype(np.int8)


def classwise_of_weights(
    scores: Floats,
    labels: NDArray[np.integer],
    edges: Floats,
    weights: NDArray[np.integer] | Iterable[NDArray[np.integer]],
    clusters: NDArray[np.intp],
) -> Floats:
    """Return the class-wise expected calibration error in each of B resamples: the mean over classes, one against rest.

    Parameters
    ----------
    scores : shape (n, K), rows that add up to 1; ``labels`` : shape (n,), 0 to K - 1
    weights, clusters : as for ``mean_loss_of_weights``
    """
    return Binned.of_classes(scores, labels, edges, clusters).expected(weights)


def classwise_error_interval(
    scores: Floats,
    labels: NDArray[np.integer],
    edges: Floats,
    patients: NDArray[np.intp],
    confidence: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> tuple[float, Interval]:
    """Return the class-wise expected calibration error and its interval, as ``calibration_error_interval`` makes it."""
    return _expected_interval(Binned.of_classes(scores, labels, edges, patients), confidence, resamples, seed)


def checked(scores: Floats, labels: Labels) -> tuple[Floats, Floats]:
    """Return scores and labels as float; ValueError unless they are probabilities, and 0 or 1, of one length n >= 1."""
    scores, truth = np.asarray(scores, dtype=np.float64), np.asarray(labels, dtype=np.float64)
    if scores.ndim != 1 or scores.shape != truth.shape or scores.size == 0:
        raise ValueError(f"scores {scores.shape} and labels {truth.shape} must be of one length, one at least")
    if not ((scores >= 0.0) & (scores <= 1.0)).all():
        raise ValueError("a score is no probability: it is NaN or outside [0, 1]")
    if not ((truth == 0.0) | (truth == 1.0)).all():
        raise ValueError("a label is neither 0 nor 1")
    return scores, truth


def checked_classes(scores: Floats, labels: NDArray[np.integer]) -> tuple[Floats, NDArray[np.intp]]:
    """Return scores and labels; ValueError unless rows are probabilities of K >= 2 classes that add up to 1 ± 1e-4."""
    scores, labels = np.asarray(scores, dtype=np.float64), np.asarray(labels)
    if scores.ndim != 2 or scores.shape[1] < 2 or len(scores) == 0 or labels.shape != scores.shape[:1]:
        raise ValueError(f"scores {scores.shape} and labels {labels.shape} are not those of cases of several classes")
    if not ((scores >= 0.0) & (scores <= 1.0)).all() or np.abs(scores.sum(axis=1) - 1.0).max() > 1e-4:
        raise ValueError("scores of classes must be probabilities that add up to 1")
    if not np.isin(labels, np.arange(scores.shape[1])).all():
        raise ValueError(f"a label is none of the classes 0 to {scores.shape[1] - 1}")
    return scores, labels.astype(np.intp)


_ONCE = np.ones((1, 1), dtype=np.int64)


def _binned(scores: Floats, labels: Labels, edges: Floats) -> Binned:
    return Binned.of(scores, labels, edges, np.zeros(len(np.asarray(scores)), dtype=np.intp))


def _expected_interval(binned: Binned, confidence: float, resamples: int, seed: int) -> tuple[float, Interval]:
    level, cases = 1.0 - error_each_side(confidence), float(binned.cases.sum())
    value = float(np.abs(binned.surplus.sum(axis=0)).sum()) / cases
    if _patients_of(binned) < 2:
        return value, no_bounds((0.0, 1.0), confidence, "one patient bounds nothing")
    sums = binned.sums(weight_blocks(len(binned.cases), resamples, seed))
    drawn, surplus = np.split(sums, 2, axis=1)
    upper = float(np.quantile(binned.of_sums(sums, True), level))
    moved = np.abs(surplus / drawn.sum(axis=1, keepdims=True) - binned.surplus.sum(axis=0) / cases).sum(axis=1)
    lower = max(0.0, value - float(np.quantile(moved, level)))
    method = "patient-cluster bootstrap: percentile above, centred bins below"
    return value, Interval(min(lower, value), max(upper, value), confidence, method)


def _batches(blocks: Iterable[NDArray[np.integer]]) -> Iterator[Floats]:
    """Pass on blocks of rows, those of few rows joined, in an array that is used again."""
    waiting: list[NDArray[np.integer]] = []
    room = np.empty((0, 0))
    for last, block in chain(((False, block) for block in blocks), [(True, None)]):
        if block is not None:
            waiting.append(block)
        rows = sum(map(len, waiting))
        if waiting and (last or rows >= _BATCH_ROWS):
            if room.shape[1:] != waiting[0].shape[1:] or len(room) < rows:
                room = np.empty((rows, waiting[0].shape[1]))
            yield np.concatenate(waiting, out=room[:rows])
            waiting.clear()


def _patients_of(binned: Binned) -> int:
    return int((binned.cases.sum(axis=1) > 0).sum())


def _reliability(
    scores: Floats, labels: Floats, patients: NDArray[np.intp], edges: Floats, place: int, confidence: float
) -> ReliabilityBin:
    codes = np.unique(patients, return_inverse=True)[1]
    trials = np.bincount(codes).astype(np.float64)
    share = float(labels.mean())
    if len(trials) < 2 and 0.0 < share < 1.0:
        interval = no_bounds((0.0, 1.0), confidence, "one patient bounds nothing")
    else:
        found = equivalent_trials(np.bincount(codes, labels).astype(np.float64), trials, confidence)
        interval = clopper_pearson(found.hits, found.trials, confidence)
    mean = float(np.sort(scores).mean())
    return ReliabilityBin(float(edges[place]), float(edges[place + 1]), len(scores), mean, share, interval)
