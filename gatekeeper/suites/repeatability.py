"""How much the answer changes when nothing about the patient does: reruns (R0) and true repeats (R4)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gatekeeper.evidence import BASELINE, Condition, Evidence, Reason, Rows
from gatekeeper.metrics import Suite
from gatekeeper.metrics.repeatability import subject_flips, subject_ranges, within_subject_squares
from gatekeeper.policy import Policy, Requirement
from gatekeeper.statistics import Interval, clopper_pearson, within_subject_sd_interval
from gatekeeper.suites import quantities
from gatekeeper.suites.clusters import FEWEST_CLUSTERS, Clusters, Floats, all_alike, proportion_interval, resampled
from gatekeeper.suites.measurement import Measurement, undefined

RERUN = Condition(id="rerun", suite=Suite.REPEATABILITY.value, fresh_process=True)


def plan(policy: Policy) -> tuple[Condition, ...]:
    """R0 needs a rerun in a fresh process; R4 needs nothing, since true repeats stand in the table."""
    return (RERUN,) if any(requirement.level == "R0" for requirement in policy.requirements.values()) else ()


@dataclass(frozen=True)
class Repeats:
    """Answers to subjects that were answered twice or more; ``subject`` codes rows, ``patient`` is per subject."""

    score: NDArray[np.float64]
    called: NDArray[np.bool_]
    subject: NDArray[np.intp]
    subjects: NDArray[np.object_]
    patient: NDArray[np.object_]

    @classmethod
    def at_level(cls, level: str, evidence: Evidence, operating_point: float) -> Repeats:
        """Take reruns of each case (R0), or the true repeats of each subject at baseline (R4)."""
        baseline = evidence.under(BASELINE.id)
        if level == "R0":
            runs = [baseline, evidence.under(RERUN.id)]
            return cls._of(runs, [rows.case for rows in runs], operating_point)
        return cls._of([baseline], [baseline.subject], operating_point)

    @classmethod
    def _of(cls, runs: list[Rows], subjects: list[NDArray[np.object_]], operating_point: float) -> Repeats:
        answered = np.concatenate([rows.answered for rows in runs])
        subject = np.concatenate(subjects)[answered]
        names, codes, rows_each = np.unique(subject.astype(str), return_inverse=True, return_counts=True)
        keep = rows_each[codes] > 1
        kept, first, compact = np.unique(codes[keep], return_index=True, return_inverse=True)
        return cls(
            score=np.concatenate([rows.score for rows in runs])[answered][keep],
            called=np.concatenate([rows.called(operating_point) for rows in runs])[answered][keep],
            subject=compact,
            subjects=names[kept].astype(object),
            patient=np.concatenate([rows.patient for rows in runs])[answered][keep][first],
        )

    @property
    def flips(self) -> NDArray[np.bool_]:
        """Which subjects did not get the same call every time."""
        return subject_flips(self.called, self.subject, len(self.subjects))

    @property
    def squares(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Each subject's sum of squared deviations from its mean score, and its degrees of freedom."""
        return within_subject_squares(self.score, self.subject, len(self.subjects))


def measure(requirement: Requirement, evidence: Evidence, operating_point: float) -> Measurement:
    """Measure a repeatability requirement."""
    spec, level = requirement.spec, requirement.level or "R4"
    if not spec.measured:
        return quantities.measure(requirement, evidence.under(BASELINE.id))
    if level == "R0" and RERUN.id not in evidence.conditions:
        return undefined(Reason.CONDITION_NOT_RUN, "cases run twice")
    repeats = Repeats.at_level(level, evidence, operating_point)
    n_of = "cases run twice" if level == "R0" else "subjects with repeats"
    if len(repeats.subjects) == 0:
        return undefined(Reason.TOO_FEW_CASES if level == "R0" else Reason.NO_REPEATS, n_of)
    clusters = Clusters.of(repeats.patient)
    n = len(repeats.subjects)
    if spec.name == "max_deviation":
        largest = float(subject_ranges(repeats.score, repeats.subject, n).max())
        return Measurement(largest, None, "largest value, no interval", n, n_of, clusters.count)
    if spec.name == "flip_rate":
        hits, trials = clusters.sums(repeats.flips), clusters.sums(np.ones(n))
        estimate = float(hits.sum() / n)
        interval = proportion_interval(hits, trials, requirement.confidence, clopper_pearson)
    else:
        squares, freedom = (clusters.sums(part) for part in repeats.squares)
        estimate = float(np.sqrt(squares.sum() / freedom.sum()))
        interval = _sd_interval(estimate, squares, freedom, clusters, requirement.confidence)
    if interval is None:
        return Measurement(estimate, None, "none: too few patients", n, n_of, clusters.count, Reason.TOO_FEW_CASES)
    return Measurement(estimate, interval, interval.method, n, n_of, clusters.count)


def _sd_interval(
    estimate: float, squares: Floats, freedom: Floats, clusters: Clusters, confidence: float
) -> Interval | None:
    """Return the interval of a within-subject SD: chi-squared, or resampled where patients have several subjects.

    Where no score differs between repeats, both limits are 0: a spread that every method scales by what was seen. Ten
    patients are asked for then, since nothing else shows that the sameness is more than chance. Scores that saturate
    look the same; the flips and their exact limits bound what that hides.
    """
    if estimate == 0.0:
        method = "chi-squared, both limits 0, since no score differs between repeats"
        return Interval(0.0, 0.0, confidence, method) if clusters.count >= FEWEST_CLUSTERS else None
    if not clusters.repeat:
        return within_subject_sd_interval(estimate, int(freedom.sum()), confidence)
    resampled_squares, resampled_freedom = resampled(squares, freedom)
    replicates = np.sqrt(resampled_squares / resampled_freedom)
    if all_alike(replicates):  # each patient then tells as much as one pair of repeats
        return within_subject_sd_interval(estimate, clusters.count, confidence)
    return clusters.interval(replicates, confidence, clusters.count)
