"""Intervals of metrics that are made of sensitivity and specificity, or of three cells of the table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from gatekeeper.metrics import at_rates
from gatekeeper.metrics.confusion import RECALL_RATE
from gatekeeper.policy import Requirement
from gatekeeper.statistics import (
    Interval,
    Trials,
    called_share_at,
    clopper_pearson,
    effective_rates,
    effective_trials,
    exact_by_class,
    f1_interval,
    negative_likelihood_ratio_interval,
    npv_at,
    npv_interval,
    ppv_at,
    ppv_interval,
    youden_interval,
)
from gatekeeper.suites.clusters import FEWEST_CLUSTERS

if TYPE_CHECKING:
    from gatekeeper.suites.performance import Subjects

AT_PREVALENCE = {"precision": ppv_at, "npv": npv_at, RECALL_RATE.name: called_share_at}
_NPV_LIKE = ("npv", "negative_likelihood_ratio")


@dataclass(frozen=True)
class Cells:
    """A confusion table in numbers of independent cases, not always whole; ``effective`` where patients repeat."""

    tp: float
    fn: float
    fp: float
    tn: float
    effective: bool = False

    def times(self, factor: float) -> Cells:
        """Return the table of so many times as many cases that tell the same."""
        return Cells(self.tp * factor, self.fn * factor, self.fp * factor, self.tn * factor, self.effective)

    def named(self, interval: Interval | None) -> Interval | None:
        """Add to the method of an interval that it rests on effective numbers."""
        if interval is None or not self.effective:
            return interval
        return replace(interval, method=f"{interval.method} on effective numbers of cases")


def cells_of(requirement: Requirement, subjects: Subjects) -> Cells | None:
    """Return the table of independent cases that tells as much; None with too few patients in a class."""
    tp, fp, fn, tn = subjects.counts.T
    if not subjects.clusters.repeat:
        return Cells(float(tp.sum()), float(fn.sum()), float(fp.sum()), float(tn.sum()))
    classes = ((tp, tp + fn), (tn, tn + fp))
    for hits, trials in classes:
        alike = hits.sum() in (0.0, trials.sum())
        if not alike and np.count_nonzero(trials) < FEWEST_CLUSTERS:
            return None
    rates = [float(hits.sum() / trials.sum()) for hits, trials in classes]
    first, second = effective_rates(*classes, _slopes(requirement, *rates), requirement.confidence)
    return Cells(first.hits, first.misses, second.misses, second.hits, effective=True)


def closed_form(requirement: Requirement, cells: Cells) -> Interval | None:
    """Return the interval of a table; None where there is no formula for the metric, or for this table."""
    name, prevalence, confidence = requirement.spec.name, requirement.prevalence, requirement.confidence
    tp, fn, fp, tn = cells.tp, cells.fn, cells.fp, cells.tn
    if name == RECALL_RATE.name:
        return cells.named(_exact_rates(requirement, cells))
    if prevalence is not None:
        made = ppv_interval if name == "precision" else npv_interval
        found = made(tp, fn, fp, tn, prevalence, confidence)
        return cells.named(_exact_rates(requirement, cells) if found.lower == found.upper else found)
    if name == "negative_likelihood_ratio":
        return cells.named(negative_likelihood_ratio_interval(tp, fn, fp, tn, confidence))
    if name not in ("youden", "balanced_accuracy"):
        return None
    youden = youden_interval(tp, fn, fp, tn, confidence)
    if name == "balanced_accuracy":
        youden = replace(youden, lower=(youden.lower + 1.0) / 2.0, upper=(youden.upper + 1.0) / 2.0)
    return cells.named(youden)


def interval_of_f1(subjects: Subjects, confidence: float) -> Interval | None:
    """Return the interval of F1, a function of the share TP / (TP + FP + FN)."""
    tp, fp, fn, _ = subjects.counts.T
    if not subjects.clusters.repeat:
        return f1_interval(tp.sum(), fp.sum(), fn.sum(), confidence)
    if tp.sum() not in (0.0, (tp + fp + fn).sum()) and np.count_nonzero(tp + fp + fn) < FEWEST_CLUSTERS:
        return None
    effective = effective_trials(tp, tp + fp + fn, confidence)
    found = f1_interval(effective.hits, effective.misses, 0.0, confidence)
    return replace(found, method=f"{found.method} on {effective.trials:,.0f} effective trials (Korn & Graubard)")


def exact_of_table(requirement: Requirement, positives: Trials, negatives: Trials) -> Interval | None:
    """Bound a metric where no formula and no resample can: exact limits of both rates, at the share of positives."""
    of_table = requirement.spec.of_table
    if of_table is None or positives.count == 0 or negatives.count == 0:
        return None
    prevalence = positives.count / (positives.count + negatives.count)
    return exact_by_class(
        lambda sensitivity, specificity: float(of_table(at_rates(sensitivity, specificity, prevalence))),
        positives,
        negatives,
        requirement.confidence,
    )


def exact_at_other_rate(requirement: Requirement, positives: Trials, negatives: Trials) -> Interval | None:
    """Bound a rate at another one where a cut parts the classes.

    At the last score of the other class, the exact lower limit of the rate holds if that of the other rate reaches
    what is asked for; where cases are too few for that, the lower limit is 0.
    """
    asked = requirement.other_rate or 0.0
    first, second = (positives, negatives) if requirement.spec.name == "sensitivity" else (negatives, positives)
    rate_of, other_of = (Trials(trials.count, trials.count, trials.count) for trials in (first, second))
    return exact_by_class(
        lambda rate, other: rate if other >= asked else 0.0, rate_of, other_of, requirement.confidence
    )


def errorless(requirement: Requirement, positives: int, negatives: int) -> Interval | None:
    """Return the interval of so many independent cases (or patients), all of them called right."""
    first, second = (Trials(count, count, count) for count in (positives, negatives))
    if requirement.other_rate is not None:
        return exact_at_other_rate(requirement, first, second)
    if requirement.spec.name == "f1":
        return f1_interval(positives, 0, 0, requirement.confidence)
    found = closed_form(requirement, Cells(float(positives), 0.0, 0.0, float(negatives)))
    return found or exact_of_table(requirement, first, second)


def _slopes(requirement: Requirement, sensitivity: float, specificity: float) -> tuple[float, float]:
    """Return how a metric, or its logarithm, changes with both rates; 0 at a rate that did not vary."""
    name = requirement.spec.name
    if name == RECALL_RATE.name:
        prevalence = requirement.prevalence or 0.0
        return prevalence, prevalence - 1.0
    if name == "precision":
        return _inverse(sensitivity), _inverse(1.0 - specificity)
    return (_inverse(1.0 - sensitivity), _inverse(specificity)) if name in _NPV_LIKE else (1.0, 1.0)


def _inverse(value: float) -> float:
    return 1.0 / value if value > 0.0 else 0.0


def _exact_rates(requirement: Requirement, cells: Cells) -> Interval:
    """Combine exact limits of sensitivity and specificity by Bonferroni."""
    name, confidence = requirement.spec.name, requirement.confidence
    formula: Callable[..., object] = AT_PREVALENCE[name]
    each = 1.0 - (1.0 - confidence) / 2.0
    first = clopper_pearson(cells.tp, cells.tp + cells.fn, each)
    second = clopper_pearson(cells.tn, cells.tn + cells.fp, each)
    ends = (second.upper, second.lower) if name == RECALL_RATE.name else (second.lower, second.upper)
    lower, upper = (
        float(np.asarray(formula(rate, other, requirement.prevalence)))
        for rate, other in zip((first.lower, first.upper), ends, strict=True)
    )
    method = "Clopper-Pearson (exact) limits of sensitivity and specificity, combined by Bonferroni"
    return Interval(lower, upper, confidence, method)
