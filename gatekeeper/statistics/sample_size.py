"""How many cases: to decide a requirement that is open, and to plan a test set.

Sources: proportions by the binomial distribution itself, with the limits of ``proportions``; a spread by the
chi-squared distribution of its square (Raunig et al., Stat Methods Med Res 2015;24:27, QIBA).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal, TypeAlias

from gatekeeper.statistics.interval import Interval, error_each_side, normal_quantile

ProportionMethod: TypeAlias = Literal["wilson", "clopper_pearson", "jeffreys"]

DEFAULT_METHOD: ProportionMethod = "clopper_pearson"  # no more than 2.5 % of false releases, whatever the truth

_MOST_CASES = 10**9
_MOST_TRIALS = 1_000_000


def cases_to_decide(estimate: float, interval: Interval, threshold: float, n: int) -> int | None:
    """Return about how many cases in all would let an interval of this kind clear the threshold.

    Takes the estimate to stay where it is, and the half of the interval on the side of the threshold to shrink with
    1 / sqrt(n): n' = n (half / |estimate - threshold|)². A rule of thumb for planning, no promise.

    Parameters
    ----------
    estimate, interval, threshold : in one unit
    n : number of cases behind ``interval``, at least 1

    Returns
    -------
    The number of cases in all, ``n`` when the interval clears the threshold already; None when the estimate equals
    the threshold, or so nearly that a thousand million cases would not do.
    """
    if n < 1:
        raise ValueError(f"an interval of {n} cases")
    gap = abs(estimate - threshold)
    half = estimate - interval.lower if threshold < estimate else interval.upper - estimate
    if gap == 0.0 or math.isnan(gap):
        return None
    if half <= gap:
        return n
    if half / gap > math.sqrt(_MOST_CASES / n):
        return None
    return math.ceil(n * (half / gap) ** 2)


def cases_for_lower_limit(
    truth: float,
    goal: float,
    power: float = 0.8,
    confidence: float = 0.95,
    method: ProportionMethod = "clopper_pearson",
    most: int = _MOST_TRIALS,
) -> int:
    """Return the smallest number of trials with which the lower limit of a proportion reaches ``goal`` often enough.

    Exact: for n trials, h(n) is the fewest hits whose lower limit is at or above ``goal``, and the power is
    P(hits >= h(n)) when the probability of a hit is ``truth``. Power rises with n in a saw-tooth; the number returned
    is the first n at which it is at least ``power``, and some larger n fall short of it again.

    Parameters
    ----------
    truth : probability of a hit that is hoped for, goal < truth < 1
    goal : threshold of the lower limit of the two-sided interval at ``confidence``, 0 < goal
    power : probability wanted, 0 < power < 1
    method : how the interval is made
    most : the search ends there

    Raises ValueError for arguments out of these ranges, or when ``most`` trials do not do.
    """
    from scipy.special import bdtrc

    check_plan(truth, goal, power)
    reaches = _reaches(goal, confidence, method)
    hits = 1
    for trials in range(1, most + 1):
        while hits <= trials and not reaches(hits, trials):
            hits += 1
        if hits <= trials and bdtrc(hits - 1, trials, truth) >= power:
            return trials
    raise ValueError(f"{most:,} trials do not tell {truth} from {goal}")


def cases_for_upper_limit(
    truth: float,
    goal: float,
    power: float = 0.8,
    confidence: float = 0.95,
    method: ProportionMethod = "clopper_pearson",
    most: int = _MOST_TRIALS,
) -> int:
    """Return the smallest number of trials with which the upper limit of a proportion stays at ``goal`` or below.

    The mirror image of ``cases_for_lower_limit``, hits taken for misses: 0 < truth < goal < 1. Raises ValueError as it
    does.
    """
    return cases_for_lower_limit(1.0 - truth, 1.0 - goal, power, confidence, method, most)


def fewest_for_lower_limit(
    goal: float, confidence: float = 0.95, method: ProportionMethod = "clopper_pearson"
) -> int | None:
    """Return the fewest trials that can reach a lower limit of ``goal`` at all: every one of them a hit.

    For an upper limit of ``goal`` without any hit, pass 1 - goal. None when no number of trials does (goal 1, or so
    near that a thousand million would not do); 1 for a goal of 0 or less. Raises ValueError for a goal above 1.
    """
    if goal > 1.0:
        raise ValueError(f"a proportion never reaches {goal}")
    if goal <= 0.0:
        return 1
    return None if goal == 1.0 else fewest_that(lambda trials: _all_hit_limit(trials, confidence, method) >= goal)


def degrees_for_spread(ratio: float, power: float = 0.8, confidence: float = 0.95) -> int:
    """Return the degrees of freedom with which the upper limit of a spread stays at the goal or below often enough.

    A spread is a within-subject standard deviation, coefficient of variation or repeatability coefficient, with the
    chi-squared interval of ``within_subject_sd_interval``. With n pairs of repeats there are n degrees of freedom,
    with n subjects of k repeats n (k - 1). Exact for normal deviations: the smallest df with
    P(χ²(df) <= ratio² χ²_e(df)) >= power, where e = (1 - confidence) / 2.

    Parameters
    ----------
    ratio : goal / truth, more than 1
    power : probability wanted, 0 < power < 1

    Raises ValueError for arguments out of these ranges, or when a thousand million degrees do not do.
    """
    from scipy.special import gammainc, gammaincinv

    error = error_each_side(confidence)
    check_power(power)
    if not 1.0 < ratio < math.inf:
        raise ValueError(f"the goal must be more than the truth hoped for, not {ratio} times it")

    def suffices(freedom: int) -> bool:
        half = freedom / 2.0
        return bool(gammainc(half, ratio**2 * gammaincinv(half, error)) >= power)

    found = fewest_that(suffices)
    if found is None:
        raise ValueError(f"no number of repeats tells a spread from one {ratio} times as large")
    return found


def subjects_for_spread(ratio: float, power: float = 0.8, confidence: float = 0.95) -> int:
    """Return with how many pairs of repeats the upper limit of a spread stays at the goal or below often enough.

    The limit is that of ``uneven_within_subject_sd_interval``, which lies farther out than the chi-squared one. Of
    normal repeats that scatter alike in all subjects, it kept the power of n chi-squared degrees of freedom with 1.2 n
    to 1.4 n subjects from 30 on, with up to 1.7 n of 10 to 20, in 250 to 600 simulated studies each, at 90 and at 95 %
    confidence; 1.35 n + 4 is no less than any of them. Subjects that do not scatter alike need more.

    Parameters and errors are those of ``degrees_for_spread``.
    """
    return math.ceil(1.35 * degrees_for_spread(ratio, power, confidence)) + 4


def fewest_that(suffices: Callable[[int], bool]) -> int | None:
    """Return the smallest number from 1 on that suffices, when every larger one does as well; None when none does."""
    most = 1
    while not suffices(most):
        if most >= _MOST_CASES:
            return None
        most *= 2
    least = most // 2
    while most - least > 1:
        middle = (least + most) // 2
        least, most = (least, middle) if suffices(middle) else (middle, most)
    return most


def _reaches(goal: float, confidence: float, method: ProportionMethod) -> Callable[[int, int], bool]:
    """Say of hits >= 1 among trials whether their lower limit is at or above ``goal``."""
    from scipy.special import bdtrc, betainc

    error, z = error_each_side(confidence), normal_quantile(confidence)

    def score(hits: int, trials: int) -> bool:
        # Wilson's lower limit is the proportion at which the score test just rejects.
        return hits - trials * goal >= z * math.sqrt(trials * goal * (1.0 - goal))

    def exact(hits: int, trials: int) -> bool:
        return bool(bdtrc(hits - 1, trials, goal) <= error)

    def posterior(hits: int, trials: int) -> bool:
        return bool(betainc(hits + 0.5, trials - hits + 0.5, goal) <= error)

    return {"wilson": score, "clopper_pearson": exact, "jeffreys": posterior}[method]


def _all_hit_limit(trials: int, confidence: float, method: ProportionMethod) -> float:
    from gatekeeper.statistics.proportions import clopper_pearson, jeffreys, wilson

    limit = {"wilson": wilson, "clopper_pearson": clopper_pearson, "jeffreys": jeffreys}[method]
    return limit(trials, trials, confidence).lower


def check_plan(truth: float, goal: float, power: float) -> None:
    """Raise ValueError unless 0 < goal < truth < 1 and 0 < power < 1."""
    if not 0.0 < goal < truth < 1.0:
        raise ValueError(f"the truth hoped for ({truth}) must lie above the goal ({goal}), both between 0 and 1")
    check_power(power)


def check_power(power: float) -> None:
    """Raise ValueError unless 0 < power < 1."""
    if not 0.0 < power < 1.0:
        raise ValueError(f"power must lie between 0 and 1, not {power}")
