"""All suites together: the plan of a policy, and the measurement of a requirement."""

from __future__ import annotations

from gatekeeper.evidence import BASELINE, Evidence, Plan, Reason
from gatekeeper.metrics import Suite
from gatekeeper.policy import Policy, Requirement
from gatekeeper.suites import latency, performance, repeatability, robustness
from gatekeeper.suites.measurement import Measurement, undefined


def plan_policy(policy: Policy) -> Plan:
    """Derive from a policy alone what a run will do; the baseline first, the clock before the fresh process."""
    suites = (performance, robustness, latency, repeatability)
    conditions = tuple(condition for suite in suites for condition in suite.plan(policy))
    return Plan(policy=policy.digest, conditions=conditions)


def measure(requirement: Requirement, policy: Policy, evidence: Evidence, operating_point: float) -> Measurement:
    """Measure a requirement on all the evidence that it speaks of."""
    followed = policy.requirements.get(requirement.of or "", requirement)
    if _not_measured(requirement, evidence) or _not_measured(followed, evidence):
        return undefined(Reason.NOT_MEASURED, requirement.spec.n_of)
    suite = requirement.spec.suite
    if suite is Suite.PERFORMANCE:
        return performance.measure(requirement, evidence.under(BASELINE.id), operating_point)
    if suite is Suite.REPEATABILITY:
        return repeatability.measure(requirement, evidence, operating_point)
    if suite is Suite.ROBUSTNESS:
        return robustness.measure(requirement, policy, evidence, operating_point)
    return latency.measure(requirement, evidence)


def measure_subgroup(
    requirement: Requirement, policy: Policy, evidence: Evidence, operating_point: float, attribute: str, group: str
) -> Measurement:
    """Measure a performance requirement on the cases whose attribute has this value.

    With fewer counted cases than the policy's ``subgroups.min_cases``, there is an estimate but no interval.
    """
    if _not_measured(requirement, evidence):
        return undefined(Reason.NOT_MEASURED, requirement.spec.n_of)
    rows = evidence.under(BASELINE.id)
    chosen = rows.of_group(attribute, group)
    measured = performance.measure(requirement, chosen, operating_point)
    fewest = policy.subgroups.min_cases if policy.subgroups else 1
    if not (chosen.case == chosen.subject).any():
        return undefined(Reason.SUBGROUP_EMPTY, measured.n_of)
    if measured.estimate is None:
        return measured
    if measured.n < fewest:
        method = f"none: fewer than {fewest} {measured.n_of}"
        return Measurement(
            measured.estimate, None, method, measured.n, measured.n_of, measured.patients, Reason.SUBGROUP_TOO_SMALL
        )
    return measured


def _not_measured(requirement: Requirement, evidence: Evidence) -> bool:
    """Say whether neither the runs of this version nor this evidence tell what a requirement asks."""
    if requirement.not_measured is None:
        return False
    if requirement.spec.measured or requirement.spec.suite is not Suite.PERFORMANCE:
        return True
    rows = evidence.under(BASELINE.id)  # of another maker, such as classes or findings
    return not rows.answers and rows.findings is None
