"""How long one answer takes in steady state."""

from __future__ import annotations

import numpy as np

from gatekeeper.evidence import Condition, Evidence, Reason
from gatekeeper.metrics import Suite
from gatekeeper.policy import Policy, Requirement
from gatekeeper.statistics import Undecidable, quantile_interval
from gatekeeper.statistics.means import skew_corrected_mean_interval
from gatekeeper.suites.measurement import Measurement, undefined

LATENCY_ID = "latency"
NEVER = 1_000_000.0  # seconds that a call without an answer counts as: beyond every threshold, and any call's time


def plan(policy: Policy) -> tuple[Condition, ...]:
    """Time single calls when a requirement that is measured asks for it, by the policy's protocol."""
    timed = (item for item in policy.requirements.values() if item.spec.suite is Suite.LATENCY)
    if all(requirement.not_measured for requirement in timed):
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
    """Measure a percentile, or the mean, of the timed calls.

    A call that failed has no time. In a percentile it counts as longer than any answer, so that failing fast is never
    fast; a mean has no value then.
    """
    rows = evidence.under(LATENCY_ID)
    calls, patients, n_of = len(rows), len(set(rows.patient)), requirement.spec.n_of
    if calls == 0:
        return undefined(Reason.CONDITION_NOT_RUN, n_of)
    lost = ~(rows.answered & np.isfinite(rows.seconds))
    failed = int(lost.sum())
    if failed and requirement.percentile is None:
        method = f"none: {failed:,} of {calls:,} timed calls failed"
        return Measurement(None, None, method, calls, n_of, patients, Reason.CALLS_FAILED)
    seconds = np.where(lost, NEVER, rows.seconds)
    try:
        if requirement.percentile is None:
            estimate, interval = skew_corrected_mean_interval(seconds, requirement.confidence)
        else:
            estimate, interval = quantile_interval(seconds, requirement.percentile / 100.0, requirement.confidence)
    except Undecidable:
        method = "none: too few timed calls for this interval"
        return Measurement(None, None, method, calls, n_of, patients, Reason.TOO_FEW_CASES)
    told = f", of which {failed:,} failed and count as longer than any" if failed else ""
    reason = Reason.CALLS_FAILED if interval.upper >= NEVER else None
    return Measurement(estimate, interval, interval.method + told, calls, n_of, patients, reason)
