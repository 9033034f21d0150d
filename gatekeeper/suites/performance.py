"""How often the candidate is right, at baseline or under any other condition.

Repeats of a case are left out: each subject counts once, with its original.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from gatekeeper.evidence import BASELINE, Condition, Reason, Rows
from gatekeeper.metrics import ConfusionTable, Proportion
from gatekeeper.policy import Policy, Requirement
from gatekeeper.statistics import DEFAULT_METHOD, Interval, clopper_pearson, jeffreys, wilson
from gatekeeper.suites import classes, lesions, structures
from gatekeeper.suites.clusters import Floats, proportion_interval, resampled
from gatekeeper.suites.measurement import Measurement, measured, undefined
from gatekeeper.suites.scored import measure_scored, scored
from gatekeeper.suites.subjects import Subjects
from gatekeeper.suites.two_rates import cells_of, closed_form, exact_of_table, value_of_table

_INTERVALS = {"wilson": wilson, "clopper_pearson": clopper_pearson, "jeffreys": jeffreys}


def plan(policy: Policy) -> tuple[Condition, ...]:
    """Every policy needs the baseline."""
    return (BASELINE,)


def measure(requirement: Requirement, rows: Rows, operating_point: float) -> Measurement:
    """Measure a performance requirement on the rows of one condition (or of a subgroup of it)."""
    spec = requirement.spec
    if spec.name in lesions.MEASURED:
        return lesions.measure(requirement, rows, operating_point)
    if spec.name in structures.MEASURED:
        return structures.measure(requirement, rows)
    if classes.measures(requirement, rows):
        return classes.measure(requirement, rows)
    subjects = Subjects.of(rows, operating_point)
    if len(subjects.rows) == 0:
        return undefined(Reason.TOO_FEW_CASES, spec.n_of)
    if spec.name == "imageability":
        return _share(subjects, requirement, *subjects.answers)
    how = scored(requirement)
    if how is not None:
        return measure_scored(requirement, subjects, how)
    if requirement.prevalence is not None or spec.proportion is None:
        return _of_both_classes(subjects, requirement)
    by_patient = spec.proportion(ConfusionTable.of(subjects.counts))
    return _share(subjects, requirement, by_patient.hits, by_patient.trials)


def can_be_resampled(requirement: Requirement) -> bool:
    """Say whether ``estimate`` and ``replicates`` know a metric: one of scores, or of counts of calls."""
    spec = requirement.spec
    counted = spec.proportion is not None or spec.of_table is not None or spec.name == "imageability"
    return counted or scored(requirement) is not None


def estimate(requirement: Requirement, subjects: Subjects) -> float:
    """Return the metric on the subjects themselves; NaN where it is undefined."""
    how = scored(requirement)
    if how is not None:
        return float(how.of_weights(requirement, subjects, subjects.clusters.once)[0])
    return float(_counted(requirement, [sums.sum() for sums in subjects.sums(requirement)]))


def replicates(requirement: Requirement, *parts: Subjects) -> list[Floats]:
    """Return the metric in every resample of the patients, the same ones for each of the parts (of one set of cases).

    NaN where it is undefined. One array of shape (resamples,) for each part.
    """
    how = scored(requirement)
    if how is not None:
        return [how.of_weights(requirement, part, part.clusters.weights()) for part in parts]
    sums = [part.sums(requirement) for part in parts]
    drawn = resampled(*(column for columns in sums for column in columns))
    width = len(sums[0])
    return [_counted(requirement, drawn[start : start + width]) for start in range(0, len(drawn), width)]


def _counted(requirement: Requirement, sums: Sequence[Floats]) -> Floats:
    """Return a metric of counts from those that ``Subjects.sums`` names, summed over patients."""
    if requirement.spec.name == "imageability":
        return Proportion(sums[0], sums[1]).value
    return value_of_table(requirement, ConfusionTable(*sums))


def _share(subjects: Subjects, requirement: Requirement, hits: Floats, trials: Floats) -> Measurement:
    spec, n, patients = requirement.spec, int(trials.sum()), int(np.count_nonzero(trials))
    if n == 0:
        return undefined(Reason.UNDEFINED_METRIC, spec.n_of)
    independent = _INTERVALS[requirement.interval or DEFAULT_METHOD]

    def grown(times: float) -> Interval | None:
        return proportion_interval(hits, trials, requirement.confidence, independent, times)

    return measured(float(hits.sum() / n), grown(1.0), n, spec.n_of, patients, grown)


def _of_both_classes(subjects: Subjects, requirement: Requirement) -> Measurement:
    n, patients, n_of = len(subjects.rows), subjects.clusters.count, subjects.classes_in_words
    value = estimate(requirement, subjects)
    if subjects.one_class or not math.isfinite(value):
        return undefined(Reason.UNDEFINED_METRIC, n_of, n, patients)
    cells = cells_of(requirement, subjects)
    if cells is None:
        return measured(value, None, n, n_of, patients)

    def grown(times: float) -> Interval | None:
        return closed_form(requirement, cells.times(times))

    interval = grown(1.0) or exact_of_table(requirement, *subjects.trials)
    return measured(value, interval, n, n_of, patients, grown)
