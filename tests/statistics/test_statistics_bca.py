from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import bootstrap, norm

from gatekeeper.statistics import Undecidable, percentile_interval
from gatekeeper.statistics.bca import bca_interval


def leave_one_out(values: np.ndarray, statistic: object) -> np.ndarray:
    return np.array([statistic(np.delete(values, place)) for place in range(len(values))])  # type: ignore[operator]


@pytest.mark.parametrize("confidence", [0.8, 0.95])
@pytest.mark.parametrize("statistic", [np.mean, np.std, lambda x, axis=-1: np.exp(np.mean(x, axis=axis))])
def test_the_interval_is_scipys_on_the_same_resamples(statistic: object, confidence: float) -> None:
    """scipy.stats.bootstrap(method="BCa"), whose own resamples are passed on."""
    values = np.random.default_rng(3).lognormal(size=40)
    theirs = bootstrap(
        (values,), statistic, n_resamples=999, confidence_level=confidence, method="BCa", rng=np.random.default_rng(1)
    )
    ours = bca_interval(
        theirs.bootstrap_distribution,
        float(statistic(values)),  # type: ignore[operator]
        leave_one_out(values, statistic),
        confidence,
    )
    assert (ours.lower, ours.upper) == pytest.approx(tuple(theirs.confidence_interval), rel=1e-9)


def test_without_bias_and_skewness_it_is_the_percentile_interval() -> None:
    replicates = np.linspace(-1.0, 1.0, 2001)
    found = bca_interval(replicates, 0.0, np.array([-1.0, 0.0, 1.0]), 0.95)
    assert (found.lower, found.upper) == pytest.approx((-0.95, 0.95), abs=1e-12)


def test_bias_and_acceleration_by_the_formula() -> None:
    """Efron 1987, with 30 % of the replicates below the estimate and jackknife values 0, 0, 3."""
    replicates = np.arange(1.0, 101.0)
    away = np.array([1.0, 1.0, -2.0])
    acceleration = (away**3).sum() / (6.0 * (away**2).sum() ** 1.5)
    bias = norm.ppf(0.3)
    shares = [norm.cdf(bias + (bias + z) / (1.0 - acceleration * (bias + z))) for z in norm.ppf([0.05, 0.95])]
    found = bca_interval(replicates, 30.5, np.array([0.0, 0.0, 3.0]), 0.9)
    assert (found.lower, found.upper) == pytest.approx(tuple(np.quantile(replicates, shares)), rel=1e-12)
    assert acceleration < 0.0


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(-5, 5), min_size=8, max_size=30), st.integers(0, 99), st.floats(0.1, 10), st.floats(-3, 3))
def test_order_does_not_matter_and_limits_move_with_the_scale(
    values: list[float], seed: int, scale: float, shift: float
) -> None:
    source = np.random.default_rng(seed)
    replicates, jackknife = source.normal(size=400), np.array(values)
    plain = bca_interval(replicates, 0.1, jackknife, 0.95)
    shuffled = bca_interval(source.permutation(replicates), 0.1, source.permutation(jackknife), 0.95)
    assert (plain.lower, plain.upper) == (shuffled.lower, shuffled.upper)
    moved = bca_interval(replicates * scale + shift, 0.1 * scale + shift, jackknife * scale + shift, 0.95)
    # A shift rounds jackknife values that are all but alike.
    assert moved.upper > moved.lower
    if np.ptp(jackknife) > 1e-3:
        expected = (plain.lower * scale + shift, plain.upper * scale + shift)
        assert (moved.lower, moved.upper) == pytest.approx(expected, rel=1e-6, abs=1e-6)


def test_undefined_replicates_are_left_out_up_to_five_per_cent() -> None:
    replicates = np.r_[np.linspace(-1.0, 1.0, 95), np.full(5, np.nan)]
    found = bca_interval(replicates, 0.0, np.array([-1.0, 1.0]), 0.9)
    assert found.method.endswith("5 undefined ones left out")
    assert found.upper == bca_interval(replicates[:95], 0.0, np.array([-1.0, 1.0]), 0.9).upper
    with pytest.raises(Undecidable, match="undefined in 6 of 100"):
        bca_interval(np.r_[replicates[1:], np.inf], 0.0, np.array([-1.0, 1.0]), 0.9)


def test_a_statistic_that_never_changes_has_a_point() -> None:
    found = bca_interval(np.full(100, 2.0), 2.0, np.full(5, 2.0), 0.95)
    assert (found.lower, found.upper) == (2.0, 2.0)


@pytest.mark.parametrize(
    ("replicates", "estimate", "jackknife", "error", "complaint"),
    [
        ([], 0.0, [1.0, 2.0], ValueError, "no replicates"),
        ([1.0, 2.0], math.nan, [1.0, 2.0], ValueError, "estimate of nan"),
        ([1.0, 2.0], 1.5, [1.0], ValueError, "two jackknife values"),
        ([1.0, 2.0], 1.5, [1.0, math.nan], Undecidable, "without one of the patients"),
        ([1.0, 2.0], 3.0, [1.0, 2.0], Undecidable, "one side"),
    ],
)
def test_what_has_no_interval_is_refused(
    replicates: list[float], estimate: float, jackknife: list[float], error: type[Exception], complaint: str
) -> None:
    with pytest.raises(error, match=complaint):
        bca_interval(np.array(replicates, dtype=float), estimate, np.array(jackknife), 0.9999)


def test_patients_too_skewed_for_the_formula_end_at_the_farthest_replicate() -> None:
    replicates = np.arange(10_000.0)
    found = bca_interval(replicates, 9_990.5, np.array([0.0] * 200 + [-9.0]), 0.9999)
    assert found.upper == 9_999.0
    turned = bca_interval(-replicates, -9_990.5, np.array([0.0] * 200 + [9.0]), 0.9999)
    assert turned.lower == -9_999.0


def test_resamples_that_equal_the_value_stand_half_below_it() -> None:
    replicates = np.repeat([-2.0, -1.0, 0.0, 1.0, 2.0], [30, 100, 400, 100, 30])
    found, plain = bca_interval(replicates, 0.0, np.zeros(2), 0.95), percentile_interval(replicates, 0.95, "any")
    assert (found.lower, found.upper) == pytest.approx((plain.lower, plain.upper))
