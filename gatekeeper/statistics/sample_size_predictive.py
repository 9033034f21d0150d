"""How many cases, for a predictive value at a declared prevalence.

Sources: Mercaldo, Lau & Zhou, Stat Med 2007;26:2170, for the interval; Steinberg, Fine & Chappell, Biostatistics
2009;10:94, doi 10.1093/biostatistics/kxn018, for its use in planning. In place of their normal approximation, the power
is summed for the interval that decides, the one of ``prevalence``.
"""

from __future__ import annotations

import numpy as np

from gatekeeper.statistics.interval import error_each_side, normal_quantile
from gatekeeper.statistics.prevalence import npv_interval, ppv_at, ppv_interval
from gatekeeper.statistics.sample_size import check_plan, fewest_that
from gatekeeper.statistics.sample_size_by_class import (
    MOST_NEGATIVES,
    ClassSizes,
    Floats,
    check_ratio,
    first_that,
    logit,
    of_ratio,
    up_to,
)

_NEGLIGIBLE = 1e-9


def cases_for_ppv(
    sensitivity: float,
    specificity: float,
    prevalence: float,
    goal: float,
    power: float = 0.8,
    confidence: float = 0.95,
    positives_per_negative: float = 1.0,
) -> ClassSizes:
    """Return how many cases let the lower limit of PPV at a prevalence reach ``goal`` with this power.

    The power is that of ``ppv_power``. It rises in a saw-tooth: the number returned has at least ``power``, and some
    smaller one may have it too.

    Parameters
    ----------
    sensitivity, specificity : assumed truth, strictly between 0 and 1
    prevalence : where the candidate is to be used, 0 < prevalence < 1
    goal : threshold of the lower limit, 0 < goal < PPV of the assumed truth
    positives_per_negative : class ratio, more than 0

    Raises ValueError for arguments out of these ranges, or when a hundred thousand negatives do not do.
    """
    _check_truth(sensitivity, specificity)
    check_ratio(positives_per_negative)
    truth = float(ppv_at(sensitivity, specificity, prevalence))
    check_plan(truth, goal, power)

    def suffices(negatives: int) -> bool:
        sizes = of_ratio(negatives, positives_per_negative)
        return ppv_power(sensitivity, specificity, prevalence, goal, sizes, confidence) >= power

    return of_ratio(first_that(suffices, MOST_NEGATIVES), positives_per_negative)


def cases_for_npv(
    sensitivity: float,
    specificity: float,
    prevalence: float,
    goal: float,
    power: float = 0.8,
    confidence: float = 0.95,
    positives_per_negative: float = 1.0,
) -> ClassSizes:
    """Return how many cases let the lower limit of NPV at a prevalence reach ``goal`` with this power.

    The mirror image of ``cases_for_ppv``, with its arguments and errors.
    """
    check_ratio(positives_per_negative)
    mirrored = cases_for_ppv(
        specificity, sensitivity, 1.0 - prevalence, goal, power, confidence, 1.0 / positives_per_negative
    )
    return ClassSizes(positives=mirrored.negatives, negatives=mirrored.positives)


def ppv_power(
    sensitivity: float, specificity: float, prevalence: float, goal: float, sizes: ClassSizes, confidence: float = 0.95
) -> float:
    """Return the probability that the lower limit of ``ppv_interval`` is at or above ``goal``.

    Summed over the two binomial distributions of calls, but for counts of them that are less probable than 1e-9.
    Raises ValueError unless sensitivity and specificity lie strictly between 0 and 1.
    """
    _check_truth(sensitivity, specificity)
    tp, of_tp = _counts(sizes.positives, sensitivity)
    fp, of_fp = _counts(sizes.negatives, 1.0 - specificity)
    reached = _lower_limits(tp[:, None], fp[None, :], sizes, prevalence, confidence) >= goal
    return float(of_tp @ reached @ of_fp)


def fewest_for_predictive_value(
    which: str, prevalence: float, goal: float, confidence: float = 0.95, positives_per_negative: float = 1.0
) -> ClassSizes | None:
    """Return the fewest cases, in this class ratio, with which an errorless candidate's PPV or NPV reaches ``goal``.

    ``which`` is ``precision`` or ``npv``. None when no number does (goal 1). Raises ValueError for another name.
    """
    if which not in ("precision", "npv"):
        raise ValueError(f"{which} is no predictive value")
    check_ratio(positives_per_negative)
    interval = ppv_interval if which == "precision" else npv_interval

    def suffices(negatives: int) -> bool:
        sizes = of_ratio(negatives, positives_per_negative)
        return interval(sizes.positives, 0, 0, sizes.negatives, prevalence, confidence).lower >= goal

    found = fewest_that(suffices) if goal < 1.0 else None
    return None if found is None else of_ratio(found, positives_per_negative)


def _counts(trials: int, probability: float) -> tuple[Floats, Floats]:
    """Return the counts of hits that can be expected at all, and their probabilities."""
    hits = np.arange(trials + 1)
    shares = np.diff(up_to(hits, trials, probability), prepend=0.0)
    probable = shares > _NEGLIGIBLE
    return hits[probable].astype(np.float64), shares[probable]


def _lower_limits(tp: Floats, fp: Floats, sizes: ClassSizes, prevalence: float, confidence: float) -> Floats:
    """Return the lower limits of ``ppv_interval`` for many counts at once; its exact limits where FP is 0."""
    positives, negatives = float(sizes.positives), float(sizes.negatives)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.log(tp / positives) - np.log(fp / negatives) + logit(prevalence)
        half = normal_quantile(confidence) * np.sqrt(1.0 / tp - 1.0 / positives + 1.0 / fp - 1.0 / negatives)
        limits = 1.0 / (1.0 + np.exp(half - ratio))
    exact = ppv_at(_exact_lower(tp, positives, confidence), _exact_lower(negatives, negatives, confidence), prevalence)
    return np.asarray(np.where(tp == 0.0, 0.0, np.where(fp == 0.0, exact, limits)))


def _exact_lower(hits: Floats | float, trials: float, confidence: float) -> Floats:
    """Return lower Clopper-Pearson limits that are permitted half of the error."""
    from scipy.special import betaincinv

    error = error_each_side(1.0 - (1.0 - confidence) / 2.0)
    return np.asarray(betaincinv(np.maximum(hits, 1.0), trials - hits + 1.0, error) * (np.asarray(hits) > 0.0))


def _check_truth(sensitivity: float, specificity: float) -> None:
    if not (0.0 < sensitivity < 1.0 and 0.0 < specificity < 1.0):
        raise ValueError(f"sensitivity {sensitivity} and specificity {specificity} must lie between 0 and 1")
