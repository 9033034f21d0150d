"""A rate at another one against scikit-learn's ROC curve, and how often its bootstrap interval holds the truth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtr, ndtri
from sklearn.metrics import roc_curve

from gatekeeper.statistics import bootstrap_rate_at, cluster_weights, percentile_interval, rate_at

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


@pytest.mark.parametrize(("specificity", "shift"), [(0.8, 1.5), (0.9, 2.0), (0.9, 2.5)])
def test_the_bootstrap_covers_as_it_promises(specificity: float, shift: float) -> None:
    """Binormal scores: the sensitivity is 1 - Phi(z - shift), z the specificity's quantile."""
    truth = 1.0 - float(ndtr(ndtri(specificity) - shift))
    positive, source, tries = np.repeat([True, False], [100, 100]), np.random.default_rng(50), 600
    weights, covered = cluster_weights(200, 400, 1), 0
    for _ in range(tries):
        scores = source.normal(size=200) + shift * positive
        found = percentile_interval(rate_at(scores, positive, specificity, weights, np.arange(200)), 0.95, "any")
        covered += found.lower <= truth <= found.upper
    assert 0.92 <= covered / tries <= 0.985


@pytest.mark.parametrize(
    ("n", "share", "rate", "steps"), [(60, 0.5, 0.8, None), (300, 0.2, 0.95, 4), (40, 0.7, 0.5, 2)]
)
def test_three_numbers_a_resample_have_the_distribution_of_drawn_cases(
    n: int, share: float, rate: float, steps: int | None
) -> None:
    """Kolmogorov-Smirnov over 4,000 resamples each way: the distance that equal distributions exceed once in 10,000."""
    source = np.random.default_rng(n)
    positive = source.random(n) < share
    scores = source.normal(size=n) + 1.5 * positive
    scores = np.round(scores * steps) / steps if steps else scores
    drawn = rate_at(scores, positive, rate, cluster_weights(n, 4000, 1), np.arange(n))
    fast = bootstrap_rate_at(scores, positive, rate, 4000, 2)
    values = np.unique(np.concatenate([drawn, fast]))
    apart = [abs((drawn <= value + 1e-12).mean() - (fast <= value + 1e-12).mean()) for value in values]
    assert max(apart) < 2.23 * np.sqrt(2 / 4000)


def test_a_resample_of_one_class_has_no_rate() -> None:
    assert np.isnan(bootstrap_rate_at(np.array([0.1, 0.2]), np.array([True, True]), 0.9, 5)).all()
    found = bootstrap_rate_at(np.array([0.1, 0.2]), np.array([True, False]), 0.9, 400)
    assert 0 < np.isnan(found).sum() < 400


def test_the_draw_of_rates_is_the_same_for_ever() -> None:
    scores, positive = np.linspace(0.0, 1.0, 20), np.arange(20) % 3 > 0
    assert bootstrap_rate_at(scores, positive, 0.5, 4, 0).tolist() == [
        0.16666666666666666,
        0.6428571428571429,
        0.29411764705882354,
        0.47058823529411764,
    ]
