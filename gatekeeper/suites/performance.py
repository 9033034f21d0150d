"""How often the candidate is right, at baseline or under any other condition.

Repeats of a case are left out: each subject counts once, with its original.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gatekeeper.evidence import BASELINE, Condition, Reason, Rows
from gatekeeper.metrics import ConfusionTable, Metric, Proportion, confusion_by_patient
from gatekeeper.policy import Policy, Requirement
from gatekeeper.statistics import (
    DEFAULT_METHOD,
    RESAMPLES,
    Interval,
    Trials,
    auroc_interval,
    auroc_of_weights,
    bootstrap_rate_at,
    clopper_pearson,
    jeffreys,
    rate_at,
    wilson,
)
from gatekeeper.suites.clusters import (
    FEWEST_CLUSTERS,
    SEED,
    Clusters,
    Floats,
    all_alike,
    proportion_interval,
    resampled,
)
from gatekeeper.suites.measurement import Measurement, undefined
from gatekeeper.suites.two_rates import (
    AT_PREVALENCE,
    cells_of,
    closed_form,
    exact_at_other_rate,
    exact_of_table,
    interval_of_f1,
)

_INTERVALS = {"wilson": wilson, "clopper_pearson": clopper_pearson, "jeffreys": jeffreys}
_RESAMPLED = ("matthews_correlation", "kappa")


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
        """Take the originals among the rows and count their calls; once for all requirements."""
        return rows.remembered(f"subjects at {operating_point!r}", lambda: cls._of(rows, operating_point))

    @classmethod
    def _of(cls, rows: Rows, operating_point: float) -> Subjects:
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

    def sums(self, requirement: Requirement) -> tuple[Floats, ...]:
        """Return what a metric of counts is made of, by patient: tp, fp, fn and tn, or cases answered and all."""
        return self.answers if requirement.spec.name == "imageability" else tuple(self.counts.T)

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
    if requirement.prevalence is not None or requirement.other_rate is not None or spec.of_table is not None:
        return _of_both_classes(subjects, requirement)
    if spec.proportion is None:
        raise ValueError(f"{spec.name} is no proportion")
    by_patient = spec.proportion(ConfusionTable.of(subjects.counts))
    return _share(subjects, requirement, by_patient.hits, by_patient.trials)


def estimate(requirement: Requirement, subjects: Subjects) -> float:
    """Return the metric on the subjects themselves; NaN where it is undefined."""
    if _of_ranks(requirement):
        once = np.ones((1, subjects.clusters.count), dtype=np.int64)
        return float(_ranked(requirement, subjects, [once])[0])
    return float(_counted(requirement, [sums.sum() for sums in subjects.sums(requirement)]))


def replicates(requirement: Requirement, *parts: Subjects) -> list[Floats]:
    """Return the metric in every resample of the patients, the same ones for each of the parts (of one set of cases).

    NaN where it is undefined. One array of shape (resamples,) for each part.
    """
    if _of_ranks(requirement):
        alone = requirement.other_rate is not None and len(parts) == 1 and not parts[0].clusters.repeat
        if alone:
            return [bootstrap_rate_at(*_curve(requirement, parts[0]), RESAMPLES, SEED)]
        return [_ranked(requirement, part, part.clusters.weights()) for part in parts]
    sums = [part.sums(requirement) for part in parts]
    drawn = resampled(*(column for columns in sums for column in columns))
    width = len(sums[0])
    return [_counted(requirement, drawn[start : start + width]) for start in range(0, len(drawn), width)]


def _of_ranks(requirement: Requirement) -> bool:
    return requirement.spec.name == "auroc" or requirement.other_rate is not None


def _ranked(requirement: Requirement, subjects: Subjects, weights: Iterable[NDArray[np.integer]]) -> Floats:
    """Return a metric of the order of scores for each row of blocks of patient weights."""
    codes = subjects.clusters.codes
    if requirement.other_rate is None:
        return auroc_of_weights(subjects.ranks, subjects.rows.label == 1, weights, codes)
    return rate_at(*_curve(requirement, subjects), weights, codes)


def _curve(requirement: Requirement, subjects: Subjects) -> tuple[Floats, NDArray[np.bool_], float]:
    """Return scores that are high for the class whose rate is required, the cases of it, and the rate of the other."""
    positive, rate = subjects.rows.label == 1, requirement.other_rate or 0.0
    return (
        (subjects.ranks, positive, rate)
        if requirement.spec.name == "sensitivity"
        else (-subjects.ranks, ~positive, rate)
    )


def _counted(requirement: Requirement, sums: Sequence[Floats]) -> Floats:
    """Return a metric of counts from those that ``Subjects.sums`` names, summed over patients."""
    spec = requirement.spec
    if spec.name == "imageability":
        return Proportion(sums[0], sums[1]).value
    table = ConfusionTable(*sums)
    if requirement.prevalence is not None:
        return _at_prevalence(spec, table, requirement.prevalence)
    if spec.of_table is not None:
        return spec.of_table(table)
    if spec.proportion is None:
        raise ValueError(f"{spec.name} is no performance metric")
    return spec.proportion(table).value


def _auroc(subjects: Subjects, requirement: Requirement) -> Measurement:
    n, patients = len(subjects.rows), subjects.clusters.count
    if subjects.one_class:
        return undefined(Reason.UNDEFINED_METRIC, requirement.spec.n_of, n, patients)
    labels, codes = subjects.rows.label, subjects.clusters.codes
    area, found = auroc_interval(subjects.ranks, labels, codes, requirement.confidence)
    exact = area in (0.0, 1.0) and subjects.pairs > 0
    enough = exact or not subjects.clusters.repeat or subjects.counted(requirement) >= FEWEST_CLUSTERS
    return _measured(area, found if enough else None, n, requirement.spec.n_of, patients)


def _share(subjects: Subjects, requirement: Requirement, hits: Floats, trials: Floats) -> Measurement:
    spec, n, patients = requirement.spec, int(trials.sum()), int(np.count_nonzero(trials))
    if n == 0:
        return undefined(Reason.UNDEFINED_METRIC, spec.n_of)
    independent = _INTERVALS[requirement.interval or DEFAULT_METHOD]

    def grown(times: float) -> Interval | None:
        return proportion_interval(hits, trials, requirement.confidence, independent, times)

    return _measured(float(hits.sum() / n), grown(1.0), n, spec.n_of, patients, grown)


def _of_both_classes(subjects: Subjects, requirement: Requirement) -> Measurement:
    n, patients, table = len(subjects.rows), subjects.clusters.count, subjects.table
    n_of = f"cases ({int(table.tp + table.fn)} positive, {int(table.fp + table.tn)} negative)"
    if requirement.other_rate is not None and subjects.one_class:
        return undefined(Reason.UNDEFINED_METRIC, n_of, n, patients)
    value = estimate(requirement, subjects)
    if not math.isfinite(value):
        return undefined(Reason.UNDEFINED_METRIC, n_of, n, patients)
    if requirement.other_rate is not None or requirement.spec.name in _RESAMPLED:
        return _measured(value, _resampled_interval(subjects, requirement, value), n, n_of, patients)
    if requirement.spec.name == "f1":
        return _measured(value, interval_of_f1(subjects, requirement.confidence), n, n_of, patients)
    cells = cells_of(requirement, subjects)
    if cells is None:
        return _measured(value, None, n, n_of, patients)

    def grown(times: float) -> Interval | None:
        return closed_form(requirement, cells.times(times))

    interval = grown(1.0) or exact_of_table(requirement, *subjects.trials)
    return _measured(value, interval, n, n_of, patients, grown)


def _resampled_interval(subjects: Subjects, requirement: Requirement, value: float) -> Interval | None:
    (resamples,) = replicates(requirement, subjects)
    if not all_alike(resamples):
        return subjects.clusters.interval(resamples, requirement.confidence, subjects.counted(requirement))
    if requirement.other_rate is not None:
        return exact_at_other_rate(requirement, *subjects.trials) if value == 1.0 else None
    return exact_of_table(requirement, *subjects.trials)


def _at_prevalence(spec: Metric, table: ConfusionTable, prevalence: float) -> Floats:
    positives, negatives = table.tp + table.fn, table.fp + table.tn
    with np.errstate(invalid="ignore", divide="ignore"):
        sensitivity, specificity = table.tp / positives, table.tn / negatives
        return np.asarray(AT_PREVALENCE[spec.name](sensitivity, specificity, prevalence))


def _measured(
    value: float,
    interval: Interval | None,
    n: int,
    n_of: str,
    patients: int,
    grown: Callable[[float], Interval | None] | None = None,
) -> Measurement:
    if interval is None:
        return Measurement(value, None, "none: too few patients", n, n_of, patients, Reason.TOO_FEW_CASES)
    return Measurement(value, interval, interval.method, n, n_of, patients, grown=grown)
