from __future__ import annotations

import math
from typing import Literal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.stats import chi2
from statsmodels.api import OLS

from gatekeeper.statistics import (
    Undecidable,
    clopper_pearson,
    cluster_weights,
    repeatability_coefficient,
    within_subject_sd,
    within_subject_sd_interval,
)
from gatekeeper.statistics.means import clustered_mean_interval
from gatekeeper.statistics.repeatability import uneven_within_subject_sd_interval, within_subject_cv

REPEATS = st.lists(st.tuples(st.integers(0, 6), st.floats(-100, 100)), min_size=8, max_size=60)


def test_worked_by_hand() -> None:
    """A: 1, 3 (SS 2, df 1); B: 4, 4, 7 (mean 5: SS 6, df 2); C: 9 alone. sqrt(8 / 3)."""
    values = np.asarray([1.0, 4.0, 3.0, 9.0, 4.0, 7.0])
    wsd, freedom = within_subject_sd(values, ["A", "B", "A", "C", "B", "B"])
    assert wsd == pytest.approx(math.sqrt(8 / 3), rel=1e-15)
    assert freedom == 3


def test_pairs_give_the_formula_of_differences() -> None:
    """wSD² = sum d² / 2n."""
    source = np.random.default_rng(0)
    first, second = source.normal(size=(2, 50))
    subjects = [f"S{number}" for number in range(50)]
    wsd, freedom = within_subject_sd(np.concatenate([first, second]), subjects * 2)
    assert wsd == pytest.approx(math.sqrt(((first - second) ** 2).sum() / 100), rel=1e-12)
    assert freedom == 50


def test_equals_the_residual_of_an_analysis_of_variance() -> None:
    """statsmodels: residual mean square of the one-way analysis, unbalanced."""
    source = np.random.default_rng(1)
    subject = source.integers(0, 12, size=70)
    values = source.normal(size=70)
    fitted = OLS(values, np.eye(12)[subject]).fit()
    wsd, freedom = within_subject_sd(values, [f"S{number}" for number in subject])
    assert wsd**2 == pytest.approx(fitted.mse_resid, rel=1e-10)
    assert freedom == fitted.df_resid


@settings(max_examples=50, deadline=None)
@given(REPEATS, st.floats(-50, 50), st.floats(0.1, 10), st.integers(0, 2**32 - 1))
def test_order_and_offsets_do_not_matter_and_units_scale(
    rows: list[tuple[int, float]], offset: float, unit: float, seed: int
) -> None:
    subjects, values = [f"S{subject}" for subject, _ in rows], np.asarray([value for _, value in rows])
    wsd, freedom = within_subject_sd(values, subjects)
    order = np.random.default_rng(seed).permutation(len(rows))
    moved = np.asarray([value + offset * int(subject[1:]) for subject, value in zip(subjects, values, strict=True)])
    again, same = within_subject_sd(moved[order] * unit, [subjects[position] for position in order])
    assert again == pytest.approx(wsd * unit, rel=1e-7, abs=1e-9)
    assert same == freedom == len(rows) - len(set(subjects))


def test_small_differences_of_large_values_are_kept() -> None:
    wsd, _ = within_subject_sd(np.asarray([1e9, 1e9 + 1e-6, 5.0]), ["A", "A", "B"])
    assert wsd == pytest.approx((1e9 + 1e-6 - 1e9) / math.sqrt(2), rel=1e-12)


def test_equal_repeats_scatter_by_exactly_nothing() -> None:
    assert within_subject_sd(np.asarray([0.1] * 3 + [0.7] * 3), ["A"] * 3 + ["B"] * 3) == (0.0, 4)


@pytest.mark.parametrize(
    ("values", "subjects", "complaint"),
    [
        ([0.1, 0.2], ["A", "B"], "no subject has two values"),
        ([], [], "no subject has two values"),
        ([0.1, math.nan], ["A", "A"], "not finite"),
        ([0.1], ["A", "A"], "1,.*2 subjects"),
    ],
)
def test_what_does_not_scatter_is_refused(values: list[float], subjects: list[str], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        within_subject_sd(np.asarray(values), subjects)


@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.99])
@pytest.mark.parametrize("freedom", [1, 5, 35, 1000])
def test_limits_equal_those_from_scipys_chi_squared(freedom: int, confidence: float) -> None:
    interval = within_subject_sd_interval(2.5, freedom, confidence)
    tail = (1 - confidence) / 2
    expected = [2.5 * math.sqrt(freedom / chi2.ppf(share, freedom)) for share in (1 - tail, tail)]
    assert [interval.lower, interval.upper] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("freedom", "lower", "upper"), [(35, 0.81, 1.30), (100, 0.88, 1.16)])
def test_limits_as_multiples_of_the_estimate(freedom: int, lower: float, upper: float) -> None:
    """From tables of chi squared: 53.20 and 20.57 at 35, 129.56 and 74.22 at 100 degrees of freedom."""
    interval = within_subject_sd_interval(1.0, freedom)
    assert (round(interval.lower, 2), round(interval.upper, 2)) == (lower, upper)


def test_more_subjects_narrow_and_more_confidence_widens() -> None:
    widths = [within_subject_sd_interval(1.0, freedom).upper for freedom in (2, 10, 100, 10_000)]
    assert widths == sorted(widths, reverse=True)
    narrow, wide = within_subject_sd_interval(1.0, 20, 0.8), within_subject_sd_interval(1.0, 20, 0.99)
    assert wide.lower < narrow.lower < 1.0 < narrow.upper < wide.upper


@pytest.mark.parametrize(("wsd", "freedom"), [(-0.1, 5), (math.nan, 5), (math.inf, 5), (1.0, 0)])
def test_no_interval_of_an_impossible_estimate(wsd: float, freedom: int) -> None:
    with pytest.raises(ValueError, match="no interval"):
        within_subject_sd_interval(wsd, freedom)


# Subjects that do not scatter alike


def uneven(seed: int, patients: int, each: int, most: int = 4) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sums of squares, degrees of freedom and patients of made-up subjects; some scatter five times as much."""
    source = np.random.default_rng(seed)
    freedom = source.integers(1, most, size=patients * each).astype(np.float64)
    scatter = np.where(source.random(len(freedom)) < 0.3, 0.1, 0.02)
    return scatter**2 * source.chisquare(freedom), freedom, np.arange(patients).repeat(each)


def test_uneven_limits_are_those_of_redrawn_patients() -> None:
    """A plain loop: σ² = Σ squares / Σ df, its error from patients' sums, above the worst patient more."""
    squares, freedom, patients = uneven(3, 25, 2)
    sums, cases = np.bincount(patients, squares), np.bincount(patients, freedom)
    variance = sums.sum() / cases.sum()

    def error(s: np.ndarray, f: np.ndarray, added: float = 0.0) -> float:
        away = s - s.sum() / f.sum() * f
        return math.sqrt(25 / 24 * ((away**2).sum() + added)) / f.sum()

    drawn = []
    for weight in cluster_weights(25).astype(int):
        taken = np.repeat(np.arange(25), weight)
        moved = sums[taken].sum() / cases[taken].sum() - variance
        drawn.append(moved / error(sums[taken], cases[taken]))
    size, worst = cases.mean(), (sums / cases).max()
    above = -np.quantile(drawn, 0.025, method="lower") * error(sums, cases, (size * (worst - variance)) ** 2)
    below = np.quantile(drawn, 0.975, method="higher")
    below = max(below, stats.t.ppf(0.975, 24)) * error(sums, cases, 0.2 * (size * variance) ** 2)
    found = uneven_within_subject_sd_interval(squares, freedom, patients)
    expected = math.sqrt(variance - below), math.sqrt(variance + above)
    assert (found.lower, found.upper) == pytest.approx(expected, rel=1e-9)
    assert found.method == "studentised bootstrap of patients, at least chi-squared"


def test_uneven_pairs_have_the_root_of_the_limits_of_a_mean_of_variances() -> None:
    squares, freedom, patients = uneven(4, 60, 1, most=2)
    assert set(freedom) == {1.0}
    found = uneven_within_subject_sd_interval(squares, freedom, patients, seed=7)
    _, mean = clustered_mean_interval(squares, patients, 0.0, seed=7)
    assert (found.lower, found.upper) == pytest.approx((math.sqrt(mean.lower), math.sqrt(mean.upper)), rel=1e-12)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 30), st.integers(1, 3), st.floats(1e-3, 1e3))
def test_uneven_limits_are_at_least_chi_squared_whatever_the_order_and_the_unit(
    seed: int, count: int, each: int, unit: float
) -> None:
    squares, freedom, patients = uneven(seed, count, each)
    found = uneven_within_subject_sd_interval(squares, freedom, patients, 0.5, resamples=99)
    spread = math.sqrt(squares.sum() / freedom.sum())
    alike = within_subject_sd_interval(spread, freedom.sum())
    last_bit = 1e-12 * spread
    assert 0.0 <= found.lower <= alike.lower + last_bit
    assert alike.lower <= spread <= alike.upper <= found.upper + last_bit
    order = np.random.default_rng(seed).permutation(len(squares))
    again = uneven_within_subject_sd_interval(squares[order], freedom[order], patients[order], 0.5, resamples=99)
    assert (again.lower, again.upper) == pytest.approx((found.lower, found.upper), rel=1e-12)
    scaled = uneven_within_subject_sd_interval(unit**2 * squares, freedom, patients, 0.5 * unit**2, resamples=99)
    assert (scaled.lower, scaled.upper) == pytest.approx((unit * found.lower, unit * found.upper), rel=1e-6)


def test_few_who_scatter_are_bounded_by_the_worst_that_there_is() -> None:
    """One of 200 subjects differs from its repeat: as many more could as Clopper & Pearson's limit allows."""
    squares = np.r_[0.02, np.zeros(199)]
    found = uneven_within_subject_sd_interval(squares, np.ones(200), np.arange(200), 0.5)
    assert found.lower == pytest.approx(0.0, abs=1e-12)
    assert found.upper == pytest.approx(math.sqrt(0.5 * clopper_pearson(0.02 / 0.5, 200).upper))
    with pytest.raises(Undecidable, match="without a bound"):
        uneven_within_subject_sd_interval(squares, np.ones(200), np.arange(200))


@pytest.mark.parametrize(("each", "freedom"), [(1, 36), (3, 12)])
def test_patients_who_all_scatter_alike_count_as_degrees_of_freedom(each: int, freedom: int) -> None:
    found = uneven_within_subject_sd_interval(np.full(36, 0.02), np.ones(36), np.arange(36) // each)
    assert found == within_subject_sd_interval(math.sqrt(0.02), freedom)


def test_one_patient_has_chi_squared_limits() -> None:
    found = uneven_within_subject_sd_interval(np.array([0.02, 0.04]), np.ones(2), np.zeros(2, dtype=int))
    assert found == within_subject_sd_interval(math.sqrt(0.03), 2)


@pytest.mark.parametrize(
    ("squares", "freedom", "complaint"),
    [
        ([], [], "one length"),
        ([0.1], [1, 1], "one length"),
        ([-0.1], [1], "not below 0"),
        ([math.nan], [1], "finite"),
        ([0.1], [0], "whole"),
        ([0.1], [1.5], "whole"),
    ],
)
def test_squares_and_degrees_of_freedom_out_of_range_are_refused(
    squares: list[float], freedom: list[float], complaint: str
) -> None:
    codes = np.arange(len(squares))
    with pytest.raises(ValueError, match=complaint):
        uneven_within_subject_sd_interval(np.array(squares), np.array(freedom, dtype=float), codes)


def test_limits_of_uneven_subjects_are_rarely_wrong() -> None:
    """500 made-up studies of 100 subjects; a third scatters five times as much: chi-squared limits are wrong in 9 %."""
    tries, truth, wrong = 500, math.sqrt(0.3 * 0.1**2 + 0.7 * 0.02**2), np.zeros(3)
    for seed in range(tries):
        squares, freedom, patients = uneven(seed, 100, 1, most=2)
        found = uneven_within_subject_sd_interval(squares, freedom, patients, resamples=499, seed=seed)
        alike = within_subject_sd_interval(math.sqrt(squares.mean()), 100)
        wrong += [found.upper < truth, found.lower > truth, alike.upper < truth]
    assert wrong[0] / tries <= 0.045
    assert wrong[1] / tries <= 0.045
    assert wrong[2] / tries > 0.07


def test_repeatability_coefficient_is_2_77_times_the_within_subject_sd() -> None:
    assert round(repeatability_coefficient(1.0), 2) == 2.77
    assert repeatability_coefficient(0.5) == repeatability_coefficient(1.0) / 2
    source = np.random.default_rng(2)
    first, second = source.normal(size=(2, 200_000))
    assert np.mean(np.abs(first - second) > repeatability_coefficient(1.0)) == pytest.approx(0.05, abs=0.002)


# The coefficient of variation


def names_of(subjects: int, repeats: int) -> list[str]:
    return [f"S{subject}" for subject in np.arange(subjects).repeat(repeats)]


def test_coefficient_of_variation_by_hand() -> None:
    """A: 9, 11 (SD² 2, mean 10: .02); B: 8, 8; C alone. √(.02 / 2) = .1, two degrees of freedom."""
    found = within_subject_cv(np.asarray([9.0, 8.0, 11.0, 5.0, 8.0]), ["A", "B", "A", "C", "B"])
    assert found.value == pytest.approx(0.1, rel=1e-12)
    assert (found.degrees_of_freedom, found.subjects) == (2.0, 2)
    assert found.interval == within_subject_sd_interval(found.value, 2)


def test_pairs_give_the_formula_of_relative_differences() -> None:
    """Raunig et al. 2015: wCV² = mean of d² / 2 over squared means."""
    source = np.random.default_rng(5)
    first, second = source.uniform(5.0, 9.0, size=(2, 40))
    found = within_subject_cv(np.concatenate([first, second]), [f"S{number}" for number in range(40)] * 2)
    expected = np.sqrt((((first - second) ** 2 / 2.0) / ((first + second) / 2.0) ** 2).mean())
    assert found.value == pytest.approx(expected, rel=1e-12)
    assert found.degrees_of_freedom == 40.0


def test_unequal_numbers_of_repeats_count_each_subject_alike() -> None:
    """pandas: mean over subjects of variance over squared mean; n² / Σ 1/(k - 1) degrees of freedom."""
    source = np.random.default_rng(6)
    subjects = np.r_[np.arange(9), np.arange(9), np.arange(4), np.arange(2), [20]]
    values = source.uniform(5.0, 9.0, size=len(subjects))
    groups = pd.Series(values).groupby(subjects)
    squares = (groups.var() / groups.mean() ** 2).dropna()
    found = within_subject_cv(values, [f"S{subject}" for subject in subjects])
    assert found.value == pytest.approx(float(np.sqrt(squares.mean())), rel=1e-12)
    repeats = groups.count()[groups.count() > 1]
    assert found.degrees_of_freedom == pytest.approx(81.0 / (1.0 / (repeats - 1.0)).sum())
    assert "degrees of freedom" in found.interval.method


def test_the_log_method_is_exact_for_log_normal_values() -> None:
    """√(exp(s²) - 1) of the true s; limits are wrong in 2.5 % on each side, of 1,500 simulated studies at 30 %."""
    source, tries, spread = np.random.default_rng(7), 1500, 0.3
    truth, wrong = math.sqrt(math.expm1(spread**2)), np.zeros(2)
    names = names_of(20, 2)
    for _ in range(tries):
        values = np.exp(source.normal(size=(20, 1)) + spread * source.normal(size=(20, 2))).ravel()
        limits = within_subject_cv(values, names, method="log").interval
        wrong += [limits.lower > truth, limits.upper < truth]
    assert (np.abs(wrong / tries - 0.025) <= 0.013).all()


def test_the_log_method_by_the_formula() -> None:
    """√(exp(s²) - 1), s² the mean of half the squared differences of logarithms (numpy)."""
    first, second = np.random.default_rng(4).uniform(2.0, 9.0, size=(2, 25))
    names = [f"S{number}" for number in range(25)] * 2
    found = within_subject_cv(np.concatenate([first, second]), names, method="log")
    square = ((np.log(first) - np.log(second)) ** 2 / 2.0).mean()
    assert found.value == pytest.approx(np.sqrt(np.exp(square) - 1.0), rel=1e-12)
    limits = np.exp(square * 25 / chi2.ppf([0.975, 0.025], 25)) - 1.0
    assert (found.interval.lower, found.interval.upper) == pytest.approx(tuple(np.sqrt(limits)), rel=1e-9)


def test_both_methods_agree_where_the_scatter_is_small() -> None:
    values = np.exp(
        np.random.default_rng(8).normal(size=(60, 1)) * 0.5 + np.random.default_rng(9).normal(0, 0.05, (60, 2))
    )
    plain, of_logs = (
        within_subject_cv(values.ravel(), names_of(60, 2), method=how) for how in ("root_mean_square", "log")
    )
    assert plain.value == pytest.approx(of_logs.value, rel=0.01)
    assert of_logs.interval.method == "chi-squared, 60 degrees of freedom, of logarithms"
    assert of_logs.subjects == 60


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 20), st.floats(0.001, 1000), st.sampled_from(["root_mean_square", "log"]))
def test_order_and_unit_do_not_matter_to_a_coefficient(
    seed: int, count: int, unit: float, method: Literal["root_mean_square", "log"]
) -> None:
    source = np.random.default_rng(seed)
    names = [f"S{number}" for number in source.integers(0, count, size=3 * count)] + ["S0", "S0"]
    values = source.uniform(1.0, 2.0, size=len(names))
    found = within_subject_cv(values, names, method=method)
    order = source.permutation(len(names))
    again = within_subject_cv(values[order], [names[place] for place in order], method=method)
    assert again.value == pytest.approx(found.value, rel=1e-12)
    scaled = within_subject_cv(unit * values, names, method=method)
    assert scaled.interval.upper == pytest.approx(found.interval.upper, rel=1e-9)
    assert found.interval.lower <= found.value <= found.interval.upper


def test_the_relative_repeatability_coefficient_and_its_limits() -> None:
    found = within_subject_cv(np.asarray([9.0, 11.0, 8.0, 9.0]), ["A", "A", "B", "B"])
    value, interval = found.relative_repeatability
    assert value == repeatability_coefficient(found.value)
    assert (interval.lower, interval.upper) == pytest.approx(
        (1.96 * math.sqrt(2) * found.interval.lower, 1.96 * math.sqrt(2) * found.interval.upper)
    )
    assert interval.confidence == 0.95


@pytest.mark.parametrize(
    ("values", "complaint"),
    [([0.0, 1.0], "above 0"), ([-1.0, 1.0], "above 0"), ([math.nan, 1.0], "above 0"), ([math.inf, 1.0], "not finite")],
)
@pytest.mark.parametrize("method", ["root_mean_square", "log"])
def test_values_without_a_coefficient_are_refused(
    values: list[float], complaint: str, method: Literal["root_mean_square", "log"]
) -> None:
    with pytest.raises(ValueError, match=complaint):
        within_subject_cv(np.asarray(values), ["A", "A"], method=method)
    with pytest.raises(ValueError, match="no subject has two values"):
        within_subject_cv(np.asarray([1.0, 2.0]), ["A", "B"], method=method)
