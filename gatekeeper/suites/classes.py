"""Calls of several classes: the class of the highest probability, the first one declared where two are equal.

A case without an answer counts as called the class farthest from its own in the order in which they are declared, with
all of the probability on it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from gatekeeper.evidence import Reason, Rows
from gatekeeper.metrics import multiclass
from gatekeeper.metrics.calibration import MOST_LOG_LOSS, brier_losses, log_losses
from gatekeeper.metrics.multiclass import confusion_of_classes
from gatekeeper.policy import Requirement
from gatekeeper.statistics import Interval, clopper_pearson
from gatekeeper.statistics.calibration import (
    BINS,
    calibration_error_interval,
    classwise_error_interval,
    equal_width,
    top_label,
)
from gatekeeper.statistics.classes import hand_till_interval, one_against_rest_interval, table_interval
from gatekeeper.statistics.losses import mean_loss_interval
from gatekeeper.suites.clusters import FEWEST_CLUSTERS, SEED, Clusters, Floats, proportion_interval
from gatekeeper.suites.measurement import Measurement, measured, undefined

_PREFIX = "probability."

TABLES: Mapping[str, Callable[[Floats], Floats]] = {
    "multiclass_accuracy": multiclass.accuracy,
    "macro_sensitivity": multiclass.sensitivity,
    "macro_specificity": multiclass.specificity,
    "macro_precision": multiclass.precision,
    "macro_f1": multiclass.f1,
    "multiclass_matthews": multiclass.matthews,
    "multiclass_kappa": multiclass.kappa,
    "weighted_kappa": partial(multiclass.weighted_kappa, power=2),
    "linear_weighted_kappa": partial(multiclass.weighted_kappa, power=1),
}
AREAS = ("macro_auroc", "hand_till_auroc")
SHARES = ("class_sensitivity", "class_specificity", "class_precision", "class_npv")
CLASSWISE = "classwise_calibration_error"
CALIBRATION = ("brier_score", "log_score", "expected_calibration_error", "maximum_calibration_error", CLASSWISE)
MEASURED = (*TABLES, *AREAS, *SHARES)


def measures(requirement: Requirement, rows: Rows) -> bool:
    """Say whether a requirement is on calls of several classes; calibration is where rows hold such."""
    name = requirement.spec.name
    return name in (*MEASURED, CLASSWISE) or (name in CALIBRATION and held(rows))


@dataclass(frozen=True)
class ClassSubjects:
    """Originals with their classes: ``probabilities`` (n, K), ``labels`` (n,), ``counts`` (patients, K, K)."""

    names: tuple[str, ...]
    probabilities: Floats
    labels: NDArray[np.intp]
    clusters: Clusters
    counts: Floats

    @classmethod
    def of(cls, rows: Rows) -> ClassSubjects:
        """Take the originals among rows that hold probabilities of classes."""
        originals = rows.originals()
        columns = {name: values for name, values in originals.answers.items() if name.startswith(_PREFIX)}
        labels, classes = originals.label.astype(np.intp), len(columns)
        probabilities = np.stack(list(columns.values()), axis=1)
        farthest = np.where(labels < classes - 1 - labels, classes - 1, 0)
        failed = ~originals.answered
        probabilities[failed] = np.eye(classes)[farthest[failed]]
        clusters = Clusters.of(originals.patient)
        called = probabilities.argmax(axis=1)
        counts = confusion_of_classes(called, labels, clusters.codes, clusters.count, classes)
        return cls(tuple(name.removeprefix(_PREFIX) for name in columns), probabilities, labels, clusters, counts)


def measure(requirement: Requirement, rows: Rows) -> Measurement:
    """Measure a requirement on calls of several classes."""
    spec = requirement.spec
    if not held(rows):
        return undefined(Reason.NOT_MEASURED, spec.n_of)
    if not (rows.case == rows.subject).any():
        return undefined(Reason.TOO_FEW_CASES, spec.n_of)
    subjects = rows.remembered("classes", lambda: ClassSubjects.of(rows))
    if spec.name in SHARES:
        return _share(requirement, subjects)
    n, patients = len(subjects.labels), subjects.clusters.count
    how = _area if spec.name in AREAS else _calibration if spec.name in CALIBRATION else _of_table
    value, interval = how(requirement, subjects)
    if not math.isfinite(value):
        return undefined(Reason.UNDEFINED_METRIC, spec.n_of, n, patients)
    enough = interval if patients >= FEWEST_CLUSTERS else None
    return measured(value, enough and enough.within(spec.lowest, spec.highest), n, spec.n_of, patients)


def held(rows: Rows) -> bool:
    """Say whether rows hold probabilities of several classes."""
    return any(name.startswith(_PREFIX) for name in rows.answers)


def _calibration(requirement: Requirement, subjects: ClassSubjects) -> tuple[float, Interval | None]:
    name, codes, confidence = requirement.spec.name, subjects.clusters.codes, requirement.confidence
    given = subjects.probabilities, subjects.labels
    if name == "brier_score":
        return mean_loss_interval(brier_losses(*given), codes, 2.0, confidence)
    if name == "log_score":
        return mean_loss_interval(log_losses(*given), codes, MOST_LOG_LOSS, confidence, skewed=True)
    if name == CLASSWISE:
        edges = equal_width(requirement.bins or BINS)
        return classwise_error_interval(*given, edges, codes, confidence, seed=SEED)
    scores, right = top_label(subjects.probabilities, subjects.labels)
    maximum = name == "maximum_calibration_error"
    edges = equal_width(requirement.bins or BINS)
    return calibration_error_interval(scores, right, edges, codes, maximum, confidence, seed=SEED)


def _of_table(requirement: Requirement, subjects: ClassSubjects) -> tuple[float, Interval | None]:
    formula, spec = TABLES[requirement.spec.name], requirement.spec
    value = float(formula(subjects.counts.sum(axis=0)))
    if not math.isfinite(value):
        return value, None
    return table_interval(formula, subjects.counts, (spec.lowest, spec.highest), requirement.confidence)


def _area(requirement: Requirement, subjects: ClassSubjects) -> tuple[float, Interval | None]:
    if len(np.unique(subjects.labels)) < len(subjects.names):
        return math.nan, None
    scores, labels, codes = subjects.probabilities, subjects.labels, subjects.clusters.codes
    if requirement.spec.name == "hand_till_auroc":
        return hand_till_interval(scores, labels, codes, requirement.confidence)
    weighted = requirement.average == "weighted"
    return one_against_rest_interval(scores, labels, codes, requirement.confidence, weighted)


def _share(requirement: Requirement, subjects: ClassSubjects) -> Measurement:
    """Measure one class against the rest: a share of its cases, or of the calls of it."""
    spec, counts = requirement.spec, subjects.counts
    if requirement.of_class not in subjects.names:
        return undefined(Reason.UNDEFINED_METRIC, spec.n_of)
    at = subjects.names.index(requirement.of_class)
    right, cases, calls = counts[:, at, at], counts[:, at].sum(axis=1), counts[:, :, at].sum(axis=1)
    cleared = counts.sum(axis=(1, 2)) - cases - calls + right
    hits, trials = {
        "class_sensitivity": (right, cases),
        "class_precision": (right, calls),
        "class_specificity": (cleared, cleared + calls - right),
        "class_npv": (cleared, cleared + cases - right),
    }[spec.name]
    n, patients = int(trials.sum()), int(np.count_nonzero(trials))
    if n == 0:
        return undefined(Reason.UNDEFINED_METRIC, spec.n_of)

    def grown(times: float) -> Interval | None:
        return proportion_interval(hits, trials, requirement.confidence, clopper_pearson, times)

    return measured(float(hits.sum() / n), grown(1.0), n, spec.n_of, patients, grown)
