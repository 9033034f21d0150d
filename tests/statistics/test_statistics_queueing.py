"""Queues against closed formulas and a simulation of single readers.

Oracles: M/M/1 (Kleinrock, Queueing Systems I, 1975); waits by priority that interrupts, M/M/1 preemptive-resume, and by
priority that does not (Cobham, Oper Res 1954;2:70); the mean time in an M/G/1 queue (Pollaczek-Khinchine).
"""

from __future__ import annotations

import heapq

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatekeeper.statistics import Undecidable, quantile_interval
from gatekeeper.statistics.queueing import (
    mean_wait,
    mean_wait_saved,
    mean_waits_by_alarm,
    notification_interval,
    sojourns,
)

NEVER = 1e6
shares = st.floats(0.01, 0.99)


def preemptive_waits(share: float, arrivals: float, reading: float) -> tuple[float, float]:
    """Return the waits of two classes of one rate where the first interrupts: time in the system less the reading."""
    first, both = share * arrivals * reading, arrivals * reading
    in_system = reading / (1.0 - first), reading / ((1.0 - first) * (1.0 - both))
    return in_system[0] - reading, in_system[1] - reading


def cobham_waits(share: float, arrivals: float, reading: float) -> tuple[float, float]:
    """Return the waits of two classes of one rate where nobody is interrupted."""
    first, both = share * arrivals * reading, arrivals * reading
    residual = arrivals * reading**2
    return residual / (1.0 - first), residual / ((1.0 - first) * (1.0 - both))


@given(shares, st.floats(1e-4, 10.0), shares)
def test_one_reader_waits_as_the_closed_formulas_say(share: float, reading: float, load: float) -> None:
    arrivals = load / reading
    assert mean_wait(arrivals, reading) == pytest.approx(load * reading / (1.0 - load))
    found = mean_waits_by_alarm(share, arrivals, reading)
    assert found == pytest.approx(preemptive_waits(share, arrivals, reading), rel=1e-9)
    # Who may interrupt waits less than who may not, and both together wait alike (conservation).
    polite = cobham_waits(share, arrivals, reading)
    assert found[0] < polite[0]
    together = [share * first + (1.0 - share) * rest for first, rest in (found, polite)]
    assert together == pytest.approx([mean_wait(arrivals, reading)] * 2)


def test_two_readers_wait_as_in_a_worked_example() -> None:
    # M/M/2 with work a: the share that waits is a^2 / (2 + a), hence at a = 1 a third; the wait is C m / (2 - a).
    assert mean_wait(1.0, 1.0, 2) == pytest.approx(1.0 / 3.0)
    assert mean_wait(0.0, 1.0, 2) == 0.0


@pytest.mark.parametrize("work", [1.0, 1.5])
def test_readers_that_cannot_keep_up_have_no_mean_wait(work: float) -> None:
    with pytest.raises(ValueError, match="cannot keep up"):
        mean_wait(work, 1.0)


@given(shares, shares, shares, st.floats(0.05, 0.95), st.integers(1, 6))
def test_what_is_saved_grows_with_both_rates_and_is_nothing_by_chance(
    sensitivity: float, specificity: float, prevalence: float, load: float, readers: int
) -> None:
    def saved(sensitivity: float, specificity: float) -> float:
        return mean_wait_saved(sensitivity, specificity, prevalence, load * readers, 1.0, readers)

    here = saved(sensitivity, specificity)
    assert saved(min(1.0, sensitivity + 0.005), specificity) >= here - 1e-9
    assert saved(sensitivity, min(1.0, specificity + 0.005)) >= here - 1e-9
    assert saved(sensitivity, 1.0 - sensitivity) == pytest.approx(0.0, abs=1e-9)
    assert here <= mean_wait(load * readers, 1.0, readers) + 1e-9
    assert saved(1.0, 0.0) == saved(0.0, 1.0) == 0.0


def test_one_reader_saves_by_the_closed_formula() -> None:
    """In closed form, of one reader: work (1 - prevalence) J m / ((1 - work) (1 - work of alarms))."""
    sensitivity, specificity, prevalence, work, reading = 0.9, 0.95, 0.2, 0.8, 10.0
    alarms = prevalence * sensitivity + (1.0 - prevalence) * (1.0 - specificity)
    youden = sensitivity + specificity - 1.0
    wanted = work * (1.0 - prevalence) * youden * reading / ((1.0 - work) * (1.0 - alarms * work))
    found = mean_wait_saved(sensitivity, specificity, prevalence, work / reading, reading)
    assert found == pytest.approx(wanted)


@pytest.mark.parametrize("readers", [1, 3])
def test_a_simulated_department_waits_as_the_formulas_say(readers: int) -> None:
    """Minute by minute: the oldest cases with an alarm are read, then the oldest others; a reading can be resumed."""
    share, arrivals, reading, cases = 0.3, 0.8 * readers, 1.0, 40_000
    source = np.random.default_rng(8)
    times = np.cumsum(source.exponential(1.0 / arrivals, cases))
    left = source.exponential(reading, cases)
    alarm, needed, done = source.random(cases) < share, left.copy(), np.zeros(cases)
    here: list[tuple[bool, int]] = []
    now, following = 0.0, 0
    while following < cases or here:
        busy = heapq.nsmallest(readers, here)
        first_done = min((left[case] for _, case in busy), default=np.inf)
        step = min(first_done, times[following] - now if following < cases else np.inf)
        now += step
        for entry in busy:
            left[entry[1]] -= step
        if step == first_done:
            entry = min(busy, key=lambda entry: left[entry[1]])
            here.remove(entry)
            done[entry[1]] = now
        else:
            here.append((not alarm[following], following))
            following += 1
    waits = done - times - needed
    found = waits[alarm].mean(), waits[~alarm].mean()
    assert found == pytest.approx(mean_waits_by_alarm(share, arrivals, reading, readers), rel=0.12)


def test_the_wait_of_a_case_is_what_is_left_of_the_one_before_it() -> None:
    service, gaps = np.array([3.0, 1.0, 1.0, 2.0]), np.array([0.0, 1.0, 1.0, 9.0])
    assert sojourns(service, gaps).tolist() == [3.0, 3.0, 3.0, 2.0]


@pytest.mark.parametrize("shape", [1.0, 4.0])
def test_mean_times_in_the_queue_are_those_of_pollaczek_and_khinchine(shape: float) -> None:
    source, load, many = np.random.default_rng(5), 0.6, (20_000, 40)
    service = source.gamma(shape, 1.0 / shape, many)
    times = sojourns(service, source.exponential(1.0 / load, many))[1000:]
    assert times.mean() == pytest.approx(1.0 + load * (1.0 + 1.0 / shape) / (2.0 * (1.0 - load)), rel=0.03)


@pytest.mark.parametrize("load", [0.2, 0.7])
def test_times_to_notification_of_exponential_service_have_the_known_quantile(load: float) -> None:
    """Of an M/M/1 queue the time in the system is exponential with mean m / (1 - load)."""
    seconds = np.random.default_rng(2).exponential(1.0, 2000)
    load_here = load / seconds.mean()
    estimate, interval = notification_interval(seconds, np.zeros(2000, dtype=bool), load_here, 0.9, 0.95, NEVER)
    assert estimate == pytest.approx(np.log(10.0) / (1.0 - load) * seconds.mean(), rel=0.12)
    assert interval.lower < estimate < interval.upper


@given(st.floats(1e-3, 0.9), st.integers(0, 2**32 - 1))
@settings(max_examples=8, deadline=None)
def test_a_queue_never_makes_a_time_shorter_and_the_order_of_the_times_changes_nothing(load: float, seed: int) -> None:
    source = np.random.default_rng(seed)
    seconds, lost = source.gamma(2.0, 1.0, 120), source.random(120) < 0.02
    rate = load / seconds.mean()
    found = notification_interval(seconds, lost, rate, 0.9, 0.95, NEVER)
    order = source.permutation(120)
    assert notification_interval(seconds[order], lost[order], rate, 0.9, 0.95, NEVER) == found
    alone = quantile_interval(np.where(lost, NEVER, seconds), 0.9)
    assert found[1].upper >= alone[1].upper
    assert found[1].lower <= found[0]


def test_a_queue_that_grows_without_end_and_calls_that_all_fail_never_notify() -> None:
    seconds, none = np.full(100, 2.0), np.zeros(100, dtype=bool)
    estimate, interval = notification_interval(seconds, none, 0.6, 0.5, 0.95, NEVER)
    assert (estimate, interval.upper) == (NEVER, NEVER)
    estimate, interval = notification_interval(seconds, ~none, 0.01, 0.5, 0.95, NEVER)
    assert (estimate, interval.lower, interval.upper) == (NEVER, NEVER, NEVER)


def test_too_few_times_carry_no_limit() -> None:
    with pytest.raises(Undecidable):
        notification_interval(np.ones(71), np.zeros(71, dtype=bool), 0.01, 0.95, 0.95, NEVER)
