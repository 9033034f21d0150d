from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest
from statsmodels.stats.proportion import proportion_confint

from gatekeeper.statistics import Interval, clopper_pearson, jeffreys, wilson

Method = Callable[[int, int, float], Interval]
METHODS: list[tuple[Method, str]] = [(wilson, "wilson"), (clopper_pearson, "beta"), (jeffreys, "jeffreys")]
ALL = pytest.mark.parametrize("method", [method for method, _ in METHODS])
COUNTS = st.integers(1, 400).flatmap(lambda trials: st.tuples(st.integers(0, trials), st.just(trials)))


@pytest.mark.parametrize(("method", "name"), METHODS)
@settings(max_examples=60, deadline=None)
@given(counts=COUNTS, confidence=st.sampled_from([0.8, 0.9, 0.95, 0.99]))
def test_limits_equal_those_of_statsmodels(
    method: Method, name: str, counts: tuple[int, int], confidence: float
) -> None:
    hits, trials = counts
    lower, upper = proportion_confint(hits, trials, alpha=1 - confidence, method=name)
    interval = method(hits, trials, confidence)
    # statsmodels leaves out the boundary rule of Brown, Cai and DasGupta for Jeffreys' interval.
    if not (name == "jeffreys" and hits == 0):
        assert interval.lower == pytest.approx(lower, abs=1e-10)
    if not (name == "jeffreys" and hits == trials):
        assert interval.upper == pytest.approx(upper, abs=1e-10)


@pytest.mark.parametrize(("method", "name"), [(wilson, "wilson"), (clopper_pearson, "exact")])
@pytest.mark.parametrize(("hits", "trials"), [(0, 7), (1, 1), (3, 20), (188, 202), (999, 1000)])
def test_limits_equal_those_of_scipy(method: Method, name: str, hits: int, trials: int) -> None:
    expected = binomtest(hits, trials).proportion_ci(0.95, method=name)
    interval = method(hits, trials, 0.95)
    assert (interval.lower, interval.upper) == pytest.approx((expected.low, expected.high), abs=1e-10)


@pytest.mark.parametrize(
    ("hits", "trials", "score", "exact"),
    [
        (81, 263, (0.2553, 0.3662), (0.2527, 0.3676)),
        (15, 148, (0.0624, 0.1605), (0.0578, 0.1617)),
        (0, 20, (0.0000, 0.1611), (0.0000, 0.1684)),
        (1, 29, (0.0061, 0.1718), (0.0009, 0.1776)),
    ],
)
def test_limits_equal_the_examples_of_newcombe_1998(
    hits: int, trials: int, score: tuple[float, float], exact: tuple[float, float]
) -> None:
    """Newcombe, Stat Med 1998;17:857, table I."""
    for method, expected in ((wilson, score), (clopper_pearson, exact)):
        interval = method(hits, trials, 0.95)
        assert (round(interval.lower, 4), round(interval.upper, 4)) == expected


@pytest.mark.parametrize(("trials", "upper"), [(100, 0.0295), (300, 0.0099), (1000, 0.0030)])
def test_no_hit_still_leaves_an_upper_limit(trials: int, upper: float) -> None:
    """One-sided 95 %: 1 - 0.05^(1/n), worked by hand."""
    limit = clopper_pearson(0, trials, 0.90).upper
    assert limit == pytest.approx(1 - 0.05 ** (1 / trials), rel=1e-12)
    assert round(limit, 4) == upper


@pytest.mark.parametrize("trials", [5, 40, 137])
def test_exact_limits_are_where_the_binomial_test_stops_rejecting(trials: int) -> None:
    for hits in range(1, trials):
        interval = clopper_pearson(hits, trials, 0.95)
        at_lower = binomtest(hits, trials, interval.lower, alternative="greater").pvalue
        at_upper = binomtest(hits, trials, interval.upper, alternative="less").pvalue
        assert (at_lower, at_upper) == pytest.approx((0.025, 0.025), rel=1e-8)


@ALL
@settings(max_examples=60, deadline=None)
@given(counts=COUNTS)
def test_limits_hold_the_share_and_stay_between_0_and_1(method: Method, counts: tuple[int, int]) -> None:
    hits, trials = counts
    interval = method(hits, trials, 0.95)
    assert 0.0 <= interval.lower <= hits / trials <= interval.upper <= 1.0
    assert interval.lower < interval.upper


@ALL
@settings(max_examples=60, deadline=None)
@given(counts=COUNTS)
def test_misses_mirror_hits(method: Method, counts: tuple[int, int]) -> None:
    hits, trials = counts
    interval, mirrored = method(hits, trials, 0.95), method(trials - hits, trials, 0.95)
    assert interval.lower == pytest.approx(1 - mirrored.upper, abs=1e-12)
    assert interval.upper == pytest.approx(1 - mirrored.lower, abs=1e-12)


@ALL
@settings(max_examples=40, deadline=None)
@given(counts=COUNTS)
def test_one_hit_more_raises_both_limits(method: Method, counts: tuple[int, int]) -> None:
    hits, trials = counts
    interval, more = method(hits, trials + 1, 0.95), method(hits + 1, trials + 1, 0.95)
    assert more.lower > interval.lower
    assert more.upper >= interval.upper
    assert more.upper > interval.upper or interval.upper == 1.0


@ALL
@settings(max_examples=40, deadline=None)
@given(counts=COUNTS)
def test_more_confidence_widens(method: Method, counts: tuple[int, int]) -> None:
    intervals = [method(*counts, confidence) for confidence in (0.5, 0.8, 0.95, 0.999)]
    for narrow, wide in pairwise(intervals):
        assert wide.lower <= narrow.lower
        assert wide.upper >= narrow.upper
        assert wide.upper - wide.lower > narrow.upper - narrow.lower


@ALL
def test_no_hit_and_no_miss_put_a_limit_on_the_boundary(method: Method) -> None:
    assert method(0, 12, 0.95).lower == 0.0
    assert method(12, 12, 0.95).upper == 1.0


@ALL
@pytest.mark.parametrize(("hits", "trials"), [(0, 0), (-1, 5), (6, 5), (0, -3)])
def test_impossible_counts_are_refused(method: Method, hits: int, trials: int) -> None:
    with pytest.raises(ValueError, match="trials"):
        method(hits, trials, 0.95)


def test_methods_name_themselves() -> None:
    names = [method(9, 10, 0.95).method for method, _ in METHODS]
    assert names == ["Wilson score", "Clopper-Pearson (exact)", "Jeffreys"]
