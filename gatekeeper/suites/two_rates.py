"""Intervals of metrics of a whole confusion table: functions of sensitivity, specificity and the share of positives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from gatekeeper.metrics import ConfusionTable, Metric, at_rates
from gatekeeper.metrics.confusion import DETECTION_RATE, RECALL_RATE
from gatekeeper.metrics.decision import NUMBER_NEEDED_TO_PREDICT, predictive_summary_index
from gatekeeper.policy import Requirement
from gatekeeper.statistics import (
    Effective,
    Interval,
    Trials,
    called_share_at,
    clopper_pearson,
    effective_rates,
    equivalent_trials,
    exact_by_class,
    negative_likelihood_ratio_interval,
    npv_at,
    npv_interval,
    positive_likelihood_ratio_interval,
    ppv_at,
    ppv_interval,
    recovered_interval,
    separated_rate_interval,
    youden_interval,
)
from gatekeeper.suites.clusters import FEWEST_CLUSTERS, Floats
from gatekeeper.suites.subjects import Subjects

AT_PREVALENCE = {"precision": ppv_at, "npv": npv_at, RECALL_RATE.name: called_share_at}
_RATIOS = ("precision", "positive_likelihood_ratio")
_NEGATIVE_RATIOS = ("npv", "negative_likelihood_ratio")
_STEP = 1e-4  # of a rate, for the slope of a metric


@dataclass(frozen=True)
class Cells:
    """A confusion table in numbers of independent cases, not always whole; ``effective`` where patients repeat.

    ``positives`` is the share of positive cases, with an effective number of its own.
    """

    tp: float
    fn: float
    fp: float
    tn: float
    positives: Effective
    effective: bool = False

    @classmethod
    def of(cls, tp: float, fn: float, fp: float, tn: float) -> Cells:
        """Return the table of independent cases."""
        return cls(tp, fn, fp, tn, Effective(tp + fn, tp + fn + fp + tn))

    def times(self, factor: float) -> Cells:
        """Return the table of so many times as many cases that tell the same."""
        tp, fn, fp, tn = (cell * factor for cell in (self.tp, self.fn, self.fp, self.tn))
        return Cells(tp, fn, fp, tn, self.positives.shrunk(1.0 / factor), self.effective)

    def named(self, interval: Interval | None) -> Interval | None:
        """Add to the method of an interval that it rests on effective numbers."""
        if interval is None or not self.effective:
            return interval
        return replace(interval, method=f"{interval.method} on effective numbers of cases")


def value_of_table(requirement: Requirement, table: ConfusionTable) -> Floats:
    """Return a metric of counts, at the requirement's prevalence where it has one; NaN where it has no value."""
    spec, prevalence = requirement.spec, requirement.prevalence
    if prevalence is not None:
        with np.errstate(invalid="ignore", divide="ignore"):
            rates = table.tp / (table.tp + table.fn), table.tn / (table.fp + table.tn)
        if spec.name in AT_PREVALENCE:
            return np.asarray(AT_PREVALENCE[spec.name](*rates, prevalence))
        table = at_rates(*rates, prevalence)
    if spec.proportion is not None:
        return spec.proportion(table).value
    return formula_of(requirement)(table)


def formula_of(requirement: Requirement) -> Callable[[ConfusionTable], Floats]:
    """Return the formula of a metric of the whole table, with the options that the requirement carries."""
    of_table = requirement.spec.of_table
    if of_table is None:
        raise ValueError(f"{requirement.spec.name} is no metric of a table")
    return partial(of_table, **requirement.parameters)


def cells_of(requirement: Requirement, subjects: Subjects) -> Cells | None:
    """Return the table of independent cases that tells as much; None with too few patients in a class."""
    tp, fp, fn, tn = subjects.counts.T
    if not subjects.clusters.repeat:
        return Cells.of(float(tp.sum()), float(fn.sum()), float(fp.sum()), float(tn.sum()))
    classes = ((tp, tp + fn), (tn, tn + fp))
    for hits, trials in classes:
        alike = hits.sum() in (0.0, trials.sum())
        if not alike and np.count_nonzero(trials) < FEWEST_CLUSTERS:
            return None
    sensitivity, specificity = (float(hits.sum() / trials.sum()) for hits, trials in classes)
    share = float((tp + fn).sum() / subjects.counts.sum())
    slopes = _slopes(requirement, sensitivity, specificity, share)
    first, second = effective_rates(*classes, slopes, requirement.confidence)
    one = subjects.clusters.count == 1
    positives = Effective(share, 1.0) if one else equivalent_trials(*subjects.positives, requirement.confidence)
    return Cells(first.hits, first.misses, second.misses, second.hits, positives, effective=True)


def closed_form(requirement: Requirement, cells: Cells) -> Interval | None:
    """Return the interval of a table; None where there is no formula for the metric, or for this table."""
    name, prevalence, confidence = requirement.spec.name, requirement.prevalence, requirement.confidence
    tp, fn, fp, tn = cells.tp, cells.fn, cells.fp, cells.tn
    if name == RECALL_RATE.name:
        return cells.named(_exact_rates(requirement, cells))
    if name == DETECTION_RATE.name:
        return cells.named(_exact_detections(cells, prevalence or 0.0, confidence))
    if name in ("precision", "npv") and prevalence is not None:
        made = ppv_interval if name == "precision" else npv_interval
        found = made(tp, fn, fp, tn, prevalence, confidence)
        return cells.named(_exact_rates(requirement, cells) if found.lower == found.upper else found)
    if name == "negative_likelihood_ratio":
        return cells.named(negative_likelihood_ratio_interval(tp, fn, fp, tn, confidence))
    if name == "positive_likelihood_ratio":
        return cells.named(positive_likelihood_ratio_interval(tp, fn, fp, tn, confidence))
    if name not in ("youden", "balanced_accuracy"):
        return cells.named(_recovered(requirement, cells))
    youden = youden_interval(tp, fn, fp, tn, confidence)
    if name == "balanced_accuracy":
        youden = replace(youden, lower=(youden.lower + 1.0) / 2.0, upper=(youden.upper + 1.0) / 2.0)
    return cells.named(youden)


def exact_of_table(requirement: Requirement, positives: Trials, negatives: Trials) -> Interval | None:
    """Bound a metric where no formula can: exact limits of both rates, at the share of positives."""
    if requirement.spec.of_table is None or positives.count == 0 or negatives.count == 0:
        return None
    formula = formula_of(requirement)
    share = requirement.prevalence or positives.count / (positives.count + negatives.count)
    return exact_by_class(
        lambda sensitivity, specificity: float(formula(at_rates(sensitivity, specificity, share))),
        positives,
        negatives,
        requirement.confidence,
    )


def errorless(requirement: Requirement, positives: int, negatives: int) -> Interval | None:
    """Return the interval of so many independent cases (or patients), all of them called right."""
    if requirement.other_rate is not None:
        own, others = (positives, negatives) if requirement.spec.name == "sensitivity" else (negatives, positives)
        return separated_rate_interval(own, others, requirement.other_rate, requirement.confidence)
    first, second = (Trials(count, count, count) for count in (positives, negatives))
    found = closed_form(requirement, Cells.of(float(positives), 0.0, 0.0, float(negatives)))
    return found or exact_of_table(requirement, first, second)


def _recovered(requirement: Requirement, cells: Cells) -> Interval | None:
    """Return the MOVER interval of a metric of the table, at the test set's share of positives or a declared one."""
    spec, prevalence, confidence = requirement.spec, requirement.prevalence, requirement.confidence
    rates = [Effective(cells.tp, cells.tp + cells.fn), Effective(cells.tn, cells.tn + cells.fp)]
    if spec.of_table is None or min(rate.trials for rate in rates) <= 0.0:
        return None
    by_index = spec.name == NUMBER_NEEDED_TO_PREDICT.name
    formula = predictive_summary_index if by_index else formula_of(requirement)
    span = (-1.0, 1.0) if by_index else (spec.lowest, spec.highest)
    shares = rates if prevalence is not None else [*rates, cells.positives]

    def at(sensitivity: float, specificity: float, share: float = prevalence or 0.0) -> float:
        return float(formula(at_rates(sensitivity, specificity, share)))

    found = recovered_interval(at, shares, span, confidence)
    return _reciprocal(found, spec) if by_index else found


def _reciprocal(index: Interval, spec: Metric) -> Interval:
    """Return the limits of 1 / PSI; the highest that the metric has where the index may be 0 or below."""
    lower, upper = (1.0 / limit if limit > 1.0 / spec.highest else spec.highest for limit in (index.upper, index.lower))
    return replace(index, lower=lower, upper=upper, method=f"reciprocals of {index.method} for PPV + NPV - 1")


def _slopes(requirement: Requirement, sensitivity: float, specificity: float, share: float) -> tuple[float, float]:
    """Return how a metric, or its logarithm, changes with both rates; 0 at a rate that did not vary."""
    name = requirement.spec.name
    if name == RECALL_RATE.name:
        prevalence = requirement.prevalence or 0.0
        return prevalence, prevalence - 1.0
    if name in _RATIOS:
        return _inverse(sensitivity), _inverse(1.0 - specificity)
    if name in _NEGATIVE_RATIOS:
        return _inverse(1.0 - sensitivity), _inverse(specificity)
    if requirement.spec.of_table is None:
        return 1.0, 0.0
    ends = [(rate - min(rate, _STEP), rate + min(1.0 - rate, _STEP)) for rate in (sensitivity, specificity)]
    formula, at = formula_of(requirement), requirement.prevalence or share
    moved = (
        [float(formula(at_rates(end, specificity, at))) for end in ends[0]],
        [float(formula(at_rates(sensitivity, end, at))) for end in ends[1]],
    )
    first, second = ((high - low) / (end[1] - end[0]) for (low, high), end in zip(moved, ends, strict=True))
    return (first, second) if np.isfinite([first, second]).all() else (1.0, 1.0)


def _inverse(value: float) -> float:
    return 1.0 / value if value > 0.0 else 0.0


def _exact_detections(cells: Cells, prevalence: float, confidence: float) -> Interval | None:
    if cells.tp + cells.fn <= 0.0:
        return None
    found = clopper_pearson(cells.tp, cells.tp + cells.fn, confidence)
    method = f"{found.method} limits of sensitivity, times the prevalence"
    return Interval(found.lower * prevalence, found.upper * prevalence, confidence, method)


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
