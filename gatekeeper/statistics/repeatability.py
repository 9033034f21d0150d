"""The within-subject standard deviation: how far repeats of one subject scatter.

Sources: Raunig et al., "Quantitative imaging biomarkers: a review of statistical methods for technical performance
assessment", Stat Methods Med Res 2015;24:27 (QIBA); Bland & Altman, Stat Methods Med Res 1999;8:135.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gatekeeper.statistics.bootstrap import cluster_index
from gatekeeper.statistics.interval import Interval, error_each_side


def within_subject_sd(values: NDArray[np.float64], subjects: Sequence[str]) -> tuple[float, int]:
    """Return the pooled within-subject standard deviation and its degrees of freedom.

    sqrt(sum of squared deviations from each subject's own mean / sum of (k_i - 1)), k_i the number of repeats of
    subject i; for pairs it is sqrt(sum d² / 2n). Subjects with one value add nothing.

    Parameters
    ----------
    values : shape (n,), finite, in any unit; the result is in the same unit
    subjects : n names, which subject each value is of

    Raises ValueError when lengths differ, a value is not finite, or no subject has two values.
    """
    if values.shape != (len(subjects),):
        raise ValueError(f"{values.shape} values for {len(subjects)} subjects")
    if not np.isfinite(values).all():
        raise ValueError("a value is not finite")
    codes, count = cluster_index(subjects)
    freedom = len(codes) - count
    if freedom == 0:
        raise ValueError("no subject has two values: a within-subject standard deviation is undefined")
    repeats = np.bincount(codes, minlength=count)
    # Taken from the subject's first value: sums of deviations lose no digits where repeats lie close together.
    first = np.empty(count)
    first[codes[::-1]] = values[::-1]
    deviations = values - first[codes]
    deviations -= (np.bincount(codes, weights=deviations, minlength=count) / repeats)[codes]
    return math.sqrt(float(deviations @ deviations) / freedom), freedom


def within_subject_sd_interval(wsd: float, degrees_of_freedom: int, confidence: float = 0.95) -> Interval:
    """Return the chi-squared interval of a within-subject standard deviation; in the unit of ``wsd``.

    sqrt(df wSD² / χ²), χ² the upper and the lower quantile with ``degrees_of_freedom``. Takes the deviations within
    subjects to be normal, of one variance: at wSD = 0 both limits are 0, so repeats that never differ because scores
    saturate are no proof. Raises ValueError for a negative ``wsd`` or no degree of freedom.
    """
    from scipy.special import gammainccinv, gammaincinv

    error = error_each_side(confidence)
    if not 0.0 <= wsd < math.inf or degrees_of_freedom < 1:
        raise ValueError(f"no interval for a standard deviation of {wsd} with {degrees_of_freedom} degrees of freedom")
    half_freedom = degrees_of_freedom / 2.0
    large, small = 2.0 * float(gammainccinv(half_freedom, error)), 2.0 * float(gammaincinv(half_freedom, error))
    lower, upper = (wsd * math.sqrt(degrees_of_freedom / chi_squared) for chi_squared in (large, small))
    return Interval(lower, upper, confidence, f"chi-squared, {degrees_of_freedom:,} degrees of freedom")


def repeatability_coefficient(wsd: float) -> float:
    """Return 1.96 √2 wSD = 2.77 wSD: the difference that two repeats exceed in 5 % of subjects; the unit of ``wsd``."""
    return 1.96 * math.sqrt(2.0) * wsd
