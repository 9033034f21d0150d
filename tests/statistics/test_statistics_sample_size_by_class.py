from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from gatekeeper.statistics import (
    ClassSizes,
    auroc,
    called_share_at,
    cases_for_auroc,
    cases_for_called_share,
    cases_for_npv,
    cases_for_ppv,
    clopper_pearson,
    delong,
    fewest_for_called_share,
    fewest_for_predictive_value,
    hanley_mcneil_variance,
    npv_at,
    npv_interval,
    ppv_interval,
    ppv_power,
)

STUDIES = 3000


def calls(sizes: ClassSizes, sensitivity: float, specificity: float) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(20261123)
    tp = random.binomial(sizes.positives, sensitivity, STUDIES)
    return tp, random.binomial(sizes.negatives, 1.0 - specificity, STUDIES)


def simulated_ppv(sensitivity: float, specificity: float, prevalence: float, goal: float, sizes: ClassSizes) -> float:
    m, n = sizes.positives, sizes.negatives
    limits = [
        ppv_interval(int(tp), int(m - tp), int(fp), int(n - fp), prevalence).lower
        for tp, fp in zip(*calls(sizes, sensitivity, specificity), strict=True)
    ]
    return float(np.mean(np.array(limits) >= goal))


@pytest.mark.parametrize(
    ("sensitivity", "specificity", "prevalence", "goal"),
    [(0.9, 0.8643, 0.131, 0.41), (0.75, 0.9551, 0.10, 0.30), (0.9, 0.95, 0.052, 0.245)],
)
@pytest.mark.parametrize("ratio", [1.0, 0.4, 3.0])
@pytest.mark.parametrize("power", [0.8, 0.9])
def test_so_many_cases_show_a_ppv_as_often_as_planned_in_a_simulation(
    sensitivity: float, specificity: float, prevalence: float, goal: float, ratio: float, power: float
) -> None:
    sizes = cases_for_ppv(sensitivity, specificity, prevalence, goal, power, positives_per_negative=ratio)
    assert sizes.positives == pytest.approx(ratio * sizes.negatives, abs=1)
    exact = ppv_power(sensitivity, specificity, prevalence, goal, sizes)
    assert power <= exact < power + 0.06
    assert simulated_ppv(sensitivity, specificity, prevalence, goal, sizes) == pytest.approx(exact, abs=0.03)


@settings(max_examples=25, deadline=None)
@given(
    st.floats(0.4, 0.98), st.floats(0.4, 0.98), st.floats(0.02, 0.6), st.integers(1, 14), st.integers(1, 14), st.data()
)
def test_the_power_of_a_ppv_is_the_sum_over_all_tables(
    sensitivity: float, specificity: float, prevalence: float, m: int, n: int, data: st.DataObject
) -> None:
    goal = data.draw(st.floats(0.02, 0.9))
    total = 0.0
    for tp, fp in itertools.product(range(m + 1), range(n + 1)):
        if tp + fp == 0:
            continue
        limit = ppv_interval(tp, m - tp, fp, n - fp, prevalence).lower
        if abs(limit - goal) < 1e-9:
            return
        total += (limit >= goal) * binom.pmf(tp, m, sensitivity) * binom.pmf(fp, n, 1.0 - specificity)
    assert ppv_power(sensitivity, specificity, prevalence, goal, ClassSizes(m, n)) == pytest.approx(total, abs=1e-6)


def test_so_many_cases_show_an_npv_as_often_as_planned_in_a_simulation() -> None:
    sensitivity, specificity, prevalence, goal = 0.95, 0.9, 0.131, 0.98
    sizes = cases_for_npv(sensitivity, specificity, prevalence, goal, positives_per_negative=0.5)
    assert sizes.positives == pytest.approx(0.5 * sizes.negatives, abs=1)
    m, n = sizes.positives, sizes.negatives
    limits = [
        npv_interval(int(tp), int(m - tp), int(fp), int(n - fp), prevalence).lower
        for tp, fp in zip(*calls(sizes, sensitivity, specificity), strict=True)
    ]
    assert np.mean(np.array(limits) >= goal) == pytest.approx(0.81, abs=0.04)
    assert goal < float(npv_at(sensitivity, specificity, prevalence))


def test_more_prevalence_makes_a_ppv_easier_and_more_power_costs_more() -> None:
    by_prevalence = [cases_for_ppv(0.9, 0.95, prevalence, 0.3).negatives for prevalence in (0.05, 0.08, 0.12, 0.2)]
    by_power = [cases_for_ppv(0.9, 0.95, 0.1, 0.4, power).negatives for power in (0.5, 0.8, 0.9, 0.95)]
    assert by_prevalence == sorted(by_prevalence, reverse=True)
    assert by_power == sorted(by_power)


@pytest.mark.parametrize(
    ("sensitivity", "specificity", "goal", "ratio"),
    [(0.5, 0.5, 0.9, 1.0), (1.0, 0.9, 0.3, 1.0), (0.9, 1.0, 0.3, 1.0), (0.9, 0.9, 0.3, 0.0), (0.9, 0.9, 0.3, np.inf)],
)
def test_a_predictive_value_that_cannot_be_planned_for_is_refused(
    sensitivity: float, specificity: float, goal: float, ratio: float
) -> None:
    with pytest.raises(ValueError, match=r"truth|between 0 and 1|ratio"):
        cases_for_ppv(sensitivity, specificity, 0.1, goal, positives_per_negative=ratio)


@pytest.mark.parametrize(("which", "interval"), [("precision", ppv_interval), ("npv", npv_interval)])
@pytest.mark.parametrize(("prevalence", "goal"), [(0.131, 0.41), (0.05, 0.32), (0.5, 0.9)])
@pytest.mark.parametrize("ratio", [1.0, 0.3])
def test_the_fewest_cases_for_a_predictive_value_do_and_fewer_do_not(
    which: str, interval: object, prevalence: float, goal: float, ratio: float
) -> None:
    assert callable(interval)
    sizes = fewest_for_predictive_value(which, prevalence, goal, positives_per_negative=ratio)
    assert sizes is not None
    assert interval(sizes.positives, 0, 0, sizes.negatives, prevalence).lower >= goal
    fewer = max(1, int(np.ceil(ratio * (sizes.negatives - 1))))
    assert sizes.negatives == 1 or interval(fewer, 0, 0, sizes.negatives - 1, prevalence).lower < goal


def test_no_number_of_cases_shows_a_predictive_value_of_one() -> None:
    assert fewest_for_predictive_value("precision", 0.1, 1.0) is None
    with pytest.raises(ValueError, match="no predictive value"):
        fewest_for_predictive_value("sensitivity", 0.1, 0.5)


def called_limit(tp: int, fp: int, sizes: ClassSizes, prevalence: float) -> float:
    sensitivity = clopper_pearson(tp, sizes.positives, 0.975).upper
    alarms = clopper_pearson(fp, sizes.negatives, 0.975).upper
    return float(called_share_at(sensitivity, 1.0 - alarms, prevalence))


@pytest.mark.parametrize(
    ("sensitivity", "specificity", "prevalence", "goal"), [(0.9, 0.95, 0.005, 0.12), (0.8, 0.9, 0.1, 0.3)]
)
def test_so_many_cases_keep_the_share_of_calls_low_as_often_as_planned(
    sensitivity: float, specificity: float, prevalence: float, goal: float
) -> None:
    def reached(sizes: ClassSizes) -> float:
        of_tp = binom.pmf(np.arange(sizes.positives + 1), sizes.positives, sensitivity)
        of_fp = binom.pmf(np.arange(sizes.negatives + 1), sizes.negatives, 1.0 - specificity)
        pairs = itertools.product(enumerate(of_tp), enumerate(of_fp))
        return float(
            sum(p * q for (tp, p), (fp, q) in pairs if p * q > 1e-9 and called_limit(tp, fp, sizes, prevalence) <= goal)
        )

    sizes = cases_for_called_share(sensitivity, specificity, prevalence, goal)
    assert sizes.positives == sizes.negatives
    assert reached(sizes) >= 0.8 - 1e-6
    assert reached(ClassSizes(sizes.positives - 5, sizes.negatives - 5)) < 0.8


@pytest.mark.parametrize(("prevalence", "goal"), [(0.005, 0.12), (0.1, 0.3)])
def test_the_fewest_cases_for_a_share_of_calls_do_and_fewer_do_not(prevalence: float, goal: float) -> None:
    sizes = fewest_for_called_share(prevalence, goal)
    assert sizes is not None
    assert called_limit(sizes.positives, 0, sizes, prevalence) <= goal
    fewer = ClassSizes(sizes.positives, sizes.negatives - 1)
    assert called_limit(sizes.positives, 0, fewer, prevalence) > goal


def test_a_share_of_calls_below_the_prevalence_cannot_be_shown_by_calling_all_positives() -> None:
    assert fewest_for_called_share(0.2, 0.1) is None
    with pytest.raises(ValueError, match="must lie below"):
        cases_for_called_share(0.9, 0.9, 0.2, 0.1)


@pytest.mark.parametrize(("area", "positives", "negatives"), [(0.75, 20, 40), (0.9, 30, 30), (0.95, 50, 25)])
def test_the_variance_of_an_area_is_that_of_exponential_scores(area: float, positives: int, negatives: int) -> None:
    """A positive with mean score A / (1 - A) lies above a negative with mean 1 with probability A."""
    random = np.random.default_rng(20261123)
    labels = np.repeat([1, 0], [positives, negatives])
    scale = np.where(labels == 1, area / (1.0 - area), 1.0)
    areas = [auroc(random.exponential(scale), labels) for _ in range(4000)]
    assert np.mean(areas) == pytest.approx(area, abs=0.004)
    assert np.var(areas) == pytest.approx(hanley_mcneil_variance(area, positives, negatives), rel=0.08)


@pytest.mark.parametrize(("truth", "goal", "ratio"), [(0.9, 0.8, 1.0), (0.95, 0.9, 0.5)])
def test_so_many_cases_show_an_area_as_often_as_planned_or_a_little_oftener(
    truth: float, goal: float, ratio: float
) -> None:
    sizes, random = cases_for_auroc(truth, goal, 0.8, positives_per_negative=ratio), np.random.default_rng(20261123)
    labels = np.repeat([1, 0], [sizes.positives, sizes.negatives])
    scale = np.where(labels == 1, truth / (1.0 - truth), 1.0)
    met = [delong(random.exponential(scale), labels)[1].lower >= goal for _ in range(1500)]
    assert 0.77 <= np.mean(met) <= 0.88


def test_an_area_needs_the_least_number_that_brings_its_variance_down() -> None:
    sizes = cases_for_auroc(0.95, 0.9)
    assert sizes == ClassSizes(160, 160)
    assert hanley_mcneil_variance(0.95, 160, 160) < hanley_mcneil_variance(0.95, 159, 159)
    with pytest.raises(ValueError, match="no variance"):
        hanley_mcneil_variance(1.0, 10, 10)
    with pytest.raises(ValueError, match="negative cases do not do"):
        cases_for_auroc(0.9001, 0.9)
