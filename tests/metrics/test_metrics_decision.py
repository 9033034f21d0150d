"""What calls are worth, against scikit-learn's predictive values and costs added up case by case."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import precision_score

from gatekeeper.metrics import ConfusionTable, at_rates
from gatekeeper.metrics.decision import expected_cost, net_benefit, number_needed_to_predict, predictive_summary_index

filled = st.tuples(*[st.integers(1, 40)] * 4)
any_table = st.tuples(*[st.integers(0, 40)] * 4)


def table_of(counts: tuple[int, ...]) -> ConfusionTable:
    return ConfusionTable.of(np.array(counts, dtype=np.float64))


@given(counts=filled, cost=st.floats(0.1, 50.0))
def test_the_cost_is_that_of_every_case_added_up(counts: tuple[int, int, int, int], cost: float) -> None:
    label, called = np.repeat([1, 0, 1, 0], counts), np.repeat([1, 1, 0, 0], counts)
    each = np.where(label == called, 0.0, np.where(label == 1, cost, 1.0))
    assert float(expected_cost(table_of(counts), cost)) == pytest.approx(np.mean(each))


def test_net_benefit_of_a_table_reckoned_by_hand() -> None:
    """75 of 300 positive; 60 found with 45 false alarms, each worth a ninth of a find at a threshold of 10 %."""
    assert float(net_benefit(table_of((60, 45, 15, 180)), 0.1)) == pytest.approx((60 - 45 / 9) / 300)


@given(counts=filled, threshold=st.floats(0.01, 0.99))
def test_calling_everybody_or_nobody_has_the_net_benefit_that_vickers_and_elkin_give(
    counts: tuple[int, int, int, int], threshold: float
) -> None:
    tp, fp, fn, tn = counts
    share = (tp + fn) / sum(counts)
    everybody = net_benefit(table_of((tp + fn, fp + tn, 0, 0)), threshold)
    assert float(everybody) == pytest.approx(share - (1 - share) * threshold / (1 - threshold))
    assert float(net_benefit(table_of((0, 0, tp + fn, fp + tn)), threshold)) == 0.0


@given(counts=filled)
def test_the_number_needed_is_the_reciprocal_of_what_the_predictive_values_exceed_one_by(
    counts: tuple[int, int, int, int],
) -> None:
    label, called = np.repeat([1, 0, 1, 0], counts), np.repeat([1, 1, 0, 0], counts)
    index = precision_score(label, called) + precision_score(1 - label, 1 - called) - 1.0
    assert float(predictive_summary_index(table_of(counts))) == pytest.approx(index, abs=1e-12)
    needed = float(number_needed_to_predict(table_of(counts)))
    assert needed == (pytest.approx(1.0 / index) if index > 1e-6 else 1_000_000.0)


@given(counts=any_table)
def test_every_table_gives_a_number_or_none(counts: tuple[int, int, int, int]) -> None:
    table, cases = table_of(counts), sum(counts)
    assert np.isnan(float(net_benefit(table, 0.2))) == (cases == 0)
    assert np.isnan(float(expected_cost(table, 3.0))) == (cases == 0)
    tp, fp, fn, tn = counts
    needed = float(number_needed_to_predict(table))
    assert np.isnan(needed) == (tp + fp == 0 or fn + tn == 0)
    assert np.isnan(needed) or needed >= 1.0


def test_many_tables_are_counted_at_once() -> None:
    tables = ConfusionTable.of(np.array([[5.0, 1, 2, 9], [0, 0, 3, 4], [3, 4, 0, 0]]))
    each = [ConfusionTable.of(row) for row in np.array([[5.0, 1, 2, 9], [0, 0, 3, 4], [3, 4, 0, 0]])]
    np.testing.assert_array_equal(number_needed_to_predict(tables), [number_needed_to_predict(one) for one in each])


def test_at_a_prevalence_the_net_benefit_is_that_of_a_large_set() -> None:
    wanted = 0.9 * 0.1 - 0.2 * 0.9 * 0.25
    assert float(net_benefit(at_rates(0.9, 0.8, 0.1), 0.2)) == pytest.approx(wanted)
