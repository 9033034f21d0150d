"""A rate at another one against scikit-learn's ROC curve, and how often its bootstrap interval holds the truth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtr, ndtri
from sklearn.metrics import roc_curve

from gatekeeper.statistics import cluster_weights, percentile_interval, rate_at

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
