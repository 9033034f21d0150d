"""Differences of two numbers of the same patients, against statsmodels, scipy and numpy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import confint_proportions_2indep

from gatekeeper.statistics import Interval, Undecidable, wilson
from gatekeeper.statistics.paired_difference import correlation_of, paired_difference_interval

REACH = st.floats(0.0, 5.0)


def interval(value: float, below: float, above: float) -> Interval:
    return Interval(value - below, value + above, 0.95, "made up")


@pytest.mark.parametrize(("hits", "trials", "others", "of"), [(9, 10, 3, 10), (56, 70, 48, 80), (10, 10, 0, 20)])
def test_uncorrelated_shares_have_newcombes_limits(hits: int, trials: int, others: int, of: int) -> None:
    """statsmodels, Newcombe's hybrid score interval of two independent proportions."""
    expected = confint_proportions_2indep(hits, trials, others, of, method="newcomb", compare="diff")
    found = paired_difference_interval(hits / trials, wilson(hits, trials), others / of, wilson(others, of), 0.0)
    assert (found.lower, found.upper) == pytest.approx(expected, abs=1e-9)


def test_normal_means_have_the_limits_of_their_difference() -> None:
    """The variance of a difference: s² + t² - 2 r s t."""
    z, one, other, r = stats.norm.ppf(0.975), 0.3, 0.8, 0.6
    found = paired_difference_interval(
        2.0, interval(2.0, z * one, z * one), 1.5, interval(1.5, z * other, z * other), r
    )
    expected = stats.norm.interval(0.95, loc=0.5, scale=math.sqrt(one**2 + other**2 - 2.0 * r * one * other))
    assert (found.lower, found.upper) == pytest.approx(expected)
    assert found.confidence == 0.95


@settings(max_examples=100, deadline=None)
@given(REACH, REACH, REACH, REACH, st.floats(-1.0, 1.0))
def test_limits_hold_the_difference_and_turn_round_with_it(
    below: float, above: float, under: float, over: float, r: float
) -> None:
    first, second = interval(1.0, below, above), interval(3.0, under, over)
    found = paired_difference_interval(1.0, first, 3.0, second, r)
    turned = paired_difference_interval(3.0, second, 1.0, first, r)
    assert found.lower <= -2.0 <= found.upper
    assert (turned.lower, turned.upper) == pytest.approx((-found.upper, -found.lower))
    widest = paired_difference_interval(1.0, first, 3.0, second, -1.0)
    assert widest.lower <= found.lower + 1e-12
    assert found.upper <= widest.upper + 1e-12
    assert (widest.lower, widest.upper) == pytest.approx((-2.0 - below - over, -2.0 + above + under))


def test_what_goes_wholly_together_has_no_width() -> None:
    same = interval(0.9, 0.1, 0.1)
    found = paired_difference_interval(0.9, same, 0.9, same, 1.0)
    assert (found.lower, found.upper) == (0.0, 0.0)


def test_what_bounds_no_difference_is_refused() -> None:
    known, endless = interval(0.5, 0.1, 0.1), Interval(0.0, math.inf, 0.95, "made up")
    with pytest.raises(Undecidable, match="without an end"):
        paired_difference_interval(0.5, endless, 0.5, known, 0.5)
    with pytest.raises(ValueError, match="no correlation"):
        paired_difference_interval(0.5, known, 0.5, known, math.nan)
    with pytest.raises(ValueError, match=r"at 0\.95 and at 0\.9"):
        paired_difference_interval(0.5, known, 0.5, Interval(0.4, 0.6, 0.9, "made up"), 0.5)


def test_the_correlation_is_numpys() -> None:
    first, second = np.random.default_rng(1).multivariate_normal([0.0, 1.0], [[1.0, 0.7], [0.7, 2.0]], 500).T
    assert correlation_of(first, second) == pytest.approx(np.corrcoef(first, second)[0, 1], rel=1e-12)
    assert correlation_of(first, first) == 1.0
    assert correlation_of(first, np.ones(500)) == 0.0
    few = np.r_[np.full(20, np.nan), second[20:]]
    assert correlation_of(first, few) == pytest.approx(np.corrcoef(first[20:], second[20:])[0, 1], rel=1e-12)


@pytest.mark.parametrize("undefined", [26, 500])
def test_replicates_without_a_value_are_few(undefined: int) -> None:
    values = np.arange(500.0)
    with pytest.raises(Undecidable, match="undefined"):
        correlation_of(values, np.where(values < undefined, np.nan, values))
    with pytest.raises(ValueError, match="shapes"):
        correlation_of(values, values[:3])
