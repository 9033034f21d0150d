"""Intervals of the metrics of a whole confusion table, and of one rate at another."""

from __future__ import annotations

from dataclasses import replace

from gatekeeper.metrics import ConfusionTable, Metric, at_rates
from gatekeeper.policy import Requirement
from gatekeeper.statistics import (
    Interval,
    Trials,
    exact_by_class,
    f1_interval,
    negative_likelihood_ratio_interval,
    youden_interval,
)


def closed_form(spec: Metric, table: ConfusionTable, confidence: float) -> Interval | None:
    """Return the interval of independent cases; None where there is no formula for the metric, or for this table."""
    tp, fn, fp, tn = (int(cell) for cell in (table.tp, table.fn, table.fp, table.tn))
    if spec.name == "f1":
        return f1_interval(tp, fp, fn, confidence)
    if spec.name == "negative_likelihood_ratio":
        return negative_likelihood_ratio_interval(tp, fn, fp, tn, confidence)
    if spec.name not in ("youden", "balanced_accuracy"):
        return None
    found = youden_interval(tp, fn, fp, tn, confidence)
    if spec.name == "youden":
        return found
    return replace(found, lower=(found.lower + 1.0) / 2.0, upper=(found.upper + 1.0) / 2.0)


def exact_of_table(spec: Metric, positives: Trials, negatives: Trials, confidence: float) -> Interval | None:
    """Bound a metric where no resample can vary: exact limits of both rates, at the share of positives seen."""
    of_table = spec.of_table
    if of_table is None or positives.count == 0 or negatives.count == 0:
        return None
    prevalence = positives.count / (positives.count + negatives.count)
    return exact_by_class(
        lambda sensitivity, specificity: float(of_table(at_rates(sensitivity, specificity, prevalence))),
        positives,
        negatives,
        confidence,
    )


def exact_at_other_rate(
    requirement: Requirement, positives: Trials, negatives: Trials, confidence: float
) -> Interval | None:
    """Bound a rate at another one where a cut parts the classes.

    At the last score of the other class, the exact lower limit of the rate holds if that of the other rate reaches
    what is asked for; where cases are too few for that, the lower limit is 0.
    """
    asked = requirement.other_rate or 0.0
    first, second = (positives, negatives) if requirement.spec.name == "sensitivity" else (negatives, positives)
    rate_of, other_of = (Trials(trials.count, trials.count, trials.count) for trials in (first, second))
    return exact_by_class(lambda rate, other: rate if other >= asked else 0.0, rate_of, other_of, confidence)


def errorless(
    requirement: Requirement, positives: int, negatives: int, confidence: float, closed: bool
) -> Interval | None:
    """Return the interval of so many independent cases (or patients), all of them called right."""
    spec = requirement.spec
    table = at_rates(1.0, 1.0, positives / (positives + negatives))
    counted = ConfusionTable(*(cell * (positives + negatives) for cell in (table.tp, table.fp, table.fn, table.tn)))
    found = closed_form(spec, counted, confidence) if closed else None
    first, second = (Trials(count, count, count) for count in (positives, negatives))
    if requirement.other_rate is not None:
        return exact_at_other_rate(requirement, first, second, confidence)
    return found or exact_of_table(spec, first, second, confidence)
