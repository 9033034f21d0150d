"""Intervals of one proportion: hits among independent trials, whole numbers or effective ones (``effective``).

Sources: Wilson, J Am Stat Assoc 1927;22:209; Clopper & Pearson, Biometrika 1934;26:404; Brown, Cai & DasGupta,
"Interval estimation for a binomial proportion", Stat Sci 2001;16:101 (which also recommends Wilson and Jeffreys).
"""

from __future__ import annotations

import math

from gatekeeper.statistics.interval import Interval, error_each_side, normal_quantile


def wilson(hits: float, trials: float, confidence: float = 0.95) -> Interval:
    """Return Wilson's score interval: the proportions that a two-sided score test does not reject.

    Covers at ``confidence`` on average over proportions. Raises ValueError unless 0 <= hits <= trials and trials > 0.
    """
    _check(hits, trials)
    z = normal_quantile(confidence)
    centre = (hits + z * z / 2.0) / (trials + z * z)
    half = z / (trials + z * z) * math.sqrt(hits * (trials - hits) / trials + z * z / 4.0)
    return _interval(hits, trials, centre - half, centre + half, confidence, "Wilson score")


def clopper_pearson(hits: float, trials: float, confidence: float = 0.95) -> Interval:
    """Return the exact interval of Clopper and Pearson, from quantiles of the beta distribution.

    Each limit is wrong with probability (1 - confidence) / 2 at most, whatever the truth: it covers more than it
    promises. Raises ValueError unless 0 <= hits <= trials and trials > 0.
    """
    from scipy.special import betaincinv

    _check(hits, trials)
    error = error_each_side(confidence)
    lower = float(betaincinv(hits, trials - hits + 1, error)) if hits > 0 else 0.0
    upper = float(betaincinv(hits + 1, trials - hits, 1.0 - error)) if hits < trials else 1.0
    return Interval(lower, upper, confidence, "Clopper-Pearson (exact)")


def jeffreys(hits: float, trials: float, confidence: float = 0.95) -> Interval:
    """Return the equal-tailed interval of the posterior under Jeffreys' prior, Beta(1/2, 1/2).

    With no hit the lower limit is 0 and with no miss the upper limit is 1, as Brown, Cai and DasGupta modify it.
    Raises ValueError unless 0 <= hits <= trials and trials > 0.
    """
    from scipy.special import betaincinv

    _check(hits, trials)
    error = error_each_side(confidence)
    a, b = hits + 0.5, trials - hits + 0.5
    lower, upper = float(betaincinv(a, b, error)), float(betaincinv(a, b, 1.0 - error))
    return _interval(hits, trials, lower, upper, confidence, "Jeffreys")


def _check(hits: float, trials: float) -> None:
    if trials <= 0:
        raise ValueError("a proportion of no trials is undefined")
    if not 0 <= hits <= trials:
        raise ValueError(f"{hits} hits among {trials} trials")


def _interval(hits: float, trials: float, lower: float, upper: float, confidence: float, method: str) -> Interval:
    lower = 0.0 if hits == 0 else lower
    upper = 1.0 if hits == trials else upper
    return Interval(lower, upper, confidence, method)
