"""Sensitivity at a specificity, and specificity at a sensitivity, on the empirical ROC curve.

Definition (Metrics Reloaded, Maier-Hein et al., Nat Methods 2024, doi 10.1038/s41592-023-02151-z): the best of one
rate among all cuts of the score at which the other rate is at least the one asked for; nothing is interpolated.
Its interval adds up two doubts by MOVER (Zou & Donner, Stat Med 2008;27:1693): what the rate is at the cut, and where
the cut lies.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gatekeeper.statistics.effective import equivalent_trials
from gatekeeper.statistics.interval import Interval, normal_quantile
from gatekeeper.statistics.proportions import wilson

Floats = NDArray[np.float64]

_CHUNK_ELEMENTS = 1 << 16
_METHOD = "MOVER (Zou & Donner) of Wilson limits of the rate and score limits of the cut"
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


def rate_at_interval(
    scores: Floats,
    of_class: NDArray[np.bool_],
    other_rate: float,
    patients: NDArray[np.intp],
    confidence: float = 0.95,
    times: float = 1.0,
) -> tuple[float, Interval]:
    """Return the rate of ``rate_at`` and the interval that the gate decides on.

    The rate at the cut has Wilson's limits. The cut is a quantile of the other class, and could be any score of which
    the share below is not rejected by a score test; the rates at the lowest and the highest of these are the limits
    that the cut sets. Distances from both kinds of limits are squared and added. Where the other class is too small for
    a highest cut, the rate could be 0 there. Numbers are effective ones where patients repeat (``effective``); that a
    patient's scores go up and down together in both classes makes the truth narrower than this, not wider.

    Parameters
    ----------
    scores, of_class, other_rate : as for ``rate_at``
    patients : codes of the patients, shape (n,)
    times : for the interval of so many times as many cases that tell the same

    Raises ValueError as ``rate_at`` does, and when all cases are of one class.
    """
    curve = _Curve.of(scores, of_class, other_rate)
    others = len(curve.others)
    if len(curve.own) == 0 or others == 0:
        raise ValueError("a rate at another rate needs cases of both classes")
    cut = scores[curve.others[int(curve.asked(others)) - 1]]
    called, kept_out = scores[curve.own] > cut, scores[curve.others] <= cut
    of_own = equivalent_trials(*_by_patient(patients[curve.own], called), confidence)
    of_others = equivalent_trials(*_by_patient(patients[curve.others], kept_out), confidence)
    rate, limits = float(called.mean()), wilson(of_own.hits * times, of_own.trials * times, confidence)
    reach = _reach(other_rate, of_others.trials * times, confidence)
    least, most = curve.rate_below(other_rate + reach), curve.rate_below(other_rate - reach)
    lower = rate - math.hypot(rate - limits.lower, rate - min(rate, least))
    upper = rate + math.hypot(limits.upper - rate, max(rate, most) - rate)
    repeat = len(np.unique(patients)) < len(patients)
    method = f"{_METHOD} on effective numbers of cases" if repeat else _METHOD
    return rate, Interval(max(0.0, lower), min(1.0, upper), confidence, method)


def separated_rate_interval(own: float, others: float, other_rate: float, confidence: float = 0.95) -> Interval:
    """Return the interval of ``rate_at_interval`` where a cut parts the classes, of so many cases (or patients) each.

    Raises ValueError unless both numbers are above 0.
    """
    if own <= 0 or others <= 0:
        raise ValueError("a rate at another rate needs cases of both classes")
    bounded = other_rate + _reach(other_rate, others, confidence) <= 1.0
    lower = wilson(own, own, confidence).lower if bounded else 0.0
    return Interval(lower, 1.0, confidence, _METHOD)


def _reach(share: float, trials: float, confidence: float) -> float:
    """Return how far a share that was seen may lie from the true one before a score test rejects it."""
    return normal_quantile(confidence) * math.sqrt(share * (1.0 - share) / trials)


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

    def rate_below(self, share: float) -> float:
        """Return the rate at the cut below which this share of the other class lies; 0 and 1 beyond its scores."""
        last = math.ceil(share * len(self.others) - _ROUNDING)
        if last > len(self.others):
            return 0.0
        return 1.0 if last < 1 else 1.0 - float(self.beyond[last - 1]) / len(self.own)


def _by_patient(patients: NDArray[np.intp], hit: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Return hits and trials of each patient."""
    hits = np.bincount(patients, weights=hit.astype(np.float64))
    return np.asarray(hits, dtype=np.float64), np.bincount(patients).astype(np.float64)


def _sorted(scores: Floats, mask: NDArray[np.bool_]) -> NDArray[np.intp]:
    rows = np.flatnonzero(mask)
    return rows[np.argsort(scores[rows], kind="stable")]
