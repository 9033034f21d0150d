"""How performance falls as a perturbation grows, and where a requirement breaks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gatekeeper.evidence import BASELINE, Condition, Evidence, Outcome, Reason
from gatekeeper.metrics import Suite
from gatekeeper.perturbations import PERTURBATIONS
from gatekeeper.policy import Policy, Requirement
from gatekeeper.suites import performance
from gatekeeper.suites.drops import Drop
from gatekeeper.suites.measurement import Measurement, undefined
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
        measured = performance.measure(requirement, rows, operating_point)
        outcome = requirement.threshold.outcome(measured.rounded, measured.limits)
        steps.append(Step(severity, magnitude, measured, outcome))
    return tuple(steps)


def breaking_point(steps: tuple[Step, ...]) -> int:
    """Return the least severity that is not met; one more than the last when all are met; 0 without stress."""
    return next((step.severity for step in steps if step.outcome is not Outcome.MET), len(steps))


def measure(requirement: Requirement, policy: Policy, evidence: Evidence, operating_point: float) -> Measurement:
    """Measure a robustness requirement."""
    followed = policy.requirements[requirement.of or ""]
    perturbation = requirement.perturbation or ""
    missing = [
        step for step in plan(policy) if step.perturbation == perturbation and step.id not in evidence.conditions
    ]
    if missing:
        return undefined(Reason.CONDITION_NOT_RUN, requirement.spec.n_of)
    if requirement.spec.name == "breaking_point":
        steps = climb(policy, followed, perturbation, evidence, operating_point)
        base = steps[0].measurement
        if any(step.measurement.estimate is None for step in steps):
            return undefined(Reason.UNDEFINED_METRIC, base.n_of, base.n, base.patients)
        broken = breaking_point(steps)
        reason = None if broken else Reason.BREAKS_WITHOUT_STRESS
        method = f"least of {len(steps) - 1} severities at which {requirement.of} is not met"
        return Measurement(float(broken), None, method, base.n, base.n_of, base.patients, reason)
    condition = condition_id(perturbation, requirement.severity or 1)
    return _drop(requirement, followed, evidence, condition, operating_point)


def _drop(
    requirement: Requirement, followed: Requirement, evidence: Evidence, condition: str, operating_point: float
) -> Measurement:
    before = Subjects.of(evidence.under(BASELINE.id), operating_point)
    after = Subjects.of(evidence.under(condition), operating_point)
    n, patients = len(before.rows), before.clusters.count
    if n == 0 or not np.array_equal(before.rows.case, after.rows.case):
        return undefined(Reason.TOO_FEW_CASES, "cases", n, patients)
    if not performance.can_be_resampled(followed):
        return undefined(Reason.NOT_MEASURED, "cases", n, patients)
    how = scored(followed)
    if how is not None and how.both_classes and before.one_class:
        return undefined(Reason.UNDEFINED_METRIC, "cases", n, patients)

    drop = Drop(followed, before, after, requirement.confidence, operating_point)
    estimate = drop.estimate
    if not np.isfinite(estimate):
        return undefined(Reason.UNDEFINED_METRIC, "cases", n, patients)
    interval = drop.interval
    if interval is None:
        return Measurement(estimate, None, "none: too few patients", n, "cases", patients, Reason.TOO_FEW_CASES)
    return Measurement(estimate, interval, interval.method, n, "cases", patients)
