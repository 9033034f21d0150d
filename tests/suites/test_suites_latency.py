from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up_evidence import evidence_of, policy_of, requirement
from scipy import stats

from gatekeeper.evidence import Evidence, Outcome, Reason
from gatekeeper.suites import plan_policy
from gatekeeper.suites.latency import LATENCY_ID, NEVER, measure, plan
from gatekeeper.verdict import judge

MEAN = requirement("mean_latency", upper_limit={"at_most": "20 ms"})


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


def test_a_mean_of_times_has_the_skewness_of_slow_calls_taken_out() -> None:
    seconds = np.random.default_rng(6).lognormal(-4.0, 0.3, size=120) * np.where(np.arange(120) % 40 == 0, 10.0, 1.0)
    found = measure(MEAN, evidence_of({}, {LATENCY_ID: seconds.tolist()}))
    students = stats.t.interval(0.95, 119, loc=seconds.mean(), scale=stats.sem(seconds))
    assert found.estimate == pytest.approx(seconds.mean())
    assert found.limits is not None
    assert students[0] < found.limits[0] < seconds.mean()
    assert found.limits[1] > seconds.mean() + 1.3 * (students[1] - seconds.mean())
    assert (found.n, "skewness removed" in found.method) == (120, True)


def test_a_mean_of_times_needs_two_calls_and_none_that_differ() -> None:
    alone = measure(MEAN, evidence_of({}, {LATENCY_ID: [0.01]}))
    assert (alone.estimate, alone.interval, alone.reason) == (None, None, Reason.TOO_FEW_CASES)
    assert measure(MEAN, evidence_of({}, {LATENCY_ID: [0.01] * 5})).limits == (0.01, 0.01)


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


def timed(seconds: list[float], failed: list[bool]) -> Evidence:
    """Calls of which some failed after so many seconds; half of these say the time, the others do not."""
    table = evidence_of({}, {LATENCY_ID: seconds}).table
    columns = {name: table[name].to_pylist() for name in table.column_names}
    columns["outcome"] = ["crashed" if lost else "ok" for lost in failed]
    columns["seconds"] = [
        None if lost and number % 2 else time for number, (time, lost) in enumerate(zip(seconds, failed, strict=True))
    ]
    return Evidence.from_columns(columns, {})


P90 = requirement("latency", percentile=90.0, upper_limit={"at_most": "20 ms"})


@given(st.integers(0, 100), st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_a_call_that_fails_never_makes_a_time_look_better(lost: int, seed: int) -> None:
    source = np.random.default_rng(seed)
    seconds = source.gamma(3.0, 0.002, size=100).tolist()
    failed = np.isin(np.arange(100), source.choice(100, lost, replace=False)).tolist()
    whole, found = (measure(P90, timed(seconds, calls)) for calls in ([False] * 100, failed))
    assert whole.estimate is not None
    assert whole.interval is not None
    assert found.interval is not None
    assert found.estimate >= whole.estimate
    assert found.interval.lower >= whole.interval.lower
    assert found.interval.upper >= whole.interval.upper
    assert (found.reason is Reason.CALLS_FAILED) == (found.interval.upper >= NEVER)
    assert (f"{lost} failed" in found.method) == (lost > 0)


@pytest.mark.parametrize(
    ("lost", "outcome", "words"),
    [
        (
            0,
            Outcome.MET,
            "90 of 100 answers take at most 10 ms (10 to 10 ms). Required: the upper limit at most 20 ms.",
        ),
        (3, Outcome.MET, "90 of 100 answers take at most 10 ms (10 to 10 ms)"),
        (8, Outcome.NOT_DECIDED, "(10 ms at least, since calls failed)"),
        (12, Outcome.NOT_DECIDED, "Fewer than 90 of 100 timed calls gave an answer"),
        (40, Outcome.NOT_MET, "Fewer than 90 of 100 timed calls gave an answer"),
        (100, Outcome.NOT_MET, "Fewer than 90 of 100 timed calls gave an answer"),
    ],
)
def test_calls_that_fail_are_told_and_no_limit_is_met_by_them(lost: int, outcome: Outcome, words: str) -> None:
    evidence = timed([0.01] * 100, [number < lost for number in range(100)])
    (found,) = judge(policy_of({"time": P90}), evidence, 0.5)
    assert found.outcome is outcome
    assert words.replace("(10 to 10 ms)", "(10 ms to 10 ms)") in found.words
    if outcome is Outcome.NOT_DECIDED:
        assert found.words.endswith("Not decided: timed calls failed, so that the time has no upper limit.")
        assert (found.reason, found.more_cases) == (Reason.CALLS_FAILED, None)
    found.to_json()


def test_no_threshold_is_met_by_calls_that_fail_however_generous() -> None:
    item = requirement("latency", percentile=90.0, upper_limit={"at_most": "86400 s"})
    point = requirement("latency", percentile=90.0, estimate={"at_most": "86400 s"})
    evidence = timed([0.01] * 100, [number < 12 for number in range(100)])
    found = {one.id: one.outcome for one in judge(policy_of({"limit": item, "point": point}), evidence, 0.5)}
    assert found == {"limit": Outcome.NOT_DECIDED, "point": Outcome.NOT_MET}


def test_a_mean_has_no_value_where_a_call_failed() -> None:
    found = measure(MEAN, timed([0.01] * 100, [number == 7 for number in range(100)]))
    assert (found.estimate, found.interval, found.reason, found.n) == (None, None, Reason.CALLS_FAILED, 100)
    (finding,) = judge(policy_of({"mean": MEAN}), timed([0.01] * 5, [True] + [False] * 4), 0.5)
    assert finding.outcome is Outcome.NOT_DECIDED
    assert finding.words.startswith("Timed calls failed, and a call without an answer has no time.")
