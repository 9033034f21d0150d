"""The intraclass correlation: how much of the scatter lies between subjects and not between repeats; six forms.

Sources: Shrout & Fleiss, Psychol Bull 1979;86:420; McGraw & Wong, Psychol Methods 1996;1:30, with their correction
(1:390). Koo & Li, J Chiropr Med 2016;15:155 name 0.5, 0.75 and 0.9 as moderate, good and excellent, of the interval's
lower limit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from gatekeeper.statistics.interval import Interval, Undecidable, error_each_side
from gatekeeper.statistics.means import all_measurable

Floats = NDArray[np.float64]


class Form(StrEnum):
    """Shrout & Fleiss' forms, by model and by what is used in practice: one measurement (1) or the mean of k.

    1: each subject is measured by raters (scanners, runs) of its own; 2: all by the same, drawn from many, absolute
    agreement; 3: all by the same, which are the only ones of interest, consistency: shifts between raters do not count.
    """

    ONE_SINGLE = "ICC(1,1)"
    TWO_SINGLE = "ICC(2,1)"
    THREE_SINGLE = "ICC(3,1)"
    ONE_MEAN = "ICC(1,k)"
    TWO_MEAN = "ICC(2,k)"
    THREE_MEAN = "ICC(3,k)"

    @property
    def model(self) -> int:
        """1, 2 or 3."""
        return int(self.value[4])

    @property
    def of_mean(self) -> bool:
        """Whether it is the reliability of the mean of k measurements."""
        return self.value.endswith("k)")


@dataclass(frozen=True)
class MeanSquares:
    """Mean squares of the two-way layout without replication; arrays of many layouts will do.

    ``between``: subjects; ``within``: repeats of a subject; ``raters``; ``error``: what is left of both.
    """

    between: Floats | float
    within: Floats | float
    raters: Floats | float
    error: Floats | float
    subjects: Floats | float
    repeats: int

    def icc(self, form: Form) -> Floats | float:
        """Return the intraclass correlation of a form; NaN where its denominator is not above 0."""
        n, k = self.subjects, self.repeats
        noise = self.within if form.model == 1 else self.error
        shift = (self.raters - self.error) / n if form.model == 2 else 0.0
        below = self.between + shift if form.of_mean else self.between + (k - 1.0) * noise + k * shift
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(np.where(below > 0.0, np.divide(self.between - noise, below), np.nan))


def intraclass_correlation(
    values: Floats, form: Form = Form.TWO_SINGLE, confidence: float = 0.95
) -> tuple[float, Interval]:
    """Return an intraclass correlation and its interval from the F distribution.

    Limits of the forms 2 take Satterthwaite's degrees of freedom for the shifts between raters, as Shrout & Fleiss do;
    with few raters they are wide, since few say little of how far raters differ. Takes subjects to be independent and
    values normal. Where several subjects are of one patient use ``clustered_agreement``.

    No form exceeds 1; values below 0 are kept: ICC(1,1) and ICC(3,1) are -1/(k - 1) or more, the others have no bound.
    Where repeats never differ the value and both limits are 1: scores that saturate prove nothing by that.

    Parameters
    ----------
    values : shape (n, k), finite: n subjects, k measurements of each, in the same order of raters

    Raises ValueError for fewer than two subjects or two measurements, a value that is missing or not finite, and where
    the values are all alike; Undecidable where subjects differ so little that the form has no value.
    """
    squares = mean_squares(values)
    estimate = float(squares.icc(form))
    if not np.isfinite(estimate):
        raise Undecidable("no intraclass correlation: subjects do not differ")
    lower, upper = _limits(squares, form, estimate, error_each_side(confidence))
    # Rounding may carry a limit past the estimate where the two are one.
    return estimate, Interval(min(lower, estimate), max(upper, estimate), confidence, f"F distribution, {form}")


def mean_squares(values: Floats) -> MeanSquares:
    """Return the mean squares of n subjects by k measurements; values and errors as for ``intraclass_correlation``."""
    values = check_layout(values)
    n, k = values.shape
    centred = _sorted_rows(values - _middle(values))
    centred = centred - centred.mean()
    by_subject, by_rater = centred.mean(axis=1), centred.mean(axis=0)
    inside = centred - by_subject[:, None]
    left = inside - (by_rater - by_rater.mean())
    return MeanSquares(
        between=k * float(((by_subject - by_subject.mean()) ** 2).sum()) / (n - 1),
        within=float((inside**2).sum()) / (n * (k - 1)),
        raters=n * float(((by_rater - by_rater.mean()) ** 2).sum()) / (k - 1),
        error=float((left**2).sum()) / ((n - 1) * (k - 1)),
        subjects=float(n),
        repeats=k,
    )


def check_layout(values: Floats) -> Floats:
    """Return the values as float64 of shape (n, k); raises ValueError as ``intraclass_correlation`` says."""
    values = np.asarray(values, dtype=np.float64)
    if values.ndim != 2 or min(values.shape) < 2:
        raise ValueError(f"agreement needs two subjects or more with two measurements or more each, not {values.shape}")
    if not all_measurable(values):
        raise ValueError("a measurement is missing or not finite: every subject needs all of them")
    if values.min() == values.max():
        raise ValueError("all values are alike: agreement beyond that is undefined")
    return values


def _middle(values: Floats) -> float:
    """Return a value near all others, so that sums of squares lose no digits; the same in any order."""
    return float(np.sort(values, axis=None)[values.size // 2])


def _sorted_rows(values: Floats) -> Floats:
    """Return the subjects in an order of their values, so that sums do not depend on the order of rows."""
    return np.asarray(values[np.lexsort(values.T[::-1])])


def _limits(squares: MeanSquares, form: Form, estimate: float, error: float) -> tuple[float, float]:
    n, k = int(squares.subjects), squares.repeats
    noise = float(squares.within if form.model == 1 else squares.error)
    if noise == 0.0 and estimate == 1.0:
        return 1.0, 1.0
    if form.model == 2:
        lower, upper = _absolute_limits(squares, error)
    else:
        freedom = n * (k - 1.0) if form.model == 1 else (n - 1.0) * (k - 1.0)
        lower, upper = _plain_limits(float(squares.between), noise, k, (n - 1.0, freedom), error)
    return (_of_mean(lower, k), _of_mean(upper, k)) if form.of_mean else (lower, upper)


def _plain_limits(
    between: float, noise: float, repeats: int, freedom: tuple[float, float], error: float
) -> tuple[float, float]:
    """Return (F_L - 1) / (F_L + k - 1) and the same of F_U, F_L = F / quantile, F_U = F times the other quantile."""
    over, under = _f_quantile(*freedom, error)
    low, noise_low = between * under, noise * over
    over, under = _f_quantile(*freedom[::-1], error)
    high, noise_high = between * over, noise * under
    more = repeats - 1.0
    return (low - noise_low) / (low + more * noise_low), (high - noise_high) / (high + more * noise_high)


def _absolute_limits(squares: MeanSquares, error: float) -> tuple[float, float]:
    """Return the limits of ICC(2,1): Shrout & Fleiss, from Fleiss & Shrout, Psychometrika 1978;43:259."""
    n, k = float(squares.subjects), float(squares.repeats)
    between, raters, left = float(squares.between), float(squares.raters), float(squares.error)
    single = float(squares.icc(Form.TWO_SINGLE))
    # Multiplied by the square of the error's mean square, which may be 0.
    shifted, rest = k * single * raters, (n * (1.0 + (k - 1.0) * single) - k * single) * left
    doubt = (n - 1.0) * shifted**2 + rest**2
    if not doubt > 0.0:
        raise Undecidable("no interval of an intraclass correlation: subjects do not differ")
    freedom = (k - 1.0) * (n - 1.0) * (shifted + rest) ** 2 / doubt
    scale = k * raters + (k * n - k - n) * left
    over, under = _f_quantile(n - 1.0, freedom, error)
    lower = n * (between * under - over * left) / (over * scale + n * between * under)
    over, under = _f_quantile(freedom, n - 1.0, error)
    upper = n * (over * between - left * under) / (scale * under + n * over * between)
    return lower, upper


def _of_mean(single: float, repeats: int) -> float:
    """Return Spearman & Brown's reliability of the mean; it has no bound below."""
    below = 1.0 + (repeats - 1.0) * single
    return repeats * single / below if below > 0.0 else -math.inf


def _f_quantile(above: float, below: float, error: float) -> tuple[float, float]:
    """Return the upper quantile of F as a fraction, of which either part may be 0; degrees need not be whole."""
    from scipy.special import betaincinv

    share = float(betaincinv(below / 2.0, above / 2.0, error))
    return below * (1.0 - share), above * share
