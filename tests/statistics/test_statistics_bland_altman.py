from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import nct, t

from gatekeeper.statistics import Interval, Undecidable
from gatekeeper.statistics.bland_altman import (
    WITHIN,
    bland_altman,
    differences,
    limit_factors,
    magnitude,
    relative_differences,
    rescan_difference,
    wider_limit,
)

# Peak flow (l/min), Bland & Altman, Lancet 1986;1:307: first measurement with each of two meters, 17 subjects.
WRIGHT = np.array([494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427], float)
MINI = np.array([512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451], float)

VALUES = st.lists(st.floats(-1e3, 1e3), min_size=3, max_size=40)


def test_peak_flow_as_published() -> None:
    """Bland & Altman 1986: mean -2.1, SD 38.8; bias -22.0 to 17.8; lower limit -114.3 to -45.1, upper 40.9 to 110.1.

    They take mean ± 2 SD for the limits, here 1.96: their intervals less 0.04 SD, and rounded as they round (SD 38.8,
    √(3/n) SD 16.3, t 2.12).
    """
    found = bland_altman(differences(WRIGHT, MINI), method="bland_altman")
    assert (round(found.bias, 1), round(found.sd, 1)) == (-2.1, 38.8)
    assert (round(found.bias_interval.lower, 1), round(found.bias_interval.upper, 1)) == (-22.0, 17.8)
    less = 0.04 * 38.8
    assert found.lower_interval.lower == pytest.approx(-114.3 + less, abs=0.2)
    assert found.lower_interval.upper == pytest.approx(-45.1 + less, abs=0.2)
    assert found.upper_interval.lower == pytest.approx(40.9 - less, abs=0.2)
    assert found.upper_interval.upper == pytest.approx(110.1 - less, abs=0.2)


@pytest.mark.parametrize(("n", "factor"), [(10, 2.911), (20, 2.396), (30, 2.220), (50, 2.065), (100, 1.927)])
def test_outer_limits_are_tolerance_factors(n: int, factor: float) -> None:
    """One-sided tolerance factors of the normal distribution, 95 % of values with 95 % confidence (NIST tables)."""
    assert round(limit_factors(n, 0.9, 1.6448536269514722)[1], 3) == factor


@pytest.mark.parametrize("n", [3, 17, 200, 5_000])
@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_factors_are_quantiles_of_scipys_noncentral_t(n: int, confidence: float) -> None:
    shares = np.array([(1 - confidence) / 2, (1 + confidence) / 2])
    expected = nct.ppf(shares, n - 1, WITHIN * math.sqrt(n)) / math.sqrt(n)
    assert limit_factors(n, confidence) == pytest.approx(tuple(expected), rel=1e-7)


def test_exact_limits_cover_exactly_and_the_approximation_does_not() -> None:
    """20,000 simulated samples of 12 normal differences: the outer upper limit lies short of the true one."""
    source, n, tries = np.random.default_rng(1), 12, 20_000
    samples = source.normal(size=(tries, n))
    means, spreads = samples.mean(axis=1), samples.std(axis=1, ddof=1)
    inner, outer = limit_factors(n)
    assert np.mean(means + outer * spreads < WITHIN) == pytest.approx(0.025, abs=0.004)
    assert np.mean(means + inner * spreads > WITHIN) == pytest.approx(0.025, abs=0.004)
    approximate = WITHIN + t.ppf(0.975, n - 1) * math.sqrt(3.0 / n)
    assert np.mean(means + approximate * spreads < WITHIN) > 0.04


def test_the_wider_limit_is_rarely_farther_than_its_upper_limit() -> None:
    """Simulated, 15 pairs, bias 0 (both limits equally wide) and 1 SD: 2.5 % wrong at most on each side."""
    source, tries = np.random.default_rng(2), 1500
    for bias in (0.0, 1.0):
        below = above = 0
        for _ in range(tries):
            _, interval = wider_limit(bias + source.normal(size=15))
            below += interval.upper < bias + WITHIN
            above += interval.lower > bias + WITHIN
        assert below / tries <= 0.035
        assert above / tries <= 0.035


@settings(max_examples=60, deadline=None)
@given(VALUES, st.floats(0.01, 100), st.integers(0, 99))
def test_laws(values: list[float], unit: float, seed: int) -> None:
    apart = np.array(values)
    found = bland_altman(apart)
    assert found.lower_interval.lower <= found.lower <= found.lower_interval.upper
    assert found.upper_interval.lower <= found.upper <= found.upper_interval.upper
    assert bland_altman(np.random.default_rng(seed).permutation(apart)) == found
    turned = bland_altman(-apart)
    assert turned.upper == pytest.approx(-found.lower, rel=1e-9, abs=1e-9)
    assert turned.upper_interval.upper == pytest.approx(-found.lower_interval.lower, rel=1e-9, abs=1e-9)
    scaled = bland_altman(apart * unit)
    assert scaled.upper == pytest.approx(found.upper * unit, rel=1e-9, abs=1e-7)
    estimate, interval = wider_limit(apart)
    assert estimate == max(abs(found.lower), abs(found.upper))
    assert 0.0 <= interval.lower <= estimate <= interval.upper


def test_differences_of_both_kinds() -> None:
    first, second = np.array([1.0, 3.0, 0.0]), np.array([1.0, 1.0, 2.0])
    assert differences(first, second).tolist() == [0.0, 2.0, -2.0]
    assert relative_differences(first, second).tolist() == [0.0, 1.0, -2.0]
    assert rescan_difference(first, second).tolist() == [0.0, 1.0, 2.0]


@pytest.mark.parametrize(
    ("limits", "expected"), [((-3.0, 1.0), (0.0, 3.0)), ((1.0, 2.0), (1.0, 2.0)), ((-3.0, -2.0), (2.0, 3.0))]
)
def test_a_magnitude_is_bounded_on_both_sides(limits: tuple[float, float], expected: tuple[float, float]) -> None:
    value, folded = magnitude(sum(limits) / 2, Interval(*limits, 0.95, "Student t"))
    assert (folded.lower, folded.upper) == expected
    assert value == abs(sum(limits) / 2)


def test_equal_differences_have_no_spread() -> None:
    found = bland_altman(np.full(7, 0.1))
    assert (found.sd, found.lower, found.upper) == (0.0, found.bias, found.bias)


@pytest.mark.parametrize(
    ("first", "second", "complaint"),
    [
        ([1.0], [1.0, 2.0], "first and"),
        ([1.0, math.nan], [1.0, 2.0], "missing"),
        ([1.0, -1.0], [1.0, 2.0], "0 or more"),
        ([0.0, 1.0], [0.0, 2.0], "not both 0"),
    ],
)
def test_pairs_without_a_relative_difference_are_refused(
    first: list[float], second: list[float], complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint):
        relative_differences(np.array(first), np.array(second))


def test_too_few_pairs_have_no_limits() -> None:
    with pytest.raises(Undecidable, match="three pairs"):
        bland_altman(np.array([1.0, 2.0]))
    with pytest.raises(ValueError, match="finite"):
        bland_altman(np.array([1.0, 2.0, math.inf]))
    with pytest.raises(ValueError, match="limits of 1"):
        limit_factors(1)
