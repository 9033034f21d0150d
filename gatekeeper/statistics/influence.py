"""Intervals of a number from what each patient contributes to it, to first order.

A contribution is the derivative of the number to the patient's weight; contributions add up to 0, and the sum of their
squares is the variance of the number (the delta method, by patient the sandwich of Liang & Zeger, Biometrika 1986;
73:13). Sources: Davison & Hinkley, Bootstrap Methods and their Application, 1997, sections 2.7 and 5.3; Efron, J Am
Stat Assoc 1987;82:171 (BCa); Korn & Graubard, Surv Methodol 1998;24:193 (effective number of trials).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from gatekeeper.statistics.effective import PHANTOM, freedom_correction
from gatekeeper.statistics.interval import Interval, check_confidence, error_each_side
from gatekeeper.statistics.proportions import wilson

Floats = NDArray[np.float64]

ON_EFFECTIVE = "Wilson score on the effective number of trials (linearised variance)"


def score_interval(
    value: float,
    contributions: Floats,
    span: tuple[float, float],
    confidence: float = 0.95,
    worst: tuple[float, float] = (0.0, 0.0),
    times: float = 1.0,
) -> Interval:
    """Return Wilson's score interval of a bounded number, on as many independent trials as tell the same.

    The number u, as a share of its span, with its variance V gives u (1 - u) / V trials, corrected for the degrees of
    freedom of C patients.

    Parameters
    ----------
    contributions : shape (C,), of each patient, C >= 2, not all 0
    span : the least and the greatest value that the number can have; ``value`` lies between them, at neither
    worst : contributions of a patient who is as bad (and as good) as one can be, of whom the spread for the lower limit
        (and for the upper one) is taken to hold a fifth (``effective``)
    times : for the interval of so many times as many patients who tell the same

    Raises ValueError for what is not so.
    """
    check_confidence(confidence)
    least, most = span
    squares, patients = float((contributions**2).sum()), len(contributions)
    if patients < 2 or not least < value < most or not squares > 0.0:
        raise ValueError("a score interval needs two patients who differ, and a value within its span")
    share = (value - least) / (most - least)
    limits = []
    for extreme in worst:
        spread = patients / (patients - 1.0) * (squares + PHANTOM * extreme**2) / (most - least) ** 2
        trials = share * (1.0 - share) / spread * freedom_correction(patients, confidence) * times
        limits.append(wilson(share * trials, trials, confidence))
    lower, upper = (least + (most - least) * end for end in (limits[0].lower, limits[1].upper))
    return Interval(min(lower, value), max(upper, value), confidence, ON_EFFECTIVE)


def ranked_interval(
    value: float,
    contributions: Floats,
    span: tuple[float, float],
    fewest: float,
    confidence: float = 0.95,
    times: float = 1.0,
) -> Interval:
    """Return ``score_interval`` for a number of the order of scores, such as a partial area or an average precision.

    The few patients who rank badly make the spread, and may not have been drawn. So it is taken to hold a fifth of a
    patient more whose part of the number, one in ``fewest``, is all lost for the lower limit, and all won for the upper
    one. Resampling patients instead (BCa) puts the lower limit above the truth in 4 to 7 % of test sets of 100 cases,
    this in 0 to 5 % (``make coverage``).

    Parameters
    ----------
    fewest : patients of the rarer class, times the number of areas that are averaged

    Where no patient differs, or the value lies at an end of its span, the interval is the span.
    """
    if not span[0] < value < span[1] or not (contributions != 0.0).any():
        return no_bounds(span, confidence, "no patient differs")
    worst = ((value - span[0]) / fewest, (span[1] - value) / fewest)
    return score_interval(value, contributions, span, confidence, worst, times)


def skewed_mean_interval(mean: float, contributions: Floats, confidence: float = 0.95, times: float = 1.0) -> Interval:
    """Return Hall's interval of a mean of skewed values: Student's t, its skewness taken out by a cubic.

    Source: Hall, "On the removal of skewness by transformation", J R Stat Soc B 1992;54:221. A fifth of a patient more,
    as costly as the costliest seen, is added to spread and skewness (``effective``).

    Parameters
    ----------
    contributions : shape (C,), of each patient to the mean, C >= 2, not all 0
    times : as for ``score_interval``

    Raises ValueError for what is not so.
    """
    from scipy.special import stdtrit

    patients = len(contributions)
    if patients < 2 or not (contributions != 0.0).any():
        raise ValueError("the interval of a mean needs two patients who differ")
    far = float(contributions.max())
    squares = float((contributions**2).sum()) + PHANTOM * far**2
    skew = (float((contributions**3).sum()) + PHANTOM * far**3) / squares**1.5 / math.sqrt(times)
    error = math.sqrt(patients / (patients - 1.0) * squares / times)
    quantile = -float(stdtrit(patients - 1, error_each_side(confidence)))
    lower, upper = (mean - error * _untransformed(end, skew) for end in (quantile, -quantile))
    return Interval(min(lower, mean), max(upper, mean), confidence, "Student t, skewness removed (Hall)")


def by_patient(contributions: Floats, patients: NDArray[np.intp]) -> Floats:
    """Add up contributions of cases by patient; shape (C,), C the number of patients that there are."""
    codes = np.unique(patients, return_inverse=True)[1]
    order = np.lexsort((contributions, codes))  # so that sums do not depend on the order of rows
    return np.asarray(np.bincount(codes[order], weights=contributions[order]))


def no_bounds(span: tuple[float, float], confidence: float, why: str) -> Interval:
    """Return the whole span of a number on which the data say nothing."""
    return Interval(*span, confidence, f"none: {why}")


def _untransformed(quantile: float, skew: float) -> float:
    """Return the value of t that Hall's cubic takes to ``quantile``."""
    if abs(skew) < 1e-9:
        return quantile
    return (3.0 / skew) * (math.cbrt(1.0 + skew * (quantile - skew / 6.0)) - 1.0)
