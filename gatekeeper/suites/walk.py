"""All suites together: the plan of a policy, and the measurement of a requirement."""

from __future__ import annotations

from gatekeeper.evidence import BASELINE, Evidence, Plan, Reason
from gatekeeper.metrics import Suite
from gatekeeper.policy import Policy, Requirement
from gatekeeper.suites import latency, levels, performance, refusal, repeatability, robustness
from gatekeeper.suites.measurement import Measurement, undefined


def plan_policy(policy: Policy) -> Plan:
    """Derive from a policy alone what a run will do; the baseline first, the clock before the fresh process."""
    suites = (performance, robustness, refusal, latency, levels)
    conditions = tuple(condition for suite in suites for condition in suite.plan(policy))
    return Plan(policy=policy.digest, conditions=conditions)


def measure(requirement: Requirement, policy: Policy, evidence: Evidence, operating_point: float) -> Measurement:
    """Measure a requirement on all the evidence that it speaks of."""
    followed = policy.requirements.get(requirement.of or "", requirement)
    if not_measured(requirement, evidence) or not_measured(followed, evidence):
        return undefined(Reason.NOT_MEASURED, requirement.spec.n_of)
    suite = requirement.spec.suite
    if suite is Suite.PERFORMANCE:
        return performance.measure(requirement, evidence.under(BASELINE.id), operating_point)
    if suite is Suite.REPEATABILITY:
        return repeatability.measure(requirement, policy, evidence, operating_point)
    if suite is Suite.ROBUSTNESS:
        return robustness.measure(requirement, policy, evidence, operating_point)
    if suite is Suite.REFUSAL:
        return refusal.measure(requirement, policy, evidence)
    return latency.measure(requirement, policy, evidence, operating_point)


def not_measured(requirement: Requirement, evidence: Evidence) -> bool:
    """Say whether neither the runs of this version nor this evidence tell what a requirement asks."""
    if requirement.not_measured is None:
        return False
    if requirement.spec.measured or requirement.spec.suite is not Suite.PERFORMANCE:
        return True
    rows = evidence.under(BASELINE.id)  # of another maker, such as classes or findings
    return not rows.answers and rows.findings is None
