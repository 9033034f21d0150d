"""How many cases to show that a candidate is no worse than a reference by a margin, both on the same cases.

The margin 0 asks for superiority. Sources: proportions: Nam, Biometrics 1997;53:1422 (the score test that is Tango's;
with a margin of 0 it is McNemar's of Connor, Biometrics 1987;43:207); areas under the ROC curve: Obuchowski, Acad
Radiol 1998;5:561, with the variances of Hanley & McNeil, Radiology 1982;143:29 and 1983;148:839; means: noncentral t.
"""

from __future__ import annotations

import math

from gatekeeper.statistics.interval import error_each_side, normal_quantile
from gatekeeper.statistics.sample_size import check_power, fewest_that
from gatekeeper.statistics.sample_size_by_class import (
    MOST_NEGATIVES,
    ClassSizes,
    check_ratio,
    first_that,
    hanley_mcneil_variance,
    of_ratio,
)


def cases_for_paired_proportions(
    candidate_only: float, reference_only: float, margin: float, power: float = 0.8, confidence: float = 0.95
) -> int:
    """Return about how many cases let the lower limit of Tango's interval lie above -margin often enough.

    n = ((z σ0 + z_power σ1) / (δ + margin))², σ1² = p10 + p01 - δ², σ0² the variance when the difference is -margin,
    at the most likely p01 then. For positives alone (a sensitivity) it counts positives. Right within a few per cent.

    Parameters
    ----------
    candidate_only, reference_only : assumed probabilities p10 and p01 of a case that only this model has right
    margin : 0 <= margin < 1, and -margin < δ = p10 - p01

    Raises ValueError for arguments out of these ranges.
    """
    check_power(power)
    difference, discordant = candidate_only - reference_only, candidate_only + reference_only
    if min(candidate_only, reference_only) < 0.0 or not 0.0 < discordant <= 1.0:
        raise ValueError(f"{candidate_only} and {reference_only} are no shares of discordant cases")
    if not 0.0 <= margin < 1.0 or difference <= -margin:
        raise ValueError(f"a difference of {difference:g} is not above a margin of {margin} below 0")
    null = -margin
    linear = (2.0 - difference) * null - discordant
    constant = -reference_only * null * (1.0 - null)
    alone = (math.sqrt(max(0.0, linear * linear - 8.0 * constant)) - linear) / 4.0
    at_null, at_truth = 2.0 * alone + null * (1.0 - null), discordant - difference**2
    needed = normal_quantile(confidence) * math.sqrt(at_null) + _z(power) * math.sqrt(max(0.0, at_truth))
    return max(1, math.ceil((needed / (difference - null)) ** 2))


def cases_for_paired_aurocs(
    candidate: float,
    reference: float,
    correlation: float,
    margin: float,
    power: float = 0.8,
    confidence: float = 0.95,
    positives_per_negative: float = 1.0,
) -> ClassSizes:
    """Return about how many cases let the lower limit of a difference of areas lie above -margin often enough.

    (z + z_power)² (V1 + V2 - 2 r √(V1 V2)) <= (A1 - A2 + margin)². The interval of ``compare_aurocs`` adds a fifth of a
    patient to each class: near 1, and below 100 cases of a class, take a fifth more cases.

    Parameters
    ----------
    candidate, reference : assumed areas, strictly between 0 and 1
    correlation : of the two estimated areas, 0 <= r < 1; 0.3 to 0.7 is usual, 0 is the safe side
    margin : 0 <= margin < 1, and candidate - reference > -margin
    positives_per_negative : class ratio, more than 0

    Raises ValueError for arguments out of these ranges, or when a hundred thousand negatives do not do.
    """
    check_power(power)
    check_ratio(positives_per_negative)
    gap = candidate - reference + margin
    if not 0.0 <= margin < 1.0 or gap <= 0.0:
        raise ValueError(f"an area of {candidate} is not above {reference} less a margin of {margin}")
    if not 0.0 <= correlation < 1.0:
        raise ValueError(f"a correlation of areas lies between 0 and 1, not at {correlation}")
    allowed = (gap / (normal_quantile(confidence) + _z(power))) ** 2

    def suffices(negatives: int) -> bool:
        sizes = of_ratio(negatives, positives_per_negative)
        first, second = (
            hanley_mcneil_variance(area, sizes.positives, sizes.negatives) for area in (candidate, reference)
        )
        return first + second - 2.0 * correlation * math.sqrt(first * second) <= allowed

    return of_ratio(first_that(suffices, MOST_NEGATIVES), positives_per_negative)


def cases_for_mean(truth: float, goal: float, sd: float, power: float = 0.8, confidence: float = 0.95) -> int:
    """Return the smallest number of independent values with which a limit of their mean clears ``goal`` often enough.

    Exact for normal values and Student's interval, by the noncentral t distribution. For differences of two models:
    ``truth`` the expected difference, ``goal`` -margin, ``sd`` that of the differences. Skewed values, such as Dice
    with failures at 0, need more.

    Parameters
    ----------
    truth, goal : in the unit of the values; the lower limit is meant where truth > goal, else the upper one
    sd : standard deviation of the values, more than 0

    Raises ValueError for truth = goal, an sd of 0 or less, or when a thousand million values do not do.
    """
    from scipy.special import nctdtr, stdtrit

    check_power(power)
    error = error_each_side(confidence)
    if not 0.0 < sd < math.inf or truth == goal:
        raise ValueError(f"no number of values with an SD of {sd} tells {truth} from {goal}")
    distance = abs(truth - goal) / sd

    def suffices(more: int) -> bool:
        away = distance * math.sqrt(more + 1.0)
        if away > 30.0:
            return True
        if more > 10_000:  # normal within 1e-4, where the noncentral t is slow
            return 1.0 - _phi(normal_quantile(confidence) - away) >= power
        return 1.0 - float(nctdtr(more, away, -float(stdtrit(more, error)))) >= power

    found = fewest_that(suffices)
    if found is None:
        raise ValueError(f"no number of values with an SD of {sd} tells {truth} from {goal}")
    return found + 1


def _z(power: float) -> float:
    from scipy.special import ndtri

    return float(ndtri(power))


def _phi(z: float) -> float:
    return 0.5 * math.erfc(-z / math.sqrt(2.0))
