"""Calibration by bins against scikit-learn and brute force, and how often the limits hold the truth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.calibration import calibration_curve

from gatekeeper.statistics import clopper_pearson, cluster_weights
from gatekeeper.statistics.calibration import (
    Binned,
    calibration_error_interval,
    classwise_error_interval,
    classwise_of_weights,
    equal_count,
    equal_width,
    expected_calibration_error,
    maximum_calibration_error,
    reliability_curve,
    top_label,
)

Floats = NDArray[np.float64]
on_a_grid = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 1)), min_size=1, max_size=60)


def brute_force(scores: Floats, labels: Floats, bins: int) -> tuple[float, float]:
    """ECE and MCE by asking of each case and each bin, with the ends of bins as fractions of whole numbers."""
    gaps, shares = [], []
    for place in range(bins):
        inside = [
            (score, label)
            for score, label in zip(scores.tolist(), labels.tolist(), strict=True)
            if (place / bins < score or (place == 0 and score == 0.0)) and score <= (place + 1) / bins
        ]
        if inside:
            gaps.append(abs(sum(score for score, _ in inside) - sum(label for _, label in inside)) / len(inside))
            shares.append(len(inside) / len(scores))
    return sum(gap * share for gap, share in zip(gaps, shares, strict=True)), max(gaps)


def made_up(n: int, seed: int, slope: float = 1.0) -> tuple[Floats, Floats]:
    source = np.random.default_rng(seed)
    line = source.normal(-1.0, 1.5, size=n)
    return expit(slope * line), (source.random(n) < expit(line)).astype(np.float64)


@given(drawn=on_a_grid, bins=st.sampled_from([1, 2, 10, 15, 20]))
def test_errors_are_those_of_brute_force_at_the_ends_of_bins_too(drawn: list[tuple[int, int]], bins: int) -> None:
    scores, labels = np.array([step / 60 for step, _ in drawn]), np.array([label for _, label in drawn])
    expected, most = brute_force(scores, labels, bins)
    assert expected_calibration_error(scores, labels, equal_width(bins)) == pytest.approx(expected, abs=1e-12)
    assert maximum_calibration_error(scores, labels, equal_width(bins)) == pytest.approx(most, abs=1e-12)
    assert 0.0 <= expected <= most <= 1.0


@pytest.mark.parametrize("bins", [5, 10])
def test_the_curve_is_that_of_scikit_learn(bins: int) -> None:
    scores, labels = made_up(500, 1)
    curve = reliability_curve(scores, labels, equal_width(bins), np.arange(500))
    observed, mean = calibration_curve(labels, scores, n_bins=bins)
    np.testing.assert_allclose([part.observed for part in curve], observed)
    np.testing.assert_allclose([part.mean_score for part in curve], mean)
    assert sum(part.cases for part in curve) == 500
    for part in curve:
        exact = clopper_pearson(round(part.observed * part.cases), part.cases)
        assert (part.interval.lower, part.interval.upper) == (exact.lower, exact.upper)


def test_bins_of_equal_count_are_those_of_scikit_learn_where_no_score_repeats() -> None:
    scores, labels = made_up(400, 2)
    curve = reliability_curve(scores, labels, equal_count(scores, 8), np.arange(400))
    observed, mean = calibration_curve(labels, scores, n_bins=8, strategy="quantile")
    assert [part.cases for part in curve] == [50] * 8
    np.testing.assert_allclose([part.observed for part in curve], observed)
    np.testing.assert_allclose([part.mean_score for part in curve], mean)


def test_equal_scores_stay_in_one_bin() -> None:
    assert equal_count(np.full(10, 0.4), 5).tolist() == [0.0, 0.4, 1.0]
    assert equal_count(np.zeros(10), 5).tolist() == [0.0, 1.0]


def test_a_curve_of_clustered_cases_rests_on_patients() -> None:
    scores, labels = np.full(40, 0.5), np.repeat([0, 1, 1, 0], 10)
    alone, together = (
        reliability_curve(scores, labels, equal_width(10), codes)[0].interval
        for codes in (np.arange(40), np.repeat(np.arange(4), 10))
    )
    assert together.upper - together.lower > alone.upper - alone.lower
    single = reliability_curve(scores, labels, equal_width(10), np.zeros(40, dtype=np.intp))[0].interval
    assert (single.lower, single.upper) == (0.0, 1.0)


@pytest.mark.parametrize("edges", [equal_width(15), np.array([0.0, 0.1, 0.35, 1.0])])
def test_a_resample_is_the_error_of_the_cases_repeated(edges: Floats) -> None:
    scores, labels = made_up(80, 3)
    clusters = np.unique(np.random.default_rng(3).integers(0, 30, size=80), return_inverse=True)[1]
    weights = cluster_weights(int(clusters.max()) + 1, 25, 1)
    binned = Binned.of(scores, labels, edges, clusters)
    repeated = [(np.repeat(scores, row[clusters]), np.repeat(labels, row[clusters])) for row in weights]
    wanted = [expected_calibration_error(*drawn, edges) for drawn in repeated]
    np.testing.assert_allclose(binned.expected(weights), wanted, atol=1e-13)
    wanted = [maximum_calibration_error(*drawn, edges) for drawn in repeated]
    np.testing.assert_allclose(binned.maximum(weights), wanted, atol=1e-12)
    nothing = np.zeros((1, weights.shape[1]), dtype=np.int64)
    assert np.isnan(binned.expected(nothing)).all()
    assert np.isnan(binned.maximum(nothing)).all()


def test_errors_of_classes_are_those_of_each_class_against_the_rest() -> None:
    source = np.random.default_rng(4)
    scores, labels = source.dirichlet([1.0, 0.5, 0.3], size=90), source.integers(0, 3, size=90)
    each = [expected_calibration_error(scores[:, k], labels == k, equal_width(10)) for k in range(3)]
    value, found = classwise_error_interval(scores, labels, equal_width(10), np.arange(90), resamples=200)
    assert value == pytest.approx(np.mean(each))
    assert 0.0 <= found.lower <= value <= found.upper
    weights = cluster_weights(90, 5, 2)
    wanted = [
        np.mean(
            [
                expected_calibration_error(np.repeat(scores[:, k], row), np.repeat(labels == k, row), equal_width(10))
                for k in range(3)
            ]
        )
        for row in weights
    ]
    np.testing.assert_allclose(classwise_of_weights(scores, labels, equal_width(10), weights, np.arange(90)), wanted)


def test_the_top_label_is_right_where_the_highest_score_stands_at_the_label() -> None:
    scores = np.array([[0.2, 0.5, 0.3], [0.4, 0.4, 0.2], [0.1, 0.1, 0.8]])
    confidence, right = top_label(scores, np.array([1, 1, 2]))
    assert confidence.tolist() == [0.5, 0.4, 0.8]
    assert right.tolist() == [1, 0, 1]  # of two that are equal, the first is called


@given(seed=st.integers(0, 1000))
def test_the_order_of_rows_changes_nothing(seed: int) -> None:
    scores, labels = made_up(40, seed)
    codes, order = np.arange(40) // 2, np.random.default_rng(seed).permutation(40)
    for maximum in (False, True):
        first = calibration_error_interval(scores, labels, equal_width(5), codes, maximum, resamples=50)
        again = calibration_error_interval(
            scores[order], labels[order], equal_width(5), codes[order], maximum, resamples=50
        )
        assert again == first
        assert 0.0 <= first[1].lower <= first[0] <= first[1].upper <= 1.0


def test_the_lower_limit_of_the_maximum_error_is_exact_over_all_bins_together() -> None:
    scores, labels = np.repeat([0.1, 0.9], [40, 60]), np.repeat([0, 1, 0], [40, 30, 30])
    value, found = calibration_error_interval(scores, labels, equal_width(10), np.arange(100), maximum=True)
    assert value == pytest.approx(0.4)
    assert found.lower == pytest.approx(0.9 - clopper_pearson(30, 60, 0.975).upper)


def test_one_patient_bounds_nothing() -> None:
    for maximum in (False, True):
        found = calibration_error_interval(
            np.array([0.2, 0.9]), np.array([0, 1]), equal_width(), np.zeros(2, dtype=np.intp), maximum
        )[1]
        assert (found.lower, found.upper) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("scores", "labels", "why"),
    [
        ([], [], "one at least"),
        ([0.5, np.nan], [0, 1], "no probability"),
        ([0.5, np.inf], [0, 1], "no probability"),
        ([0.5, -0.1], [0, 1], "no probability"),
        ([0.5, 0.5], [0, 2], "neither"),
        ([0.5], [0, 1], "one length"),
    ],
)
def test_what_is_no_probability_is_refused(scores: list[float], labels: list[int], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        expected_calibration_error(np.array(scores), np.array(labels), equal_width())


def test_no_bin_is_refused() -> None:
    with pytest.raises(ValueError, match="bin"):
        equal_width(0)
    with pytest.raises(ValueError, match="bins"):
        equal_count(np.empty(0), 3)
    with pytest.raises(ValueError, match="add up"):
        top_label(np.array([[0.5, 0.6]]), np.array([0]))
    with pytest.raises(ValueError, match="none of the classes"):
        top_label(np.array([[0.5, 0.5]]), np.array([2]))


@pytest.mark.parametrize(("slope", "most_below"), [(1.0, 0.06), (2.0, 0.025)])
def test_the_upper_limit_of_the_expected_error_is_rarely_too_low(slope: float, most_below: float) -> None:
    """300 made-up sets of 300 cases; the truth from 1,000,000. The plain percentile lies above it in 41 to 100 %."""
    source = np.random.default_rng(9)
    line = source.normal(-1.0, 1.5, size=1_000_000)
    truth = expected_calibration_error(expit(slope * line), source.random(1_000_000) < expit(line), equal_width())
    truth = 0.0 if slope == 1.0 else truth
    found = [
        calibration_error_interval(*made_up(300, 50 + k, slope), equal_width(), np.arange(300), resamples=300)[1]
        for k in range(300)
    ]
    assert np.mean([limits.upper < truth for limits in found]) <= 0.01
    assert np.mean([limits.lower > truth for limits in found]) <= most_below
