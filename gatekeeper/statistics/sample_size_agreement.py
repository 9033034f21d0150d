"""How many subjects to show agreement: an intraclass correlation, or limits of agreement.

For within-subject spreads see ``degrees_for_spread``. Sources: Walter, Eliasziw & Donner, Stat Med 1998;17:101 and
Bonett, Stat Med 2002;21:1331 (intraclass correlation); Lu et al., Int J Biostat 2016;12(2), with Carkeet's exact limits
in the place of Bland & Altman's (limits of agreement).
"""

from __future__ import annotations

import math

import numpy as np

from gatekeeper.statistics.bland_altman import WITHIN, LimitsMethod, limit_factors
from gatekeeper.statistics.interval import error_each_side, normal_quantile
from gatekeeper.statistics.sample_size import check_power, fewest_that

_MOST_PAIRS = 100_000
_SHARES = (np.arange(400) + 0.5) / 400.0


def subjects_for_icc(truth: float, goal: float, repeats: int = 2, power: float = 0.8, confidence: float = 0.95) -> int:
    """Return the smallest number of subjects with which the lower limit of ICC(1,1) reaches ``goal`` often enough.

    Exact for normal values: P(F(n - 1, n (k - 1)) >= F_crit (1 + k θ0) / (1 + k θ1)) >= power, θ = ρ / (1 - ρ), of
    which Walter, Eliasziw & Donner give the approximation. ICC(3,1) needs about as many; ICC(2,1) more where raters
    differ and are few.

    Parameters
    ----------
    truth, goal : intraclass correlations, 0 <= goal < truth < 1
    repeats : measurements of each subject, 2 or more

    Raises ValueError for arguments out of these ranges, or when a thousand million subjects do not do.
    """
    from scipy.special import betainc, betaincinv

    check_power(power)
    error = error_each_side(confidence)
    if not 0.0 <= goal < truth < 1.0 or repeats < 2:
        raise ValueError(f"the truth hoped for ({truth}) must lie above the goal ({goal}), with two repeats or more")
    ratio = _scaled(goal, repeats) / _scaled(truth, repeats)

    def suffices(more: int) -> bool:
        above, below = more / 2.0, (more + 1.0) * (repeats - 1.0) / 2.0
        # Of F above / below as a beta variable: the share that is left to the denominator.
        share = float(betaincinv(below, above, error))
        critical = (1.0 - share) / share * ratio
        return float(betainc(below, above, 1.0 / (1.0 + critical))) >= power

    return _found(fewest_that(suffices), f"an intraclass correlation of {truth} from {goal}") + 1


def subjects_for_icc_width(truth: float, width: float, repeats: int = 2, confidence: float = 0.95) -> int:
    """Return about how many subjects give an interval of ICC(1,1) of this width (Bonett 2002).

    n = 8 z² (1 - ρ)² (1 + (k - 1) ρ)² / (k (k - 1) w²) + 1, and 5 ρ more for two repeats of ρ of 0.7 and more.

    Parameters
    ----------
    truth : intraclass correlation, 0 <= truth < 1; ``width`` : upper less lower limit, 0 < width < 1

    Raises ValueError for arguments out of these ranges.
    """
    if not 0.0 <= truth < 1.0 or not 0.0 < width < 1.0 or repeats < 2:
        raise ValueError(f"no interval of width {width} at an intraclass correlation of {truth}")
    z = normal_quantile(confidence)
    spread = (1.0 - truth) ** 2 * (1.0 + (repeats - 1.0) * truth) ** 2
    subjects = 8.0 * z * z * spread / (repeats * (repeats - 1.0) * width**2) + 1.0
    return math.ceil(subjects + (5.0 * truth if repeats == 2 and truth >= 0.7 else 0.0))


def pairs_for_limits_of_agreement(
    bias: float,
    sd: float,
    allowed: float,
    power: float = 0.8,
    confidence: float = 0.95,
    method: LimitsMethod = "carkeet",
) -> int:
    """Return the smallest number of pairs with which both outer limits stay within ± ``allowed`` often enough.

    The outer limits are those of ``bland_altman``. For normal differences: at each standard deviation that may be seen
    (400 equally likely ones) the probability that the mean leaves room for both limits, averaged.

    Parameters
    ----------
    bias, sd : assumed mean and standard deviation of the differences, sd > 0
    allowed : in their unit, more than |bias| + 1.96 sd

    Raises ValueError for arguments out of these ranges, or when a hundred thousand pairs do not do.
    """
    from scipy.special import gammaincinv, ndtr

    check_power(power)
    if not 0.0 < sd < math.inf or not abs(bias) + WITHIN * sd < allowed:
        raise ValueError(f"limits of agreement of {bias} ± 1.96 · {sd} do not lie within ± {allowed}")

    def suffices(more: int) -> bool:
        pairs = more + 2
        if pairs > _MOST_PAIRS:
            return True
        half = (pairs - 1) / 2.0
        seen = sd * np.sqrt(gammaincinv(half, _SHARES) / half)
        room, scale = allowed - _outer(pairs, confidence, method) * seen, math.sqrt(pairs) / sd
        kept = ndtr((room - bias) * scale) - ndtr((-room - bias) * scale)
        return float(np.maximum(kept, 0.0).mean()) >= power

    found = _found(fewest_that(suffices), f"limits of agreement from {allowed}") + 2
    if found > _MOST_PAIRS:
        raise ValueError(f"{_MOST_PAIRS:,} pairs do not keep limits of agreement within ± {allowed}")
    return found


def _outer(pairs: int, confidence: float, method: LimitsMethod) -> float:
    from scipy.special import stdtrit

    if method == "carkeet":
        return limit_factors(pairs, confidence)[1]
    return WITHIN - float(stdtrit(pairs - 1, error_each_side(confidence))) * math.sqrt(3.0 / pairs)


def _scaled(correlation: float, repeats: int) -> float:
    return 1.0 + repeats * correlation / (1.0 - correlation)


def _found(number: int | None, what: str) -> int:
    if number is None:
        raise ValueError(f"no number of subjects tells {what}")
    return number
