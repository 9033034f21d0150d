from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, chi2
from statsmodels.stats.proportion import proportion_confint

from gatekeeper.statistics import (
    ProportionMethod,
    cases_for_lower_limit,
    cases_for_upper_limit,
    clopper_pearson,
    degrees_for_spread,
    fewest_for_lower_limit,
    jeffreys,
    quantile_interval,
    values_needed,
    wilson,
    within_subject_sd_interval,
)
from gatekeeper.statistics.repeatability import uneven_within_subject_sd_interval
from gatekeeper.statistics.sample_size import subjects_for_spread

LIMITS = {"wilson": wilson, "clopper_pearson": clopper_pearson, "jeffreys": jeffreys}
PEERS = {"wilson": "wilson", "clopper_pearson": "beta", "jeffreys": "jeffreys"}
METHODS: list[ProportionMethod] = ["wilson", "clopper_pearson", "jeffreys"]


def power_by_peer(truth: float, goal: float, trials: int, method: str, *, upper: bool) -> float:
    """Add up the outcomes whose limit, by statsmodels, clears the goal."""
    hits = np.arange(trials + 1)
    low, high = proportion_confint(hits, trials, method=PEERS[method])
    cleared = np.asarray(high) <= goal if upper else np.asarray(low) >= goal
    return float(binom(trials, truth).pmf(hits[cleared]).sum())


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("truth", "goal", "power"), [(0.925, 0.80, 0.8), (0.95, 0.85, 0.9), (0.8, 0.5, 0.7)])
def test_is_the_first_number_with_the_power_by_a_peers_limits(
    truth: float, goal: float, power: float, method: ProportionMethod
) -> None:
    needed = cases_for_lower_limit(truth, goal, power, method=method)
    for trials in range(1, needed + 1):
        reached = power_by_peer(truth, goal, trials, method, upper=False)
        assert (reached >= power) == (trials == needed)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("truth", "goal"), [(0.01, 0.05), (0.1, 0.2)])
def test_an_upper_limit_is_planned_by_a_peers_limits(truth: float, goal: float, method: ProportionMethod) -> None:
    needed = cases_for_upper_limit(truth, goal, method=method)
    assert power_by_peer(truth, goal, needed, method, upper=True) >= 0.8
    assert power_by_peer(truth, goal, needed - 1, method, upper=True) < 0.8


@pytest.mark.parametrize(("truth", "goal", "cases"), [(0.1, 0.2, 107), (0.075, 0.2, 62), (0.05, 0.15, 75)])
def test_an_upper_limit_is_the_mirror_image_of_a_lower_one(truth: float, goal: float, cases: int) -> None:
    assert cases_for_upper_limit(truth, goal) == cases


def test_wilson_needs_fewer_cases_than_clopper_and_pearson() -> None:
    assert cases_for_lower_limit(0.9, 0.8, method="wilson") == 100
    assert cases_for_lower_limit(0.9, 0.8) == 107


def test_a_search_ends_where_it_is_told_to() -> None:
    with pytest.raises(ValueError, match="200 trials"):
        cases_for_lower_limit(0.82, 0.8, most=200)


@pytest.mark.parametrize(
    ("goal", "method", "fewest"),
    [(0.8, "wilson", 16), (0.8, "clopper_pearson", 17), (0.98, "clopper_pearson", 183), (0.95, "clopper_pearson", 72)],
)
def test_the_fewest_cases_that_can_show_it(goal: float, method: ProportionMethod, fewest: int) -> None:
    assert fewest_for_lower_limit(goal, method=method) == fewest


@settings(max_examples=60, deadline=None)
@given(st.floats(0.02, 0.995), st.sampled_from(METHODS), st.sampled_from([0.8, 0.9, 0.95, 0.99]))
def test_the_fewest_cases_do_and_one_less_does_not(goal: float, method: ProportionMethod, confidence: float) -> None:
    fewest = fewest_for_lower_limit(goal, confidence, method)
    assert fewest is not None
    limit = LIMITS[method]
    assert limit(fewest, fewest, confidence).lower >= goal
    assert fewest == 1 or limit(fewest - 1, fewest - 1, confidence).lower < goal
    assert limit(0, fewest, confidence).upper <= 1.0 - goal + 1e-12


@pytest.mark.parametrize(("trials", "upper"), [(100, 0.0295), (300, 0.0099), (1000, 0.0030)])
def test_no_event_in_n_leaves_the_known_one_sided_limit(trials: int, upper: float) -> None:
    """One-sided 95 % is one side of a two-sided 90 %."""
    exact = clopper_pearson(0, trials, 0.90).upper
    assert exact == pytest.approx(upper, abs=5e-5)
    assert fewest_for_lower_limit(1.0 - exact - 1e-9, 0.90) == trials


def test_no_number_of_cases_shows_certainty_and_any_shows_nothing() -> None:
    assert fewest_for_lower_limit(1.0) is None
    assert fewest_for_lower_limit(1.0 - 1e-12) is None
    assert fewest_for_lower_limit(0.0) == 1
    with pytest.raises(ValueError, match="never reaches"):
        fewest_for_lower_limit(1.1)


@pytest.mark.parametrize(("freedom", "lower", "upper"), [(35, 0.81, 1.30), (100, 0.88, 1.16)])
def test_the_interval_of_a_spread_has_the_known_multipliers(freedom: int, lower: float, upper: float) -> None:
    interval = within_subject_sd_interval(1.0, freedom)
    assert (round(interval.lower, 2), round(interval.upper, 2)) == (lower, upper)


@settings(max_examples=40, deadline=None)
@given(st.floats(1.05, 5.0), st.sampled_from([0.5, 0.8, 0.9, 0.95]), st.sampled_from([0.9, 0.95]))
def test_so_many_degrees_have_the_power_by_a_peers_distribution(ratio: float, power: float, confidence: float) -> None:
    def reached(freedom: int) -> float:
        return float(chi2(freedom).cdf(ratio**2 * chi2(freedom).ppf((1.0 - confidence) / 2.0)))

    needed = degrees_for_spread(ratio, power, confidence)
    assert reached(needed) >= power - 1e-9
    assert needed == 1 or reached(needed - 1) < power + 1e-9


def test_so_many_pairs_of_repeats_have_the_power_in_a_simulation() -> None:
    pairs, random = degrees_for_spread(1.5, 0.8), np.random.default_rng(20261123)
    differences = random.normal(0.0, math.sqrt(2.0), (4000, pairs))
    spreads = np.sqrt((differences**2).sum(axis=1) / (2.0 * pairs))
    met = np.mean([within_subject_sd_interval(float(spread), pairs).upper <= 1.5 for spread in spreads])
    assert met == pytest.approx(0.8, abs=0.03)


@pytest.mark.parametrize(("ratio", "power", "confidence"), [(2.5, 0.8, 0.95), (1.5, 0.9, 0.95), (1.35, 0.8, 0.9)])
def test_so_many_subjects_have_the_power_with_the_interval_that_the_gate_uses(
    ratio: float, power: float, confidence: float
) -> None:
    """Normal pairs that scatter alike, measured as the gate measures them: never less power than was planned."""
    pairs, random = subjects_for_spread(ratio, power, confidence), np.random.default_rng(20261125)
    ones, codes = np.ones(pairs), np.arange(pairs)
    limits = [
        uneven_within_subject_sd_interval(random.normal(size=pairs) ** 2, ones, codes, confidence=confidence).upper
        for _ in range(300)
    ]
    met = float(np.mean(np.array(limits) <= ratio))
    assert power - 3.0 * math.sqrt(power * (1.0 - power) / 300) <= met <= 0.99
    assert pairs > degrees_for_spread(ratio, power, confidence)


@pytest.mark.parametrize("ratio", [1.0, 0.5, math.inf, math.nan])
def test_a_spread_that_is_no_smaller_than_the_goal_cannot_be_planned_for(ratio: float) -> None:
    with pytest.raises(ValueError, match="more than the truth"):
        degrees_for_spread(ratio)


@pytest.mark.parametrize(("quantile", "calls"), [(0.95, 72), (0.9, 60), (0.99, 500)])
def test_the_limit_of_a_percentile_is_that_of_the_share_of_values_below(quantile: float, calls: int) -> None:
    """So the calls that a percentile needs can be planned as trials of a proportion."""
    calls = max(calls, values_needed(quantile))
    for slow in range(0, 8):
        times = np.concatenate([np.full(calls - slow, 1.0), np.full(slow, 9.0)])
        _, interval = quantile_interval(times, quantile)
        assert (interval.upper == 1.0) == (clopper_pearson(calls - slow, calls).lower >= quantile)
