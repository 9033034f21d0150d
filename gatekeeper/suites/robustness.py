"""How performance falls as a perturbation grows, and where a requirement breaks."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from gatekeeper.evidence import BASELINE, Condition, Evidence, Outcome, Reason, Rows
from gatekeeper.metrics import Suite
from gatekeeper.perturbations import PERTURBATIONS
from gatekeeper.policy import Policy, Requirement
from gatekeeper.statistics import Undecidable, clopper_pearson
from gatekeeper.statistics.means import clustered_mean_interval
from gatekeeper.suites import performance, structures
from gatekeeper.suites.clusters import FEWEST_CLUSTERS, SEED, Clusters, proportion_interval
from gatekeeper.suites.drops import Drop
from gatekeeper.suites.measurement import Measurement, measured, undefined
from gatekeeper.suites.scored import scored
from gatekeeper.suites.subjects import Subjects


def condition_id(perturbation: str, severity: int) -> str:
    """Return the id of the condition that is one step of a ladder."""
    return f"{perturbation}.{severity}"


def plan(policy: Policy) -> tuple[Condition, ...]:
    """Run every severity of every ladder that the policy declares."""
    return tuple(
        Condition(
            id=condition_id(name, severity),
            suite=Suite.ROBUSTNESS.value,
            perturbation=name,
            severity=severity,
            magnitude=magnitude,
            unit=PERTURBATIONS.get(name).unit,
        )
        for name in policy.robustness
        for severity, magnitude in enumerate(policy.magnitudes(name), start=1)
    )


def was_run(policy: Policy, perturbation: str, evidence: Evidence) -> bool:
    """Say whether every step of a ladder has rows."""
    steps = [step.id for step in plan(policy) if step.perturbation == perturbation]
    return bool(steps) and all(step in evidence.conditions for step in steps)


@dataclass(frozen=True)
class Step:
    """A performance requirement under one severity (0 is the baseline)."""

    severity: int
    magnitude: float
    measurement: Measurement
    outcome: Outcome


def climb(
    policy: Policy, requirement: Requirement, perturbation: str, evidence: Evidence, operating_point: float
) -> tuple[Step, ...]:
    """Measure a performance requirement at baseline and on each step of a ladder."""
    steps = []
    for severity, magnitude in enumerate((0.0, *policy.magnitudes(perturbation))):
        rows = evidence.under(condition_id(perturbation, severity) if severity else BASELINE.id)
        # A finding, the curve of its ladder and the envelope ask for the same steps.
        found = rows.remembered(
            f"{requirement!r} at {operating_point!r}",
            partial(performance.measure, requirement, rows, operating_point),
        )
        steps.append(Step(severity, magnitude, found, requirement.threshold.outcome(found.rounded, found.limits)))
    return tuple(steps)


def breaking_point(steps: tuple[Step, ...]) -> int:
    """Return the least severity that is not met; one more than the last when all are met; 0 without stress."""
    return next((step.severity for step in steps if step.outcome is not Outcome.MET), len(steps))


def measure(requirement: Requirement, policy: Policy, evidence: Evidence, operating_point: float) -> Measurement:
    """Measure a robustness requirement."""
    perturbation = requirement.perturbation or ""
    if not was_run(policy, perturbation, evidence):
        return undefined(Reason.CONDITION_NOT_RUN, requirement.spec.n_of)
    condition = condition_id(perturbation, requirement.severity or 1)
    if requirement.spec.name == "flips_under_stress":
        return _flips(requirement, evidence, condition, operating_point)
    followed = policy.requirements[requirement.of or ""]
    if requirement.spec.name == "breaking_point":
        return _breaking_point(requirement, climb(policy, followed, perturbation, evidence, operating_point))
    return lost(followed, evidence, condition, operating_point, requirement.confidence)


def _breaking_point(requirement: Requirement, steps: tuple[Step, ...]) -> Measurement:
    base = steps[0].measurement
    if any(step.measurement.estimate is None for step in steps):
        return undefined(Reason.UNDEFINED_METRIC, base.n_of, base.n, base.patients)
    broken = breaking_point(steps)
    reason = None if broken else Reason.BREAKS_WITHOUT_STRESS
    method = f"least of {len(steps) - 1} severities at which {requirement.of} is not met"
    return Measurement(float(broken), None, method, base.n, base.n_of, base.patients, reason)


def _flips(requirement: Requirement, evidence: Evidence, condition: str, operating_point: float) -> Measurement:
    """Measure the share of cases whose call is another one than at baseline."""
    spec, runs = requirement.spec, _both(evidence, condition)
    if runs is None:
        return undefined(Reason.TOO_FEW_CASES, spec.n_of)
    before, after = runs
    flipped = before.called(operating_point) != after.called(operating_point)
    flipped |= before.answered != after.answered
    clusters = Clusters.of(before.patient)
    hits, trials = clusters.sums(flipped), clusters.sums(np.ones(len(before)))
    interval = proportion_interval(hits, trials, requirement.confidence, clopper_pearson)
    return measured(float(hits.sum() / len(before)), interval, len(before), spec.n_of, clusters.count)


def lost(
    followed: Requirement, evidence: Evidence, condition: str, operating_point: float, confidence: float
) -> Measurement:
    """Measure how much worse a performance requirement's metric is under a condition than at baseline, paired."""
    runs = _both(evidence, condition)
    if runs is None:
        return undefined(Reason.TOO_FEW_CASES, "cases")
    before, after = (Subjects.of(rows, operating_point) for rows in runs)
    n, patients = len(before.rows), before.clusters.count
    if followed.spec.name in structures.MEASURED:
        return _mean_lost(followed, before.rows, after.rows, confidence)
    if not performance.can_be_resampled(followed):
        return undefined(Reason.NOT_MEASURED, "cases", n, patients)
    how = scored(followed)
    if how is not None and how.both_classes and before.one_class:
        return undefined(Reason.UNDEFINED_METRIC, "cases", n, patients)
    drop = Drop(followed, before, after, confidence, operating_point)
    estimate = drop.estimate
    if not np.isfinite(estimate):
        return undefined(Reason.UNDEFINED_METRIC, "cases", n, patients)
    interval = drop.interval
    if not followed.spec.higher_is_better:
        estimate, interval = (
            0.0 - estimate,
            interval and replace(interval, lower=-interval.upper, upper=-interval.lower),
        )
    return measured(estimate, interval, n, "cases", patients)


def _mean_lost(followed: Requirement, before: Rows, after: Rows, confidence: float) -> Measurement:
    """Measure the mean over cases of what a value of a structure loses: the cases that have one in both runs."""
    first, second = (structures.case_values(followed, rows) for rows in (before, after))
    if first is None or second is None:
        return undefined(Reason.NOT_MEASURED, "cases")
    apart = first - second if followed.spec.higher_is_better else second - first
    given = np.isfinite(apart)
    n, clusters = int(given.sum()), Clusters.of(before.patient[given])
    if n == 0:
        return undefined(Reason.UNDEFINED_METRIC, "cases")
    span = structures.span_of(followed, before)
    try:
        value, interval = clustered_mean_interval(apart[given], clusters.codes, -span, span, confidence, seed=SEED)
    except Undecidable:
        return measured(math.fsum(apart[given]) / n, None, n, "cases", clusters.count)
    enough = not clusters.repeat or clusters.count >= FEWEST_CLUSTERS
    paired = replace(interval.within(-span, span), method=f"paired {interval.method}")
    return measured(value, paired if enough else None, n, "cases", clusters.count)


def _both(evidence: Evidence, condition: str) -> tuple[Rows, Rows] | None:
    """Return the originals at baseline and under a condition; None where there are none, or not the same ones."""
    before, after = (evidence.under(name).originals() for name in (BASELINE.id, condition))
    return (before, after) if len(before) and np.array_equal(before.case, after.case) else None
