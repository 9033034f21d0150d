"""Intervals of two classes against statsmodels, and how often they hold the truth: by counting, not by chance."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom
from statsmodels.stats.proportion import confint_proportions_2indep

from gatekeeper.metrics import METRICS, at_rates
from gatekeeper.statistics import (
    Effective,
    Interval,
    Trials,
    clopper_pearson,
    exact_by_class,
    negative_likelihood_ratio_interval,
    positive_likelihood_ratio_interval,
    recovered_interval,
    wilson,
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


@given(tp=st.integers(1, 60), fn=counts, fp=st.integers(1, 60), tn=st.integers(1, 60))
def test_the_positive_likelihood_ratio_is_that_of_statsmodels(tp: int, fn: int, fp: int, tn: int) -> None:
    found = positive_likelihood_ratio_interval(tp, fn, fp, tn)
    assert found is not None
    wanted = confint_proportions_2indep(tp, tp + fn, fp, fp + tn, compare="ratio", method="log")
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


@given(tp=counts, fn=counts, fp=counts, tn=counts)
def test_recovered_limits_of_a_difference_are_those_of_newcombe_in_statsmodels(
    tp: int, fn: int, fp: int, tn: int
) -> None:
    if tp + fn == 0 or fp + tn == 0:
        with pytest.raises(ValueError, match="no interval"):
            recovered_interval(lambda se, sp: se + sp - 1.0, (Effective(tp, tp + fn), Effective(tn, tn + fp)), (-1, 1))
        return
    shares = (Effective(tp, tp + fn), Effective(fp, fp + tn))
    found = recovered_interval(lambda first, second: first - second, shares, (-1.0, 1.0))
    wanted = confint_proportions_2indep(tp, tp + fn, fp, fp + tn, method="newcomb")
    assert (found.lower, found.upper) == pytest.approx(wanted, abs=1e-12)


@given(hits=counts, misses=counts)
def test_recovered_limits_of_one_share_are_those_of_wilson(hits: int, misses: int) -> None:
    if hits + misses == 0:
        return
    found = recovered_interval(lambda share: share, (Effective(hits, hits + misses),), (0.0, 1.0))
    wanted = wilson(hits, hits + misses)
    assert (found.lower, found.upper) == pytest.approx((wanted.lower, wanted.upper), abs=1e-12)


def test_recovered_limits_stay_within_what_the_metric_can_be() -> None:
    shares = (Effective(3, 3), Effective(4, 4))
    found = recovered_interval(lambda first, second: first + second, shares, (0.0, 2.0))
    assert found.upper == 2.0
    assert 0.0 < found.lower < 2.0


@pytest.mark.parametrize("name", ["kappa", "matthews_correlation", "f1"])
@pytest.mark.parametrize(("sensitivity", "specificity", "share"), [(0.9, 0.9, 0.5), (0.8, 0.97, 0.2), (0.97, 0.8, 0.2)])
def test_recovered_limits_of_a_table_are_rarely_wrong(
    name: str, sensitivity: float, specificity: float, share: float
) -> None:
    """3,000 tables of 300 cases drawn: 2.5 % on each side, 3.4 % and less seen below, 5 % above."""
    formula = METRICS.get(name).of_table
    assert formula is not None

    def at(*rates: float) -> float:
        return float(formula(at_rates(*rates)))

    source, tries, n = np.random.default_rng(5), 3000, 300
    truth, above, below = at(sensitivity, specificity, share), 0, 0
    positives = source.binomial(n, share, size=tries)
    tp, tn = source.binomial(positives, sensitivity), source.binomial(n - positives, specificity)
    for count, found, cleared in zip(positives.tolist(), tp.tolist(), tn.tolist(), strict=True):
        shares = (Effective(found, count), Effective(cleared, n - count), Effective(count, n))
        limits = recovered_interval(at, shares, (-1.0, 1.0))
        above, below = above + (limits.lower > truth), below + (limits.upper < truth)
    assert 0.005 <= above / tries <= 0.032
    assert 0.015 <= below / tries <= 0.050


def test_exact_limits_by_class_are_those_of_clopper_and_pearson_at_half_the_error() -> None:
    found = exact_by_class(lambda se, sp: se * sp, Trials(40, 38, 39), Trials(90, 80, 85), 0.95)
    assert found is not None
    assert found.lower == clopper_pearson(38, 40, 0.975).lower * clopper_pearson(80, 90, 0.975).lower
    assert found.upper == clopper_pearson(39, 40, 0.975).upper * clopper_pearson(85, 90, 0.975).upper
    assert exact_by_class(lambda se, sp: se, Trials(0, 0, 0), Trials(9, 9, 9), 0.95) is None
