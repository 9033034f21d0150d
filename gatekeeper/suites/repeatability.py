"""How much the answer changes when nothing about the patient does.

Every case run again in a fresh process (R0), one at a time in reverse order (R1), in another numeric format (R2); true
repeats that stand in the table (R4).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gatekeeper.evidence import BASELINE, Condition, Evidence, Reason, Rows
from gatekeeper.evidence.conditions import NumericFormat
from gatekeeper.metrics import Suite
from gatekeeper.metrics.repeatability import subject_flips, within_subject_squares
from gatekeeper.policy import Policy, Requirement
from gatekeeper.statistics import Interval, clopper_pearson
from gatekeeper.statistics.repeatability import uneven_within_subject_sd_interval
from gatekeeper.suites import quantities
from gatekeeper.suites.clusters import FEWEST_CLUSTERS, SEED, Clusters, Floats, proportion_interval
from gatekeeper.suites.measurement import Measurement, undefined
from gatekeeper.suites.reruns import CHANGED, largest_change

MOST_VARIANCE = 0.5  # of a subject's scores between 0 and 1: two repeats, at 0 and at 1

RERUN = Condition(id="rerun", suite=Suite.REPEATABILITY.value, fresh_process=True)
ONE_BY_ONE = Condition(id="one_by_one", suite=Suite.REPEATABILITY.value, batch_size=1, reverse=True)
N_OF_RUNS = "cases run twice"


def in_format(numeric_format: NumericFormat) -> Condition:
    """Return the condition of level R2: every case again in this numeric format."""
    return Condition(
        id=f"numeric_format.{numeric_format}", suite=Suite.REPEATABILITY.value, numeric_format=numeric_format
    )


def again(requirement: Requirement) -> Condition | None:
    """Return the condition under which cases are run again; None at R4, whose repeats are in the baseline."""
    if requirement.compared_format is not None:
        return in_format(requirement.compared_format)
    return {"R0": RERUN, "R1": ONE_BY_ONE}.get(requirement.level or "")


def plan(policy: Policy) -> tuple[Condition, ...]:
    """Run every case again at each level that a requirement asks for; R4 needs nothing."""
    asked = [item for item in policy.requirements.values() if item.level is not None and item.not_measured is None]
    found = {condition.id: condition for condition in map(again, asked) if condition is not None}
    return tuple(found[id_] for id_ in sorted(found, key=lambda id_: (id_ != RERUN.id, id_ != ONE_BY_ONE.id)))


@dataclass(frozen=True)
class Repeats:
    """Answers to subjects that were answered twice or more; ``subject`` codes rows, ``patient`` is per subject.

    ``lost`` counts the subjects that have an answer in one of two runs alone.
    """

    score: NDArray[np.float64]
    called: NDArray[np.bool_]
    subject: NDArray[np.intp]
    subjects: NDArray[np.object_]
    patient: NDArray[np.object_]
    lost: int = 0

    @classmethod
    def true(cls, evidence: Evidence, operating_point: float) -> Repeats:
        """Take the true repeats of each subject at baseline; those without an answer are left out."""
        rows = evidence.under(BASELINE.id)
        kept = rows.where(rows.answered)
        return cls._of(kept.score, kept.called(operating_point), kept.subject, kept.patient)

    @classmethod
    def run_again(cls, evidence: Evidence, condition: Condition, operating_point: float) -> Repeats:
        """Take every case at baseline and under a condition; those without an answer in both are left out.

        A case with an answer in one of both alone has changed as far as it can: to the other call, and to a score of 0
        or 1, whichever is farther. Raises ValueError where both are not of the same cases.
        """
        first, second = runs = _runs(evidence, condition)
        answered = np.stack([rows.answered for rows in runs])
        score = np.stack([rows.score for rows in runs])
        called = np.stack([rows.called(operating_point) for rows in runs])
        for own, other in ((0, 1), (1, 0)):
            lost = ~answered[own] & answered[other]
            score[own, lost] = np.where(score[other, lost] < 0.5, 1.0, 0.0)
            called[own, lost] = ~called[other, lost]
        kept = answered.any(axis=0)
        found = cls._of(
            score[:, kept].ravel(),
            called[:, kept].ravel(),
            np.tile(first.case[kept], 2),
            np.tile(second.patient[kept], 2),
        )
        return replace(found, lost=int((answered[0] ^ answered[1]).sum()))

    @classmethod
    def _of(
        cls,
        score: NDArray[np.float64],
        called: NDArray[np.bool_],
        subject: NDArray[np.object_],
        patient: NDArray[np.object_],
    ) -> Repeats:
        names, codes, rows_each = np.unique(subject.astype(str), return_inverse=True, return_counts=True)
        keep = rows_each[codes] > 1
        kept, first, compact = np.unique(codes[keep], return_index=True, return_inverse=True)
        return cls(
            score=score[keep],
            called=called[keep],
            subject=compact,
            subjects=names[kept].astype(object),
            patient=patient[keep][first],
        )

    @property
    def flips(self) -> NDArray[np.bool_]:
        """Which subjects did not get the same call every time."""
        return subject_flips(self.called, self.subject, len(self.subjects))

    @property
    def squares(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Each subject's sum of squared deviations from its mean score, and its degrees of freedom."""
        return within_subject_squares(self.score, self.subject, len(self.subjects))


def _runs(evidence: Evidence, condition: Condition) -> tuple[Rows, Rows]:
    """Return the rows of both runs. Raises ValueError where they are not of the same cases."""
    first, second = evidence.under(BASELINE.id), evidence.under(condition.id)
    if not np.array_equal(first.case, second.case):
        raise ValueError(f"other cases were run under {condition.id} than at baseline")
    return first, second


def measure(requirement: Requirement, evidence: Evidence, operating_point: float) -> Measurement:
    """Measure a repeatability requirement."""
    spec, condition = requirement.spec, again(requirement)
    if requirement.not_measured is not None:
        return undefined(Reason.NOT_MEASURED, spec.n_of)
    if spec.name in quantities.AGREEMENT:
        return quantities.measure(requirement, evidence.under(BASELINE.id))
    if condition is not None and condition.id not in evidence.conditions:
        return undefined(Reason.CONDITION_NOT_RUN, N_OF_RUNS)
    if condition is None:
        repeats, n_of = Repeats.true(evidence, operating_point), "subjects with repeats"
    else:
        repeats, n_of = Repeats.run_again(evidence, condition, operating_point), N_OF_RUNS
    if len(repeats.subjects) == 0:
        return undefined(Reason.NO_REPEATS if condition is None else Reason.TOO_FEW_CASES, n_of)
    clusters = Clusters.of(repeats.patient)
    n = len(repeats.subjects)
    if spec.name == "max_deviation":
        largest = _largest(evidence, condition, repeats.lost)
        return Measurement(largest, None, "largest value, no interval", n, n_of, clusters.count)
    if spec.name == "flip_rate":
        hits, trials = clusters.sums(repeats.flips), clusters.sums(np.ones(n))
        estimate = float(hits.sum() / n)
        interval = proportion_interval(hits, trials, requirement.confidence, clopper_pearson)
    else:
        squares, freedom = repeats.squares
        estimate = float(np.sqrt(squares.sum() / freedom.sum()))
        interval = _sd_interval(estimate, squares, freedom, clusters, requirement.confidence)
    if interval is None:
        return Measurement(estimate, None, "none: too few patients", n, n_of, clusters.count, Reason.TOO_FEW_CASES)
    return Measurement(estimate, interval, interval.method, n, n_of, clusters.count)


def _largest(evidence: Evidence, condition: Condition | None, lost: int) -> float:
    """Return the largest change; an answer that one of both runs lacks is one."""
    if condition is None:
        baseline = evidence.under(BASELINE.id)
        return largest_change([baseline], [baseline.subject])
    runs = _runs(evidence, condition)
    return max(largest_change(runs, [rows.case for rows in runs]), CHANGED if lost else 0.0)


def _sd_interval(
    estimate: float, squares: Floats, freedom: Floats, clusters: Clusters, confidence: float
) -> Interval | None:
    """Return the interval of a within-subject SD; scores near 0.5 may scatter more than those near 0 and 1.

    Where no score differs between repeats, both limits are 0: a spread that every method scales by what was seen. Ten
    patients are asked for then, since nothing else shows that the sameness is more than chance. Scores that saturate
    look the same; the flips and their exact limits bound what that hides.
    """
    if estimate == 0.0:
        method = "chi-squared, both limits 0, since no score differs between repeats"
        return Interval(0.0, 0.0, confidence, method) if clusters.count >= FEWEST_CLUSTERS else None
    if clusters.count < (FEWEST_CLUSTERS if clusters.repeat else 2):
        return None
    return uneven_within_subject_sd_interval(squares, freedom, clusters.codes, MOST_VARIANCE, confidence, seed=SEED)
