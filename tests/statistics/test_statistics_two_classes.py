"""Intervals of two classes against statsmodels, and how often they hold the truth: by counting, not by chance."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, multinomial
from statsmodels.stats.proportion import confint_proportions_2indep

from gatekeeper.statistics import (
    Interval,
    Trials,
    clopper_pearson,
    exact_by_class,
    f1_interval,
    negative_likelihood_ratio_interval,
    youden_interval,
)

counts = st.integers(0, 60)
LEAST, MOST = 0.93, 0.975


@given(tp=counts, fn=counts, fp=counts, tn=counts)
def test_youden_is_the_difference_of_statsmodels(tp: int, fn: int, fp: int, tn: int) -> None:
    if tp + fn == 0 or fp + tn == 0:
        with pytest.raises(ValueError, match="no trials"):
            youden_interval(tp, fn, fp, tn)
        return
    found = youden_interval(tp, fn, fp, tn)
    wanted = confint_proportions_2indep(tp, tp + fn, fp, fp + tn, method="newcomb")
    assert (found.lower, found.upper) == pytest.approx(wanted, abs=1e-12)


@given(tp=st.integers(1, 60), fn=st.integers(1, 60), fp=counts, tn=st.integers(1, 60))
def test_the_likelihood_ratio_is_that_of_statsmodels(tp: int, fn: int, fp: int, tn: int) -> None:
    found = negative_likelihood_ratio_interval(tp, fn, fp, tn)
    assert found is not None
    wanted = confint_proportions_2indep(fn, fn + tp, tn, tn + fp, compare="ratio", method="log")
    assert (found.lower, found.upper) == pytest.approx(wanted, rel=1e-10)


@pytest.mark.parametrize(("sensitivity", "specificity"), [(0.9, 0.9), (0.8, 0.95), (0.95, 0.85)])
@pytest.mark.parametrize(("positives", "negatives"), [(100, 100), (30, 170)])
@pytest.mark.parametrize(
    ("limits", "value"),
    [
        (youden_interval, lambda se, sp: se + sp - 1),
        (negative_likelihood_ratio_interval, lambda se, sp: (1 - se) / sp),
    ],
)
def test_intervals_of_two_rates_cover_as_they_promise(
    limits: Callable[..., Interval | None],
    value: Callable[[float, float], float],
    sensitivity: float,
    specificity: float,
    positives: int,
    negatives: int,
) -> None:
    truth = value(sensitivity, specificity)
    of_tp, of_tn = (
        binom.pmf(range(positives + 1), positives, sensitivity),
        binom.pmf(range(negatives + 1), negatives, specificity),
    )
    covered = likely = 0.0
    for tp in np.flatnonzero(of_tp > 1e-6):
        for tn in np.flatnonzero(of_tn > 1e-6):
            cells = int(tp), int(positives - tp), int(negatives - tn), int(tn)
            first, second = Trials(positives, cells[0], cells[0]), Trials(negatives, cells[3], cells[3])
            found = limits(*cells) or exact_by_class(value, first, second, 0.95)
            assert found is not None
            likely += of_tp[tp] * of_tn[tn]
            covered += of_tp[tp] * of_tn[tn] * (found.lower <= truth <= found.upper)
    assert likely > 0.999
    assert LEAST <= covered / likely <= (MOST if positives > 50 else 1.0)


@pytest.mark.parametrize("cells", [(0.3, 0.05, 0.05, 0.6), (0.08, 0.02, 0.02, 0.88), (0.4, 0.2, 0.1, 0.3)])
def test_f1_covers_as_it_promises(cells: tuple[float, float, float, float]) -> None:
    """All tables of 60 cases, counted: tp, fp, fn in turn."""
    n, (tp, fp, fn, _) = 150, cells
    truth = 2 * tp / (2 * tp + fp + fn)
    called = tp + fp + fn
    of_called = binom.pmf(range(n + 1), n, called)
    covered = 0.0
    for size in range(1, n + 1):
        of_tp = binom.pmf(range(size + 1), size, tp / called)
        held = [f1_interval(hits, size - hits, 0) for hits in range(size + 1)]
        covered += of_called[size] * sum(
            chance for chance, found in zip(of_tp, held, strict=True) if found.lower <= truth <= found.upper
        )
    least = 0.90 if called * n < 30 else LEAST
    assert least <= covered / (1.0 - of_called[0]) <= MOST


def test_the_share_behind_f1_is_binomial_given_who_is_positive_or_called() -> None:
    cells, n = (0.3, 0.1, 0.2, 0.4), 12
    given_size = multinomial.pmf([[k, 5 - k, 0, 7] for k in range(6)], n, (0.3, 0.3, 0.0, 0.4))
    np.testing.assert_allclose(
        given_size / given_size.sum(), binom.pmf(range(6), 5, cells[0] / (cells[0] + cells[1] + cells[2])), atol=1e-12
    )


def test_exact_limits_by_class_are_those_of_clopper_and_pearson_at_half_the_error() -> None:
    found = exact_by_class(lambda se, sp: se * sp, Trials(40, 38, 39), Trials(90, 80, 85), 0.95)
    assert found is not None
    assert found.lower == clopper_pearson(38, 40, 0.975).lower * clopper_pearson(80, 90, 0.975).lower
    assert found.upper == clopper_pearson(39, 40, 0.975).upper * clopper_pearson(85, 90, 0.975).upper
    assert exact_by_class(lambda se, sp: se, Trials(0, 0, 0), Trials(9, 9, 9), 0.95) is None
