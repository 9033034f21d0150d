"""Weights of sorted cases, two resamples to a number. The weights are made up."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.statistics._falling import apart, few_rows, in_order, paired, room_for
from gatekeeper.statistics.partial_area import partial_auroc, partial_auroc_of_weights

LARGEST = 2**31 - 1


@given(st.integers(1, 9), st.integers(1, 6), st.integers(0, 2**32 - 1))
def test_sums_of_pairs_are_those_of_the_rows(rows: int, cases: int, seed: int) -> None:
    """Against numpy's sums of each row by itself; the largest counts only just fit."""
    source = np.random.default_rng(seed)
    weights = source.integers(0, LARGEST // cases, (rows, cases), endpoint=True)
    columns = source.permutation(cases)
    pairs = in_order(paired(weights, cases), columns, room_for(cases))
    assert len(pairs) == (rows + 1) // 2
    np.testing.assert_array_equal(apart(np.cumsum(pairs, axis=1), rows), np.cumsum(weights[:, columns], axis=1))


@pytest.mark.parametrize(("count", "sums"), [(3, 1), (2**31, 2), (-1, 2)])
def test_counts_that_do_not_fit_stay_apart(count: int, sums: int) -> None:
    weights = np.array([[count, 1], [1, 2]])
    pairs = in_order(paired(weights, 2), np.array([1, 0]), room_for(2))
    assert len(pairs) == sums
    np.testing.assert_array_equal(apart(pairs, 2), weights[:, ::-1])


@pytest.mark.parametrize("code", [-1, 2])
def test_a_cluster_without_a_column_is_an_error(code: int) -> None:
    with pytest.raises(IndexError, match="do not fit codes"):
        list(few_rows(np.ones((3, 2), dtype=np.int64), np.array([0, code]), 2))


@pytest.mark.parametrize("most", [0.01, 0.1, 0.5, 1.0])
@pytest.mark.parametrize("steps", [5, 40, 10**6])
def test_a_partial_area_from_the_highest_cases_is_that_of_repeated_cases(most: float, steps: int) -> None:
    """Against ``partial_auroc`` of the cases repeated; the last rows leave most of the highest cases out."""
    source = np.random.default_rng(steps)
    patients, positive = source.integers(0, 150, 400), source.random(400) < 0.3
    scores = np.floor(steps * (source.random(400) + 0.3 * positive))
    weights = source.multinomial(150, np.full(150, 1 / 150), size=31)
    weights[-9:, np.unique(patients[(scores > np.quantile(scores, 0.7)) & ~positive])[5:]] = 0
    found = partial_auroc_of_weights(scores, positive, most, weights, patients)
    for row, value in zip(weights, found, strict=True):
        times = row[patients]
        assert value == partial_auroc(np.repeat(scores, times), np.repeat(positive, times), most)
