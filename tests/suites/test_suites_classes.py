"""Several classes from rows of evidence, against scikit-learn; all cases made up."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from made_up_evidence import MadeUpCase, evidence_of, requirement
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    cohen_kappa_score,
    f1_score,
    log_loss,
    matthews_corrcoef,
    precision_score,
    recall_score,
    roc_auc_score,
)

from gatekeeper.evidence import Evidence, Reason, Rows
from gatekeeper.metrics import METRICS
from gatekeeper.policy import Requirement
from gatekeeper.statistics import clopper_pearson
from gatekeeper.suites import Measurement
from gatekeeper.suites.classes import CALIBRATION, MEASURED, SHARES
from gatekeeper.suites.performance import measure

NAMES = ("none", "mild", "severe")
Floats = np.ndarray[tuple[int, ...], np.dtype[np.float64]]
Labels = np.ndarray[tuple[int, ...], np.dtype[np.int64]]


def made_up(seed: int, n: int) -> tuple[Floats, Labels]:
    source = np.random.default_rng(seed)
    labels = source.integers(0, 3, n)
    logits = source.normal(size=(n, 3)) + 2.0 * np.eye(3)[labels]
    scores = np.exp(logits)
    return scores / scores.sum(axis=1, keepdims=True), labels


def rows_with(scores: Floats, labels: Labels, cases_each: int = 1, lost: tuple[int, ...] = ()) -> Rows:
    cases = [
        MadeUpCase(0.5, int(label), f"patient-{number // cases_each:04}", answered=number not in lost)
        for number, label in enumerate(labels)
    ]
    table = evidence_of({"baseline": cases}).table
    columns = {name: table[name].to_pylist() for name in table.column_names}
    answers = {
        f"probability.{name}": [None if row in lost else value for row, value in enumerate(scores[:, at].tolist())]
        for at, name in enumerate(NAMES)
    }
    return Evidence.from_columns(columns, {}, answers).under("baseline")


def item_of(name: str) -> Requirement:
    options: dict[str, object] = {"of_class": "severe"} if name in SHARES else {}
    if METRICS.get(name).higher_is_better:
        return requirement(name, lower_limit={"at_least": 0.4}, **options)
    return requirement(name, upper_limit={"at_most": 0.5}, **options)


def measured(name: str, rows: Rows) -> Measurement:
    return measure(item_of(name), rows, 0.5)


PEERS: dict[str, Callable[[Labels, Labels, Floats], float]] = {
    "multiclass_accuracy": lambda y, c, _: accuracy_score(y, c),
    "macro_sensitivity": lambda y, c, _: balanced_accuracy_score(y, c),
    "macro_precision": lambda y, c, _: precision_score(y, c, average="macro"),
    "macro_f1": lambda y, c, _: f1_score(y, c, average="macro"),
    "multiclass_matthews": lambda y, c, _: matthews_corrcoef(y, c),
    "multiclass_kappa": lambda y, c, _: cohen_kappa_score(y, c),
    "weighted_kappa": lambda y, c, _: cohen_kappa_score(y, c, weights="quadratic"),
    "linear_weighted_kappa": lambda y, c, _: cohen_kappa_score(y, c, weights="linear"),
    "macro_auroc": lambda y, _, p: roc_auc_score(y, p, multi_class="ovr"),
    "hand_till_auroc": lambda y, _, p: roc_auc_score(y, p, multi_class="ovo"),
    "class_sensitivity": lambda y, c, _: recall_score(y == 2, c == 2),
    "class_specificity": lambda y, c, _: recall_score(y != 2, c != 2),
    "class_precision": lambda y, c, _: precision_score(y == 2, c == 2),
    "class_npv": lambda y, c, _: precision_score(y != 2, c != 2),
    "log_score": lambda y, _, p: log_loss(y, p),
}


@pytest.mark.parametrize("name", sorted(PEERS))
@pytest.mark.parametrize("cases_each", [1, 3])
def test_the_value_is_that_of_scikit_learn_and_lies_in_its_interval(name: str, cases_each: int) -> None:
    scores, labels = made_up(3, 240)
    found = measured(name, rows_with(scores, labels, cases_each))
    assert found.estimate == pytest.approx(PEERS[name](labels, scores.argmax(axis=1), scores))
    assert found.interval is not None
    assert found.interval.lower < found.estimate < found.interval.upper


def test_one_class_against_the_rest_has_exact_limits() -> None:
    scores, labels = made_up(3, 200)
    called = scores.argmax(axis=1)
    hits, trials = int(((called == 2) & (labels == 2)).sum()), int((labels == 2).sum())
    wanted = clopper_pearson(hits, trials)
    found = measured("class_sensitivity", rows_with(scores, labels))
    assert found.limits == pytest.approx((wanted.lower, wanted.upper), abs=1e-11)
    assert (found.n, found.n_of) == (trials, METRICS.get("class_sensitivity").n_of)


@pytest.mark.parametrize("name", [*MEASURED, *CALIBRATION])
def test_a_case_without_an_answer_was_sure_of_the_farthest_class(name: str) -> None:
    scores, labels = made_up(5, 120)
    worst = scores.copy()
    for row in (0, 7, 50):
        worst[row] = np.eye(3)[2 if labels[row] == 0 else 0]
    assert measured(name, rows_with(scores, labels, lost=(0, 7, 50))) == measured(name, rows_with(worst, labels))


@pytest.mark.parametrize("name", [*MEASURED, *CALIBRATION])
@pytest.mark.parametrize("kind", ["no cases", "one case", "one class", "all right", "all wrong", "constant"])
def test_what_cannot_be_measured_is_said_and_never_an_error(name: str, kind: str) -> None:
    n = {"no cases": 0, "one case": 1}.get(kind, 30)
    labels = np.zeros(n, int) if kind in ("one case", "one class") else np.arange(n) % 3
    right = {"all right": labels, "all wrong": (labels + 1) % 3, "constant": np.zeros(n, int)}.get(kind, labels)
    found, spec = measured(name, rows_with(np.eye(3)[right], labels)), METRICS.get(name)
    if found.interval is None:
        assert found.reason in (Reason.TOO_FEW_CASES, Reason.UNDEFINED_METRIC)
    else:
        assert found.estimate is not None
        assert spec.lowest <= found.interval.lower <= found.estimate <= found.interval.upper <= spec.highest


def test_rows_of_one_score_are_not_measured() -> None:
    rows = evidence_of({"baseline": [MadeUpCase(0.5, 1)]}).under("baseline")
    assert measured("weighted_kappa", rows).reason is Reason.NOT_MEASURED


def test_a_class_that_nobody_declared_has_no_value() -> None:
    scores, labels = made_up(5, 60)
    item = requirement("class_sensitivity", of_class="moderate")
    assert measure(item, rows_with(scores, labels), 0.5).reason is Reason.UNDEFINED_METRIC
