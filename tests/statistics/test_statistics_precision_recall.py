"""Precision over sensitivity against scikit-learn and brute force, limits against what they promise."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import ndtr, ndtri
from scipy.stats import norm
from sklearn.metrics import average_precision_score, precision_recall_curve

from gatekeeper.statistics import Undecidable, cluster_weights
from gatekeeper.statistics.precision_recall import (
    average_precision,
    average_precision_contributions,
    average_precision_from_pairs,
    average_precision_interval,
    average_precision_of_weights,
    precision_at_sensitivity_interval,
    precision_at_sensitivity_of_weights,
    sensitivity_at_precision_interval,
    sensitivity_at_precision_of_weights,
)

Floats = NDArray[np.float64]
Cases = tuple[Floats, NDArray[np.bool_]]
ONCE = np.ones((1, 1), dtype=np.int64)


@st.composite
def tied_cases(draw: st.DrawFn) -> Cases:
    labels = draw(st.lists(st.booleans(), min_size=1, max_size=40).filter(any))
    scores = draw(st.lists(st.integers(-4, 4), min_size=len(labels), max_size=len(labels)))
    return np.array(scores, dtype=np.float64), np.array(labels)


def made_up(n: int, seed: int, share: float = 0.3, decimals: int = 1, shift: float = 1.2) -> Cases:
    source = np.random.default_rng(seed)
    positive = source.random(n) < share
    positive[:2] = (True, False)
    return np.round(source.normal(size=n) + shift * positive, decimals), positive


def zeros(scores: Floats) -> NDArray[np.intp]:
    return np.zeros(len(scores), dtype=np.intp)


@given(tied_cases())
def test_average_precision_is_that_of_scikit_learn(drawn: Cases) -> None:
    scores, positive = drawn
    assert average_precision(scores, positive) == pytest.approx(average_precision_score(positive, scores), abs=1e-14)


@given(tied_cases(), st.sampled_from([0.1, 0.5, 0.8, 0.9, 1.0]))
def test_rates_at_rates_are_the_best_of_scikit_learns_curve(drawn: Cases, asked: float) -> None:
    scores, positive = drawn
    precision, sensitivity, _ = (
        part[:-1] if k < 2 else part for k, part in enumerate(precision_recall_curve(positive, scores))
    )
    found = precision_at_sensitivity_of_weights(scores, positive, asked, ONCE, zeros(scores))[0]
    assert found == pytest.approx(precision[sensitivity >= asked - 1e-12].max())
    found = sensitivity_at_precision_of_weights(scores, positive, asked, ONCE, zeros(scores))[0]
    reached = sensitivity[(precision >= asked - 1e-12) & (sensitivity > 0)]
    assert found == pytest.approx(reached.max()) if reached.size else math.isnan(found)


def test_a_share_of_whole_cases_is_reached_although_its_binary_number_is_a_little_more() -> None:
    assert 0.55 * 100 > 55
    scores = np.repeat([3.0, 2.0, 1.0], [55, 45, 45])
    positive = np.repeat([True, False, True], [55, 45, 45])
    assert precision_at_sensitivity_of_weights(scores, positive, 0.55, ONCE, zeros(scores))[0] == 1.0
    scores[:] = 0.0
    shorter = scores[:100], positive[:100]  # one cut, at which 55 of 100 alarms are right
    assert sensitivity_at_precision_of_weights(*shorter, 0.55, ONCE, zeros(shorter[0]))[0] == 1.0


OF_WEIGHTS: dict[str, Callable[..., Floats]] = {
    "average precision": average_precision_of_weights,
    "precision": lambda s, p, w, c: precision_at_sensitivity_of_weights(s, p, 0.8, w, c),
    "sensitivity": lambda s, p, w, c: sensitivity_at_precision_of_weights(s, p, 0.6, w, c),
}


@pytest.mark.parametrize("name", OF_WEIGHTS)
@pytest.mark.parametrize("decimals", [0, 1, 8])
def test_a_resample_is_the_number_of_the_cases_repeated(name: str, decimals: int) -> None:
    scores, positive = made_up(120, 3, decimals=decimals)
    clusters = np.unique(np.random.default_rng(4).integers(0, 50, size=120), return_inverse=True)[1]
    weights, of = cluster_weights(int(clusters.max()) + 1, 25, 1), OF_WEIGHTS[name]
    rows = [(np.repeat(scores, row[clusters]), np.repeat(positive, row[clusters])) for row in weights]
    wanted = [of(*drawn, ONCE, zeros(drawn[0]))[0] for drawn in rows]
    np.testing.assert_allclose(of(scores, positive, weights, clusters), wanted, atol=1e-14)
    np.testing.assert_array_equal(
        of(scores, positive, weights, clusters), of(scores, positive, [weights[:9], weights[9:]], clusters)
    )
    if name == "average precision":
        np.testing.assert_allclose(wanted, [average_precision_score(drawn[1], drawn[0]) for drawn in rows], atol=1e-14)
    assert np.isnan(of(scores, positive, np.zeros((1, weights.shape[1]), dtype=np.int64), clusters)).all()


@given(tied_cases(), st.integers(0, 1000))
def test_contributions_are_the_slopes_of_scikit_learns_weighted_number(drawn: Cases, seed: int) -> None:
    scores, positive = drawn
    found, case = average_precision_contributions(scores, positive), seed % len(scores)
    assert found.sum() == pytest.approx(0.0, abs=1e-12)
    ends = []
    for step in (1e-5, -1e-5):
        weights = np.ones(len(scores))
        weights[case] += step
        ends.append(average_precision_score(positive, scores, sample_weight=weights))
    assert found[case] == pytest.approx((ends[0] - ends[1]) / 2e-5, abs=1e-6)


@pytest.mark.parametrize(
    "interval",
    [
        lambda s, p, c, **k: average_precision_interval(s, p, c),
        lambda s, p, c, **k: precision_at_sensitivity_interval(s, p, 0.8, c, **k),
        lambda s, p, c, **k: sensitivity_at_precision_interval(s, p, 0.6, c, **k),
    ],
    ids=OF_WEIGHTS,
)
class TestIntervals:
    def test_the_order_of_rows_changes_nothing(self, interval: Callable[..., tuple[float, object]]) -> None:
        scores, positive = made_up(80, 5)
        codes, order = np.arange(80) // 2, np.random.default_rng(5).permutation(80)
        first = interval(scores, positive, codes, resamples=200)
        assert interval(scores[order], positive[order], codes[order], resamples=200) == first

    def test_copies_of_cases_of_a_patient_tell_nothing_more(
        self, interval: Callable[..., tuple[float, object]]
    ) -> None:
        scores, positive = made_up(80, 6)
        once = interval(scores, positive, np.arange(80), resamples=200)
        copied = interval(*(np.repeat(part, 3) for part in (scores, positive, np.arange(80))), resamples=200)
        assert (copied[0], copied[1].lower, copied[1].upper) == pytest.approx((once[0], once[1].lower, once[1].upper))

    def test_separated_classes_have_a_lower_limit_below_one(
        self, interval: Callable[..., tuple[float, object]]
    ) -> None:
        scores, positive = np.arange(100.0), np.arange(100) >= 60
        value, found = interval(scores, positive, np.arange(100))
        assert (value, found.upper) == (1.0, 1.0)
        assert 0.4 < found.lower < 0.95
        assert "separated" in found.method

    def test_what_says_nothing_of_the_order_is_bounded_by_nothing(
        self, interval: Callable[..., tuple[float, object]]
    ) -> None:
        positive = np.array([True, True, True, False, False])
        for scores, codes in ((np.zeros(5), np.arange(5)), (np.array([3.0, 1, 2, 0, 2]), np.array([0, 1, 2, 3, 3]))):
            found = interval(scores, positive, codes)[1]
            assert (found.lower, found.upper) == (0.0, 1.0)

    def test_one_class_and_scores_that_are_no_numbers_are_refused(
        self, interval: Callable[..., tuple[float, object]]
    ) -> None:
        for scores, positive in (
            ([1.0, 2.0], [True, True]),
            ([1.0, 2.0], [False, False]),
            ([1.0, math.nan], [True, False]),
        ):
            with pytest.raises(ValueError, match=r"class|positive|NaN"):
                interval(np.array(scores), np.array(positive), np.arange(2))


def test_a_precision_that_no_cut_has_is_not_decided() -> None:
    scores, positive = np.array([3.0, 2.0, 1.0, 0.0]), np.array([False, True, False, True])
    with pytest.raises(Undecidable, match="no cut"):
        sensitivity_at_precision_interval(scores, positive, 0.9, np.arange(4))


@pytest.mark.parametrize("asked", [0.0, 1.1, math.nan])
def test_a_rate_that_is_none_is_refused(asked: float) -> None:
    scores, positive = made_up(10, 1)
    for of in (precision_at_sensitivity_of_weights, sensitivity_at_precision_of_weights):
        with pytest.raises(ValueError, match="to reach"):
            of(scores, positive, asked, ONCE, zeros(scores))


@pytest.mark.parametrize(("pairs", "odds"), [(10, 1.0), (40, 2.0), (200, 0.5), (5, 9.0)])
def test_no_curve_of_that_area_has_a_lower_average_precision(pairs: int, odds: float) -> None:
    """The minimum over false-positive rates of a given mean, found by numbers: ∫ t / (t + r f(t)) dt."""
    found = average_precision_from_pairs(pairs, odds)
    spared = 1.0 - 0.025 ** (1.0 / pairs)
    t = (np.arange(120) + 0.5) / 120

    def precision(f: Floats) -> float:
        return float((t / (t + odds * f)).mean())

    best = minimize(
        precision,
        np.full(120, spared),
        jac=lambda f: -odds * t / (t + odds * f) ** 2 / 120,
        bounds=[(0.0, None)] * 120,
        constraints={"type": "eq", "fun": lambda f: f.mean() - spared, "jac": lambda f: np.full(120, 1 / 120)},
        options={"maxiter": 300},
    )
    assert found.lower == pytest.approx(best.fun, abs=4e-3)


def test_rates_of_separated_classes_are_those_of_the_worst_curve() -> None:
    """40 positives, 60 negatives, 40 pairs: the false-positive rate f has a mean of 1 - A at most."""
    scores, positive, codes = np.arange(100.0), np.arange(100) >= 60, np.arange(100)
    spared, odds = 1.0 - 0.025 ** (1.0 / 40.0), 1.5
    lower = precision_at_sensitivity_interval(scores, positive, 0.8, codes)[1].lower
    step = spared / 0.2  # f is 0 up to the sensitivity 0.8, and as high as it can be from there on
    assert lower == pytest.approx(0.8 / (0.8 + odds * step))
    lower = sensitivity_at_precision_interval(scores, positive, 0.6, codes)[1].lower
    needed = (1.0 - 0.6) / (odds * 0.6)  # f above this times the sensitivity spoils the precision, from lower to 1
    assert needed * (1.0 - lower**2) / 2.0 == pytest.approx(spared)
    assert sensitivity_at_precision_interval(scores, positive, 1.0, codes)[1].lower == 0.0
    least = precision_at_sensitivity_interval(scores, positive, 1.0, codes)[1].lower
    assert least == pytest.approx(0.4)


def test_limits_from_no_pair_are_refused() -> None:
    with pytest.raises(ValueError, match="pair"):
        average_precision_from_pairs(0, 1.0)


def test_limits_of_average_precision_are_rarely_wrong() -> None:
    """400 made-up binormal sets of 150 cases, 30 % positive, area 0.95; percentile limits fail below in 6 to 7 %."""
    shift, share = float(ndtri(0.95)) * math.sqrt(2.0), 0.3
    cut = np.linspace(-9.0, 9.0 + shift, 100_001)
    hits, alarms = share * (1.0 - ndtr(cut - shift)), (1.0 - share) * (1.0 - ndtr(cut))
    truth = float((hits / (hits + alarms + 1e-300) * norm.pdf(cut - shift)).sum() * (cut[1] - cut[0]))
    found = [
        average_precision_interval(*made_up(150, 7000 + k, share, 12, shift), np.arange(150))[1] for k in range(400)
    ]
    assert np.mean([limits.lower > truth for limits in found]) <= 0.035
    assert np.mean([limits.upper < truth for limits in found]) <= 0.045
