"""Intervals of FROC numbers: how often they hold the truth, and what becomes of cases that have no spread.

All findings are made up: lesions of a patient are easy or hard together, false positives are gamma-Poisson.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import beta, chi2

from gatekeeper.statistics.bootstrap import weight_blocks
from gatekeeper.statistics.findings import Findings, counts_at
from gatekeeper.statistics.froc import average_precision, cpm, cpm_of_weights, false_positives_at, sensitivities_at
from gatekeeper.statistics.froc_intervals import (
    average_precision_interval,
    cpm_interval,
    false_positives_at_interval,
    false_positives_interval,
    sensitivity_at_interval,
)
from gatekeeper.statistics.interval import Interval, Undecidable

ROUNDS, PATIENTS, RESAMPLES = 400, 100, 200
Limits = Callable[[Findings, int], tuple[float, Interval]]


def drawn(patients: int, seed: int, shift: float, missed: float) -> Findings:
    source = np.random.default_rng(seed)
    lesions = source.poisson(1.2, patients)
    case = np.repeat(np.arange(patients), lesions)
    scores = source.normal(shift + source.normal(0.0, 0.7, patients)[case])
    seen = source.random(len(case)) > missed
    of_false = np.repeat(np.arange(patients), source.poisson(source.gamma(1.0, 6.0, patients)))
    return Findings(
        np.concatenate([scores[seen], source.normal(size=len(of_false))]),
        np.arange(seen.sum() + len(of_false)) < seen.sum(),
        np.concatenate([case[seen], of_false]).astype(np.intp),
        lesions,
        np.arange(patients, dtype=np.intp),
    )


def of_kind(lesions: list[int], hits: list[int], falses: list[int]) -> Findings:
    """Hits score 1, false positives 0; one case a patient."""
    case = np.concatenate([np.repeat(np.arange(len(hits)), hits), np.repeat(np.arange(len(hits)), falses)])
    hit = np.arange(len(case)) < sum(hits)
    return Findings(hit.astype(np.float64), hit, case.astype(np.intp), np.array(lesions), np.arange(len(hits)))


SHARES: dict[str, tuple[Callable[[Findings], float], Limits]] = {
    "cpm": (cpm, lambda found, seed: cpm_interval(found, 0.95, RESAMPLES, seed)),
    "ap": (
        lambda found: average_precision(found, "all_points"),
        lambda found, seed: average_precision_interval(found, "all_points", 0.95, RESAMPLES, seed),
    ),
    "sensitivity at 1": (
        lambda found: float(sensitivities_at(found, (1.0,), "steps")[0]),
        lambda found, seed: sensitivity_at_interval(found, 1.0, 0.95, RESAMPLES, seed),
    ),
}


@pytest.mark.parametrize("name", sorted(SHARES))
@pytest.mark.parametrize(("shift", "missed"), [(2.5, 0.05), (4.0, 0.01)])
def test_limits_of_shares_err_as_seldom_as_they_promise(name: str, shift: float, missed: float) -> None:
    """2.5 % a side are promised; 5 % of 400 rounds would be exceeded by chance in less than 1 of 1,000 runs."""
    value, limits = SHARES[name]
    truth = value(drawn(40_000, 99, shift, missed))
    found = [limits(drawn(PATIENTS, seed, shift, missed), seed)[1] for seed in range(ROUNDS)]
    assert sum(interval.lower > truth for interval in found) <= 0.05 * ROUNDS
    assert sum(interval.upper < truth for interval in found) <= 0.05 * ROUNDS
    assert all(0.0 <= interval.lower <= interval.upper <= 1.0 for interval in found)


def test_percentile_limits_near_1_would_promise_too_much() -> None:
    truth, wrong = cpm(drawn(40_000, 99, 4.0, 0.01)), 0
    for seed in range(ROUNDS):
        found = drawn(PATIENTS, seed, 4.0, 0.01)
        replicates = cpm_of_weights(found, weight_blocks(PATIENTS, RESAMPLES, seed))
        wrong += bool(np.quantile(replicates, 0.025) > truth)
    assert wrong > 0.05 * ROUNDS


@pytest.mark.parametrize(("shift", "sensitivity"), [(1.5, 0.6), (2.5, 0.8), (4.0, 0.95)])
def test_limits_of_false_positives_at_a_sensitivity_err_as_seldom_as_they_promise(
    shift: float, sensitivity: float
) -> None:
    truth = false_positives_at(drawn(40_000, 99, shift, 0.02), sensitivity)
    found = [
        false_positives_at_interval(drawn(PATIENTS, seed, shift, 0.02), sensitivity, 0.95, RESAMPLES, seed)[1]
        for seed in range(ROUNDS)
    ]
    assert sum(interval.lower > truth for interval in found) <= 0.05 * ROUNDS
    assert sum(interval.upper < truth for interval in found) <= 0.05 * ROUNDS


@pytest.mark.parametrize("cut", [1.0, 2.5])
def test_limits_of_mean_false_positives_err_as_seldom_as_they_promise(cut: float) -> None:
    counts = counts_at(drawn(40_000, 99, 2.0, 0.0), cut)
    truth, found = counts.false_positives.sum() / counts.cases.sum(), []
    for seed in range(ROUNDS):
        counts = counts_at(drawn(PATIENTS, seed, 2.0, 0.0), cut)
        found.append(false_positives_interval(counts.false_positives, counts.cases, 0.95, 500, seed)[1])
    assert sum(interval.lower > truth for interval in found) <= 0.05 * ROUNDS
    assert sum(interval.upper < truth for interval in found) <= 0.05 * ROUNDS


@pytest.mark.parametrize("name", sorted(SHARES))
def test_a_perfect_result_has_exact_limits_over_patients_with_lesions(name: str) -> None:
    value, interval = SHARES[name][1](of_kind([2, 1, 0, 1, 0], [2, 1, 0, 1, 0], [0] * 5), 0)
    assert value == 1.0
    assert interval.lower == pytest.approx(beta.ppf(0.025, 3, 1), abs=1e-12)
    assert interval.upper == 1.0
    assert "3 patients with lesions" in interval.method


@pytest.mark.parametrize("name", sorted(SHARES))
def test_no_hit_has_the_mirrored_limits(name: str) -> None:
    value, interval = SHARES[name][1](of_kind([2, 1, 0, 1], [0] * 4, [1] * 4), 0)
    assert value == 0.0
    assert (interval.lower, interval.upper) == pytest.approx((0.0, beta.ppf(0.975, 1, 3)), abs=1e-12)


@pytest.mark.parametrize("name", sorted(SHARES))
def test_patients_who_are_all_alike_do_not_bound_the_others(name: str) -> None:
    """Half of the lesions hit in each of 20: Wilson's limits on no more than twice the 40 lesions."""
    value, interval = SHARES[name][1](of_kind([2] * 20, [1] * 20, [0] * 20), 0)
    assert value == 0.5
    assert interval.lower < 0.40
    assert interval.upper > 0.60


@pytest.mark.parametrize("name", sorted(SHARES))
def test_the_lesions_of_one_patient_bound_nothing(name: str) -> None:
    with_others = of_kind([2, *[0] * 9], [1, *[0] * 9], [0] * 10)
    value, interval = SHARES[name][1](with_others, 0)
    assert value == 0.5
    assert (interval.lower, interval.upper) == (0.0, 1.0)


def test_too_many_resamples_without_a_lesion_decide_nothing() -> None:
    few = of_kind([2, 2, *[0] * 50], [1, 0, *[0] * 50], [1] * 52)
    with pytest.raises(Undecidable, match="have no lesion"):
        cpm_interval(few)
    with pytest.raises(Undecidable, match="have no lesion"):
        false_positives_at_interval(few, 0.25)


@pytest.mark.parametrize("name", sorted(SHARES))
def test_without_a_lesion_there_is_no_interval(name: str) -> None:
    with pytest.raises(ValueError, match="no case has a reference lesion"):
        SHARES[name][1](of_kind([0, 0], [0, 0], [1, 1]), 0)


def test_a_sensitivity_that_no_cut_reaches_has_no_upper_limit() -> None:
    value, interval = false_positives_at_interval(of_kind([2] * 30, [1] * 30, [1] * 30), 0.9)
    assert value == math.inf
    assert interval.upper == math.inf


def test_a_sensitivity_that_resamples_miss_has_no_upper_limit() -> None:
    """27 of 30 lesions are hit: a resample often has fewer than 90 %."""
    value, interval = false_positives_at_interval(of_kind([1] * 30, [1] * 27 + [0] * 3, [1] * 30), 0.9)
    assert value == 0.0
    assert interval.upper == math.inf


def test_few_false_positives_have_at_least_the_limits_of_fay_and_feuer() -> None:
    """By their formula with the variance of a Poisson mean: one false positive each in 1, or in 4, of 100 cases."""
    for count, most in ((1, 0.1), (4, 0.15)):
        falses = np.array([1] * count + [0] * (100 - count))
        value, interval = false_positives_interval(falses, np.ones(100, dtype=int))
        assert value == count / 100
        assert interval.lower <= chi2.ppf(0.025, 2 * count) / 200
        assert chi2.ppf(0.975, 2 * count + 2) / 200 <= interval.upper < most


def test_patients_with_as_many_false_positives_each_have_the_limits_of_a_poisson_mean_at_least() -> None:
    value, interval = false_positives_interval(np.ones(30, dtype=int), np.ones(30, dtype=int))
    assert value == 1.0
    assert interval.lower <= chi2.ppf(0.025, 60) / 60
    assert interval.upper >= chi2.ppf(0.975, 62) / 60


@pytest.mark.parametrize("patients", [1, 30, 300])
def test_no_false_positive_has_the_exact_limit_of_a_poisson_mean(patients: int) -> None:
    """Garwood's limit as a quantile of chi-squared, halved."""
    nothing, twice = np.zeros(patients, dtype=int), np.full(patients, 2)
    value, interval = false_positives_interval(nothing, twice)
    assert (value, interval.lower) == (0.0, 0.0)
    assert interval.upper == pytest.approx(chi2.ppf(0.975, 2) / 2 / patients, rel=1e-12)
    perfect = of_kind([1] * patients, [1] * patients, [0] * patients)
    assert false_positives_at_interval(perfect, 0.9)[1].upper == pytest.approx(interval.upper)


def test_false_positives_of_one_patient_have_no_upper_limit() -> None:
    value, interval = false_positives_interval(np.array([3]), np.array([2]))
    assert value == 1.5
    assert (interval.lower, interval.upper) == (0.0, math.inf)


@pytest.mark.parametrize(
    ("falses", "cases"), [([1], [0]), ([], []), ([0], [0]), ([-1], [2]), ([1, 2], [1]), ([1], [-1])]
)
def test_counts_that_do_not_fit_are_refused(falses: list[int], cases: list[int]) -> None:
    with pytest.raises(ValueError, match="false positives"):
        false_positives_interval(np.array(falses, dtype=int), np.array(cases, dtype=int))


def test_the_order_of_cases_and_findings_changes_no_limit() -> None:
    found = drawn(60, 7, 2.0, 0.1)
    source = np.random.default_rng(1)
    rows, cases = source.permutation(len(found.scores)), source.permutation(60)
    moved_to: NDArray[np.intp] = np.argsort(cases)
    moved = Findings(
        found.scores[rows], found.hit[rows], moved_to[found.case[rows]], found.lesions[cases], found.clusters[cases]
    )
    for _, limits in SHARES.values():
        assert limits(moved, 3) == limits(found, 3)


@pytest.mark.parametrize("confidence", [0.0, 1.0, math.nan])
def test_a_confidence_that_is_none_is_refused(confidence: float) -> None:
    for call in (cpm_interval, lambda found, level: false_positives_at_interval(found, 0.5, level)):
        with pytest.raises(ValueError, match="confidence"):
            call(drawn(20, 0, 2.0, 0.1), confidence)
