"""How often the candidate is right, at baseline or under any other condition.

Repeats of a case are left out: each subject counts once, with its original.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gatekeeper.evidence import BASELINE, Condition, Reason, Rows
from gatekeeper.metrics import ConfusionTable, Metric, Proportion, confusion_by_patient
from gatekeeper.metrics.confusion import RECALL_RATE
from gatekeeper.policy import Policy, Requirement
from gatekeeper.statistics import (
    Interval,
    Trials,
    auroc,
    auroc_of_weights,
    bootstrap_counts,
    called_share_at,
    clopper_pearson,
    delong,
    jeffreys,
    npv_at,
    npv_interval,
    ppv_at,
    ppv_interval,
    rate_at,
    wilson,
)
from gatekeeper.suites.clusters import Clusters, Floats, all_alike, interval_when_alike, proportion_interval
from gatekeeper.suites.measurement import Measurement, undefined
from gatekeeper.suites.whole_table import closed_form, exact_at_other_rate, exact_of_table

_INTERVALS = {"wilson": wilson, "clopper_pearson": clopper_pearson, "jeffreys": jeffreys}
_AT_PREVALENCE = {"precision": ppv_at, "npv": npv_at, RECALL_RATE.name: called_share_at}


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
        """Scores for ranking; a case without an answer ranks worst, unless its failure costs otherwise.

        Worst is last if positive and first if negative; a failure that counts as a call ranks first, as none last.
        """
        worst = np.where(self.rows.label == 1, -1.0, 2.0)
        failed = np.where(self.rows.failed_as < 0, worst, np.where(self.rows.failed_as == 1, 2.0, -1.0))
        return np.asarray(np.where(self.rows.answered, self.rows.score, failed))

    @property
    def answers(self) -> tuple[Floats, Floats]:
        """Cases answered and cases in all, by patient."""
        return self.clusters.sums(self.rows.answered), self.clusters.sums(np.ones(len(self.rows)))

    @property
    def one_class(self) -> bool:
        """Whether all subjects are of one class."""
        return len(np.unique(self.rows.label)) < 2

    def counted(self, requirement: Requirement) -> int:
        """Return the number of patients on whom a metric rests: for one of both classes, of the rarer class."""
        spec = requirement.spec
        if spec.name == "imageability":
            return self.clusters.count
        if spec.proportion is None or requirement.prevalence is not None or requirement.other_rate is not None:
            return int(min((self.counts[:, cells].sum(axis=1) > 0).sum() for cells in ([0, 2], [1, 3])))
        return int(np.count_nonzero(spec.proportion(ConfusionTable.of(self.counts)).trials))

    @property
    def trials(self) -> tuple[Trials, Trials]:
        """Patients with positive, and patients with negative, cases: how many are right in every one, or in any."""
        tp, fp, fn, tn = (self.counts[:, cell] > 0 for cell in range(4))
        pairs = ((tp, fn), (tn, fp))
        first, second = (
            Trials(int((right | wrong).sum()), int((right & ~wrong).sum()), int(right.sum())) for right, wrong in pairs
        )
        return first, second

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
    if spec.name == "imageability":
        return _share(subjects, requirement, *subjects.answers)
    if requirement.prevalence is not None:
        return _predictive_value(subjects, requirement, requirement.prevalence)
    if requirement.other_rate is not None:
        return _at_other_rate(subjects, requirement)
    if spec.of_table is not None:
        return _whole_table(subjects, requirement)
    if spec.proportion is None:
        raise ValueError(f"{spec.name} is no proportion")
    by_patient = spec.proportion(ConfusionTable.of(subjects.counts))
    return _share(subjects, requirement, by_patient.hits, by_patient.trials)


def value(requirement: Requirement, subjects: Subjects, weights: NDArray[np.integer]) -> Floats:
    """Return the metric for each row of patient ``weights`` (resamples, patients); NaN where it is undefined."""
    spec, prevalence = requirement.spec, requirement.prevalence
    if requirement.other_rate is not None:
        positive = subjects.rows.label == 1
        sign, within = (1.0, positive) if spec.name == "sensitivity" else (-1.0, ~positive)
        return rate_at(sign * subjects.ranks, within, requirement.other_rate, weights, subjects.clusters.codes)
    if spec.name == "auroc":
        return auroc_of_weights(subjects.ranks, subjects.rows.label, weights, subjects.clusters.codes)
    if spec.name == "imageability":
        counts = bootstrap_counts(np.stack(subjects.answers, axis=1), weights)
        return Proportion(counts[:, 0], counts[:, 1]).value
    table = ConfusionTable.of(bootstrap_counts(subjects.counts, weights))
    if prevalence is not None:
        return _at_prevalence(spec, table, prevalence)
    if spec.of_table is not None:
        return spec.of_table(table)
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


def _share(subjects: Subjects, requirement: Requirement, hits: Floats, trials: Floats) -> Measurement:
    spec, n, patients = requirement.spec, int(trials.sum()), int(np.count_nonzero(trials))
    if n == 0:
        return undefined(Reason.UNDEFINED_METRIC, spec.n_of)
    independent = _INTERVALS[requirement.interval or "wilson"]
    interval = proportion_interval(hits, trials, subjects.clusters, requirement.confidence, independent)
    return _measured(float(hits.sum() / n), interval, n, spec.n_of, patients)


def _at_other_rate(subjects: Subjects, requirement: Requirement) -> Measurement:
    n, patients, table = len(subjects.rows), subjects.clusters.count, subjects.table
    n_of = f"cases ({int(table.tp + table.fn)} positive, {int(table.fp + table.tn)} negative)"
    if subjects.one_class:
        return undefined(Reason.UNDEFINED_METRIC, n_of, n, patients)
    estimate = float(value(requirement, subjects, np.ones((1, patients), dtype=np.int64))[0])
    return _measured(estimate, _resampled(requirement, subjects, estimate), n, n_of, patients)


def _whole_table(subjects: Subjects, requirement: Requirement) -> Measurement:
    spec, table = requirement.spec, subjects.table
    n, patients = len(subjects.rows), subjects.clusters.count
    n_of = f"cases ({int(table.tp + table.fn)} positive, {int(table.fp + table.tn)} negative)"
    estimate = float(spec.of_table(table)) if spec.of_table is not None else math.nan
    if not math.isfinite(estimate):
        return undefined(Reason.UNDEFINED_METRIC, n_of, n, patients)
    interval = None
    if not subjects.clusters.repeat:
        interval = closed_form(spec, subjects.table, requirement.confidence)
    if interval is None:
        interval = _resampled(requirement, subjects, estimate)
    return _measured(estimate, interval, n, n_of, patients)


def _predictive_value(subjects: Subjects, requirement: Requirement, prevalence: float) -> Measurement:
    spec, table = requirement.spec, subjects.table
    n, patients = len(subjects.rows), subjects.clusters.count
    n_of = f"cases ({int(table.tp + table.fn)} positive, {int(table.fp + table.tn)} negative)"
    estimate = float(_at_prevalence(spec, table, prevalence))
    if not np.isfinite(estimate):
        return undefined(Reason.UNDEFINED_METRIC, n_of, n, patients)
    if spec.name == RECALL_RATE.name and not subjects.clusters.repeat:
        interval: Interval | None = _worst_and_best(subjects, spec, prevalence, requirement.confidence)
    elif not subjects.clusters.repeat:
        closed_form = ppv_interval if spec.name == "precision" else npv_interval
        tp, fn, fp, tn = (int(cell) for cell in (table.tp, table.fn, table.fp, table.tn))
        interval = closed_form(tp, fn, fp, tn, prevalence, requirement.confidence)
        if interval is not None and interval.lower == interval.upper:  # every case got the same call
            interval = _worst_and_best(subjects, spec, prevalence, requirement.confidence)
    else:
        interval = _resampled(requirement, subjects, estimate)
    return _measured(estimate, interval, n, n_of, patients)


def _at_prevalence(spec: Metric, table: ConfusionTable, prevalence: float) -> Floats:
    positives, negatives = table.tp + table.fn, table.fp + table.tn
    with np.errstate(invalid="ignore", divide="ignore"):
        sensitivity, specificity = table.tp / positives, table.tn / negatives
        return np.asarray(_AT_PREVALENCE[spec.name](sensitivity, specificity, prevalence))


def _resampled(requirement: Requirement, subjects: Subjects, estimate: float) -> Interval | None:
    spec, prevalence, confidence = requirement.spec, requirement.prevalence, requirement.confidence
    replicates = value(requirement, subjects, subjects.clusters.weights())
    if not all_alike(replicates):
        return subjects.clusters.interval(replicates, confidence, subjects.counted(requirement))
    if requirement.other_rate is not None:
        return exact_at_other_rate(requirement, *subjects.trials, confidence) if estimate == 1.0 else None
    if prevalence is not None:
        return _worst_and_best(subjects, spec, prevalence, confidence)
    if spec.of_table is not None:
        return exact_of_table(spec, *subjects.trials, confidence)
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
    formula = _AT_PREVALENCE[spec.name]
    sensitivities = (
        clopper_pearson(int((tp & ~fn).sum()), positives, each).lower,
        clopper_pearson(int(tp.sum()), positives, each).upper,
    )
    specificities = (
        clopper_pearson(int((tn & ~fp).sum()), negatives, each).lower,
        clopper_pearson(int(tn.sum()), negatives, each).upper,
    )
    method = "Clopper-Pearson (exact) limits over patients, combined by Bonferroni"
    if spec.name == RECALL_RATE.name:  # more alarms where specificity is low
        specificities = (specificities[1], specificities[0])
    else:
        method += ", since no patient differs"
    lower, upper = (float(formula(*pair, prevalence)) for pair in zip(sensitivities, specificities, strict=True))
    return Interval(lower, upper, confidence, method)


def _measured(estimate: float, interval: Interval | None, n: int, n_of: str, patients: int) -> Measurement:
    if interval is None:
        return Measurement(estimate, None, "none: too few patients", n, n_of, patients, Reason.TOO_FEW_CASES)
    return Measurement(estimate, interval, interval.method, n, n_of, patients)
