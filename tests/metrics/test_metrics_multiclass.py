"""Metrics of several classes against scikit-learn, and what must hold of every table."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    cohen_kappa_score,
    confusion_matrix,
    f1_score,
    matthews_corrcoef,
    multilabel_confusion_matrix,
    precision_score,
    recall_score,
)

from gatekeeper.metrics import ConfusionTable, multiclass, whole_table
from gatekeeper.metrics.multiclass import Average, confusion_of_classes
from gatekeeper.metrics.specification import Metric

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
ENTRIES = [entry for entry in vars(multiclass).values() if isinstance(entry, Metric)]
PEERS: dict[str, tuple[Callable[[Floats], Floats], Callable[[Integers, Integers], float]]] = {
    "accuracy": (multiclass.accuracy, accuracy_score),
    "balanced accuracy": (multiclass.sensitivity, balanced_accuracy_score),
    "kappa": (multiclass.kappa, cohen_kappa_score),
    "linear kappa": (
        lambda counts: multiclass.weighted_kappa(counts, 1),
        lambda label, called: cohen_kappa_score(label, called, weights="linear"),
    ),
    "quadratic kappa": (
        multiclass.weighted_kappa,
        lambda label, called: cohen_kappa_score(label, called, weights="quadratic"),
    ),
    "matthews": (multiclass.matthews, matthews_corrcoef),
}
AVERAGED = {
    "sensitivity": (multiclass.sensitivity, recall_score),
    "precision": (multiclass.precision, precision_score),
    "f1": (multiclass.f1, f1_score),
}
filled = st.lists(st.integers(1, 9), min_size=16, max_size=16)
any_table = st.lists(st.integers(0, 4), min_size=9, max_size=9)


def cases_of(cells: list[int]) -> tuple[Floats, Integers, Integers]:
    """Return a K x K table, and the labels and calls of its cases."""
    classes = round(len(cells) ** 0.5)
    label, called = (part.ravel() for part in np.indices((classes, classes)))
    return (
        np.array(cells, dtype=np.float64).reshape(classes, classes),
        np.repeat(label, cells),
        np.repeat(called, cells),
    )


@pytest.mark.parametrize("name", sorted(PEERS))
@given(cells=filled)
def test_the_value_is_that_of_scikit_learn(name: str, cells: list[int]) -> None:
    counts, label, called = cases_of(cells)
    own, peer = PEERS[name]
    assert float(own(counts)) == pytest.approx(peer(label, called), abs=1e-12)


@pytest.mark.parametrize("average", list(Average))
@pytest.mark.parametrize("name", sorted(AVERAGED))
@given(cells=filled)
def test_averages_are_those_of_scikit_learn(name: str, average: Average, cells: list[int]) -> None:
    counts, label, called = cases_of(cells)
    own, peer = AVERAGED[name]
    assert float(own(counts, average)) == pytest.approx(peer(label, called, average=average.value), abs=1e-12)


@given(cells=filled)
def test_specificity_and_npv_are_those_of_the_tables_one_against_rest(cells: list[int]) -> None:
    """Two by two tables from scikit-learn's ``multilabel_confusion_matrix``."""
    counts, label, called = cases_of(cells)
    tn, fp, fn, _ = (part.astype(np.float64) for part in multilabel_confusion_matrix(label, called).reshape(-1, 4).T)
    shares = counts.sum(axis=1) / counts.sum()
    for single, averaged, wrong in (
        (multiclass.class_specificity, multiclass.specificity, fp),
        (multiclass.class_npv, multiclass.npv, fn),
    ):
        np.testing.assert_allclose(single(counts), tn / (tn + wrong))
        assert float(averaged(counts)) == pytest.approx((tn / (tn + wrong)).mean())
        assert float(averaged(counts, Average.WEIGHTED)) == pytest.approx((tn / (tn + wrong) * shares).sum())
        assert float(averaged(counts, Average.MICRO)) == pytest.approx(tn.sum() / (tn + wrong).sum())


@pytest.mark.parametrize("name", sorted(PEERS))
@given(cells=any_table)
def test_many_tables_at_once_equal_one_by_one_and_keep_within_bounds(name: str, cells: list[int]) -> None:
    own = PEERS[name][0]
    one = np.array(cells, dtype=np.float64).reshape(3, 3)
    tables = np.stack([one, one.T, one[::-1], np.eye(3) * 5, np.zeros((3, 3))])
    found = own(tables.reshape(5, 1, 3, 3))
    assert found.shape == (5, 1)
    np.testing.assert_array_equal(found[:, 0], [own(table) for table in tables])
    assert found[3, 0] == pytest.approx(1.0)
    assert np.isnan(found[4, 0])
    assert ((found[np.isfinite(found)] >= -1.0 - 1e-12) & (found[np.isfinite(found)] <= 1.0 + 1e-12)).all()


@pytest.mark.parametrize("name", sorted(PEERS))
@given(cells=filled, seed=st.integers(0, 100))
def test_classes_may_change_places_and_ordered_ones_be_turned_round(name: str, cells: list[int], seed: int) -> None:
    counts, own = cases_of(cells)[0], PEERS[name][0]
    ordered = name in ("linear kappa", "quadratic kappa")
    order = [3, 2, 1, 0] if ordered else np.random.default_rng(seed).permutation(4)
    assert float(own(counts[np.ix_(order, order)])) == pytest.approx(float(own(counts)), abs=1e-12)


@given(cells=st.lists(st.integers(1, 30), min_size=4, max_size=4))
def test_two_classes_give_the_metrics_of_the_confusion_table(cells: list[int]) -> None:
    tn, fp, fn, tp = (np.asarray(float(cell)) for cell in cells)
    table, counts = ConfusionTable(tp=tp, fp=fp, fn=fn, tn=tn), cases_of(cells)[0]
    assert float(multiclass.matthews(counts)) == pytest.approx(float(whole_table.matthews(table)))
    assert float(multiclass.kappa(counts)) == pytest.approx(float(whole_table.kappa(table)))
    assert float(multiclass.sensitivity(counts)) == pytest.approx(float(whole_table.balanced_accuracy(table)))
    assert multiclass.class_f1(counts)[1] == pytest.approx(float(whole_table.f1(table)))


def test_kappa_of_a_published_table() -> None:
    """Cohen, Psychol Bull 1968;70:213, table 1 (200 cases, as shares of 100): kappa .492."""
    counts = np.array([[44.0, 7, 9], [5, 20, 5], [1, 3, 6]])
    assert float(multiclass.kappa(counts)) == pytest.approx(0.492, abs=5e-4)


def test_a_class_that_is_missing_leaves_its_average_without_a_value() -> None:
    never_called = np.array([[3.0, 2, 0], [1, 4, 0], [1, 1, 0]])
    assert np.isnan(multiclass.precision(never_called))
    assert np.isfinite(multiclass.sensitivity(never_called))
    assert multiclass.class_f1(never_called)[2] == 0.0
    no_case = never_called.T
    assert np.isnan(multiclass.sensitivity(no_case))
    label, called = np.repeat([0, 0, 1, 1, 2, 2], [3, 1, 2, 4, 0, 0]), np.repeat([0, 1, 0, 1, 0, 1], [3, 1, 2, 4, 0, 0])
    weighted = float(multiclass.sensitivity(np.array([[3.0, 1, 0], [2, 4, 0], [0, 0, 0]]), Average.WEIGHTED))
    assert weighted == pytest.approx(recall_score(label, called, average="weighted"))


def test_the_expected_cost_is_the_mean_of_the_costs() -> None:
    counts = np.array([[5.0, 1, 0], [2, 3, 1], [0, 0, 8]])
    costs = np.array([[0.0, 1, 2], [10, 0, 1], [50, 5, 0]])
    assert float(multiclass.expected_cost(counts, costs)) == pytest.approx((1.0 + 2 * 10 + 1) / 20)
    assert multiclass.expected_cost(np.stack([counts, counts.T]), costs).shape == (2,)
    for bad in (np.eye(3), -costs, costs[:2], costs * np.nan):
        with pytest.raises(ValueError, match="costs"):
            multiclass.expected_cost(counts, bad)


def test_counts_by_patient_add_up_to_the_table_of_scikit_learn() -> None:
    source = np.random.default_rng(1)
    label, called, patient = (source.integers(0, most, size=90) for most in (4, 4, 20))
    counts = confusion_of_classes(called, label, patient, 20, 4)
    np.testing.assert_array_equal(counts.sum(axis=0), confusion_matrix(label, called, labels=range(4)))
    only = patient == 7
    np.testing.assert_array_equal(counts[7], confusion_matrix(label[only], called[only], labels=range(4)))
    with pytest.raises(ValueError, match="none of the classes"):
        confusion_of_classes(called, label, patient, 20, 3)
    with pytest.raises(ValueError, match="one length"):
        confusion_of_classes(called[:5], label, patient, 20, 4)


def test_entries_have_names_of_their_own() -> None:
    names = [name for entry in ENTRIES for name in (entry.name, *entry.aliases)]
    assert len(names) == len(set(names))
    assert len(ENTRIES) == 11
    assert all(entry.tasks == {"multiclass_classification"} and entry.interval for entry in ENTRIES)


def test_no_table_makes_a_library_warn() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for own, _ in PEERS.values():
            own(np.zeros((2, 3, 3)))
