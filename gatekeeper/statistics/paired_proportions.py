"""The difference of two proportions on the same cases, such as the sensitivities of two models.

Sources: Tango, "Equivalence test and confidence interval for the difference in proportions for the paired-sample
design", Stat Med 1998;17:891, whose test at a margin is that of Nam, Biometrics 1997;53:1422. With several cases a
patient, numbers are effective ones (Obuchowski, Stat Med 1998;17:1495, for the spread; ``effective`` for the rest).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gatekeeper.statistics.effective import PHANTOM, freedom_correction
from gatekeeper.statistics.interval import Interval, normal_quantile

_HALVINGS = 100


@dataclass(frozen=True)
class Pairs:
    """Cases in which only the candidate was right, only the reference, and all; effective ones need not be whole."""

    candidate_only: float
    reference_only: float
    n: float

    def __post_init__(self) -> None:
        counts = self.candidate_only, self.reference_only, self.n
        if not all(map(math.isfinite, counts)) or min(counts) < 0.0 or self.n <= 0.0:
            raise ValueError(f"{self.candidate_only} and {self.reference_only} discordant cases of {self.n}")
        if self.candidate_only + self.reference_only > self.n * (1.0 + 1e-12):
            raise ValueError(f"{self.candidate_only} and {self.reference_only} discordant cases of {self.n}")

    @property
    def difference(self) -> float:
        """Candidate's proportion less the reference's."""
        return (self.candidate_only - self.reference_only) / self.n


def tango_z(pairs: Pairs, difference: float) -> float:
    """Return the score statistic of a true difference: normal when that is the truth, and falling as it rises.

    (b - c - n δ) / √(n (2 q + δ (1 - δ))), q the most likely probability of a case right in the reference alone when
    the difference is δ; -1 < δ < 1. 0 where b = c = 0 and δ = 0.
    """
    b, c, n = pairs.candidate_only, pairs.reference_only, pairs.n
    linear = (2.0 * n - b + c) * difference - b - c
    constant = c * difference * (1.0 - difference)
    root = math.sqrt(max(0.0, linear * linear + 8.0 * n * constant))
    # Of the two forms of the greater root, the one that subtracts no like numbers.
    alone = (root - linear) / (4.0 * n) if linear <= 0.0 else 2.0 * constant / (root + linear)
    variance = n * (2.0 * max(alone, 0.0, -difference) + difference * (1.0 - difference))
    away = b - c - n * difference
    if variance <= 0.0:
        return 0.0 if away == 0.0 else math.copysign(math.inf, away)
    return away / math.sqrt(variance)


def tango(pairs: Pairs, confidence: float = 0.95) -> Interval:
    """Return Tango's score interval: the differences that a two-sided score test does not reject; in [-1, 1].

    Without a discordant case it is ± z² / (n + z²), not a point. It covers at ``confidence`` on average over truths,
    not always: limits are wrong a little more often than promised where discordant cases are few and on one side.
    """
    z = normal_quantile(confidence)
    lower = -1.0 if pairs.reference_only >= pairs.n else _where(pairs, z, -1.0, pairs.difference)
    upper = 1.0 if pairs.candidate_only >= pairs.n else _where(pairs, -z, pairs.difference, 1.0)
    return Interval(min(lower, pairs.difference), max(upper, pairs.difference), confidence, "Tango score")


def effective_pairs(
    candidate_right: NDArray[np.bool_],
    reference_right: NDArray[np.bool_],
    patients: NDArray[np.intp],
    confidence: float = 0.95,
) -> Pairs:
    """Return the pairs as counted where no patient has two cases, else as many independent ones as tell the same.

    The variance of the difference is taken over patients, and a fifth of a patient is added to it who is wrong
    throughout in the one model and right in the other (``effective``); then n = (variance of one case) / variance,
    never more than the cases there are, times (z / t)². Where the two models never differ, each patient counts as one.

    Parameters
    ----------
    candidate_right, reference_right : shape (n,), which cases each model was right in
    patients : codes of the patients, shape (n,)

    Raises ValueError for lengths that differ, no case, or several cases of a single patient.
    """
    if not candidate_right.shape == reference_right.shape == patients.shape or candidate_right.ndim != 1:
        raise ValueError("answers of two models and patients must be of one length")
    codes = np.unique(patients, return_inverse=True)[1]
    cases = np.bincount(codes).astype(np.float64)
    n, count = float(cases.sum()), len(cases)
    b = float((candidate_right & ~reference_right).sum())
    c = float((reference_right & ~candidate_right).sum())
    if n == count or n == 0.0:
        return Pairs(b, c, n)
    if count < 2:
        raise ValueError("the spread over patients needs two of them")
    if b + c == 0.0:
        return Pairs(0.0, 0.0, float(count))
    difference = (b - c) / n
    each = candidate_right.astype(np.float64) - reference_right
    away = np.bincount(codes, weights=each, minlength=count) - difference * cases
    worst = PHANTOM * (n / count * (1.0 + abs(difference))) ** 2
    variance = count / (count - 1.0) * (float(np.sort(away**2).sum()) + worst) / n**2
    independent = (b + c) / n - difference**2
    trials = min(n, independent / variance) * freedom_correction(count, confidence)
    return Pairs(b / n * trials, c / n * trials, trials) if trials > 0.0 else Pairs(*_all_differ(b, c, n, count))


def _all_differ(b: float, c: float, n: float, patients: int) -> tuple[float, float, float]:
    """Every case is discordant to one side: as where all patients were always right."""
    return b / n * patients, c / n * patients, float(patients)


def _where(pairs: Pairs, z: float, low: float, high: float) -> float:
    """Return the difference at which the falling score statistic is ``z``."""
    for _ in range(_HALVINGS):
        middle = (low + high) / 2.0
        if middle in (low, high):
            break
        low, high = (middle, high) if tango_z(pairs, middle) > z else (low, middle)
    return low if z > 0.0 else high
