from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.optimize import brentq
from statsmodels.api import OLS

from gatekeeper.statistics import Undecidable, clopper_pearson, cluster_weights, mean_interval
from gatekeeper.statistics.means import ClusteredMean, clustered_mean_interval, skew_corrected_mean_interval


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.floats(min_value=-1e3, max_value=1e3), min_size=2, max_size=40),
    st.floats(min_value=0.6, max_value=0.99),
)
def test_the_interval_is_scipys(values: list[float], confidence: float) -> None:
    array = np.array(values)
    mean, interval = mean_interval(array, confidence)
    assert mean == pytest.approx(array.mean())
    if np.ptp(array) > 1e-6:
        expected = stats.t.interval(confidence, len(array) - 1, loc=array.mean(), scale=stats.sem(array))
        assert (interval.lower, interval.upper) == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_one_value_has_no_spread() -> None:
    with pytest.raises(Undecidable, match="two values"):
        mean_interval(np.array([1.0]))


@pytest.mark.parametrize("values", [[1.0, np.nan], [np.inf, 1.0]])
def test_values_are_finite(values: list[float]) -> None:
    with pytest.raises(ValueError, match="finite"):
        mean_interval(np.array(values))


# Skewed values


@pytest.mark.parametrize(("count", "confidence"), [(5, 0.95), (40, 0.9), (300, 0.99)])
def test_skewed_means_have_halls_limits(count: int, confidence: float) -> None:
    """His cubic, solved by scipy: t + a t² + a² t³ / 3 + a / 2 = Student's quantile, a a third of the skewness of the
    mean. A fifth of the largest value more is in spread and skewness.
    """
    values = np.random.default_rng(count).lognormal(0.0, 0.8, size=count)
    away = (values - values.mean()) / count
    squares, cubes = (float((away**power).sum() + 0.2 * away.max() ** power) for power in (2, 3))
    a = cubes / squares**1.5 / 3.0
    quantile, error = stats.t.ppf(0.5 + confidence / 2.0, count - 1), np.sqrt(count / (count - 1) * squares)
    limits = [
        values.mean() - error * brentq(lambda t, end=end: t + a * t**2 + a**2 * t**3 / 3 + a / 2 - end, -500, 500)
        for end in (quantile, -quantile)
    ]
    mean, found = skew_corrected_mean_interval(values, confidence)
    assert (mean, found.lower, found.upper) == pytest.approx((values.mean(), *limits), rel=1e-8)
    assert "skewness removed" in found.method


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 60), st.floats(1e-3, 1e3))
def test_the_limits_of_skewed_values_do_not_depend_on_order_or_unit(seed: int, count: int, unit: float) -> None:
    source = np.random.default_rng(seed)
    values = source.lognormal(0.0, 1.0, size=count)
    mean, found = skew_corrected_mean_interval(values)
    assert found.lower <= mean <= found.upper
    _, again = skew_corrected_mean_interval(source.permutation(values))
    assert (again.lower, again.upper) == pytest.approx((found.lower, found.upper), rel=1e-9)
    _, scaled = skew_corrected_mean_interval(unit * values)
    assert (scaled.lower, scaled.upper) == pytest.approx((unit * found.lower, unit * found.upper), rel=1e-6)


def test_values_that_are_all_alike_have_their_mean_for_limits() -> None:
    for values in (np.full(7, 0.1), np.zeros(3)):
        assert skew_corrected_mean_interval(values) == mean_interval(values)
    with pytest.raises(Undecidable, match="two values"):
        skew_corrected_mean_interval(np.array([1.0]))
    with pytest.raises(ValueError, match="finite"):
        skew_corrected_mean_interval(np.array([1.0, np.nan]))


def test_one_slow_call_leaves_room_for_more() -> None:
    values = np.r_[np.full(99, 1.0), 10.0]
    skewed, students = skew_corrected_mean_interval(values)[1], mean_interval(values)[1]
    assert skewed.upper - values.mean() > 2.0 * (students.upper - values.mean())


def test_limits_of_times_with_slow_calls_are_rarely_wrong() -> None:
    """1,000 made-up runs of 300 calls, one in fifty ten times as long: Student's upper limit is wrong in 10 %."""
    source, tries = np.random.default_rng(7), 1000
    truth, wrong = np.exp(0.3**2 / 2.0) * (1.0 + 0.02 * 9.0), np.zeros(3)
    for _ in range(tries):
        seconds = source.lognormal(0.0, 0.3, size=300) * np.where(source.random(300) < 0.02, 10.0, 1.0)
        found, students = skew_corrected_mean_interval(seconds)[1], mean_interval(seconds)[1]
        wrong += [found.upper < truth, found.lower > truth, students.upper < truth]
    assert wrong[0] / tries <= 0.025
    assert wrong[1] / tries <= 0.035
    assert wrong[2] / tries > 0.07


# Cases of patients


def studentised_by_rows(values: np.ndarray, patients: np.ndarray, weights: np.ndarray) -> list[float]:
    """(mean* - mean) / SE* of resampled rows, in a plain loop over drawn patients."""
    mean, found = values.mean(), []
    for weight in weights:
        drawn = np.repeat(np.arange(len(weight)), weight)
        sums = np.array([values[patients == patient].sum() for patient in drawn])
        cases = np.array([(patients == patient).sum() for patient in drawn])
        moved = sums.sum() / cases.sum()
        variance = len(drawn) / (len(drawn) - 1) * ((sums - moved * cases) ** 2).sum() / cases.sum() ** 2
        found.append((moved - mean) / np.sqrt(variance))
    return found


def test_studentised_means_equal_those_of_resampled_rows() -> None:
    source = np.random.default_rng(1)
    patients = np.sort(np.r_[np.arange(12), source.integers(0, 12, size=25)])
    values = source.random(len(patients))
    sample = ClusteredMean.of(values, patients, 0.0, 1.0, resamples=40, seed=3)
    by_rows = studentised_by_rows(values, patients, cluster_weights(12, 40, 3).astype(int))
    assert sample.studentised.tolist() == pytest.approx(by_rows, rel=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_the_standard_error_is_cluster_robust(seed: int) -> None:
    """statsmodels OLS on a constant, cov_type="cluster": its factor is C / (C - 1) (n - 1) / (n - k), k = 1."""
    source = np.random.default_rng(seed)
    patients = source.integers(0, 15, size=60)
    values = source.normal(size=60) + 0.3 * patients
    fitted = OLS(values, np.ones(60)).fit(cov_type="cluster", cov_kwds={"groups": patients})
    sample = ClusteredMean.of(values, patients)
    assert sample.mean == pytest.approx(fitted.params[0], rel=1e-12)
    assert sample.standard_error == pytest.approx(fitted.bse[0], rel=1e-9)


def test_limits_by_hand() -> None:
    """One case a patient, bounds 0 and 1: q SE, SE with a fifth of a patient at 0 added below and at 1 above."""
    source = np.random.default_rng(2)
    values = source.beta(8.0, 2.0, size=50)
    sample = ClusteredMean.of(values, np.arange(50), 0.0, 1.0)
    mean, squares = values.mean(), ((values - values.mean()) ** 2).sum()
    student = stats.t.ppf(0.975, 49)
    low = max(student, np.quantile(sample.studentised, 0.975, method="higher"))
    high = max(student, -np.quantile(sample.studentised, 0.025, method="lower"))
    se_low, se_high = (np.sqrt(50 / 49 * (squares + 0.2 * (mean - end) ** 2)) / 50 for end in (0.0, 1.0))
    interval = sample.interval(0.95)
    assert (interval.lower, interval.upper) == pytest.approx((mean - low * se_low, mean + high * se_high), rel=1e-9)
    free = ClusteredMean.of(values, np.arange(50))
    added = np.sqrt(50 / 49 * (squares + (mean - values.min()) ** 2)) / 50
    assert free.interval(0.95).lower == pytest.approx(mean - low * added, rel=1e-9)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 30), st.integers(1, 3), st.floats(0.01, 50), st.floats(-100, 100))
def test_order_unit_and_direction_do_not_matter(seed: int, count: int, cases: int, unit: float, offset: float) -> None:
    source = np.random.default_rng(seed)
    patients, values = np.arange(count).repeat(cases), np.round(source.random(count * cases), 3)
    mean, interval = clustered_mean_interval(values, patients, 0.0, 1.0, resamples=99, seed=seed)
    assert 0.0 <= interval.lower <= mean <= interval.upper <= 1.0
    order = source.permutation(len(values))
    assert clustered_mean_interval(values[order], patients[order], 0.0, 1.0, resamples=99, seed=seed) == (
        mean,
        interval,
    )
    moved, limits = clustered_mean_interval(
        offset + unit * values, patients, offset, offset + unit, resamples=99, seed=seed
    )
    # Where a patient's values lie together by rounding alone, resamples without spread come and go.
    assert moved == pytest.approx(offset + unit * mean, rel=1e-9, abs=1e-9)
    assert limits.upper == pytest.approx(offset + unit * interval.upper, rel=1e-6, abs=1e-6)
    _, turned = clustered_mean_interval(1.0 - values, patients, 0.0, 1.0, resamples=99, seed=seed)
    assert (1.0 - turned.upper, 1.0 - turned.lower) == pytest.approx((interval.lower, interval.upper), abs=1e-9)


def test_limits_of_dice_with_failures_are_rarely_wrong() -> None:
    """600 made-up test sets of 100 patients with one case, 5 % of Dice at 0: Student's lower limit is wrong in 6 %."""
    source, tries, patients = np.random.default_rng(3), 600, np.arange(100)

    def draw(size: int) -> np.ndarray:
        dice = 1.0 / (1.0 + np.exp(-source.normal(2.2, 0.8, size=size)))
        return np.where(source.random(size) < 0.05, 0.0, dice)

    truth, wrong = draw(2_000_000).mean(), np.zeros(3)
    for seed in range(tries):
        values = draw(100)
        _, interval = clustered_mean_interval(values, patients, 0.0, 1.0, resamples=499, seed=seed)
        wrong += [interval.lower > truth, interval.upper < truth, mean_interval(values)[1].lower > truth]
    assert wrong[0] / tries <= 0.04
    assert wrong[1] / tries <= 0.03
    assert wrong[2] / tries > 0.04


@pytest.mark.parametrize(("lowest", "highest"), [(0.0, 1.0), (-np.inf, np.inf)])
def test_cases_that_repeat_each_other_narrow_nothing(lowest: float, highest: float) -> None:
    values, patients = np.random.default_rng(4).beta(6, 2, size=40), np.arange(40)
    once = clustered_mean_interval(values, patients, lowest, highest)[1]
    many = clustered_mean_interval(values.repeat(5), patients.repeat(5), lowest, highest)[1]
    assert (many.lower, many.upper) == pytest.approx((once.lower, once.upper), rel=1e-9)


def test_patients_that_do_not_differ_have_exact_limits() -> None:
    """Clopper & Pearson's limit of 0 of 50 patients who differ, all with the worst value."""
    mean, interval = clustered_mean_interval(np.ones(50), np.arange(50), 0.0, 1.0)
    exact = clopper_pearson(50, 50)
    assert (mean, interval.lower, interval.upper) == (1.0, pytest.approx(exact.lower), 1.0)
    _, interval = clustered_mean_interval(np.full(100, 0.9), np.arange(100) // 2, 0.0, 1.0)
    others = clopper_pearson(0, 50).upper
    assert (interval.lower, interval.upper) == pytest.approx((0.9 - 0.9 * others, 0.9 + 0.1 * others))
    with pytest.raises(Undecidable, match="without a bound"):
        clustered_mean_interval(np.ones(50), np.arange(50), 0.0)


def test_patients_that_do_not_differ_but_for_rounding_have_the_same_limits() -> None:
    values = np.tile([0.1, 0.9], 20)  # sums less shares of the mean are 2e-16 and not 0
    _, interval = clustered_mean_interval(values, np.arange(40) // 2, 0.0, 1.0)
    mean, others = values.mean(), clopper_pearson(0, 20).upper
    assert interval.lower == pytest.approx(mean - mean * others)


@pytest.mark.parametrize("value", [1e200, -1e300])
def test_values_whose_squares_are_infinite_are_refused(value: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        clustered_mean_interval(np.array([value, 1.0]), np.arange(2))


def test_one_odd_patient_leaves_limits_that_say_something() -> None:
    """A third of all resamples have no spread; the lower limit is then Clopper & Pearson's, for 99 of 100."""
    _, interval = clustered_mean_interval(np.r_[np.ones(99), 0.0], np.arange(100), 0.0, 1.0)
    exact = clopper_pearson(99, 100)
    assert interval.lower == pytest.approx(exact.lower)
    assert 0.99 < interval.upper <= 1.0


def test_the_p_value_is_that_of_the_limit() -> None:
    values = np.random.default_rng(6).beta(6, 2, size=80)
    for sample in (
        ClusteredMean.of(values, np.arange(80) // 2, 0.0, 1.0),
        ClusteredMean.of(values, np.arange(80) // 2).mirrored,
        ClusteredMean.of(np.full(80, 0.9), np.arange(80), 0.0, 1.0),
    ):
        limit = sample.lower_limit(0.025)
        assert sample.p_above(limit - 0.002) < 0.025 < sample.p_above(limit + 0.002)
    assert ClusteredMean.of(np.zeros(9), np.arange(9), 0.0, 1.0).p_above(0.1) == 1.0


@pytest.mark.parametrize(
    ("values", "patients", "error", "complaint"),
    [
        ([0.5, np.nan], [0, 1], ValueError, "finite"),
        ([0.5], [0, 1], ValueError, "finite"),
        ([0.5, 1.5], [0, 1], ValueError, "between 0 and 1"),
        ([0.5, 0.6], [0, 0], Undecidable, "two of them"),
        ([], [], Undecidable, "two of them"),
    ],
)
def test_impossible_cases_are_refused(
    values: list[float], patients: list[int], error: type[Exception], complaint: str
) -> None:
    with pytest.raises(error, match=complaint):
        clustered_mean_interval(np.array(values), np.array(patients, dtype=int), 0.0, 1.0)
