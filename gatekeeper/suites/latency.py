"""How long answers take, by stage, cold and warm, alone and in batches; memory, and what a queue makes of it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from gatekeeper.evidence import BASELINE, Condition, Evidence, Reason, Rows
from gatekeeper.metrics import Suite
from gatekeeper.policy import Policy, Requirement
from gatekeeper.policy.schema import Load
from gatekeeper.quantities import parse_quantity
from gatekeeper.statistics import Interval, Undecidable, quantile_interval
from gatekeeper.statistics.means import skew_corrected_mean_interval
from gatekeeper.statistics.queueing import mean_wait_saved, notification_interval
from gatekeeper.suites import performance
from gatekeeper.suites.measurement import Measurement, undefined

LATENCY_ID = "latency"
BATCH_ID = "latency.batch"
COLD_ID = "cold_start"
NEVER = 1_000_000.0  # seconds that a call without an answer counts as: beyond every threshold, and any call's time
_COLD = ("cold_start", "first_case")


def condition_of(requirement: Requirement) -> str | None:
    """Return the id of the condition whose calls a requirement on times is measured from; None where there is none."""
    if requirement.spec.suite is not Suite.LATENCY or requirement.spec.name == "waiting_time_saved":
        return None
    if requirement.stage in _COLD:
        return COLD_ID
    return BATCH_ID if requirement.batch == "declared" else LATENCY_ID


def plan(policy: Policy) -> tuple[Condition, ...]:
    """Time calls when a requirement that is measured asks for it, by the policy's protocol."""
    timed = (item for item in policy.requirements.values() if not item.not_measured)
    wanted = {condition_of(requirement) for requirement in timed}
    return tuple(condition for condition in _protocols(policy) if condition.id in wanted)


def _protocols(policy: Policy) -> Iterator[Condition]:
    protocol, suite = policy.latency, Suite.LATENCY.value
    one_by_one = Condition(
        id=LATENCY_ID, suite=suite, timed_calls=protocol.timed_calls, warm_up_calls=protocol.warm_up_calls
    )
    yield one_by_one
    yield one_by_one.model_copy(update={"id": BATCH_ID, "declared_batch": True})
    yield Condition(id=COLD_ID, suite=suite, cold_starts=protocol.cold_starts)


def measure(requirement: Requirement, policy: Policy, evidence: Evidence, operating_point: float) -> Measurement:
    """Measure a requirement on time, throughput, memory, or what they do to a queue.

    A call that failed has no time. In a percentile it counts as longer than any answer, so that failing fast is never
    fast; a mean has no value then.
    """
    name, load = requirement.spec.name, policy.latency.load
    if name == "waiting_time_saved":
        return _waiting_time_saved(requirement, policy, evidence, operating_point)
    rows = evidence.under(condition_of(requirement) or "")
    if len(rows) == 0:
        return undefined(Reason.CONDITION_NOT_RUN, requirement.spec.n_of)
    if name == "peak_memory":
        return _peak_memory(requirement, rows)
    column = {"throughput": _per_case(requirement), "time_to_notification": "end_to_end"}.get(name, requirement.stage)
    seconds = _seconds(rows, column)
    if seconds is None:
        return undefined(Reason.NOT_MEASURED, requirement.spec.n_of, len(rows), _patients(rows))
    lost = ~(rows.answered & np.isfinite(seconds))
    if requirement.percentile is None and lost.any():
        method = f"none: {lost.sum():,} of {len(rows):,} timed calls failed"
        return _measured(requirement, rows, None, None, method, Reason.CALLS_FAILED)
    try:
        estimate, interval = _estimated(requirement, seconds, lost, load)
    except Undecidable:
        method = "none: too few timed calls for this interval"
        return _measured(requirement, rows, None, None, method, Reason.TOO_FEW_CASES)
    told = f", of which {lost.sum():,} failed and count as longer than any" if lost.any() else ""
    reason = Reason.CALLS_FAILED if lost.any() and interval.upper >= NEVER else None
    return _measured(requirement, rows, estimate, interval, interval.method + told, reason)


def stage_seconds(rows: Rows, stage: str) -> NDArray[np.float64] | None:
    """Return the seconds that one stage of timed calls took, infinite where a call failed; None where not timed."""
    seconds = _seconds(rows, stage)
    return None if seconds is None else np.where(rows.answered & np.isfinite(seconds), seconds, np.inf)


def _seconds(rows: Rows, stage: str | None) -> NDArray[np.float64] | None:
    if stage in (None, "inference", "cold_start"):
        return rows.seconds
    told = rows.clock.get(f"seconds.{stage}")
    # Where no call gave an answer no stage was timed, and that is known.
    return np.full(len(rows), np.nan) if told is None and not rows.answered.any() else told


def _per_case(requirement: Requirement) -> str:
    return "per_case" if requirement.batch == "declared" else "inference"


def _estimated(
    requirement: Requirement, seconds: NDArray[np.float64], lost: NDArray[np.bool_], load: Load | None
) -> tuple[float, Interval]:
    name, confidence = requirement.spec.name, requirement.confidence
    share = None if requirement.percentile is None else requirement.percentile / 100.0
    if name == "time_to_notification" and load is not None and share is not None:
        return notification_interval(seconds, lost, load.arrivals_per_hour / 3600.0, share, confidence, NEVER)
    if share is not None:
        return quantile_interval(np.where(lost, NEVER, seconds), share, confidence)
    mean, interval = skew_corrected_mean_interval(seconds, confidence)
    if name != "throughput":
        return mean, interval
    if interval.lower <= 0.0:
        raise Undecidable("the limits of a mean time reach 0: its reciprocal has none")
    method = f"{interval.method}, reciprocal"
    return 1.0 / mean, Interval(1.0 / interval.upper, 1.0 / interval.lower, confidence, method)


def _peak_memory(requirement: Requirement, rows: Rows) -> Measurement:
    told = rows.clock.get(f"peak.{requirement.of_memory}")
    if told is None or not np.isfinite(told).any():
        return _measured(requirement, rows, None, None, "none: not told", Reason.NOT_MEASURED)
    return _measured(requirement, rows, float(np.nanmax(told)), None, "none: the most that was seen", None)


def _waiting_time_saved(
    requirement: Requirement, policy: Policy, evidence: Evidence, operating_point: float
) -> Measurement:
    load, n_of, prevalence = policy.latency.load, requirement.spec.n_of, _prevalence(policy)
    if load is None or load.reading_minutes is None or prevalence is None:
        return undefined(Reason.NOT_MEASURED, n_of)
    each_side = 1.0 - (1.0 - requirement.confidence) / 2.0  # both rates hold at once with the confidence asked
    rows = evidence.under(BASELINE.id)
    rates = [
        performance.measure(
            requirement.model_copy(update={"metric": name, "confidence": each_side}), rows, operating_point
        )
        for name in ("sensitivity", "specificity")
    ]
    n, patients = sum(rate.n for rate in rates), len(set(rows.originals().patient))
    (sensitivity, specificity) = (rate.estimate for rate in rates)
    if sensitivity is None or specificity is None:
        return undefined(Reason.UNDEFINED_METRIC, n_of, n, patients)
    arrivals, reading, readers = load.arrivals_per_hour / 3600.0, load.reading_minutes * 60.0, load.readers

    def saved(sensitivity: float, specificity: float) -> float:
        return mean_wait_saved(sensitivity, specificity, prevalence, arrivals, reading, readers)

    estimate = saved(sensitivity, specificity)
    (found, spared) = (rate.interval for rate in rates)
    if found is None or spared is None:
        return Measurement(estimate, None, "none: too few cases", n, n_of, patients, Reason.TOO_FEW_CASES)
    low, high = saved(found.lower, spared.lower), saved(found.upper, spared.upper)
    method = f"M/M/{readers} with preemptive priority, at the limits of both rates ({found.method})"
    interval = Interval(min(low, estimate), max(high, estimate), requirement.confidence, method)
    return Measurement(estimate, interval, method, n, n_of, patients)


def _prevalence(policy: Policy) -> float | None:
    load, declared = policy.latency.load, policy.context.prevalence
    if load is not None and load.own_prevalence is not None:
        return load.own_prevalence
    return None if declared is None else parse_quantity(declared.value, "1")


def _measured(
    requirement: Requirement,
    rows: Rows,
    estimate: float | None,
    interval: Interval | None,
    method: str,
    reason: Reason | None,
) -> Measurement:
    return Measurement(estimate, interval, method, len(rows), requirement.spec.n_of, _patients(rows), reason)


def _patients(rows: Rows) -> int:
    return len(set(rows.patient))
