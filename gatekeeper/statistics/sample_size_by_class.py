"""How many positive and negative cases, for numbers that rest on both: alarm rates and areas under the ROC curve.

Source: Hanley & McNeil, Radiology 1982;143:29, for the variance of an area; predictive values have a module of their
own.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gatekeeper.statistics.interval import error_each_side, normal_quantile
from gatekeeper.statistics.prevalence import called_share_at
from gatekeeper.statistics.proportions import clopper_pearson
from gatekeeper.statistics.sample_size import check_plan, check_power, fewest_that

Floats = NDArray[np.float64]

MOST_NEGATIVES = 100_000


@dataclass(frozen=True)
class ClassSizes:
    """Numbers of independent positive and negative cases."""

    positives: int
    negatives: int


def cases_for_called_share(
    sensitivity: float,
    specificity: float,
    prevalence: float,
    goal: float,
    power: float = 0.8,
    confidence: float = 0.95,
    positives_per_negative: float = 1.0,
) -> ClassSizes:
    """Return how many cases let the upper limit of the share called positive stay at ``goal`` or below.

    The limit is that of the exact upper limits of sensitivity and of 1 - specificity, each with half of the error
    (Bonferroni); its power is summed over the two binomial distributions. Power rises in a saw-tooth: the number
    returned has at least ``power``, and some smaller one may have it too.

    Parameters
    ----------
    sensitivity, specificity : assumed truth, strictly between 0 and 1
    prevalence : where the candidate is to be used, 0 < prevalence < 1
    goal : threshold of the upper limit, above the share called under the assumed truth
    positives_per_negative : class ratio, more than 0

    Raises ValueError for arguments out of these ranges, or when a hundred thousand negatives do not do.
    """
    check_power(power)
    check_ratio(positives_per_negative)
    truth = float(called_share_at(sensitivity, specificity, prevalence))
    if not truth < goal < 1.0:
        raise ValueError(f"the share called ({truth}) must lie below the goal ({goal})")
    each = 1.0 - (1.0 - confidence) / 2.0

    def suffices(negatives: int) -> bool:
        sizes = of_ratio(negatives, positives_per_negative)
        called = exact_upper(sizes.positives, each) * prevalence
        alarms = exact_upper(sizes.negatives, each) * (1.0 - prevalence)
        room = np.searchsorted(alarms, goal - called, side="right") - 1
        below = np.where(room >= 0, up_to(np.maximum(room, 0), sizes.negatives, 1.0 - specificity), 0.0)
        counts = np.arange(sizes.positives + 1)
        shares = np.diff(up_to(counts, sizes.positives, sensitivity), prepend=0.0)
        return float(shares @ below) >= power

    return of_ratio(first_that(suffices, MOST_NEGATIVES), positives_per_negative)


def cases_for_auroc(
    truth: float,
    goal: float,
    power: float = 0.8,
    confidence: float = 0.95,
    positives_per_negative: float = 1.0,
) -> ClassSizes:
    """Return about how many cases let the lower limit of the area under the ROC curve reach ``goal``.

    Normal approximation on the log-odds scale, on which the interval of ``delong`` is symmetric, with Hanley & McNeil's
    variance at the assumed truth: logit truth - logit goal >= (z + z_power) SE / (truth (1 - truth)). It errs towards
    a few more cases than are needed.

    Parameters
    ----------
    truth : area that is hoped for, goal < truth < 1
    positives_per_negative : class ratio, more than 0

    Raises ValueError for arguments out of these ranges, or when a hundred thousand negatives do not do.
    """
    check_plan(truth, goal, power)
    check_ratio(positives_per_negative)
    allowed = ((logit(truth) - logit(goal)) * truth * (1.0 - truth) / quantiles(power, confidence)) ** 2

    def suffices(negatives: int) -> bool:
        sizes = of_ratio(negatives, positives_per_negative)
        return hanley_mcneil_variance(truth, sizes.positives, sizes.negatives) <= allowed

    return of_ratio(first_that(suffices, MOST_NEGATIVES), positives_per_negative)


def hanley_mcneil_variance(area: float, positives: int, negatives: int) -> float:
    """Return the variance of an estimated area under the ROC curve of ``area``, 0 < area < 1.

    (A (1 - A) + (m - 1)(Q1 - A²) + (n - 1)(Q2 - A²)) / (m n), Q1 = A / (2 - A), Q2 = 2 A² / (1 + A), with m positives
    and n negatives: exact when scores of both classes are exponential, and nearly right for most others.
    """
    if not 0.0 < area < 1.0 or positives < 1 or negatives < 1:
        raise ValueError(f"no variance for an area of {area} with {positives} positives and {negatives} negatives")
    square = area * area
    first, second = area / (2.0 - area) - square, 2.0 * square / (1.0 + area) - square
    return (area * (1.0 - area) + (positives - 1) * first + (negatives - 1) * second) / (positives * negatives)


def fewest_for_called_share(
    prevalence: float, goal: float, confidence: float = 0.95, positives_per_negative: float = 1.0
) -> ClassSizes | None:
    """Return the fewest cases with which an errorless candidate's share of calls stays at ``goal`` or below.

    None when no number does: all positives are called, so the share is the prevalence at least.
    """
    check_ratio(positives_per_negative)
    each = 1.0 - (1.0 - confidence) / 2.0

    def suffices(negatives: int) -> bool:
        least = clopper_pearson(negatives, negatives, each).lower
        return float(called_share_at(1.0, least, prevalence)) <= goal

    found = fewest_that(suffices) if prevalence < goal else None
    return None if found is None else of_ratio(found, positives_per_negative)


def of_ratio(negatives: int, positives_per_negative: float) -> ClassSizes:
    """Return so many negatives with the positives that go with them, rounded up."""
    return ClassSizes(max(1, math.ceil(negatives * positives_per_negative - 1e-9)), negatives)


def first_that(suffices: Callable[[int], bool], most: int) -> int:
    """Return what ``fewest_that`` does; raises ValueError beyond ``most``."""
    found = fewest_that(lambda number: number > most or suffices(number)) or most + 1
    if found > most:
        raise ValueError(f"{most:,} negative cases do not do")
    return found


def exact_upper(trials: int, confidence: float) -> Floats:
    """Return the upper Clopper-Pearson limits for 0 to ``trials`` hits."""
    from scipy.special import betaincinv

    hits = np.arange(trials)
    return np.append(betaincinv(hits + 1, trials - hits, 1.0 - error_each_side(confidence)), 1.0)


def up_to(hits: NDArray[np.integer], trials: int, probability: float) -> Floats:
    """Return the probability of at most so many hits."""
    from scipy.special import bdtr

    return np.asarray(bdtr(hits.astype(np.float64), trials, probability))


def quantiles(power: float, confidence: float) -> float:
    """Return z of the confidence and z of the power, added."""
    from scipy.special import ndtri

    return normal_quantile(confidence) + float(ndtri(power))


def logit(share: float) -> float:
    """Return log(share / (1 - share))."""
    return math.log(share / (1.0 - share))


def check_ratio(positives_per_negative: float) -> None:
    """Raise ValueError unless a class ratio is positive and finite."""
    if not 0.0 < positives_per_negative < math.inf:
        raise ValueError(f"a class ratio is more than 0, not {positives_per_negative}")
