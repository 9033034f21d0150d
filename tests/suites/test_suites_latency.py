from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up_environment import environment
from made_up_evidence import OPERATING_POINT, cells, evidence_of, policy_of, requirement
from scipy import stats

from gatekeeper.evidence import Clock, Evidence, Finding, Outcome, Reason
from gatekeeper.policy import Requirement
from gatekeeper.statistics import clopper_pearson
from gatekeeper.statistics.queueing import mean_wait_saved
from gatekeeper.suites import Measurement, latency, plan_policy
from gatekeeper.suites.latency import BATCH_ID, COLD_ID, LATENCY_ID, NEVER, plan
from gatekeeper.verdict import judge

MEAN = requirement("mean_latency", upper_limit={"at_most": "20 ms"})


def measure(item: Requirement, evidence: Evidence, **parts: object) -> Measurement:
    return latency.measure(item, policy_of({"it": item}, **parts), evidence, OPERATING_POINT)


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


# --- stages, batches, cold starts, memory


def clocked(seconds: Sequence[float], condition: str = LATENCY_ID, **columns: Sequence[float | None]) -> Evidence:
    """Calls with further columns of the clock, the point in whose names is written as two underscores."""
    table = evidence_of({}, {condition: seconds}).table
    plain = {name: table[name].to_pylist() for name in table.column_names}
    return Evidence.from_columns(plain, {}, {name.replace("__", "."): values for name, values in columns.items()})


@pytest.mark.parametrize("stage", ["end_to_end", "read", "decode", "preprocess", "transfer", "forward", "postprocess"])
def test_a_stage_is_measured_from_its_own_column(stage: str) -> None:
    told = np.random.default_rng(1).gamma(3.0, 0.002, 100).tolist()
    item = requirement("latency", percentile=90.0, stage=stage)
    found = measure(item, clocked([1.0] * 100, **{f"seconds__{stage}": told}))
    assert (found.estimate, found.limits) == (
        measure(P90, evidence_of({}, {LATENCY_ID: told})).estimate,
        measure(P90, evidence_of({}, {LATENCY_ID: told})).limits,
    )
    without = measure(item, evidence_of({}, {LATENCY_ID: told}))
    assert (without.estimate, without.reason, without.n) == (None, Reason.NOT_MEASURED, 100)
    none = measure(item, timed(told, [True] * 100))  # no call was answered: that is no gap of the evidence
    assert (none.estimate, none.reason) == (NEVER, Reason.CALLS_FAILED)


def test_throughput_is_the_reciprocal_of_the_mean_time_of_a_case() -> None:
    seconds = np.random.default_rng(2).gamma(9.0, 0.001, 80)
    mean = measure(MEAN, evidence_of({}, {LATENCY_ID: seconds.tolist()}))
    alone = measure(requirement("throughput", lower_limit={"at_least": "1 cases/s"}), clocked(seconds.tolist()))
    assert alone.estimate == pytest.approx(1.0 / seconds.mean())
    assert mean.limits is not None
    assert alone.limits == pytest.approx((1.0 / mean.limits[1], 1.0 / mean.limits[0]))
    item = requirement("throughput", batch="declared", lower_limit={"at_least": "1 cases/s"})
    of_four = clocked(seconds.tolist(), BATCH_ID, seconds__per_case=(seconds / 4.0).tolist())
    assert measure(item, of_four).estimate == pytest.approx(4.0 / seconds.mean())
    assert measure(item, clocked(seconds.tolist())).reason is Reason.CONDITION_NOT_RUN


def test_cold_starts_are_planned_and_measured_where_they_are_asked_for() -> None:
    items = {
        "start": requirement("mean_latency", stage="cold_start", upper_limit={"at_most": "1 min"}),
        "first": requirement("mean_latency", stage="first_case", upper_limit={"at_most": "1 min"}),
        "batch": requirement("mean_latency", batch="declared", upper_limit={"at_most": "1 min"}),
    }
    policy = policy_of(items, latency={"cold_starts": 4})
    batch, cold = plan(policy)
    assert (batch.id, batch.declared_batch, batch.recorded_calls) == (BATCH_ID, True, 200)
    assert (cold.id, cold.cold_starts, cold.recorded_calls) == (COLD_ID, 4, 4)
    brought = clocked([9.0, 10.0, 11.0, 10.0], COLD_ID, seconds__first_case=[1.0, 2.0, 3.0, 2.0])
    assert measure(items["start"], brought).estimate == 10.0
    assert measure(items["first"], brought).estimate == 2.0
    (found,) = judge(policy_of({"start": items["start"]}), brought, 0.5)
    assert found.words.startswith("A cold start takes 10 s on average (")


def test_peak_memory_is_the_most_that_was_told_and_has_no_interval() -> None:
    item = requirement("peak_memory", of_memory="device", estimate={"at_most": "2 GiB"})
    evidence = clocked([0.01] * 3, peak__host=[10.0, 20.0, 20.0], peak__device=[1024.0, 2048.5, None])
    (found,) = judge(policy_of({"memory": item}), evidence, 0.5)
    assert (found.estimate, found.interval, found.unit, found.outcome) == (2048.5, None, "MiB", Outcome.NOT_MET)
    assert found.words.startswith("It held up to 2,048 MiB of the device's memory.")
    assert measure(item, clocked([0.01] * 3, peak__host=[1.0] * 3)).reason is Reason.NOT_MEASURED


@pytest.mark.parametrize(
    ("metric", "options", "word"),
    [
        ("latency", {"percentile": 100.0}, "no upper limit"),
        ("mean_latency", {"batch": "declared", "stage": "end_to_end"}, "a batch is timed by"),
        ("throughput", {"stage": "forward"}, "does not take stage"),
        ("peak_memory", {}, "needs of_memory"),
    ],
)
def test_what_cannot_be_timed_is_refused(metric: str, options: dict[str, object], word: str) -> None:
    end = {"estimate": {"at_most": "1 GiB"}} if metric == "peak_memory" else {"upper_limit": {"at_most": "1 s"}}
    end = {"lower_limit": {"at_least": "1 cases/s"}} if metric == "throughput" else end
    with pytest.raises(ValueError, match=word):
        requirement(metric, **options, **end)


# --- the queue


LOAD = {"arrivals_per_hour": 12.0, "prevalence": 0.2, "reading_minutes": 4.0}
NOTIFIED = requirement("time_to_notification", percentile=90.0, upper_limit={"at_most": "2 min"})
SAVED = requirement("waiting_time_saved", lower_limit={"at_least": "1 min"})


def test_a_queue_is_seen_where_cases_come_as_fast_as_they_are_answered() -> None:
    seconds = np.random.default_rng(3).gamma(9.0, 3.0, 300)  # 27 s
    evidence = clocked([0.01] * 300, seconds__end_to_end=seconds.tolist())
    few, many, more = (
        measure(NOTIFIED, evidence, latency={"load": {"arrivals_per_hour": rate}}) for rate in (1.0, 100.0, 200.0)
    )
    assert few.estimate == pytest.approx(np.quantile(seconds, 0.9), rel=0.05)
    assert many.estimate is not None
    assert many.estimate > 2.0 * np.quantile(seconds, 0.9)
    assert more.estimate == NEVER
    policy = policy_of(
        {"it": NOTIFIED}, latency={"load": {**LOAD, "arrivals_per_hour": 200.0, "reading_minutes": None}}
    )
    (found,) = judge(policy, evidence, 0.5)
    assert found.outcome is Outcome.NOT_MET
    assert "more than 10 of 100 get no result in time" in found.words


def test_the_waiting_time_saved_follows_from_both_rates_and_the_load() -> None:
    evidence = evidence_of({"baseline": cells(90, 10, 10, 190)})
    found = measure(SAVED, evidence, latency={"load": LOAD})
    arrivals, reading = 12.0 / 3600.0, 240.0
    assert found.estimate == pytest.approx(mean_wait_saved(0.9, 0.95, 0.2, arrivals, reading))
    each = [clopper_pearson(hits, trials, 0.975) for hits, trials in ((90, 100), (190, 200))]
    worst, best = [each[0].lower, each[1].lower], [each[0].upper, each[1].upper]
    assert found.limits == pytest.approx([mean_wait_saved(*both, 0.2, arrivals, reading) for both in (worst, best)])
    assert (found.n, found.n_of) == (300, "cases")
    (finding,) = judge(policy_of({"saved": SAVED}, latency={"load": LOAD}), evidence, 0.5)
    assert not finding.is_time
    assert finding.words.startswith("Where alarms are read first, a positive nodule (malignant) is saved ")
    one_class = measure(SAVED, evidence_of({"baseline": cells(5, 5, 0, 0)}), latency={"load": LOAD})
    assert (one_class.estimate, one_class.reason) == (None, Reason.UNDEFINED_METRIC)
    assert plan(policy_of({"saved": SAVED}, latency={"load": LOAD})) == ()


@pytest.mark.parametrize(
    ("item", "load", "word"),
    [
        (NOTIFIED, None, "needs the load"),
        (SAVED, {"arrivals_per_hour": 1.0}, "mean time of reading"),
        (SAVED, {"arrivals_per_hour": 1.0, "reading_minutes": 1.0}, "no prevalence"),
        (SAVED, {**LOAD, "arrivals_per_hour": 15.0}, "grows without end"),
        (SAVED, {**LOAD, "prevalence": 1.0}, "lies between 0 and 1"),
    ],
)
def test_a_load_that_is_missing_or_impossible_is_refused(item: Requirement, load: object, word: str) -> None:
    with pytest.raises(ValueError, match=word):
        policy_of({"it": item}, latency={"load": load})


# --- the machine


def on(machine: Clock | None, **options: object) -> Finding:
    made = environment(processor="Processor of tests", clocks={} if machine is None else {LATENCY_ID: machine})
    policy = policy_of({"it": requirement("latency", percentile=90.0, **options)})
    (found,) = judge(policy, evidence_of({}, {LATENCY_ID: [0.01] * 100}), 0.5, environment=made)
    return found


@given(st.floats(1e-3, 1e3), st.floats(1.0, 4.0), st.booleans(), st.floats(1e-4, 1.0))
@settings(deadline=None)
def test_a_noisy_machine_decides_only_what_its_drift_cannot_turn(
    level: float, drift: float, faster: bool, threshold: float
) -> None:
    before, after = (level * drift, level) if faster else (level, level * drift)
    clock = Clock(before=before, after=after, spread=1.0)
    found = on(clock, upper_limit={"at_most": f"{threshold:.6f} s"})
    threshold = round(threshold, 6)
    quiet = Outcome.MET if threshold >= 0.01 else Outcome.NOT_MET
    turned = not (0.01 * clock.drift <= threshold or 0.01 / clock.drift > threshold)
    assert clock.noisy == (clock.drift > 1.2)
    if clock.noisy and turned:
        assert (found.outcome, found.reason) == (Outcome.NOT_DECIDED, Reason.NOISY_MACHINE)
        assert "Not decided: by as much as the machine drifted" in found.words
    else:
        assert (found.outcome, found.reason) == (quiet, None)
    assert ("The machine was noisy" in found.words) == clock.noisy


def test_the_device_and_what_was_not_steady_are_told() -> None:
    limit = {"upper_limit": {"at_most": "20 ms"}}
    assert on(None, **limit).words.endswith("Measured on Processor of tests.")
    steady = Clock(before=1.0, after=1.1, spread=2.9, warm_up_calls=20, stable=True)
    assert on(steady, **limit).words.endswith("Measured on Processor of tests.")
    unsettled = steady.model_copy(update={"stable": False, "warm_up_calls": 100})
    assert on(unsettled, **limit).words.endswith("Times had not settled after 100 warm-up calls.")
    uneven = on(steady.model_copy(update={"spread": 3.1}), **limit)
    assert (uneven.outcome, "3.1 times as long as its fastest" in uneven.words) == (Outcome.MET, True)
