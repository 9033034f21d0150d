"""Metrics of a whole confusion table against scikit-learn, and what must hold of every table."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    class_likelihood_ratios,
    cohen_kappa_score,
    f1_score,
    fbeta_score,
    matthews_corrcoef,
)

from gatekeeper.metrics import METRICS, ConfusionTable, at_rates
from gatekeeper.metrics.whole_table import f_beta

PEERS = {
    "balanced_accuracy": balanced_accuracy_score,
    "youden": lambda label, called: balanced_accuracy_score(label, called, adjusted=True),
    "f1": f1_score,
    "matthews_correlation": matthews_corrcoef,
    "kappa": cohen_kappa_score,
    "negative_likelihood_ratio": lambda label, called: class_likelihood_ratios(label, called)[1],
    "positive_likelihood_ratio": lambda label, called: class_likelihood_ratios(label, called)[0],
}
filled = st.tuples(*[st.integers(1, 40)] * 4)
any_table = st.tuples(*[st.integers(0, 40)] * 4)


def value(name: str, table: tuple[float, ...]) -> float:
    of_table = METRICS.get(name).of_table
    assert of_table is not None
    return float(of_table(ConfusionTable.of(np.array(table, dtype=np.float64))))


@pytest.mark.parametrize("name", sorted(PEERS))
@given(table=filled)
def test_the_value_is_that_of_scikit_learn(name: str, table: tuple[int, int, int, int]) -> None:
    label = np.repeat([1, 0, 1, 0], table)
    called = np.repeat([1, 1, 0, 0], table)
    assert value(name, table) == pytest.approx(PEERS[name](label, called), abs=1e-12)


@given(table=filled)
def test_accuracy_is_that_of_scikit_learn(table: tuple[int, int, int, int]) -> None:
    proportion = METRICS.get("accuracy").proportion
    assert proportion is not None
    found = proportion(ConfusionTable.of(np.array(table, dtype=np.float64)))
    label, called = np.repeat([1, 0, 1, 0], table), np.repeat([1, 1, 0, 0], table)
    assert float(found.value) == pytest.approx(accuracy_score(label, called))
    assert found.trials == sum(table)


@pytest.mark.parametrize("name", sorted(PEERS))
@given(table=any_table)
def test_every_table_gives_a_number_within_the_range_or_none(name: str, table: tuple[int, int, int, int]) -> None:
    found, spec = value(name, table), METRICS.get(name)
    assert np.isnan(found) or spec.lowest - 1e-12 <= found <= spec.highest + 1e-12


@pytest.mark.parametrize("name", sorted(PEERS))
@given(table=filled)
def test_one_more_right_is_never_worse(name: str, table: tuple[int, int, int, int]) -> None:
    """A false call made right: better for calls that are better than chance."""
    tp, fp, fn, tn = table
    if value("youden", table) <= 0.0:
        return
    sign = 1.0 if METRICS.get(name).higher_is_better else -1.0
    for better in ((tp + 1, fp, fn - 1, tn), (tp, fp - 1, fn, tn + 1)):
        assert sign * value(name, better) >= sign * value(name, table) - 1e-12


@pytest.mark.parametrize("name", ["matthews_correlation", "kappa", "youden", "balanced_accuracy"])
@given(table=filled)
def test_calling_the_other_class_positive_changes_nothing(name: str, table: tuple[int, int, int, int]) -> None:
    assert value(name, table) == pytest.approx(value(name, table[::-1]), abs=1e-12)


@pytest.mark.parametrize("name", sorted(PEERS))
def test_many_tables_at_once_equal_one_by_one(name: str) -> None:
    of_table = METRICS.get(name).of_table
    assert of_table is not None
    tables = np.random.default_rng(3).integers(0, 4, size=(50, 4)).astype(np.float64)
    np.testing.assert_array_equal(of_table(ConfusionTable.of(tables)), [value(name, tuple(row)) for row in tables])


def test_rates_give_back_themselves() -> None:
    table = at_rates(0.8, 0.7, 0.25)
    assert float(table.tp / (table.tp + table.fn)) == pytest.approx(0.8)
    assert float(table.tn / (table.tn + table.fp)) == pytest.approx(0.7)
    assert float(table.tp + table.fn) == pytest.approx(0.25)


@given(table=filled, beta=st.sampled_from([0.5, 1.0, 2.0, 3.7]))
def test_f_beta_is_that_of_scikit_learn(table: tuple[int, int, int, int], beta: float) -> None:
    label, called = np.repeat([1, 0, 1, 0], table), np.repeat([1, 1, 0, 0], table)
    found = f_beta(ConfusionTable.of(np.array(table, dtype=np.float64)), beta)
    assert float(found) == pytest.approx(fbeta_score(label, called, beta=beta))


def test_a_positive_ratio_without_a_false_alarm_is_given_as_a_million() -> None:
    assert value("positive_likelihood_ratio", (5, 0, 5, 10)) == 1_000_000.0
    assert np.isnan(value("positive_likelihood_ratio", (0, 0, 5, 10)))
