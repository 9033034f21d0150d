"""The mean of independent values.

Source: Student, "The probable error of a mean", Biometrika 1908;6:1.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from gatekeeper.statistics.interval import Interval, Undecidable, error_each_side


def mean_interval(values: NDArray[np.float64], confidence: float = 0.95) -> tuple[float, Interval]:
    """Return the mean and Student's t interval of it: mean ± t(n - 1) s / √n, s with n - 1 in the denominator.

    Exact for normal values; for others good when n is large, since the mean of many is nearly normal.

    Parameters
    ----------
    values : shape (n,), finite, in any unit; the result is in the same unit

    Raises Undecidable for fewer than two values, ValueError for values that are not finite.
    """
    from scipy.special import stdtrit

    if values.ndim != 1 or not np.isfinite(values).all():
        raise ValueError("a mean needs values, all of them finite")
    if values.size < 2:
        raise Undecidable(f"the interval of a mean needs two values; there are {values.size}")
    mean, spread = float(values.mean()), float(values.std(ddof=1))
    half = -float(stdtrit(values.size - 1, error_each_side(confidence))) * spread / math.sqrt(values.size)
    return mean, Interval(mean - half, mean + half, confidence, "Student t")
