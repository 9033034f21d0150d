"""From which conditions a requirement is measured: what a matrix of evidence names."""

from __future__ import annotations

from gatekeeper.evidence import BASELINE
from gatekeeper.metrics import Suite
from gatekeeper.policy import Policy, Requirement
from gatekeeper.suites import latency, levels, refusal, robustness


def measured_from(requirement: Requirement, policy: Policy) -> tuple[str, ...]:
    """Return the ids of the conditions that a requirement is measured from, the baseline first where it is one.

    All that are planned are named; a rerun that was not needed any more (``until_decided``) has no rows.
    """
    suite = requirement.spec.suite
    if suite is Suite.REFUSAL:
        return tuple(refusal.condition_id(kind) for kind in policy.refusals)
    if suite is Suite.LATENCY:
        return (latency.condition_of(requirement) or BASELINE.id,)
    if suite is Suite.REPEATABILITY:
        return (BASELINE.id, *(condition.id for condition in levels.conditions_of(requirement, policy)))
    if suite is Suite.ROBUSTNESS:
        return (BASELINE.id, *_steps(requirement, policy))
    return (BASELINE.id,)


def _steps(requirement: Requirement, policy: Policy) -> tuple[str, ...]:
    """Return the one step that a requirement names, or all of its ladder."""
    ladder = [step.id for step in robustness.plan(policy) if step.perturbation == requirement.perturbation]
    named = robustness.condition_id(requirement.perturbation or "", requirement.severity or 1)
    return tuple(ladder) if requirement.severity is None else (named,)
