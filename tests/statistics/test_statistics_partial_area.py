"""Partial areas under the ROC curve against scikit-learn."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri
from sklearn.metrics import roc_auc_score

from gatekeeper.statistics import auroc, cluster_weights
from gatekeeper.statistics.partial_area import (
    partial_auroc,
    partial_auroc_contributions,
    partial_auroc_interval,
    partial_auroc_of_weights,
)

Floats = NDArray[np.float64]
Cases = tuple[Floats, NDArray[np.bool_]]
shares = st.sampled_from([0.05, 0.1, 0.2, 0.25, 0.5, 0.77, 1.0])


@st.composite
def tied_cases(draw: st.DrawFn) -> Cases:
    labels = draw(st.lists(st.booleans(), min_size=2, max_size=40).filter(lambda drawn: any(drawn) and not all(drawn)))
    scores = draw(st.lists(st.integers(-4, 4), min_size=len(labels), max_size=len(labels)))
    return np.array(scores, dtype=np.float64), np.array(labels)


def made_up(n: int, seed: int, decimals: int = 1, shift: float = 1.2) -> Cases:
    source = np.random.default_rng(seed)
    positive = source.random(n) < 0.4
    positive[:2] = (True, False)
    return np.round(source.normal(size=n) + shift * positive, decimals), positive


def raw_of_scikit_learn(scores: Floats, positive: NDArray[np.bool_], most: float, weights: Floats) -> float:
    standardised = roc_auc_score(positive, scores, max_fpr=most, sample_weight=weights)
    return float((2.0 * standardised - 1.0) * (most - most**2 / 2.0) + most**2 / 2.0)


@given(tied_cases(), shares)
def test_the_standardised_area_is_that_of_scikit_learn(drawn: Cases, most: float) -> None:
    scores, positive = drawn
    if most == 1.0:
        assert partial_auroc(scores, positive, 1.0) == pytest.approx(auroc(scores, positive))
        assert partial_auroc(scores, positive, 1.0, standardised=False) == pytest.approx(auroc(scores, positive))
        return
    wanted = roc_auc_score(positive, scores, max_fpr=most)
    assert partial_auroc(scores, positive, most) == pytest.approx(wanted, abs=1e-12)
    assert (1.0 - most) / (2.0 - most) - 1e-12 <= wanted <= 1.0 + 1e-12
    raw = partial_auroc(scores, positive, most, standardised=False)
    assert raw == pytest.approx(raw_of_scikit_learn(scores, positive, most, np.ones(len(scores))), abs=1e-12)


@pytest.mark.parametrize("decimals", [0, 1, 8])
@pytest.mark.parametrize("most", [0.1, 0.3])
def test_a_resample_is_the_area_of_the_cases_repeated(decimals: int, most: float) -> None:
    scores, positive = made_up(120, 3, decimals)
    clusters = np.unique(np.random.default_rng(4).integers(0, 50, size=120), return_inverse=True)[1]
    weights = cluster_weights(int(clusters.max()) + 1, 25, 1)
    wanted = [
        roc_auc_score(np.repeat(positive, row[clusters]), np.repeat(scores, row[clusters]), max_fpr=most)
        for row in weights
    ]
    found = partial_auroc_of_weights(scores, positive, most, weights, clusters)
    np.testing.assert_allclose(found, wanted, atol=1e-13)
    blocks = [weights[:9], weights[9:]]
    np.testing.assert_array_equal(partial_auroc_of_weights(scores, positive, most, blocks, clusters), found)
    assert np.isnan(partial_auroc_of_weights(scores, positive, most, 0 * weights[:1], clusters)).all()


@pytest.mark.parametrize("most", [0.137, 0.4])
@pytest.mark.parametrize("seed", range(4))
def test_contributions_are_the_slopes_of_scikit_learns_weighted_area(seed: int, most: float) -> None:
    scores, positive = made_up(60, seed)
    found = partial_auroc_contributions(scores, positive, most)
    assert found.sum() == pytest.approx(0.0, abs=1e-12)
    for case in range(0, 60, 7):
        ends = [
            raw_of_scikit_learn(scores, positive, most, np.where(np.arange(60) == case, 1.0 + step, 1.0))
            for step in (1e-6, -1e-6)
        ]
        assert found[case] == pytest.approx((ends[0] - ends[1]) / 2e-6, abs=1e-8)


def test_separated_classes_are_bounded_by_pairs() -> None:
    scores, positive = np.arange(100.0), np.arange(100) >= 60
    value, found = partial_auroc_interval(scores, positive, 0.2, np.arange(100), standardised=False)
    assert (value, found.upper) == (pytest.approx(0.2), 0.2)
    assert found.lower == pytest.approx(0.2 - (1.0 - 0.025 ** (1.0 / 40.0)))
    assert partial_auroc_interval(scores, positive, 0.01, np.arange(100), standardised=False)[1].lower == 0.0


def test_what_says_nothing_is_bounded_by_nothing() -> None:
    positive = np.array([True, True, False, False])
    tied = partial_auroc_interval(np.zeros(4), positive, 0.5, np.arange(4))[1]
    single = partial_auroc_interval(np.array([3.0, 0, 2, 1]), positive, 0.5, np.array([0, 1, 2, 2]))[1]
    for found in (tied, single):
        assert (found.lower, found.upper) == (pytest.approx(1.0 / 3.0), 1.0)


def test_the_order_of_rows_changes_nothing() -> None:
    scores, positive = made_up(80, 5)
    codes, order = np.arange(80) // 2, np.random.default_rng(5).permutation(80)
    first = partial_auroc_interval(scores, positive, 0.2, codes)
    assert partial_auroc_interval(scores[order], positive[order], 0.2, codes[order]) == first


@pytest.mark.parametrize(
    ("scores", "positive", "most"),
    [
        ([1.0, 2.0], [True, True], 0.5),
        ([1.0, math.nan], [True, False], 0.5),
        ([1.0, 2.0], [True, False], 0.0),
        ([1.0, 2.0], [True, False], 1.5),
        ([1.0], [True, False], 0.5),
    ],
)
def test_what_has_no_such_area_is_refused(scores: list[float], positive: list[bool], most: float) -> None:
    with pytest.raises(ValueError, match=r"class|NaN|rate|length"):
        partial_auroc(np.array(scores), np.array(positive), most)


def test_limits_are_rarely_wrong() -> None:
    """400 made-up binormal sets of 150 cases, area 0.9, up to a false-positive rate of 0.2."""
    shift, most = float(ndtri(0.9)) * math.sqrt(2.0), 0.2
    rates = (np.arange(200_000) + 0.5) / 200_000 * most
    area = float(ndtr(shift + ndtri(rates)).mean()) * most
    truth = (1.0 + (area - most**2 / 2.0) / (most - most**2 / 2.0)) / 2.0
    found = [partial_auroc_interval(*made_up(150, 9000 + k, 12, shift), most, np.arange(150))[1] for k in range(400)]
    assert np.mean([limits.lower > truth for limits in found]) <= 0.05
    assert np.mean([limits.upper < truth for limits in found]) <= 0.055
