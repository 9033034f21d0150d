"""Intervals of the numbers of ``froc``: how sure they are, resampling patients, not lesions or findings.

Shares (CPM, AP, sensitivity at a rate of false positives): the variance over resamples of patients gives an effective
number of lesions, v (1 - v) over that variance, on which Wilson's limits are taken, with t of one less than the
patients with lesions. Percentile and BCa limits promise too much near 1, four times and twice as often as they should
with 100 patients, since the few lesions that are missed make the spread. So, as in ``effective`` and ``roc`` and by the
same choice of this project, a fifth of a patient is added who has all lesions missed for the lower limit, and all hit
for the upper one. The effective number is kept at or below twice the true one (a lesion that is hit at some rates and
not at others says more than yes or no): patients who are all alike do not bound the others.

Counts (false positives a case): the widest of the percentile limits, of Student's t on the logarithm, and of the gamma
limits of Fay & Feuer, Stat Med 1997;16:791, with the variance over resamples. The first two promise too much where few
false positives are seen, the last where few patients have most of them. With none at all the gamma limit is the exact
one of a Poisson mean (Garwood, Biometrika 1936;28:437), each patient counted as one case.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from gatekeeper.statistics.bootstrap import MOST_UNDEFINED, RESAMPLES, bootstrap_sums, weight_blocks
from gatekeeper.statistics.effective import PHANTOM, freedom_correction
from gatekeeper.statistics.findings import Findings
from gatekeeper.statistics.froc import (
    Precision,
    Weights,
    average_precision,
    average_precision_of_weights,
    cpm,
    cpm_of_weights,
    false_positives_at,
    false_positives_of_weights,
    sensitivities_at,
    sensitivities_of_weights,
)
from gatekeeper.statistics.interval import Interval, Undecidable, check_confidence, error_each_side, normal_quantile
from gatekeeper.statistics.proportions import clopper_pearson, wilson

Floats = NDArray[np.float64]

_SHARE = "patient-cluster bootstrap, Wilson score on the effective number of lesions"
_COUNT = "patient-cluster bootstrap, the widest of percentile, log-scale and gamma limits"


def cpm_interval(
    findings: Findings, confidence: float = 0.95, resamples: int = RESAMPLES, seed: int = 0
) -> tuple[float, Interval]:
    """Return LUNA16's score and its interval.

    Where every lesion is hit at every rate, or none at any, limits are those of Clopper and Pearson over patients with
    lesions. With lesions in one patient only, the interval is otherwise [0, 1].

    Raises ValueError without a lesion, Undecidable when more than 5 % of the resamples have none.
    """

    def of_weights(weights: Weights) -> Floats:
        return cpm_of_weights(findings, weights)

    return _share(findings, cpm(findings), of_weights, confidence, resamples, seed)


def average_precision_interval(
    findings: Findings, precision: Precision, confidence: float = 0.95, resamples: int = RESAMPLES, seed: int = 0
) -> tuple[float, Interval]:
    """Return the average precision and its interval, with limits and errors as ``cpm_interval`` has them."""

    def of_weights(weights: Weights) -> Floats:
        return average_precision_of_weights(findings, precision, weights)

    return _share(findings, average_precision(findings, precision), of_weights, confidence, resamples, seed)


def sensitivity_at_interval(
    findings: Findings, rate: float, confidence: float = 0.95, resamples: int = RESAMPLES, seed: int = 0
) -> tuple[float, Interval]:
    """Return the best sensitivity of all cuts with at most ``rate`` false positives a case, and its interval.

    Nothing is interpolated. Limits and errors are as ``cpm_interval`` has them.
    """

    def of_weights(weights: Weights) -> Floats:
        return sensitivities_of_weights(findings, (rate,), "steps", weights)[:, 0]

    value = float(sensitivities_at(findings, (rate,), "steps")[0])
    return _share(findings, value, of_weights, confidence, resamples, seed)


def false_positives_at_interval(
    findings: Findings, sensitivity: float, confidence: float = 0.95, resamples: int = RESAMPLES, seed: int = 0
) -> tuple[float, Interval]:
    """Return the least false positives a case at which the sensitivity is reached, and its interval.

    The value, and the limits, are infinite where no cut reaches it; resamples that do not reach it count as infinite.
    Where the value is 0, the upper limit is that of ``false_positives_interval`` or, if higher, of the resamples.

    Raises ValueError without a lesion or for a sensitivity not in (0, 1], Undecidable when more than 5 % of the
    resamples have no lesion.
    """
    check_confidence(confidence)
    value = false_positives_at(findings, sensitivity)
    blocks = weight_blocks(findings.patients, resamples, seed)
    replicates = _defined(false_positives_of_weights(findings, sensitivity, blocks))
    return value, _count(value, replicates, findings.patients, len(findings.lesions), confidence)


def false_positives_interval(
    false_positives: NDArray[np.integer],
    cases: NDArray[np.integer],
    confidence: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> tuple[float, Interval]:
    """Return the mean of false positives over cases, and its interval, from sums by patient.

    Where no patient has one, the upper limit is -log((1 - confidence) / 2) over the number of patients (Garwood). With
    one patient only, there is no upper limit otherwise.

    Parameters
    ----------
    false_positives, cases : of each patient, shape (C,); patients without a case do not count

    Raises ValueError without a case, or for a number below 0.
    """
    check_confidence(confidence)
    if false_positives.shape != cases.shape or cases.ndim != 1 or (false_positives < 0).any() or (cases < 0).any():
        raise ValueError("false positives and cases are counted by patient, 0 or more each")
    if false_positives[cases == 0].any() or not cases.any():
        raise ValueError("false positives are counted in cases; there is none")
    counted = np.stack([false_positives, cases], axis=1)[cases > 0]
    sums = bootstrap_sums(counted, resamples, seed)
    value = float(counted[:, 0].sum() / counted[:, 1].sum())
    return value, _count(value, sums[:, 0] / sums[:, 1], len(counted), int(counted[:, 1].sum()), confidence)


def _share(
    findings: Findings,
    value: float,
    of_weights: Callable[[Weights], Floats],
    confidence: float,
    resamples: int,
    seed: int,
) -> tuple[float, Interval]:
    check_confidence(confidence)
    patients = int((findings.by_patient(findings.lesions) > 0).sum())
    if value in (0.0, 1.0):
        exact = clopper_pearson(round(value * patients), patients, confidence)
        why = "every lesion is hit" if value else "no lesion is hit"
        method = f"Clopper-Pearson (exact) over {patients:,} patients with lesions, since {why}"
        return value, Interval(exact.lower, exact.upper, confidence, method)
    if patients < 2:
        return value, Interval(0.0, 1.0, confidence, "none: the lesions of one patient bound nothing")
    replicates = _defined(of_weights(weight_blocks(findings.patients, resamples, seed)))
    spread, most = float(replicates.var()), 2.0 * float(findings.lesions.sum())
    lower = _lower_limit(value, spread, patients, most, confidence)
    upper = 1.0 - _lower_limit(1.0 - value, spread, patients, most, confidence)
    return value, Interval(lower, upper, confidence, _SHARE)


def _lower_limit(value: float, spread: float, patients: int, most: float, confidence: float) -> float:
    """Return Wilson's lower limit, a fifth of a patient added of whom nothing is hit."""
    grown = 1.0 + PHANTOM / patients
    shrunk = value / grown
    variance = spread + PHANTOM * (shrunk / (patients * grown)) ** 2
    effective = min(most, shrunk * (1.0 - shrunk) / variance) * freedom_correction(patients, confidence)
    return wilson(shrunk * effective, effective, confidence).lower


def _count(value: float, replicates: Floats, patients: int, cases: int, confidence: float) -> Interval:
    error = error_each_side(confidence)
    ranked = np.sort(replicates)
    ends = math.floor((len(ranked) - 1) * error), math.ceil((len(ranked) - 1) * (1.0 - error))
    lower, upper = (float(ranked[end]) for end in ends)
    if value == 0.0:
        upper = max(upper, _gamma_limit(1.0 / patients, 1.0 / patients**2, 1.0 - error))
        method = f"exact Poisson limit (Garwood) over {patients:,} patients, since there is no false positive"
        return Interval(0.0, upper, confidence, method)
    finite = ranked[np.isfinite(ranked)]
    if math.isinf(value) or patients < 2 or len(finite) < 2:
        return Interval(lower if patients > 1 else 0.0, math.inf, confidence, _COUNT)
    # A resample without a false positive has half of one, for the logarithm.
    spread = float(np.log(np.maximum(finite, 0.5 / cases)).std(ddof=1))
    half = normal_quantile(confidence) * spread / math.sqrt(freedom_correction(patients, confidence))
    variance = max(float(finite.var(ddof=1)), value / cases) / freedom_correction(patients, confidence)
    lowest = _gamma_limit(value, variance, error)
    highest = _gamma_limit(value + 1.0 / patients, variance + 1.0 / patients**2, 1.0 - error)
    lower, upper = min(lower, value * math.exp(-half), lowest), max(upper, value * math.exp(half), highest)
    return Interval(lower, upper, confidence, _COUNT)


def _gamma_limit(mean: float, variance: float, probability: float) -> float:
    """Return the quantile of the gamma distribution with this mean and variance."""
    from scipy.special import gammaincinv

    return variance / mean * float(gammaincinv(mean**2 / variance, probability))


def _defined(replicates: Floats) -> Floats:
    defined = replicates[~np.isnan(replicates)]
    missing = replicates.size - defined.size
    if missing > MOST_UNDEFINED * replicates.size:
        raise Undecidable(f"{missing:,} of {replicates.size:,} resamples have no lesion")
    return defined
