"""How many cases: to decide a requirement that is open, and to plan a test set."""

from __future__ import annotations

import math

from gatekeeper.statistics.interval import Interval, error_each_side

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


def cases_for_lower_limit(truth: float, goal: float, power: float = 0.8, confidence: float = 0.95) -> int:
    """Return the smallest number of trials with which a Clopper-Pearson lower limit reaches ``goal`` often enough.

    Exact: for n trials, h(n) is the fewest hits whose lower limit is at or above ``goal``, and the power is
    P(hits >= h(n)) when the probability of a hit is ``truth``. Power rises with n in a saw-tooth; the number returned
    is the first n at which it is at least ``power``, and some larger n fall short of it again.

    Parameters
    ----------
    truth : probability of a hit that is hoped for, goal < truth < 1
    goal : threshold of the lower limit of the two-sided interval at ``confidence``, 0 < goal
    power : probability wanted, 0 < power < 1

    Raises ValueError for arguments out of these ranges, or when a million trials do not do.
    """
    from scipy.special import bdtrc

    error = error_each_side(confidence)
    if not 0.0 < goal < truth < 1.0:
        raise ValueError(f"the truth hoped for ({truth}) must lie above the goal ({goal}), both between 0 and 1")
    if not 0.0 < power < 1.0:
        raise ValueError(f"power must lie between 0 and 1, not {power}")
    hits = 1
    for trials in range(1, _MOST_TRIALS + 1):
        while hits <= trials and bdtrc(hits - 1, trials, goal) > error:
            hits += 1
        if hits <= trials and bdtrc(hits - 1, trials, truth) >= power:
            return trials
    raise ValueError(f"{_MOST_TRIALS:,} trials do not tell {truth} from {goal}")
