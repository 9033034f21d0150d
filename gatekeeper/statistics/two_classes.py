"""Intervals of what rests on two independent proportions, sensitivity and specificity, or on three cells of a table.

Sources: Newcombe, "Interval estimation for the difference between independent proportions", Stat Med 1998;17:873,
method 10; Zou & Donner, "Construction of confidence limits about effect measures", Stat Med 2008;27:1693, which
recovers variances from limits (MOVER) as Newcombe's method does; Simel, Samsa & Matchar, "Likelihood ratios with
confidence", J Clin Epidemiol 1991;44:763.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gatekeeper.statistics.effective import Effective
from gatekeeper.statistics.interval import Interval, normal_quantile
from gatekeeper.statistics.proportions import clopper_pearson, wilson


@dataclass(frozen=True)
class Trials:
    """Patients (or cases) of one class: how many, and how many were right in every case, and in any."""

    count: int
    always_right: int
    ever_right: int


def youden_interval(tp: float, fn: float, fp: float, tn: float, confidence: float = 0.95) -> Interval:
    """Return Newcombe's hybrid score interval of Se + Sp - 1, from Wilson's limits of Se and of 1 - Sp.

    Raises ValueError without a positive or without a negative case.
    """
    called, alarmed = wilson(tp, tp + fn, confidence), wilson(fp, fp + tn, confidence)
    right, wrong = tp / (tp + fn), fp / (fp + tn)
    below = math.hypot(right - called.lower, alarmed.upper - wrong)
    above = math.hypot(called.upper - right, wrong - alarmed.lower)
    lower, upper = max(-1.0, right - wrong - below), min(1.0, right - wrong + above)
    return Interval(lower, upper, confidence, "Newcombe hybrid score")


def recovered_interval(
    formula: Callable[..., float], shares: Sequence[Effective], span: tuple[float, float], confidence: float = 0.95
) -> Interval:
    """Return the interval of a function of independent shares, such as sensitivity and specificity, by MOVER.

    Each share is moved to its Wilson limits in turn, the others staying; what the metric loses by that is squared and
    added for the lower limit, what it gains for the upper one.

    Parameters
    ----------
    formula : the metric at the shares, in their order; NaN where a limit leaves it without a value
    shares : hits among trials of each, effective numbers where patients repeat
    span : least and greatest value that the metric can have

    Raises ValueError where a share has no trial, or the metric no value.
    """
    seen = [share.hits / share.trials if share.trials > 0 else math.nan for share in shares]
    if not math.isfinite(float(formula(*seen))):
        raise ValueError("a metric without a value has no interval")
    limits = [wilson(share.hits, share.trials, confidence) for share in shares]
    return recovered_from(formula, seen, limits, span, "MOVER (Zou & Donner) of Wilson limits")


def recovered_from(
    formula: Callable[..., float],
    seen: Sequence[float],
    limits: Sequence[Interval],
    span: tuple[float, float],
    method: str,
) -> Interval:
    """Return the interval of a function of independent numbers by MOVER, from an interval of each, of one confidence.

    Parameters
    ----------
    formula, span : as for ``recovered_interval``
    seen : the numbers, in the order of the formula; ``limits`` : their intervals

    Raises ValueError where the function has no value.
    """
    value = float(formula(*seen))
    if not math.isfinite(value):
        raise ValueError("a metric without a value has no interval")
    below = above = 0.0
    for place, interval in enumerate(limits):
        moved = [float(formula(*seen[:place], end, *seen[place + 1 :])) for end in (interval.lower, interval.upper)]
        changes = [end - value for end in moved if math.isfinite(end)]
        below, above = below + min(0.0, *changes) ** 2, above + max(0.0, *changes) ** 2
    lower, upper = max(span[0], value - math.sqrt(below)), min(span[1], value + math.sqrt(above))
    return Interval(lower, upper, limits[0].confidence, method)


def positive_likelihood_ratio_interval(
    tp: float, fn: float, fp: float, tn: float, confidence: float = 0.95
) -> Interval | None:
    """Return the log-method interval of Se / (1 - Sp): that of the negative one with calls turned round."""
    return negative_likelihood_ratio_interval(fn, tp, tn, fp, confidence)


def negative_likelihood_ratio_interval(
    tp: float, fn: float, fp: float, tn: float, confidence: float = 0.95
) -> Interval | None:
    """Return the log-method interval of (1 - Se) / Sp; None where a cell of it is empty and the log says nothing.

    log LR ± z √(1/FN - 1/(TP + FN) + 1/TN - 1/(TN + FP)).
    """
    if fn == 0 or tn == 0 or (tp == 0 and fp == 0):
        return None
    positives, negatives = tp + fn, tn + fp
    centre = math.log(fn / positives) - math.log(tn / negatives)
    half = normal_quantile(confidence) * math.sqrt(1 / fn - 1 / positives + 1 / tn - 1 / negatives)
    lower, upper = math.exp(centre - half), math.exp(centre + half)
    return Interval(lower, upper, confidence, "log method (Simel, Samsa & Matchar)")


def exact_by_class(
    formula: Callable[[float, float], float], positives: Trials, negatives: Trials, confidence: float
) -> Interval | None:
    """Combine Clopper-Pearson limits of sensitivity and specificity by Bonferroni; None where a class is empty.

    ``formula`` gives the metric at a sensitivity and a specificity, and rises with both or falls with both. The lower
    limits count who is right in every case, the upper ones who is right in any.
    """
    if positives.count == 0 or negatives.count == 0:
        return None
    each = 1.0 - (1.0 - confidence) / 2.0
    worst = (clopper_pearson(trials.always_right, trials.count, each).lower for trials in (positives, negatives))
    best = (clopper_pearson(trials.ever_right, trials.count, each).upper for trials in (positives, negatives))
    lower, upper = sorted((float(formula(*worst)), float(formula(*best))))
    return Interval(lower, upper, confidence, "Clopper-Pearson (exact) limits by class, combined by Bonferroni")
