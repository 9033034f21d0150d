"""How much the answer changes when nothing about the patient does.

Every case run again in a fresh process (R0), one at a time in reverse order (R1), in another numeric format (R2), after
changes that mean nothing (R3); true repeats that stand in the table (R4).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from gatekeeper.evidence import BASELINE, Condition, Evidence, Reason
from gatekeeper.policy import Policy, Requirement
from gatekeeper.suites import quantities
from gatekeeper.suites.changes import deviation, flip_share, spread
from gatekeeper.suites.levels import conditions_of, reruns
from gatekeeper.suites.measurement import Measurement, undefined
from gatekeeper.suites.repeats import Repeats, runs_of
from gatekeeper.suites.stopping import reruns_needed

OF_TRUE_REPEATS = "subjects with repeats"


@dataclass(frozen=True)
class FlippedCase:
    """A case, or a subject with true repeats, that did not get the same call every time.

    ``scores`` in the order of the runs, or of the rows; NaN where there is no answer. ``distance`` is that of the
    nearest of them to the operating point.
    """

    case_id: str
    scores: tuple[float, ...]
    distance: float


def measure(requirement: Requirement, policy: Policy, evidence: Evidence, operating_point: float) -> Measurement:
    """Measure a repeatability requirement."""
    if requirement.not_measured is not None:
        return undefined(Reason.NOT_MEASURED, requirement.spec.n_of)
    again = compared(requirement, policy, evidence, operating_point)
    n_of = counted(requirement, again)
    if not was_run(requirement, again, evidence):
        return undefined(Reason.CONDITION_NOT_RUN, n_of)
    found = _measured(requirement, policy, evidence, again, n_of, operating_point)
    most = len(reruns(policy))
    if requirement.level != "R0" or len(again) == most:
        return found
    remark = f"Stopped after {len(again)} of {most} reruns: decided, since more could only add changes."
    return replace(found, remark=remark)


def compared(
    requirement: Requirement, policy: Policy, evidence: Evidence, operating_point: float
) -> tuple[Condition, ...]:
    """Return the conditions whose answers are compared with the baseline's; none at R4."""
    if requirement.level == "R0":
        return reruns_needed(policy, evidence, operating_point)
    return conditions_of(requirement, policy)


def flipped(
    policy: Policy, evidence: Evidence, operating_point: float, requirement: Requirement
) -> tuple[FlippedCase, ...]:
    """Return which cases flipped at the level of a requirement, the nearest to the operating point first.

    Empty where the level was not run, or answers are no scores.
    """
    again = compared(requirement, policy, evidence, operating_point)
    baseline = evidence.under(BASELINE.id)
    if not was_run(requirement, again, evidence) or np.isnan(baseline.score).all():
        return ()
    if again:
        repeats = Repeats.run_again(evidence, again, operating_point)
        runs = runs_of(evidence, again)
        scores = np.stack([np.where(rows.answered, rows.score, np.nan) for rows in runs]).T
        of = {str(name): row for row, name in enumerate(baseline.case)}
        found = [(name, scores[of[name]]) for name in repeats.subjects[repeats.flips].tolist()]
    else:
        repeats = Repeats.true(evidence, operating_point)
        found = [
            (name, repeats.score[repeats.subject == code])
            for code, name in enumerate(repeats.subjects.tolist())
            if repeats.flips[code]
        ]
    cases = [
        FlippedCase(name, tuple(values.tolist()), float(np.nanmin(np.abs(values - operating_point))))
        for name, values in found
    ]
    return tuple(sorted(cases, key=lambda case: (case.distance, case.case_id)))


def counted(requirement: Requirement, again: Sequence[Condition]) -> str:
    """Name what is counted: subjects with repeats, or cases by how often they were run."""
    if requirement.level == "R4":
        return OF_TRUE_REPEATS
    return "cases run twice" if len(again) == 1 else f"cases run {len(again) + 1} times"


def was_run(requirement: Requirement, again: Sequence[Condition], evidence: Evidence) -> bool:
    """Say whether the evidence holds what a level compares; of true repeats the baseline is enough."""
    if requirement.level == "R4":
        return True
    return bool(again) and all(condition.id in evidence.conditions for condition in again)


def _measured(
    requirement: Requirement,
    policy: Policy,
    evidence: Evidence,
    again: Sequence[Condition],
    n_of: str,
    operating_point: float,
) -> Measurement:
    name = requirement.spec.name
    if name in quantities.AGREEMENT:
        scores = policy.context.task == "classification"
        return quantities.measure(requirement, runs_of(evidence, again), n_of, scores=scores)
    repeats = Repeats.run_again(evidence, again, operating_point) if again else Repeats.true(evidence, operating_point)
    if len(repeats.subjects) == 0:
        return undefined(Reason.TOO_FEW_CASES if again else Reason.NO_REPEATS, n_of)
    if name == "max_deviation":
        return deviation(evidence, again, repeats, n_of, moved=requirement.level == "R3")
    return flip_share(requirement, repeats, n_of) if name == "flip_rate" else spread(requirement, repeats, n_of)
