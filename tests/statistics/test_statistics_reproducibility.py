from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2
from statsmodels.formula.api import ols
from statsmodels.stats.anova import anova_lm

from gatekeeper.statistics.reproducibility import reproducibility_coefficient


def made_up(shape: tuple[int, int, int], seed: int) -> np.ndarray:
    source = np.random.default_rng(seed)
    n, k, _ = shape
    return np.asarray(
        10.0 * source.normal(size=(n, 1, 1))
        + 0.7 * source.normal(size=(1, k, 1))
        + 0.4 * source.normal(size=(n, k, 1))
        + source.normal(size=shape)
    )


@pytest.mark.parametrize("shape", [(8, 3, 2), (12, 2, 3), (9, 4, 1)])
def test_spreads_are_variance_components_of_an_analysis_of_variance(shape: tuple[int, int, int]) -> None:
    """statsmodels.stats.anova.anova_lm of the crossed layout, components solved from expected mean squares."""
    n, k, r = shape
    values = made_up(shape, seed=n)
    subject, condition, _ = (axis.ravel() for axis in np.indices(shape))
    table = pd.DataFrame({"value": values.ravel(), "subject": subject, "condition": condition})
    crossed = "C(subject) * C(condition)" if r > 1 else "C(subject) + C(condition)"
    squares = anova_lm(ols(f"value ~ {crossed}", table).fit())["mean_sq"]
    of_condition, residual = squares["C(condition)"], squares["Residual"]
    interaction = squares["C(subject):C(condition)"] if r > 1 else residual
    components = [(of_condition - interaction) / (n * r), (interaction - residual) / r, residual]
    found = reproducibility_coefficient(values)
    assert found.value == pytest.approx(1.96 * math.sqrt(2.0 * sum(components)), rel=1e-9)
    if r > 1:
        assert found.within_sd == pytest.approx(math.sqrt(residual), rel=1e-9)
        assert found.between_sd == pytest.approx(math.sqrt(max(0.0, sum(components[:2]))), rel=1e-7)
    else:
        assert (found.within_sd, found.between_sd) == (None, None)
    assert (found.subjects, found.conditions) == (n, k)


def test_pairs_without_a_shift_give_the_repeatability_coefficient() -> None:
    """Two conditions: 2.77 √(Σ d² / 2n) of the differences, whatever their mean is."""
    values = np.random.default_rng(3).normal(size=(40, 2))
    apart = values[:, 0] - values[:, 1]
    assert reproducibility_coefficient(values).value == pytest.approx(1.96 * math.sqrt((apart**2).mean()), rel=1e-12)


def test_limits_by_the_formula() -> None:
    """Graybill & Wang 1980, from mean squares 8 and 2 with 3 and 27 degrees of freedom, of 10 subjects."""
    values = made_up((10, 4, 1), seed=2)[:, :, 0]
    subjects, conditions = values.mean(axis=1, keepdims=True), values.mean(axis=0, keepdims=True)
    of_condition = 10 * ((conditions - values.mean()) ** 2).sum() / 3
    residual = ((values - subjects - conditions + values.mean()) ** 2).sum() / 27
    parts = np.array([of_condition / 10, residual * 9 / 10])
    freedom = np.array([3, 27])
    lower = parts.sum() - math.sqrt((((1 - freedom / chi2.ppf(0.95, freedom)) * parts) ** 2).sum())
    upper = parts.sum() + math.sqrt((((freedom / chi2.ppf(0.05, freedom) - 1) * parts) ** 2).sum())
    found = reproducibility_coefficient(values, 0.9).interval
    assert (found.lower, found.upper) == pytest.approx(
        (1.96 * math.sqrt(2 * lower), 1.96 * math.sqrt(2 * upper)), rel=1e-9
    )


def test_upper_limits_are_rarely_wrong() -> None:
    """1,500 simulated studies of 25 subjects under 5 conditions: 2.5 % above the upper limit, 4 % allowed."""
    source, tries = np.random.default_rng(4), 1500
    truth, below, above = 1.96 * math.sqrt(2.0 * (0.6**2 + 1.0)), 0, 0
    for _ in range(tries):
        values = source.normal(size=(25, 1)) + 0.6 * source.normal(size=(1, 5)) + source.normal(size=(25, 5))
        found = reproducibility_coefficient(values).interval
        below, above = below + (found.upper < truth), above + (found.lower > truth)
    assert below / tries <= 0.04
    assert above / tries <= 0.06


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 10), st.integers(2, 4), st.integers(1, 3), st.floats(0.01, 100))
def test_laws(seed: int, n: int, k: int, r: int, unit: float) -> None:
    values = made_up((n, k, r), seed)
    found = reproducibility_coefficient(values)
    assert 0.0 <= found.interval.lower <= found.value <= found.interval.upper
    source = np.random.default_rng(seed)
    assert reproducibility_coefficient(source.permutation(values)) == found
    turned = reproducibility_coefficient(values[:, ::-1, ::-1] + 5.0 * source.normal(size=(n, 1, 1)))
    assert turned.value == pytest.approx(found.value, rel=1e-6)
    assert reproducibility_coefficient(unit * values).interval.upper == pytest.approx(
        unit * found.interval.upper, rel=1e-9
    )
    assert found.between_sd is None or found.value >= 1.96 * math.sqrt(2.0) * found.between_sd - 1e-9


def test_equal_measurements_are_no_distance_apart() -> None:
    found = reproducibility_coefficient(np.repeat(np.array([[1.0], [2.0], [3.0]]), 2, axis=1))
    assert (found.value, found.interval.lower, found.interval.upper) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize("shape", [(1, 3), (4, 1), (5,), (2, 3, 0), (2, 2, 2, 2)])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="two subjects or more"):
        reproducibility_coefficient(np.zeros(shape))


def test_missing_measurements_are_refused() -> None:
    with pytest.raises(ValueError, match="missing"):
        reproducibility_coefficient(np.array([[1.0, math.nan], [2.0, 3.0]]))
