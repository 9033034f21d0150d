from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatekeeper.statistics import Undecidable, cluster_weights
from gatekeeper.statistics.bca import bca_interval
from gatekeeper.statistics.clustered_agreement import clustered_concordance, clustered_icc, clustered_within_subject_cv
from gatekeeper.statistics.concordance import concordance_correlation
from gatekeeper.statistics.intraclass import Form, intraclass_correlation
from gatekeeper.statistics.repeatability import within_subject_cv


def made_up(patients: int, each: int, seed: int, repeats: int = 2) -> tuple[np.ndarray, np.ndarray]:
    source = np.random.default_rng(seed)
    own = source.normal(size=patients).repeat(each) + source.normal(size=patients * each)
    values = 20.0 + own[:, None] + 0.6 * source.normal(size=(patients * each, repeats)) + 0.2 * np.arange(repeats)
    return values, np.arange(patients).repeat(each)


@pytest.mark.parametrize("form", Form)
def test_correlations_are_those_of_resampled_rows(form: Form) -> None:
    """Estimate, replicates and jackknife from ``intraclass_correlation`` on the rows of drawn patients, one by one."""
    values, patients = made_up(14, 2, seed=3, repeats=3)
    weights = cluster_weights(14, 60, 5).astype(int)
    by_rows = np.array([intraclass_correlation(values[rows(patients, weight)], form)[0] for weight in weights])
    without = np.array([intraclass_correlation(values[patients != patient], form)[0] for patient in range(14)])
    estimate = intraclass_correlation(values, form)[0]
    expected = bca_interval(by_rows, estimate, without, 0.8)
    found, interval = clustered_icc(values, patients, form, 0.8, resamples=60, seed=5)
    assert found == pytest.approx(estimate, rel=1e-9)
    assert (interval.lower, interval.upper) == pytest.approx((expected.lower, expected.upper), rel=1e-7)


def rows(patients: np.ndarray, weight: np.ndarray) -> np.ndarray:
    return np.concatenate(
        [np.flatnonzero(patients == patient) for patient in np.repeat(np.arange(len(weight)), weight)]
    )


def test_concordance_is_that_of_resampled_rows() -> None:
    values, patients = made_up(14, 2, seed=4)
    first, second = values.T
    weights = cluster_weights(14, 60, 5).astype(int)
    by_rows = np.array(
        [
            concordance_correlation(first[rows(patients, weight)], second[rows(patients, weight)]).value
            for weight in weights
        ]
    )
    without = np.array(
        [
            concordance_correlation(first[patients != patient], second[patients != patient]).value
            for patient in range(14)
        ]
    )
    estimate = concordance_correlation(first, second).value
    expected = bca_interval(by_rows, estimate, without, 0.8)
    found, interval = clustered_concordance(first, second, patients, 0.8, resamples=60, seed=5)
    assert found == pytest.approx(estimate, rel=1e-9)
    assert (interval.lower, interval.upper) == pytest.approx((expected.lower, expected.upper), rel=1e-7)


def test_the_coefficient_of_variation_is_that_of_subjects() -> None:
    values, patients = made_up(12, 2, seed=5, repeats=3)
    plain = within_subject_cv(values.ravel(), [f"S{subject}" for subject in np.arange(24).repeat(3)])
    found, interval = clustered_within_subject_cv(values, patients)
    assert found == pytest.approx(plain.value, rel=1e-12)
    assert interval.lower < found < interval.upper


def test_limits_hold_where_some_patients_scatter_more() -> None:
    """600 made-up studies of 60 patients with two lesions; the upper limit is wrong in 3 to 5 % where scatter is
    log-normal with σ = 0.4, that of chi-squared in 13 %."""
    source, tries, patients = np.random.default_rng(6), 600, np.arange(60).repeat(2)

    def draw(count: int) -> np.ndarray:
        scatter = (0.1 * np.exp(0.4 * source.normal(size=count))).repeat(2)
        return np.asarray(np.maximum(5.0, 100.0 * (1.0 + scatter[:, None] * source.normal(size=(2 * count, 2)))))

    many = draw(500_000)
    truth = math.sqrt(float((many.var(axis=1, ddof=1) / many.mean(axis=1) ** 2).mean()))
    above = below = plain = 0
    names = [str(subject) for subject in np.arange(120).repeat(2)]
    for seed in range(tries):
        values = draw(60)
        _, interval = clustered_within_subject_cv(values, patients, resamples=499, seed=seed)
        above, below = above + (interval.lower > truth), below + (interval.upper < truth)
        plain += within_subject_cv(values.ravel(), names).interval.upper < truth
    assert above / tries <= 0.04
    assert below / tries <= 0.06
    assert plain / tries > 0.09


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(10, 25), st.integers(1, 3), st.floats(-1e3, 1e3), st.floats(0.1, 10))
def test_order_and_unit_do_not_matter(seed: int, count: int, each: int, offset: float, unit: float) -> None:
    values, patients = made_up(count, each, seed)
    order = np.random.default_rng(seed).permutation(len(values))
    found = clustered_icc(values, patients, resamples=199)
    assert clustered_icc(values[order], patients[order], resamples=199) == found
    moved = clustered_icc(offset + unit * values, patients, resamples=199)
    assert moved[0] == pytest.approx(found[0], rel=1e-6, abs=1e-9)
    assert moved[1].lower == pytest.approx(found[1].lower, rel=1e-5, abs=1e-6)
    ours = clustered_concordance(*values.T, patients, resamples=199)
    assert clustered_concordance(*values[order].T, patients[order], resamples=199) == ours
    assert -1.0 <= ours[1].lower <= ours[1].upper <= 1.0


def test_lesions_that_repeat_each_other_are_no_more_evidence() -> None:
    values, patients = made_up(30, 1, seed=1)
    once = clustered_concordance(*values.T, patients)[1]
    four_times = clustered_concordance(*values.repeat(4, axis=0).T, patients.repeat(4))[1]
    assert (four_times.lower, four_times.upper) == pytest.approx((once.lower, once.upper), rel=1e-6)


def test_impossible_studies_are_refused() -> None:
    values, patients = made_up(9, 2, seed=1)
    with pytest.raises(Undecidable, match="10 of them"):
        clustered_icc(values, patients)
    with pytest.raises(Undecidable, match="10 of them"):
        clustered_concordance(*values.T, patients)
    with pytest.raises(Undecidable, match="no patient changes"):
        clustered_icc(np.tile([1.0, 2.0], (12, 1)), np.arange(12))
    with pytest.raises(Undecidable, match="no patient changes"):
        clustered_concordance(np.ones(12), np.arange(12.0), np.arange(12))
    with pytest.raises(ValueError, match="patients for"):
        clustered_icc(values, patients[:3])
    with pytest.raises(ValueError, match="above 0"):
        clustered_within_subject_cv(values - 30.0, patients)
    with pytest.raises(ValueError, match="missing"):
        clustered_icc(np.where(values == values.max(), np.nan, values), patients)
    with pytest.raises(ValueError, match="first and"):
        clustered_concordance(values[:3, 0], values[:, 1], patients)
