from __future__ import annotations

import math

import numpy as np
import pytest
from made_up_evidence import evidence_of, policy_of, requirement

from gatekeeper.evidence import Reason
from gatekeeper.suites import plan_policy
from gatekeeper.suites.latency import LATENCY_ID, measure, plan


def cumulative(hits: int, trials: int, share: float) -> float:
    return math.fsum(math.comb(trials, k) * share**k * (1.0 - share) ** (trials - k) for k in range(hits + 1))


@pytest.mark.parametrize(("percentile", "calls"), [(50.0, 25), (95.0, 100), (90.0, 61)])
def test_a_percentile_lies_between_the_order_statistics_that_the_binomial_allows(percentile: float, calls: int) -> None:
    share = percentile / 100.0
    seconds = np.random.default_rng(4).gamma(3.0, 0.002, size=calls)
    found = measure(requirement("latency", percentile=percentile), evidence_of({}, {LATENCY_ID: seconds.tolist()}))
    # The r-th of n values lies above the quantile with P(X <= r - 1), below it with P(X >= r); X binomial (n, share).
    low = max(rank for rank in range(1, calls + 1) if cumulative(rank - 1, calls, share) <= 0.025)
    high = min(rank for rank in range(1, calls + 1) if 1.0 - cumulative(rank - 1, calls, share) <= 0.025)
    ordered = np.sort(seconds)
    assert found.limits == pytest.approx((ordered[low - 1], ordered[high - 1]), rel=1e-11)
    assert found.estimate == ordered[math.ceil(share * calls) - 1]
    assert (found.n, found.patients) == (calls, 1)


@pytest.mark.parametrize(("percentile", "enough"), [(95.0, 72), (99.0, 368)])
def test_too_few_calls_for_a_percentile_are_said(percentile: float, enough: int) -> None:
    item = requirement("latency", percentile=percentile)
    found = measure(item, evidence_of({}, {LATENCY_ID: [0.01] * (enough - 1)}))
    assert (found.estimate, found.interval, found.reason, found.n) == (None, None, Reason.TOO_FEW_CASES, enough - 1)
    assert measure(item, evidence_of({}, {LATENCY_ID: [0.01] * enough})).limits == (0.01, 0.01)


def test_a_clock_that_was_not_run_is_said() -> None:
    item = requirement("latency", percentile=95)
    assert measure(item, evidence_of({})).reason is Reason.CONDITION_NOT_RUN


def test_time_is_planned_by_the_protocol_before_the_fresh_process() -> None:
    items = {
        "rerun": requirement("max_deviation", level="R0"),
        "time": requirement("latency", percentile=95),
        "sensitivity": requirement("sensitivity"),
    }
    policy = policy_of(items, latency={"warm_up_calls": 3, "timed_calls": 80})
    conditions = plan_policy(policy).conditions
    assert [condition.id for condition in conditions] == ["baseline", "latency", "rerun"]
    assert (conditions[1].warm_up_calls, conditions[1].timed_calls) == (3, 80)
    assert plan(policy_of({"sensitivity": items["sensitivity"]})) == ()
