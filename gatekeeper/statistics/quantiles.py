"""Quantiles of independent values, such as times, whatever their distribution.

Source: Hahn & Meeker, Statistical Intervals, 1991, section 5.2: two order statistics, chosen by the binomial
distribution.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from gatekeeper.statistics.interval import Interval, Undecidable, error_each_side


def quantile_interval(values: NDArray[np.float64], quantile: float, confidence: float = 0.95) -> tuple[float, Interval]:
    """Return a quantile and its distribution-free interval.

    The estimate is a value that was observed: the smallest with at least a share ``quantile`` of all values at or
    below it (numpy's ``inverted_cdf``, Hyndman & Fan 1). The limits are the two order statistics nearest to it for
    which each limit is wrong with probability (1 - confidence) / 2 at most; so the interval covers at least at
    ``confidence``, and with tied values more.

    Parameters
    ----------
    values : shape (n,), finite, in any unit
    quantile : 0 < quantile < 1; 0.95 for the 95th percentile

    Raises Undecidable when no two order statistics do so, naming how many values are needed (72 for the 95th
    percentile at 0.95, 368 for the 99th); ValueError for no values, values that are not finite, or a quantile out of
    range.
    """
    if not 0.0 < quantile < 1.0:
        raise ValueError(f"a quantile must lie between 0 and 1, not {quantile}")
    if values.ndim != 1 or values.size == 0 or not np.isfinite(values).all():
        raise ValueError("a quantile needs values, all of them finite")
    needed = values_needed(quantile, confidence)
    if values.size < needed:
        raise Undecidable(
            f"quantile {quantile:g} at confidence {confidence:g} needs {needed:,} values; there are {values.size:,}"
        )
    ordered = np.sort(values)
    low, high = _ranks(values.size, quantile, error_each_side(confidence))
    estimate = float(np.quantile(ordered, quantile, method="inverted_cdf"))
    method = f"order statistics {low:,} and {high:,} of {values.size:,}"
    return estimate, Interval(float(ordered[low - 1]), float(ordered[high - 1]), confidence, method)


def values_needed(quantile: float, confidence: float = 0.95) -> int:
    """Return the least number of values for which ``quantile_interval`` has both limits."""
    error = error_each_side(confidence)
    rarer = max(quantile, 1.0 - quantile)
    count = max(1, math.floor(math.log(error) / math.log(rarer)))
    while rarer**count > error:
        count += 1
    return count


def _ranks(n: int, quantile: float, error: float) -> tuple[int, int]:
    """Return the largest lower and the smallest upper rank (one-based) that are each wrong with probability <= error.

    The number of values below the quantile is binomial (n, quantile): the r-th value lies above the quantile when
    that number is r - 1 or less, and below it when the number is r or more.
    """
    from scipy.special import bdtr, bdtrc

    ranks = np.arange(1.0, n + 1)
    above, below = bdtr(ranks - 1.0, n, quantile), bdtrc(ranks - 1.0, n, quantile)
    return int(np.flatnonzero(above <= error)[-1]) + 1, int(np.flatnonzero(below <= error)[0]) + 1
