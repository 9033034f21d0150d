"""How performance falls as a perturbation grows, and where a requirement breaks."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from gatekeeper.evidence import BASELINE, Condition, Evidence, Outcome, Reason
from gatekeeper.metrics import Suite
from gatekeeper.perturbations import PERTURBATIONS
from gatekeeper.policy import Policy, Requirement
from gatekeeper.statistics import Interval
from gatekeeper.suites import performance
from gatekeeper.suites.clusters import ALIKE, all_alike, interval_when_alike
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

    estimate = performance.estimate(followed, before) - performance.estimate(followed, after)
    if not np.isfinite(estimate):
        return undefined(Reason.UNDEFINED_METRIC, "cases", n, patients)
    values = performance.replicates(followed, before, after)
    drops = values[0] - values[1]
    if all_alike(drops):
        interval = _when_alike(followed, before, after, estimate, requirement.confidence, operating_point)
    else:
        counted = min(part.counted(followed) for part in (before, after))
        interval = before.clusters.interval(drops, requirement.confidence, counted)
        interval = interval and replace(interval, method=f"paired {interval.method}")
    if interval is None:
        return Measurement(estimate, None, "none: too few patients", n, "cases", patients, Reason.TOO_FEW_CASES)
    return Measurement(estimate, interval, interval.method, n, "cases", patients)


def _when_alike(
    followed: Requirement,
    before: Subjects,
    after: Subjects,
    estimate: float,
    confidence: float,
    operating_point: float,
) -> Interval | None:
    """Bound a drop that no resample varies, such as none at all: no change in all patients is not no change ever.

    Patients (for an AUROC, pairs of them) that are all alike bound how many could differ. A predictive value is no mean
    over patients; its drop lies between the differences of its own two intervals, each with half of the error.
    """
    if followed.spec.name == "auroc":
        return interval_when_alike(estimate, -1.0, before.pairs, confidence, ALIKE) if before.pairs else None
    if followed.spec.name in ("sensitivity", "specificity", "imageability") and followed.other_rate is None:
        return interval_when_alike(estimate, -1.0, before.counted(followed), confidence, ALIKE)
    stricter = followed.model_copy(update={"confidence": 1.0 - (1.0 - confidence) / 2.0})
    first, second = (performance.measure(stricter, part.rows, operating_point).interval for part in (before, after))
    if first is None or second is None:
        return None
    method = "difference of both limits (Bonferroni), since no patient differs"
    return Interval(first.lower - second.upper, first.upper - second.lower, confidence, method)
