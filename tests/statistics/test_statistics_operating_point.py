"""A rate at another one against scikit-learn's ROC curve, and how often its interval holds the truth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtr, ndtri
from sklearn.metrics import roc_curve

from gatekeeper.statistics import cluster_weights, rate_at, rate_at_interval, separated_rate_interval

cases = st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=2, max_size=30)


def by_scikit_learn(scores: np.ndarray, positive: np.ndarray, specificity: float) -> float:
    false_alarms, found, _ = roc_curve(positive, scores, drop_intermediate=False)
    return float(found[1.0 - false_alarms >= specificity - 1e-9].max())


@settings(max_examples=60, deadline=None)
@given(rows=cases, rate=st.sampled_from([0.1, 0.5, 0.8, 0.9, 0.95]), seed=st.integers(0, 9))
def test_the_rate_in_a_resample_is_that_of_scikit_learn_on_the_cases_drawn(
    rows: list[tuple[int, bool]], rate: float, seed: int
) -> None:
    scores, positive = np.array([row[0] for row in rows], dtype=float), np.array([row[1] for row in rows])
    clusters = np.arange(len(rows)) // 2
    weights = cluster_weights(int(clusters.max()) + 1, 5, seed)
    found = rate_at(scores, positive, rate, weights, clusters)
    other = rate_at(-scores, ~positive, rate, weights, clusters)
    for row, value, swapped in zip(weights, found, other, strict=True):
        drawn = np.repeat(np.arange(len(rows)), row[clusters])
        if len(set(positive[drawn])) < 2:
            assert np.isnan(value)
            assert np.isnan(swapped)
        else:
            assert value == pytest.approx(by_scikit_learn(scores[drawn], positive[drawn], rate), abs=1e-12)
            assert swapped == pytest.approx(by_scikit_learn(-scores[drawn], ~positive[drawn], rate), abs=1e-12)


def test_thirty_cases_at_nine_tenths_are_twenty_seven() -> None:
    scores = np.r_[np.arange(30.0), 26.5]
    found = rate_at(scores, np.r_[np.zeros(30, bool), True], 0.9, np.ones((1, 31), int), np.arange(31))
    assert found.tolist() == [1.0]


def test_a_score_that_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="NaN"):
        rate_at(np.array([0.1, np.nan]), np.array([True, False]), 0.9, np.ones((1, 2), int), np.arange(2))


@pytest.mark.parametrize(
    ("specificity", "shift", "positives", "each"),
    [(0.8, 1.5, 100, 1), (0.9, 2.0, 100, 1), (0.9, 2.5, 40, 1), (0.9, 2.0, 100, 2)],
)
def test_the_interval_is_rarely_wrong_on_either_side(
    specificity: float, shift: float, positives: int, each: int
) -> None:
    """Binormal scores: the sensitivity is 1 - Phi(z - shift), z the specificity's quantile; 2.5 % promised a side."""
    truth = 1.0 - float(ndtr(ndtri(specificity) - shift))
    source, tries, n = np.random.default_rng(50), 800, 200
    positive, patients = np.arange(n) < positives, np.arange(n) // each
    above = below = 0
    for _ in range(tries):
        shared = source.normal(size=n)[patients]
        scores = np.sqrt(0.5) * shared + np.sqrt(0.5) * source.normal(size=n) + shift * positive
        _, found = rate_at_interval(scores, positive, specificity, patients)
        above, below = above + (found.lower > truth), below + (found.upper < truth)
    assert above / tries <= 0.025
    assert 0.002 <= below / tries <= 0.04


@settings(max_examples=80, deadline=None)
@given(rows=cases, rate=st.sampled_from([0.1, 0.5, 0.8, 0.9, 0.95]), each=st.integers(1, 3))
def test_the_interval_holds_the_rate_whatever_the_order_of_rows(
    rows: list[tuple[int, bool]], rate: float, each: int
) -> None:
    scores, positive = np.array([row[0] for row in rows], dtype=float), np.array([row[1] for row in rows])
    patients = np.arange(len(rows)) // each
    if len(set(positive)) < 2:
        with pytest.raises(ValueError, match="both classes"):
            rate_at_interval(scores, positive, rate, patients)
        return
    if len(set(patients[positive])) < 2 or len(set(patients[~positive])) < 2:
        return
    value, found = rate_at_interval(scores, positive, rate, patients)
    assert value == pytest.approx(by_scikit_learn(scores, positive, rate), abs=1e-12)
    assert 0.0 <= found.lower <= value <= found.upper <= 1.0
    turned = np.arange(len(rows))[::-1]
    assert rate_at_interval(scores[turned], positive[turned], rate, patients[turned]) == (value, found)


@pytest.mark.parametrize(("own", "others"), [(60, 60), (60, 12), (5, 400), (1, 1)])
def test_classes_that_are_parted_have_the_interval_of_their_numbers(own: int, others: int) -> None:
    scores, positive = np.r_[np.ones(own), np.zeros(others)], np.arange(own + others) < own
    value, found = rate_at_interval(scores, positive, 0.9, np.arange(own + others))
    assert value == 1.0
    assert found == separated_rate_interval(own, others, 0.9)
    assert (found.lower == 0.0) == (others < 36)  # 36: the fewest that bound the 90th percentile by a score test


def test_more_cases_that_tell_the_same_make_it_narrower() -> None:
    source = np.random.default_rng(3)
    positive = np.arange(300) < 100
    scores = source.normal(size=300) + 2.0 * positive
    (_, once), (_, ten) = (rate_at_interval(scores, positive, 0.9, np.arange(300), times=by) for by in (1.0, 10.0))
    assert once.lower < ten.lower < ten.upper < once.upper
