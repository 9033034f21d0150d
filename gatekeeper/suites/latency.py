"""How long one answer takes in steady state."""

from __future__ import annotations

from gatekeeper.evidence import Condition, Evidence, Reason
from gatekeeper.metrics import Suite
from gatekeeper.policy import Policy, Requirement
from gatekeeper.statistics import Undecidable, mean_interval, quantile_interval
from gatekeeper.suites.measurement import Measurement, undefined

LATENCY_ID = "latency"


def plan(policy: Policy) -> tuple[Condition, ...]:
    """Time single calls when a requirement asks for it, by the policy's protocol."""
    if all(requirement.spec.suite is not Suite.LATENCY for requirement in policy.requirements.values()):
        return ()
    return (
        Condition(
            id=LATENCY_ID,
            suite=Suite.LATENCY.value,
            timed_calls=policy.latency.timed_calls,
            warm_up_calls=policy.latency.warm_up_calls,
        ),
    )


def measure(requirement: Requirement, evidence: Evidence) -> Measurement:
    """Measure a percentile, or the mean, of the timed calls."""
    rows = evidence.under(LATENCY_ID)
    calls, patients, n_of = len(rows), len(set(rows.patient)), requirement.spec.n_of
    if calls == 0:
        return undefined(Reason.CONDITION_NOT_RUN, n_of)
    try:
        if requirement.percentile is None:
            estimate, interval = mean_interval(rows.seconds, requirement.confidence)
        else:
            estimate, interval = quantile_interval(rows.seconds, requirement.percentile / 100.0, requirement.confidence)
    except Undecidable:
        method = "none: too few timed calls for this interval"
        return Measurement(None, None, method, calls, n_of, patients, Reason.TOO_FEW_CASES)
    return Measurement(estimate, interval, interval.method, calls, n_of, patients)
