"""The bias-corrected and accelerated bootstrap interval, of any statistic.

Sources: Efron, "Better bootstrap confidence intervals", J Am Stat Assoc 1987;82:171; Davison & Hinkley, Bootstrap
Methods and their Application, 1997, section 5.3.2.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from gatekeeper.statistics.bootstrap import MOST_UNDEFINED
from gatekeeper.statistics.interval import Interval, Undecidable, normal_quantile

Floats = NDArray[np.float64]


def bca_interval(
    replicates: Floats, estimate: float, jackknife: Floats, confidence: float, method: str = "BCa bootstrap"
) -> Interval:
    """Return Efron's BCa interval: the percentile interval, its two percentiles moved for bias and for skewness.

    The bias z0 is the normal quantile of the share of replicates below the estimate, ties counted one half. The
    acceleration is the skewness of the jackknife values, a = Σ(m - θ_i)³ / 6 (Σ(m - θ_i)²)^1.5, m their mean. A limit
    is the replicates' quantile (Hyndman & Fan 7) at Φ(z0 + (z0 + z) / (1 - a (z0 + z))), z that of the nominal limit.

    Parameters
    ----------
    replicates : shape (B,), the statistic in each resample of patients; those that are not finite are left out as
        ``percentile_interval`` leaves them out, and ``method`` then says how many
    estimate : the statistic of the data
    jackknife : shape (C,), the statistic without each of the patients

    To first order a patient's contribution (``influence``) is the jackknife value turned round; only its shape counts.
    Where patients are so skewed that the formula breaks down, a limit is the farthest replicate on its side.

    Raises Undecidable with more than 5 % undefined replicates, with a jackknife value that is not finite, or when all
    replicates lie on one side of the estimate; ValueError without a replicate, with fewer than two jackknife values, or
    for an estimate that is not finite.
    """
    from scipy.special import ndtr

    defined, note = _defined(replicates)
    if not math.isfinite(estimate):
        raise ValueError(f"no interval of an estimate of {estimate}")
    acceleration, bias = _acceleration(jackknife), _bias(defined, estimate)
    z = normal_quantile(confidence)
    shares = []
    for moved in (bias - z, bias + z):
        shrunk = 1.0 - acceleration * moved
        shares.append(float(ndtr(bias + moved / shrunk)) if shrunk > 0.0 else float(moved > 0.0))
    lower, upper = np.quantile(defined, shares)
    return Interval(float(lower), float(upper), confidence, method + note)


def _defined(replicates: Floats) -> tuple[Floats, str]:
    if replicates.size == 0:
        raise ValueError("an interval of no replicates")
    defined = replicates[np.isfinite(replicates)]
    missing = replicates.size - defined.size
    if missing > MOST_UNDEFINED * replicates.size:
        raise Undecidable(f"the metric is undefined in {missing:,} of {replicates.size:,} resamples")
    return defined, f", {missing:,} undefined ones left out" if missing else ""


def _bias(replicates: Floats, estimate: float) -> float:
    from scipy.special import ndtri

    below, up_to = int((replicates < estimate).sum()), int((replicates <= estimate).sum())
    share = (below + up_to) / (2.0 * replicates.size)
    if share in (0.0, 1.0):
        raise Undecidable("all resamples lie on one side of the estimate: no BCa interval")
    return float(ndtri(share))


def _acceleration(jackknife: Floats) -> float:
    """Return a sixth of the skewness of the jackknife values, turned round; 0 where they are all alike."""
    if jackknife.ndim != 1 or jackknife.size < 2:
        raise ValueError(f"an acceleration needs two jackknife values or more, not {jackknife.shape}")
    if not np.isfinite(jackknife).all():
        raise Undecidable("without one of the patients the metric is undefined: no BCa interval")
    values = np.sort(jackknife)  # so that sums do not depend on the order of patients
    away = values.mean() - values
    largest = float(np.abs(away).max())
    if largest == 0.0 or values[0] == values[-1]:
        return 0.0
    away /= largest
    return float((away**3).sum() / (6.0 * (away**2).sum() ** 1.5))
