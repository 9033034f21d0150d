"""How often the candidate is right, at baseline or under any other condition.

Repeats of a case are left out: each subject counts once, with its original.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gatekeeper.evidence import BASELINE, Condition, Reason, Rows
from gatekeeper.metrics import ConfusionTable, Metric, confusion_by_patient
from gatekeeper.policy import Policy, Requirement
from gatekeeper.statistics import (
    Interval,
    auroc,
    auroc_of_weights,
    bootstrap_counts,
    clopper_pearson,
    delong,
    npv_at,
    npv_interval,
    ppv_at,
    ppv_interval,
    wilson,
)
from gatekeeper.suites.clusters import Clusters, Floats, all_alike, interval_when_alike, proportion_interval
from gatekeeper.suites.measurement import Measurement, undefined


def plan(policy: Policy) -> tuple[Condition, ...]:
    """Every policy needs the baseline."""
    return (BASELINE,)


@dataclass(frozen=True)
class Subjects:
    """The original rows of one condition with their calls, counted by patient; ``counts`` (patients, 4)."""

    rows: Rows
    clusters: Clusters
    counts: Floats

    @classmethod
    def of(cls, rows: Rows, operating_point: float) -> Subjects:
        """Take the originals among the rows and count their calls."""
        originals = rows.originals()
        clusters = Clusters.of(originals.patient)
        called = originals.called(operating_point)
        return cls(originals, clusters, confusion_by_patient(called, originals.label, clusters.codes, clusters.count))

    @property
    def table(self) -> ConfusionTable:
        """The confusion table of all patients together."""
        return ConfusionTable.of(self.counts.sum(axis=0))

    @property
    def ranks(self) -> Floats:
        """Scores for ranking; a case without an answer ranks worst: last if positive, first if negative."""
        worst = np.where(self.rows.label == 1, -1.0, 2.0)
        return np.asarray(np.where(self.rows.answered, self.rows.score, worst))

    @property
    def one_class(self) -> bool:
        """Whether all subjects are of one class."""
        return len(np.unique(self.rows.label)) < 2

    def counted(self, spec: Metric, prevalence: float | None = None) -> int:
        """Return the number of patients on whom a metric rests: for one of both classes, of the rarer class."""
        if spec.proportion is None or prevalence is not None:
            return int(min((self.counts[:, cells].sum(axis=1) > 0).sum() for cells in ([0, 2], [1, 3])))
        return int(np.count_nonzero(spec.proportion(ConfusionTable.of(self.counts)).trials))

    @property
    def pairs(self) -> int:
        """How many pairs of a positive and a negative there are in which no patient stands twice."""
        positive = self.counts[:, [0, 2]].sum(axis=1) > 0
        negative = self.counts[:, [1, 3]].sum(axis=1) > 0
        return int(min(positive.sum(), negative.sum(), (positive | negative).sum() // 2))


def measure(requirement: Requirement, rows: Rows, operating_point: float) -> Measurement:
    """Measure a performance requirement on the rows of one condition (or of a subgroup of it)."""
    subjects = Subjects.of(rows, operating_point)
    spec = requirement.spec
    if len(subjects.rows) == 0:
        return undefined(Reason.TOO_FEW_CASES, spec.n_of)
    if spec.name == "auroc":
        return _auroc(subjects, requirement)
    if requirement.prevalence is not None:
        return _predictive_value(subjects, requirement, requirement.prevalence)
    return _proportion(subjects, requirement)


def value(spec: Metric, prevalence: float | None, subjects: Subjects, weights: NDArray[np.integer]) -> Floats:
    """Return the metric for each row of patient ``weights`` (resamples, patients); NaN where it is undefined."""
    if spec.name == "auroc":
        return auroc_of_weights(subjects.ranks, subjects.rows.label, weights, subjects.clusters.codes)
    table = ConfusionTable.of(bootstrap_counts(subjects.counts, weights))
    if prevalence is not None:
        return _at_prevalence(spec, table, prevalence)
    if spec.proportion is None:
        raise ValueError(f"{spec.name} is no performance metric")
    return spec.proportion(table).value


def _auroc(subjects: Subjects, requirement: Requirement) -> Measurement:
    n, patients = len(subjects.rows), subjects.clusters.count
    if subjects.one_class:
        return undefined(Reason.UNDEFINED_METRIC, requirement.spec.n_of, n, patients)
    if subjects.clusters.repeat:
        estimate = auroc(subjects.ranks, subjects.rows.label)
        interval = _resampled(requirement, subjects, estimate)
    else:
        estimate, interval = delong(subjects.ranks, subjects.rows.label, requirement.confidence)
    return _measured(estimate, interval, n, requirement.spec.n_of, patients)


def _proportion(subjects: Subjects, requirement: Requirement) -> Measurement:
    spec = requirement.spec
    if spec.proportion is None:
        raise ValueError(f"{spec.name} is no proportion")
    by_patient = spec.proportion(ConfusionTable.of(subjects.counts))
    n, patients = int(by_patient.trials.sum()), int(np.count_nonzero(by_patient.trials))
    if n == 0:
        return undefined(Reason.UNDEFINED_METRIC, spec.n_of)
    interval = proportion_interval(
        by_patient.hits, by_patient.trials, subjects.clusters, requirement.confidence, wilson
    )
    return _measured(float(by_patient.hits.sum() / n), interval, n, spec.n_of, patients)


def _predictive_value(subjects: Subjects, requirement: Requirement, prevalence: float) -> Measurement:
    spec, table = requirement.spec, subjects.table
    n, patients = len(subjects.rows), subjects.clusters.count
    n_of = f"cases ({int(table.tp + table.fn)} positive, {int(table.fp + table.tn)} negative)"
    estimate = float(_at_prevalence(spec, table, prevalence))
    if not np.isfinite(estimate):
        return undefined(Reason.UNDEFINED_METRIC, n_of, n, patients)
    if not subjects.clusters.repeat:
        closed_form = ppv_interval if spec.name == "precision" else npv_interval
        tp, fn, fp, tn = (int(cell) for cell in (table.tp, table.fn, table.fp, table.tn))
        interval: Interval | None = closed_form(tp, fn, fp, tn, prevalence, requirement.confidence)
        if interval is not None and interval.lower == interval.upper:  # every case got the same call
            interval = _worst_and_best(subjects, spec, prevalence, requirement.confidence)
    else:
        interval = _resampled(requirement, subjects, estimate)
    return _measured(estimate, interval, n, n_of, patients)


def _at_prevalence(spec: Metric, table: ConfusionTable, prevalence: float) -> Floats:
    positives, negatives = table.tp + table.fn, table.fp + table.tn
    with np.errstate(invalid="ignore", divide="ignore"):
        sensitivity, specificity = table.tp / positives, table.tn / negatives
        formula = ppv_at if spec.name == "precision" else npv_at
        return np.asarray(formula(sensitivity, specificity, prevalence))


def _resampled(requirement: Requirement, subjects: Subjects, estimate: float) -> Interval | None:
    spec, prevalence, confidence = requirement.spec, requirement.prevalence, requirement.confidence
    replicates = value(spec, prevalence, subjects, subjects.clusters.weights())
    if not all_alike(replicates):
        return subjects.clusters.interval(replicates, confidence, subjects.counted(spec, prevalence))
    if prevalence is not None:
        return _worst_and_best(subjects, spec, prevalence, confidence)
    if subjects.pairs == 0:
        return None
    method = f"Clopper-Pearson (exact) over {subjects.pairs:,} independent pairs, since no patient differs"
    return interval_when_alike(estimate, 0.0, subjects.pairs, confidence, method)


def _worst_and_best(subjects: Subjects, spec: Metric, prevalence: float, confidence: float) -> Interval:
    """Combine exact limits of sensitivity and specificity where a resample cannot vary (Bonferroni, over patients).

    The lower limits count the patients who are right in every case, the upper limits those who are right in any.
    """
    tp, fp, fn, tn = (subjects.counts[:, cell] > 0 for cell in range(4))
    each = 1.0 - (1.0 - confidence) / 2.0
    positives, negatives = int((tp | fn).sum()), int((fp | tn).sum())
    formula = ppv_at if spec.name == "precision" else npv_at
    lower = formula(
        clopper_pearson(int((tp & ~fn).sum()), positives, each).lower,
        clopper_pearson(int((tn & ~fp).sum()), negatives, each).lower,
        prevalence,
    )
    upper = formula(
        clopper_pearson(int(tp.sum()), positives, each).upper,
        clopper_pearson(int(tn.sum()), negatives, each).upper,
        prevalence,
    )
    method = "Clopper-Pearson (exact) limits over patients, combined by Bonferroni, since no patient differs"
    return Interval(float(lower), float(upper), confidence, method)


def _measured(estimate: float, interval: Interval | None, n: int, n_of: str, patients: int) -> Measurement:
    if interval is None:
        return Measurement(estimate, None, "none: too few patients", n, n_of, patients, Reason.TOO_FEW_CASES)
    return Measurement(estimate, interval, interval.method, n, n_of, patients)
