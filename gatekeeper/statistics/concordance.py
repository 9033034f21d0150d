"""Lin's concordance correlation: how close pairs of measurements lie to the line on which both are equal.

Sources: Lin, "A concordance correlation coefficient to evaluate reproducibility", Biometrics 1989;45:255; the variance
as corrected in Lin, "A note on the concordance correlation coefficient", Biometrics 2000;56:324.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gatekeeper.statistics.interval import Interval, Undecidable, normal_quantile
from gatekeeper.statistics.intraclass import check_layout

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Concordance:
    """The coefficient, and its two factors: ``precision`` (Pearson's r) times ``accuracy`` (C_b, 1 without bias)."""

    value: float
    precision: float
    accuracy: float
    interval: Interval


def concordance_correlation(first: Floats, second: Floats, confidence: float = 0.95) -> Concordance:
    """Return 2 s12 / (s1² + s2² + (m1 - m2)²), variances with n in the denominator as Lin has them; in [-1, 1].

    The interval is Lin's on the scale of Fisher's z, with the variance of 2000. Takes subjects to be independent and
    pairs to be normal; below 20 pairs it covers a little less than it promises. Where several subjects are of one
    patient use ``clustered_agreement``. Where all pairs lie on the line the value and both limits are 1.

    Parameters
    ----------
    first, second : shape (n,), finite, in one unit

    Raises ValueError for lengths that differ, values that are not finite or all alike; Undecidable for fewer than four
    pairs, or where one of the two never varies.
    """
    if first.shape != second.shape or first.ndim != 1:
        raise ValueError(f"{first.shape} first and {second.shape} second measurements")
    pairs = check_layout(np.stack([first, second], axis=1))
    if len(pairs) < 4:
        raise Undecidable(f"the interval of a concordance correlation needs four pairs; there are {len(pairs)}")
    pairs = pairs[np.lexsort(pairs.T)]  # so that sums do not depend on the order of rows
    spreads, means = pairs.std(axis=0), pairs.mean(axis=0)
    if pairs[:, 0].min() == pairs[:, 0].max() or pairs[:, 1].min() == pairs[:, 1].max():
        raise Undecidable("one of the two measurements never varies: no interval of a concordance correlation")
    product = float(spreads[0] * spreads[1])
    together = float(((pairs[:, 0] - means[0]) * (pairs[:, 1] - means[1])).mean())
    precision = max(-1.0, min(1.0, together / product))
    shift = float((means[0] - means[1]) ** 2) / product
    accuracy = 2.0 / (float(spreads[0] / spreads[1] + spreads[1] / spreads[0]) + shift)
    if np.array_equal(first, second):
        precision = accuracy = 1.0
    value = precision * accuracy
    limits = _limits(precision, accuracy, shift, len(pairs), normal_quantile(confidence))
    return Concordance(value, precision, accuracy, Interval(*limits, confidence, "Lin, Fisher's z"))


def _limits(precision: float, accuracy: float, shift: float, n: int, z: float) -> tuple[float, float]:
    """Return the limits; ``shift`` is (m1 - m2)² / (s1 s2)."""
    value = precision * accuracy
    if abs(value) >= 1.0:
        return value, value
    variance = (
        (1.0 - precision**2) * accuracy**2 * (1.0 - value**2)
        + 2.0 * value**2 * accuracy * (1.0 - value) * shift
        - 0.5 * accuracy**2 * value**2 * shift**2
    ) / (n - 2)
    centre, half = math.atanh(value), z * math.sqrt(max(0.0, variance)) / (1.0 - value**2)
    return min(value, math.tanh(centre - half)), max(value, math.tanh(centre + half))
