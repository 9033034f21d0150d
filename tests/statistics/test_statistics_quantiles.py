from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from gatekeeper.statistics import Undecidable, quantile_interval, values_needed

SIZES = st.integers(120, 400)
QUANTILES = st.sampled_from([0.05, 0.25, 0.5, 0.9, 0.95])
CONFIDENCES = st.sampled_from([0.5, 0.8, 0.9, 0.95])


@settings(max_examples=60, deadline=None)
@given(SIZES, QUANTILES, CONFIDENCES)
def test_ranks_are_the_nearest_whose_binomial_errors_are_small_enough(
    n: int, quantile: float, confidence: float
) -> None:
    """scipy.stats.binom: value r lies above the quantile when at most r - 1 are below it, and the other way round."""
    _, interval = quantile_interval(np.arange(1.0, n + 1), quantile, confidence)
    low, high, error = round(interval.lower), round(interval.upper), (1 - confidence) / 2
    below = binom(n, quantile)
    assert below.cdf(low - 1) <= error * (1 + 1e-9)
    assert below.cdf(low) > error
    assert below.sf(high - 1) <= error * (1 + 1e-9)
    assert below.sf(high - 2) > error
    assert below.cdf(high - 1) - below.cdf(low - 1) >= confidence - 1e-9


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 30), min_size=72, max_size=200), st.sampled_from([0.5, 0.9, 0.95]))
def test_estimate_was_observed_and_lies_within_the_limits(values: list[int], quantile: float) -> None:
    seconds = np.asarray(values, dtype=np.float64)
    estimate, interval = quantile_interval(seconds, quantile, 0.95)
    assert estimate in values
    assert interval.lower <= estimate <= interval.upper
    assert estimate == np.quantile(seconds, quantile, method="inverted_cdf")
    assert np.mean(seconds <= estimate) >= quantile > np.mean(seconds < estimate) - 1e-12


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0, 9), min_size=80, max_size=120), st.integers(0, 2**32 - 1))
def test_order_of_values_does_not_matter_and_units_scale(values: list[float], seed: int) -> None:
    seconds = np.asarray(values)
    estimate, interval = quantile_interval(seconds, 0.95, 0.95)
    shuffled = np.random.default_rng(seed).permutation(seconds) * 1024.0
    scaled, again = quantile_interval(shuffled, 0.95, 0.95)
    assert (scaled, again.lower, again.upper) == (estimate * 1024, interval.lower * 1024, interval.upper * 1024)


@settings(max_examples=30, deadline=None)
@given(st.integers(400, 900), QUANTILES)
def test_more_confidence_widens(n: int, quantile: float) -> None:
    limits = [quantile_interval(np.arange(1.0, n + 1), quantile, level)[1] for level in (0.5, 0.8, 0.95, 0.99)]
    for narrow, wide in pairwise(limits):
        assert wide.lower <= narrow.lower
        assert wide.upper >= narrow.upper


@pytest.mark.parametrize(
    ("quantile", "confidence", "needed"),
    [(0.5, 0.95, 6), (0.95, 0.95, 72), (0.99, 0.95, 368), (0.05, 0.95, 72), (0.95, 0.9, 59)],
)
def test_too_few_values_name_the_number_needed(quantile: float, confidence: float, needed: int) -> None:
    """q^n <= error, by hand: n >= ln(error) / ln(q); 59 is the known one-sided number for the 95th percentile."""
    assert values_needed(quantile, confidence) == needed
    quantile_interval(np.arange(float(needed)), quantile, confidence)
    with pytest.raises(Undecidable, match=rf"needs {needed} values; there are {needed - 1}"):
        quantile_interval(np.arange(float(needed - 1)), quantile, confidence)


@settings(max_examples=60, deadline=None)
@given(st.floats(0.001, 0.999), st.floats(0.01, 0.999))
def test_number_needed_is_the_least_that_leaves_small_errors(quantile: float, confidence: float) -> None:
    needed, error = values_needed(quantile, confidence), (1 - confidence) / 2
    assert max(quantile, 1 - quantile) ** needed <= error
    assert needed == 1 or max(quantile, 1 - quantile) ** (needed - 1) > error


def test_method_names_the_ranks() -> None:
    _, interval = quantile_interval(np.arange(100.0), 0.5, 0.95)
    assert interval.method == "order statistics 40 and 61 of 100"


@pytest.mark.parametrize("values", [[], [0.1] * 99 + [math.nan], [0.1] * 99 + [math.inf]])
def test_values_that_are_none_are_refused(values: list[float]) -> None:
    with pytest.raises(ValueError, match="finite"):
        quantile_interval(np.asarray(values), 0.5)


@pytest.mark.parametrize("quantile", [0.0, 1.0, 95.0, math.nan])
def test_a_quantile_outside_of_0_to_1_is_refused(quantile: float) -> None:
    with pytest.raises(ValueError, match="quantile"):
        quantile_interval(np.arange(100.0), quantile)
