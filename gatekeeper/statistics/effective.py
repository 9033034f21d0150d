"""Proportions of cases that come in clusters: as many independent cases as tell the same.

Hits and trials are counted by patient. Their spread over patients gives the variance of the proportion p, and
p (1 - p) over that variance is the effective number of trials, on which any interval of independent trials is taken:
Korn & Graubard, "Confidence intervals for proportions with small expected number of positive counts estimated from
survey data", Surv Methodol 1998;24:193, with their correction for the degrees of freedom; the effective number is kept
at or below the true one, as the US National Center for Health Statistics does (Vital Health Stat 2017;2(175)).

Two choices are this project's. A spread that was seen among few wrong answers is too small more often than too large;
so a fifth of a patient, of average size and wrong throughout (or right throughout, whichever lies farther off), is
added to it: without it, limits near 1 promise too much two to three times as often as they should (``make coverage``
measures it). And where all patients were always right, or always wrong, each of them counts as one trial.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gatekeeper.statistics.interval import error_each_side, normal_quantile

PHANTOM = 0.2  # the share of a patient, wrong throughout, that every spread is taken to hold

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Effective:
    """Hits among trials, in numbers of independent trials; not whole numbers."""

    hits: float
    trials: float

    @property
    def misses(self) -> float:
        """Trials that are no hits."""
        return self.trials - self.hits

    def shrunk(self, by: float) -> Effective:
        """Return the same proportion on fewer trials."""
        return Effective(self.hits / by, self.trials / by)


def effective_trials(hits: Floats, trials: Floats, confidence: float = 0.95) -> Effective:
    """Return the effective number of hits and trials behind a proportion of clustered cases.

    Parameters
    ----------
    hits, trials : shape (C,), counted by patient; patients without a trial do not count
    confidence : of the interval to be taken, for the correction (z / t)² with t of C - 1 degrees of freedom

    Raises ValueError without a trial, or with a patient of more hits than trials.
    """
    hits, trials = hits[trials > 0], trials[trials > 0]
    if trials.size == 0:
        raise ValueError("a proportion of no trials is undefined")
    if (hits < 0).any() or (hits > trials).any():
        raise ValueError("a patient has more hits than trials")
    patients, total = len(trials), float(trials.sum())
    share = float(hits.sum()) / total
    if share in (0.0, 1.0):
        return Effective(share * patients, float(patients))
    if patients < 2:
        raise ValueError("the spread over patients needs two of them")
    worst = PHANTOM * (total / patients * max(share, 1.0 - share)) ** 2
    variance = patients / (patients - 1) * (float(((hits - share * trials) ** 2).sum()) + worst) / total**2
    effective = min(total, share * (1.0 - share) / variance) * freedom_correction(patients, confidence)
    return Effective(share * effective, effective)


def equivalent_trials(hits: Floats, trials: Floats, confidence: float = 0.95) -> Effective:
    """Return the trials themselves where no patient has two, else ``effective_trials``."""
    if trials.size and trials.max() <= 1:
        return Effective(float(hits.sum()), float(trials.sum()))
    return effective_trials(hits, trials, confidence)


def effective_rates(
    positives: tuple[Floats, Floats], negatives: tuple[Floats, Floats], slopes: tuple[float, float], confidence: float
) -> tuple[Effective, Effective]:
    """Return effective hits and trials of sensitivity and of specificity for a metric that is made of both.

    Where patients have cases of both classes, right answers to one class may go with right answers to the other. Both
    numbers then shrink by as much as that widens the variance of the metric; they never grow.

    Parameters
    ----------
    positives, negatives : hits and trials by patient, each of shape (C,)
    slopes : derivatives of the metric (or of its logarithm) to sensitivity and to specificity
    """
    parts = [effective_trials(*counted, confidence) for counted in (positives, negatives)]
    residuals = [
        slope * (hits - hits.sum() / trials.sum() * trials) / trials.sum()
        for slope, (hits, trials) in zip(slopes, (positives, negatives), strict=True)
    ]
    alone = float(sum((residual**2).sum() for residual in residuals))
    together = float(((residuals[0] + residuals[1]) ** 2).sum())
    wider = max(1.0, together / alone) if alone > 0.0 else 1.0
    return parts[0].shrunk(wider), parts[1].shrunk(wider)


def freedom_correction(clusters: int, confidence: float) -> float:
    """Return (z / t)², t of ``clusters`` - 1 degrees of freedom: what a variance of so few clusters is worth."""
    from scipy.special import stdtrit

    return float((normal_quantile(confidence) / stdtrit(clusters - 1, error_each_side(confidence))) ** 2)
