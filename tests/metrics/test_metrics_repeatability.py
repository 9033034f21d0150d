from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.formula.api import ols

from gatekeeper.metrics.repeatability import subject_flips, subject_ranges, within_subject_squares


def test_a_worked_example() -> None:
    # Subject 0: 0.2, 0.4 (mean 0.3, squares 0.02); subject 1: 0.5, 0.5, 0.8 (mean 0.6, squares 0.06).
    score, subject = np.array([0.2, 0.5, 0.4, 0.5, 0.8]), np.array([0, 1, 0, 1, 1])
    squares, freedom = within_subject_squares(score, subject, 2)
    assert squares == pytest.approx([0.02, 0.06])
    assert freedom.tolist() == [1.0, 2.0]
    assert np.sqrt(squares.sum() / freedom.sum()) == pytest.approx(np.sqrt(0.08 / 3))
    assert subject_ranges(score, subject, 2) == pytest.approx([0.2, 0.3])
    assert subject_flips(score >= 0.5, subject, 2).tolist() == [False, False]
    assert subject_flips(score >= 0.3, subject, 2).tolist() == [True, False]


def test_the_pooled_variance_is_the_residual_mean_square_of_an_analysis_of_variance() -> None:
    random = np.random.default_rng(11)
    subject = np.repeat(np.arange(12), random.integers(2, 5, size=12))
    score = random.normal(0.5, 0.2, size=12)[subject] + random.normal(0.0, 0.05, size=len(subject))
    model = ols("score ~ C(subject)", pd.DataFrame({"score": score, "subject": subject})).fit()
    squares, freedom = within_subject_squares(score, subject, 12)
    assert freedom.sum() == model.df_resid
    assert squares.sum() / freedom.sum() == pytest.approx(model.mse_resid)


@settings(max_examples=50, deadline=None)
@given(score=st.floats(0.0, 1.0), repeats=st.integers(2, 9))
def test_scores_that_never_differ_have_no_spread_at_all(score: float, repeats: int) -> None:
    squares, _ = within_subject_squares(np.full(repeats, score), np.zeros(repeats, dtype=np.intp), 1)
    assert squares[0] == 0.0


def test_a_subject_with_one_row_adds_nothing() -> None:
    squares, freedom = within_subject_squares(np.array([0.7]), np.array([0]), 1)
    assert (squares[0], freedom[0]) == (0.0, 0.0)
    assert not subject_flips(np.array([True]), np.array([0]), 1)[0]
