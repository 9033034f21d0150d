from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import precision_score, recall_score

from gatekeeper.metrics import METRICS, ConfusionTable, Metric, confusion_by_patient

PEERS = {
    "sensitivity": lambda label, called: recall_score(label, called, pos_label=1, zero_division=np.nan),
    "specificity": lambda label, called: recall_score(label, called, pos_label=0, zero_division=np.nan),
    "precision": lambda label, called: precision_score(label, called, pos_label=1, zero_division=np.nan),
    "npv": lambda label, called: precision_score(label, called, pos_label=0, zero_division=np.nan),
}
tables = st.lists(st.tuples(st.booleans(), st.integers(0, 1), st.integers(0, 4)), min_size=1, max_size=40)


def counted(rows: list[tuple[bool, int, int]]) -> tuple[NDArray[np.bool_], NDArray[np.int8], NDArray[np.float64]]:
    called = np.array([row[0] for row in rows])
    label = np.array([row[1] for row in rows], dtype=np.int8)
    patient = np.array([row[2] for row in rows], dtype=np.intp)
    return called, label, confusion_by_patient(called, label, patient, 5)


@pytest.mark.parametrize("name", sorted(PEERS))
@settings(max_examples=40, deadline=None)
@given(rows=tables)
def test_a_proportion_is_that_of_scikit_learn(name: str, rows: list[tuple[bool, int, int]]) -> None:
    called, label, counts = counted(rows)
    proportion = METRICS.get(name).proportion
    assert proportion is not None
    ours = proportion(ConfusionTable.of(counts.sum(axis=0)))
    assert float(ours.value) == pytest.approx(PEERS[name](label, called), nan_ok=True)
    assert np.isnan(ours.value) == (ours.trials == 0)


@settings(max_examples=20, deadline=None)
@given(rows=tables)
def test_every_row_is_counted_once_and_under_its_patient(rows: list[tuple[bool, int, int]]) -> None:
    _, _, counts = counted(rows)
    assert counts.sum() == len(rows)
    assert counts.sum(axis=1).tolist() == [sum(row[2] == patient for row in rows) for patient in range(5)]


def test_many_tables_at_once_equal_one_by_one() -> None:
    counts = np.random.default_rng(3).integers(0, 4, size=(50, 4)).astype(np.float64)
    for name in PEERS:
        proportion = METRICS.get(name).proportion
        assert proportion is not None
        one_by_one = [float(proportion(ConfusionTable.of(row)).value) for row in counts]
        np.testing.assert_array_equal(proportion(ConfusionTable.of(counts)).value, one_by_one)


@pytest.mark.parametrize("metric", list(METRICS), ids=lambda metric: metric.name)
def test_every_metric_says_what_it_is(metric: Metric) -> None:
    for text in (metric.title, metric.definition, metric.source, metric.undefined, metric.n_of):
        assert text.strip() == text
        assert len(text) > 3
    assert metric.must <= metric.options
    assert metric.lowest < metric.highest
    assert metric.unit in ("1", "s", "mm", "mL", "count", "severity", "cases/s", "MiB")


@pytest.mark.parametrize(
    ("alias", "name"),
    [("ppv", "precision"), ("recall", "sensitivity"), ("auc", "auroc"), ("wsd", "within_subject_sd")],
)
def test_an_alias_is_the_metric_itself(alias: str, name: str) -> None:
    assert METRICS.get(alias) is METRICS.get(name)
