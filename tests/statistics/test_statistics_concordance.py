from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatekeeper.statistics import Undecidable
from gatekeeper.statistics.concordance import concordance_correlation

# Peak flow (l/min), Bland & Altman, Lancet 1986;1:307: first measurement with each of two meters, 17 subjects.
WRIGHT = np.array([494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427], float)
MINI = np.array([512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451], float)


def by_moments(first: np.ndarray, second: np.ndarray) -> float:
    return float(
        2.0 * np.cov(first, second, ddof=0)[0, 1] / (first.var() + second.var() + (first.mean() - second.mean()) ** 2)
    )


def normal_variance_of_z(first: np.ndarray, second: np.ndarray) -> float:
    """Asymptotic variance of atanh(ccc) for normal pairs, by the delta method on means and covariances, gradient by
    differences: derived apart from Lin's formula.
    """
    covariance, means = np.cov(first, second, ddof=0), np.array([first.mean(), second.mean()])
    (a, c), (_, b) = covariance

    def z(moments: np.ndarray) -> float:
        m1, m2, v1, v2, v12 = moments
        return math.atanh(2.0 * v12 / (v1 + v2 + (m1 - m2) ** 2))

    at = np.array([*means, a, b, c])
    spread = np.zeros((5, 5))
    spread[:2, :2] = covariance
    spread[2:, 2:] = [
        [2 * a * a, 2 * c * c, 2 * a * c],
        [2 * c * c, 2 * b * b, 2 * b * c],
        [2 * a * c, 2 * b * c, a * b + c * c],
    ]
    steps = 1e-6 * np.maximum(1.0, np.abs(at))
    slopes = np.array([(z(at + step) - z(at - step)) / (2 * step.max()) for step in np.diag(steps)])
    return float(slopes @ spread @ slopes)


@pytest.mark.parametrize("shift", [0.0, 60.0, 300.0])
@pytest.mark.parametrize("scale", [1.0, 1.6])
def test_the_interval_has_the_variance_of_the_delta_method(shift: float, scale: float) -> None:
    """Lin's formula of 2000 against a numerical delta method; that of 1989, with 4 in the place of 2, fails it."""
    second = MINI * scale + shift
    found = concordance_correlation(WRIGHT, second)
    half = 1.959963984540054 * math.sqrt(normal_variance_of_z(WRIGHT, second) / (len(WRIGHT) - 2))
    centre = math.atanh(by_moments(WRIGHT, second))
    assert found.value == pytest.approx(by_moments(WRIGHT, second), rel=1e-12)
    assert (found.interval.lower, found.interval.upper) == pytest.approx(
        (math.tanh(centre - half), math.tanh(centre + half)), rel=1e-5
    )


def test_peak_flow_meters_agree_as_published() -> None:
    """0.943 for the first measurements of Bland & Altman's table, a common example of the coefficient."""
    found = concordance_correlation(WRIGHT, MINI)
    assert round(found.value, 3) == 0.943
    assert found.precision == pytest.approx(np.corrcoef(WRIGHT, MINI)[0, 1], rel=1e-12)
    assert found.value == pytest.approx(found.precision * found.accuracy, rel=1e-12)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(4, 30), st.floats(-3, 3), st.floats(0.1, 5))
def test_laws(seed: int, n: int, shift: float, scale: float) -> None:
    source = np.random.default_rng(seed)
    first = source.normal(size=n)
    second = shift + scale * first + source.normal(size=n)
    found = concordance_correlation(first, second)
    assert -1.0 <= found.interval.lower <= found.value <= found.interval.upper <= 1.0
    assert abs(found.value) <= abs(found.precision) + 1e-12
    order = source.permutation(n)
    assert concordance_correlation(first[order], second[order]) == found
    swapped = concordance_correlation(second, first)
    assert swapped.value == pytest.approx(found.value, rel=1e-9, abs=1e-12)
    moved = concordance_correlation(10.0 + 3.0 * first, 10.0 + 3.0 * second)
    assert moved.interval.lower == pytest.approx(found.interval.lower, rel=1e-6, abs=1e-9)


def test_limits_cover_as_they_promise() -> None:
    """2,000 simulated studies of 40 normal pairs; 2.5 % on each side."""
    source, tries = np.random.default_rng(4), 2000
    truth, above, below = 2 * 0.8 / (1.0 + 1.0 + 0.09), 0, 0
    for _ in range(tries):
        pairs = source.multivariate_normal([0.0, 0.3], [[1.0, 0.8], [0.8, 1.0]], size=40)
        limits = concordance_correlation(pairs[:, 0], pairs[:, 1]).interval
        above, below = above + (limits.lower > truth), below + (limits.upper < truth)
    assert 0.01 <= above / tries <= 0.04
    assert 0.01 <= below / tries <= 0.04


def test_equal_measurements_agree_wholly() -> None:
    found = concordance_correlation(WRIGHT, WRIGHT)
    assert (found.value, found.interval.lower, found.interval.upper) == (1.0, 1.0, 1.0)


@pytest.mark.parametrize(
    ("first", "second", "error", "complaint"),
    [
        ([1.0, 2.0], [1.0, 2.0, 3.0], ValueError, "first and"),
        ([1.0, 2.0, 3.0], [1.0, 2.0, 4.0], Undecidable, "four pairs"),
        ([1.0, 1.0, 1.0, 1.0], [1.0, 2.0, 4.0, 3.0], Undecidable, "never varies"),
        ([1.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0], ValueError, "alike"),
        ([1.0, 2.0, math.nan, 1.0], [1.0, 1.0, 1.0, 1.0], ValueError, "missing"),
    ],
)
def test_pairs_without_an_interval_are_refused(
    first: list[float], second: list[float], error: type[Exception], complaint: str
) -> None:
    with pytest.raises(error, match=complaint):
        concordance_correlation(np.array(first), np.array(second))
