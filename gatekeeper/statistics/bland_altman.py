"""Agreement of two measurements by their differences: bias, limits of agreement, and how sure the limits are.

Sources: Bland & Altman, Lancet 1986;1:307 and Stat Methods Med Res 1999;8:135; exact intervals of the limits: Carkeet,
Optom Vis Sci 2015;92:e71.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gatekeeper.statistics.interval import Interval, Undecidable, error_each_side
from gatekeeper.statistics.means import all_measurable, mean_interval

LimitsMethod: TypeAlias = Literal["carkeet", "bland_altman"]

Floats = NDArray[np.float64]

WITHIN = 1.96  # standard deviations on each side: 95 % of normal differences


@dataclass(frozen=True)
class Agreement:
    """Bias, standard deviation of the differences, and both limits of agreement, each with its interval.

    All in the unit of the differences, shares of the mean where they are relative. ``n`` pairs.
    """

    bias: float
    bias_interval: Interval
    sd: float
    lower: float
    lower_interval: Interval
    upper: float
    upper_interval: Interval
    n: int


def relative_differences(first: Floats, second: Floats) -> Floats:
    """Return (first - second) / mean of both, in [-2, 2]; both of shape (n,), 0 or more and not both 0.

    Raises ValueError for lengths that differ, and for values that are negative, not finite, or both 0.
    """
    _check_pairs(first, second)
    means = first / 2.0 + second / 2.0
    if min(first.min(initial=0.0), second.min(initial=0.0)) < 0.0 or (means <= 0.0).any():
        raise ValueError("a relative difference needs values of 0 or more, not both 0")
    return np.asarray((first - second) / means)


def rescan_difference(first: Floats, second: Floats) -> Floats:
    """Return |first - second| / mean of both, in [0, 2], shape (n,); values and errors of ``relative_differences``.

    Its mean over subjects has the interval of ``clustered_mean_interval`` with the bounds 0 and 2.
    """
    return np.abs(relative_differences(first, second))


def differences(first: Floats, second: Floats) -> Floats:
    """Return first - second, shape (n,); raises ValueError for lengths that differ or values that are not finite."""
    _check_pairs(first, second)
    return np.asarray(first - second)


def bland_altman(apart: Floats, confidence: float = 0.95, method: LimitsMethod = "carkeet") -> Agreement:
    """Return bias, limits of agreement (bias ± 1.96 SD, n - 1 in the denominator) and the intervals of each.

    The bias has Student's interval. A limit is a quantile of the differences; ``carkeet`` (the default) is exact for
    normal ones, from the noncentral t distribution: bias + SD t'(n - 1, 1.96 √n) / √n. ``bland_altman`` is their
    approximation, limit ± t(n - 1) √(3/n) SD, whose outer limits lie too near below 50 pairs.

    Takes differences to be independent, normal and as large at small as at large values: where they grow with the
    value, take relative ones. Several subjects of a patient are not independent; then the limits describe one subject
    of a patient at a time, and n is to count patients.

    Parameters
    ----------
    apart : shape (n,), finite, such as ``differences`` or ``relative_differences`` give

    Raises Undecidable for fewer than three pairs, ValueError for values that are not finite.
    """
    if apart.ndim != 1 or not all_measurable(apart):
        raise ValueError("limits of agreement need differences, all of them finite")
    if apart.size < 3:
        raise Undecidable(f"limits of agreement need three pairs; there are {apart.size}")
    apart = np.sort(apart)
    bias, bias_interval = mean_interval(apart, confidence)
    sd = 0.0 if apart[0] == apart[-1] else float(apart.std(ddof=1))
    inner, outer, name = _reach(apart.size, confidence, method)
    lower, upper = bias - WITHIN * sd, bias + WITHIN * sd
    return Agreement(
        bias,
        bias_interval,
        sd,
        lower,
        Interval(bias - outer * sd, bias - inner * sd, confidence, name),
        upper,
        Interval(bias + inner * sd, bias + outer * sd, confidence, name),
        int(apart.size),
    )


def wider_limit(apart: Floats, confidence: float = 0.95, method: LimitsMethod = "carkeet") -> tuple[float, Interval]:
    """Return the larger magnitude of the two limits of agreement, and its interval; parameters of ``bland_altman``.

    The upper limit is the farther of both outer limits: one of them belongs to the wider one, so it is wrong as rarely
    as that. The lower limit is the farther of both inner ones, each at half the error (Bonferroni), at least 0.
    """
    found = bland_altman(apart, confidence, method)
    halved = bland_altman(apart, (1.0 + confidence) / 2.0, method)
    estimate = max(-found.lower, found.upper)
    farthest = max(-found.lower_interval.lower, found.upper_interval.upper)
    nearest = max(0.0, -halved.lower_interval.upper, halved.upper_interval.lower)
    return estimate, Interval(
        min(nearest, estimate), farthest, confidence, f"{found.upper_interval.method}, the wider limit"
    )


def magnitude(bias: float, interval: Interval) -> tuple[float, Interval]:
    """Return |bias| and its interval: that of the bias folded at 0, so that an upper bound holds on both sides."""
    farther = max(-interval.lower, interval.upper)
    nearer = max(0.0, interval.lower, -interval.upper)
    return abs(bias), Interval(nearer, farther, interval.confidence, f"{interval.method}, folded at 0")


def limit_factors(n: int, confidence: float = 0.95, within: float = WITHIN) -> tuple[float, float]:
    """Return what SD is multiplied with for the exact inner and outer limits of mean + ``within`` SD.

    t'(n - 1, within √n) / √n at both quantiles: the outer one is the one-sided tolerance factor of the normal
    distribution. Raises ValueError for fewer than two values.
    """
    from scipy.special import nctdtrit

    if n < 2:
        raise ValueError(f"no limits of {n} values")
    error, root = error_each_side(confidence), math.sqrt(n)
    inner, outer = (float(nctdtrit(n - 1, within * root, share)) / root for share in (error, 1.0 - error))
    return inner, outer


def _reach(n: int, confidence: float, method: LimitsMethod) -> tuple[float, float, str]:
    from scipy.special import stdtrit

    if method == "carkeet":
        return (*limit_factors(n, confidence), "exact, noncentral t (Carkeet)")
    half = -float(stdtrit(n - 1, error_each_side(confidence))) * math.sqrt(3.0 / n)
    return WITHIN - half, WITHIN + half, "Bland & Altman, standard error √(3/n) SD"


def _check_pairs(first: Floats, second: Floats) -> None:
    if first.shape != second.shape or first.ndim != 1:
        raise ValueError(f"{first.shape} first and {second.shape} second measurements")
    if not (all_measurable(first) and all_measurable(second)):
        raise ValueError("a measurement is missing or not finite")
