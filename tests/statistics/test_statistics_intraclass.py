from __future__ import annotations

import math
import warnings

import numpy as np
import pandas as pd
import pingouin
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.stats import f
from statsmodels.formula.api import ols
from statsmodels.stats.anova import anova_lm

from gatekeeper.statistics import Undecidable
from gatekeeper.statistics.intraclass import Form, intraclass_correlation, mean_squares

# Shrout & Fleiss, Psychol Bull 1979;86:420, table 2: six targets, four judges.
SHROUT_FLEISS = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], float)
PINGOUIN = {"ICC(1,1)": 0, "ICC(2,1)": 1, "ICC(3,1)": 2, "ICC(1,k)": 3, "ICC(2,k)": 4, "ICC(3,k)": 5}
LAYOUTS = st.tuples(st.integers(3, 8), st.integers(2, 4), st.integers(0, 10_000))


def long(values: np.ndarray) -> pd.DataFrame:
    subjects, repeats = values.shape
    return pd.DataFrame(
        {
            "subject": np.repeat(np.arange(subjects), repeats),
            "rater": np.tile(np.arange(repeats), subjects),
            "value": values.ravel(),
        }
    )


@pytest.mark.parametrize(("form", "published"), list(zip(Form, [0.17, 0.29, 0.71, 0.44, 0.62, 0.91], strict=True)))
def test_the_table_of_shrout_and_fleiss(form: Form, published: float) -> None:
    assert round(intraclass_correlation(SHROUT_FLEISS, form)[0], 2) == published


def test_mean_squares_of_shrout_and_fleiss() -> None:
    """Their table 3: 11.24 between targets, 6.26 within, 32.49 between judges, 1.02 residual."""
    found = mean_squares(SHROUT_FLEISS)
    assert [round(float(square), 2) for square in (found.between, found.within, found.raters, found.error)] == [
        11.24,
        6.26,
        32.49,
        1.02,
    ]


@pytest.mark.parametrize("form", Form)
@pytest.mark.parametrize("seed", range(4))
def test_estimates_and_limits_are_pingouins(form: Form, seed: int) -> None:
    """pingouin.intraclass_corr, whose limits at 95 % are rounded to two digits."""
    source = np.random.default_rng(seed)
    shape = (5 + 4 * seed, 2 + seed % 3)
    values = source.normal(size=(shape[0], 1)) * seed + source.normal(size=shape) + source.normal(size=shape[1])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pandas, of what pingouin calls
        table = pingouin.intraclass_corr(long(values), "subject", "rater", "value")
    theirs = table.iloc[PINGOUIN[form]]
    estimate, interval = intraclass_correlation(values, form)
    assert estimate == pytest.approx(theirs["ICC"], rel=1e-9)
    assert (interval.lower, interval.upper) == pytest.approx(tuple(theirs["CI95"]), abs=0.00501)


@pytest.mark.parametrize(
    ("form", "freedom"), [(Form.ONE_SINGLE, 18), (Form.THREE_SINGLE, 15), (Form.ONE_MEAN, 18), (Form.THREE_MEAN, 15)]
)
@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.99])
def test_limits_by_the_formula_to_full_precision(form: Form, freedom: int, confidence: float) -> None:
    """McGraw & Wong, table 7, with scipy.stats.f."""
    squares = mean_squares(SHROUT_FLEISS)
    ratio = float(squares.between) / float(squares.within if form.model == 1 else squares.error)
    low = ratio / f.ppf(0.5 + confidence / 2, 5, freedom)
    high = ratio * f.ppf(0.5 + confidence / 2, freedom, 5)
    expected = (1 - 1 / low, 1 - 1 / high) if form.of_mean else ((low - 1) / (low + 3), (high - 1) / (high + 3))
    _, interval = intraclass_correlation(SHROUT_FLEISS, form, confidence)
    assert (interval.lower, interval.upper) == pytest.approx(expected, rel=1e-9)


def test_mean_squares_are_those_of_an_analysis_of_variance() -> None:
    """statsmodels.stats.anova.anova_lm of the two-way layout."""
    values = np.random.default_rng(8).normal(size=(9, 3)) + np.arange(3)
    table = anova_lm(ols("value ~ C(subject) + C(rater)", long(values)).fit())
    found = mean_squares(values)
    squares = table["mean_sq"]
    assert (found.between, found.raters, found.error) == pytest.approx(
        (squares["C(subject)"], squares["C(rater)"], squares["Residual"]), rel=1e-9
    )
    within = (table["sum_sq"]["C(rater)"] + table["sum_sq"]["Residual"]) / 18
    assert found.within == pytest.approx(within, rel=1e-9)


def test_the_first_form_equals_a_ratio_of_variance_components() -> None:
    """σ²_subject / (σ²_subject + σ²_within), components solved from expected mean squares computed in a plain loop."""
    values = np.random.default_rng(9).normal(size=(12, 3)) + np.random.default_rng(10).normal(size=(12, 1))
    grand, between, within = values.mean(), 0.0, 0.0
    for row in values:
        between += 3 * (row.mean() - grand) ** 2 / 11
        within += sum((value - row.mean()) ** 2 for value in row) / 24
    of_subjects = (between - within) / 3
    expected = of_subjects / (of_subjects + within)
    assert intraclass_correlation(values, Form.ONE_SINGLE)[0] == pytest.approx(expected, rel=1e-12)


@settings(max_examples=60, deadline=None)
@given(LAYOUTS, st.floats(-1e4, 1e4), st.floats(0.01, 100), st.sampled_from(list(Form)))
def test_order_offset_and_unit_do_not_matter(
    layout: tuple[int, int, int], offset: float, unit: float, form: Form
) -> None:
    subjects, repeats, seed = layout
    source = np.random.default_rng(seed)
    values = source.normal(size=(subjects, 1)) + source.normal(size=(subjects, repeats))
    try:
        estimate, interval = intraclass_correlation(values, form)
    except Undecidable:
        assert form.model == 2  # in tiny layouts the shifts between raters may leave nothing
        return
    assert interval.lower <= estimate <= interval.upper <= 1.0
    assert form.of_mean or form.model == 2 or estimate >= -1.0 / (repeats - 1) - 1e-12
    rows = source.permutation(values)
    assert intraclass_correlation(rows, form) == (estimate, interval)
    assume(abs(estimate) < 1e3 and interval.upper > -1e3)
    moved, limits = intraclass_correlation(offset + unit * values[:, ::-1], form)
    assert moved == pytest.approx(estimate, rel=1e-5, abs=1e-5)
    assert limits.upper == pytest.approx(interval.upper, rel=1e-5, abs=1e-5)


def test_a_shift_between_raters_counts_in_the_second_form_alone() -> None:
    values = np.random.default_rng(1).normal(size=(20, 1)) + 0.1 * np.random.default_rng(2).normal(size=(20, 3))
    shifted = values + np.array([0.0, 2.0, 4.0])
    for form in (Form.THREE_SINGLE, Form.THREE_MEAN):
        assert intraclass_correlation(shifted, form)[0] == pytest.approx(intraclass_correlation(values, form)[0])
    assert intraclass_correlation(shifted, Form.TWO_SINGLE)[0] < 0.5 < intraclass_correlation(values)[0]


def test_limits_cover_as_they_promise() -> None:
    """1,000 simulated studies of 25 subjects and 3 raters, true ICC(2,1) of 0.75; raters drawn anew each time."""
    source, tries, truth = np.random.default_rng(5), 1000, 3.0 / 4.0
    above = below = 0
    for _ in range(tries):
        values = (
            math.sqrt(3.0) * source.normal(size=(25, 1))
            + math.sqrt(0.2) * source.normal(size=(1, 3))
            + math.sqrt(0.8) * source.normal(size=(25, 3))
        )
        _, interval = intraclass_correlation(values)
        above, below = above + (interval.lower > truth), below + (interval.upper < truth)
    assert above / tries <= 0.045
    assert below / tries <= 0.045


def test_repeats_that_never_differ_agree_wholly() -> None:
    values = np.repeat(np.array([[0.1], [0.7], [0.3]]), 2, axis=1)
    for form in Form:
        estimate, interval = intraclass_correlation(values, form)
        assert (estimate, interval.lower, interval.upper) == (1.0, 1.0, 1.0)


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ([[1.0, 2.0]], "two subjects or more"),
        ([[1.0], [2.0]], "two measurements or more"),
        ([1.0, 2.0], "two subjects or more"),
        ([[1.0, math.nan], [2.0, 3.0]], "missing"),
        ([[1.0, math.inf], [2.0, 3.0]], "missing"),
        ([[1.0, 1e200], [2.0, 3.0]], "missing"),
        ([[2.0, 2.0], [2.0, 2.0]], "alike"),
    ],
)
def test_incomplete_or_constant_layouts_are_refused(values: list[object], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        intraclass_correlation(np.array(values))


def test_the_mean_of_repeats_of_subjects_that_do_not_differ_has_no_value() -> None:
    values = np.array([[1.0, 3.0], [3.0, 1.0]])
    assert intraclass_correlation(values, Form.ONE_SINGLE)[0] == -1.0
    with pytest.raises(Undecidable, match="subjects do not differ"):
        intraclass_correlation(np.array([[1.0, 2.0], [1.0, 2.0]]), Form.THREE_SINGLE)
    for form in (Form.TWO_SINGLE, Form.TWO_MEAN):
        with pytest.raises(Undecidable, match="subjects do not differ"):
            intraclass_correlation(np.array([[1.0, 2.0], [1.0, 2.0]]), form)


@pytest.mark.parametrize("form", Form)
def test_no_value_exceeds_one_where_raters_differ_less_than_by_chance(form: Form) -> None:
    """Both mean squares of subjects and raters are 0: ICC(2,k) by the formula is 3, and no reliability."""
    values = np.array([[1.0, 2.0, 3.0], [2.0, 3.0, 1.0], [3.0, 1.0, 2.0]])
    try:
        estimate, interval = intraclass_correlation(values, form)
    except Undecidable:
        assert form.of_mean or form.model == 2
        return
    assert estimate < 0.0
    assert interval.upper < 1.0


def test_a_negative_variance_of_means_is_no_reliability() -> None:
    """(MS_b - MS_e) / (MS_b + (MS_r - MS_e) / n) would be -5 / -0.83 = 6."""
    values = np.array([[4.0, 0.0], [1.0, 1.0], [1.0, 4.0]])
    assert intraclass_correlation(values, Form.TWO_SINGLE)[0] == pytest.approx(-1.5)
    with pytest.raises(Undecidable, match="subjects do not differ"):
        intraclass_correlation(values, Form.TWO_MEAN)
