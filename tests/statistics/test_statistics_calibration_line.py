"""Calibration slope and intercept against statsmodels (Logit, GLM; variance by cluster)."""

from __future__ import annotations

import math

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import expit, logit
from scipy.stats import t

from gatekeeper.statistics import Interval, cluster_weights
from gatekeeper.statistics.calibration_line import (
    calibration_intercept_interval,
    calibration_intercept_of_weights,
    calibration_slope_interval,
    calibration_slope_of_weights,
    deviation_interval,
)

Floats = NDArray[np.float64]
Cases = tuple[Floats, NDArray[np.int64], NDArray[np.intp]]


def made_up(n: int, seed: int, slope: float = 0.7, patients: int | None = None) -> Cases:
    source = np.random.default_rng(seed)
    line = source.normal(-1.0, 2.0, size=n)
    codes = np.arange(n) if patients is None else source.integers(0, patients, size=n)
    labels = (source.random(n) < expit(0.3 + slope * line)).astype(np.int64)
    return expit(line), labels, np.unique(codes, return_inverse=True)[1]


@pytest.mark.parametrize("patients", [None, 70])
def test_slope_and_its_limits_are_those_of_statsmodels(patients: int | None) -> None:
    scores, labels, codes = made_up(250, 1, patients=patients)
    terms = np.stack([logit(scores), np.ones(250)], axis=1)
    peer = sm.Logit(labels, terms).fit(disp=0, tol=1e-12, cov_type="cluster", cov_kwds={"groups": codes})
    value, found = calibration_slope_interval(scores, labels, codes)
    half = t.ppf(0.975, codes.max()) * peer.bse[0]
    assert value == pytest.approx(peer.params[0], rel=1e-9)
    assert (found.lower, found.upper) == pytest.approx((value - half, value + half), rel=1e-9)


@pytest.mark.parametrize("patients", [None, 70])
def test_intercept_and_its_limits_are_those_of_statsmodels(patients: int | None) -> None:
    scores, labels, codes = made_up(250, 2, patients=patients)
    model = sm.GLM(labels, np.ones(250), family=sm.families.Binomial(), offset=logit(scores))
    peer = model.fit(tol=1e-14, cov_type="cluster", cov_kwds={"groups": codes})
    value, found = calibration_intercept_interval(scores, labels, codes)
    half = t.ppf(0.975, codes.max()) * peer.bse[0]
    assert value == pytest.approx(peer.params[0], rel=1e-9)
    assert (found.lower, found.upper) == pytest.approx((value - half, value + half), rel=1e-9)


def test_the_intercept_makes_the_expected_number_of_findings_the_observed_one() -> None:
    scores, labels, codes = made_up(300, 3)
    value, _ = calibration_intercept_interval(scores, labels, codes)
    assert expit(value + logit(scores)).sum() == pytest.approx(labels.sum(), rel=1e-12)


def test_resamples_are_the_fits_of_the_cases_repeated() -> None:
    scores, labels, codes = made_up(90, 4, patients=40)
    weights = cluster_weights(int(codes.max()) + 1, 20, 1)
    slopes = calibration_slope_of_weights(scores, labels, weights, codes)
    intercepts = calibration_intercept_of_weights(scores, labels, [weights[:7], weights[7:]], codes)
    for row, slope, intercept in zip(weights, slopes, intercepts, strict=True):
        drawn = np.repeat(scores, row[codes]), np.repeat(labels, row[codes])
        peer = sm.Logit(drawn[1], np.stack([logit(drawn[0]), np.ones(len(drawn[0]))], axis=1)).fit(disp=0, tol=1e-12)
        assert slope == pytest.approx(peer.params[0], rel=1e-8)
        own = calibration_intercept_interval(*drawn, np.arange(len(drawn[0])))[0]
        assert intercept == pytest.approx(own, abs=1e-9)


def test_resamples_without_a_finite_slope_have_none() -> None:
    scores, labels = np.array([0.1, 0.2, 0.3, 0.4]), np.array([0, 1, 0, 1])
    weights = np.array([[1, 1, 1, 1], [1, 0, 0, 1], [1, 0, 1, 0], [0, 3, 0, 0]])
    slopes = calibration_slope_of_weights(scores, labels, weights, np.arange(4))
    assert np.isfinite(slopes).tolist() == [True, False, False, False]
    intercepts = calibration_intercept_of_weights(scores, labels, weights, np.arange(4))
    assert np.isfinite(intercepts).tolist() == [True, True, False, False]


@pytest.mark.parametrize(
    ("scores", "labels"),
    [
        ([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1]),
        ([0.1, 0.2, 0.8, 0.9], [1, 1, 0, 0]),
        ([0.1, 0.5, 0.5, 0.9], [0, 0, 1, 1]),
        ([0.3, 0.3, 0.3, 0.3], [0, 1, 0, 1]),
        ([0.1, 0.2, 0.8, 0.9], [1, 1, 1, 1]),
        ([0.1, 0.3], [1, 0]),
    ],
    ids=["separated", "separated the other way", "separated but for a tie", "equal scores", "one class", "two cases"],
)
def test_a_line_that_is_not_finite_is_refused(scores: list[float], labels: list[int]) -> None:
    with pytest.raises(ValueError, match="calibration line"):
        calibration_slope_interval(np.array(scores), np.array(labels), np.arange(len(scores)))


def test_two_patients_are_too_few() -> None:
    scores, labels, _ = made_up(40, 6)
    for interval in (calibration_slope_interval, calibration_intercept_interval):
        with pytest.raises(ValueError, match="three patients"):
            interval(scores, labels, np.arange(40) % 2)


def test_certain_scores_count_as_one_in_a_million() -> None:
    scores, labels, codes = made_up(100, 5)
    scores[:4], held = (0.0, 1.0, 1e-300, 1.0 - 1e-16), scores.copy()
    held[:4] = (1e-6, 1.0 - 1e-6, 1e-6, 1.0 - 1e-6)
    for interval in (calibration_slope_interval, calibration_intercept_interval):
        assert interval(scores, labels, codes) == interval(held, labels, codes)


@given(seed=st.integers(0, 500))
def test_the_order_of_rows_changes_nothing_and_a_fit_is_its_own_calibration(seed: int) -> None:
    scores, labels, codes = made_up(60, seed, patients=25)
    order = np.random.default_rng(seed).permutation(60)
    first = calibration_slope_interval(scores, labels, codes)
    assert calibration_slope_interval(scores[order], labels[order], codes[order]) == first
    stretched = calibration_slope_interval(expit(0.5 * logit(scores)), labels, codes)[0]
    assert stretched == pytest.approx(2.0 * first[0], rel=1e-6)


def test_a_deviation_is_at_most_so_much_where_both_limits_are() -> None:
    value, found = deviation_interval(0.9, Interval(0.7, 1.1, 0.95, "any"), 1.0)
    assert value == pytest.approx(0.1)
    assert (found.lower, found.upper) == (0.0, pytest.approx(0.3))
    value, found = deviation_interval(-0.5, Interval(-0.8, -0.2, 0.95, "any"), 0.0)
    assert (value, found.lower, found.upper) == (0.5, 0.2, 0.8)


def test_limits_of_the_slope_are_rarely_wrong() -> None:
    """600 made-up sets of 150 cases with the slope 0.7."""
    found = [calibration_slope_interval(*made_up(150, 1000 + k))[1] for k in range(600)]
    assert 0.005 <= np.mean([limits.lower > 0.7 for limits in found]) <= 0.045
    assert 0.005 <= np.mean([limits.upper < 0.7 for limits in found]) <= 0.05
    assert all(math.isfinite(limits.upper) for limits in found)
