"""Evidence and requirements made up by hand: no number here was measured on anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from gatekeeper.evidence import Evidence, Rows
from gatekeeper.policy import Policy, Requirement

OPERATING_POINT = 0.5
BASIS = {"source": "made up", "status": "project_choice"}
CONTEXT = {
    "modality": "CT",
    "body_part": "CHEST",
    "task": "classification",
    "unit": "nodule",
    "positive": "malignant",
    "intended_use": "Tests. Not for clinical use.",
}


@dataclass(frozen=True)
class MadeUpCase:
    """One row of evidence; a patient of its own and no repeat unless said."""

    score: float
    label: int
    patient: str = ""
    case: str = ""
    subject: str = ""
    answered: bool = True
    attributes: Mapping[str, str] = field(default_factory=dict)


def named(cases: Sequence[MadeUpCase]) -> list[MadeUpCase]:
    """Give cases ids and patients where they have none."""
    return [
        replace(
            case,
            case=case.case or f"case-{number:04}",
            patient=case.patient or f"patient-{number:04}",
            subject=case.subject or case.case or f"case-{number:04}",
        )
        for number, case in enumerate(cases)
    ]


def evidence_of(
    conditions: Mapping[str, Sequence[MadeUpCase]], seconds: Mapping[str, Sequence[float]] | None = None
) -> Evidence:
    """Build evidence from cases by condition, and from seconds of calls of one case by condition."""
    rows: list[tuple[str, MadeUpCase, float | None]] = []
    for condition, cases in conditions.items():
        rows += [(condition, case, None) for case in named(cases)]
    for condition, times in (seconds or {}).items():
        rows += [(condition, named([MadeUpCase(0.0, 0)])[0], time) for time in times]
    names = sorted({name for _, case, _ in rows for name in case.attributes})
    columns = {
        "case_id": [case.case for _, case, _ in rows],
        "patient": [case.patient for _, case, _ in rows],
        "subject": [case.subject for _, case, _ in rows],
        "label": [case.label for _, case, _ in rows],
        "condition": [condition for condition, _, _ in rows],
        "repeat": [0] * len(rows),
        "outcome": ["ok" if case.answered else "crashed" for _, case, _ in rows],
        "score": [case.score if case.answered and time is None else None for _, case, time in rows],
        "seconds": [time for _, _, time in rows],
    }
    attributes = {name: [case.attributes.get(name, "") for _, case, _ in rows] for name in names}
    return Evidence.from_columns(columns, attributes)


def rows_of(cases: Sequence[MadeUpCase]) -> Rows:
    """Build the rows of the baseline."""
    return evidence_of({"baseline": cases}).under("baseline")


def cells(tp: int, fn: int, fp: int, tn: int, patient: str = "") -> list[MadeUpCase]:
    """Return cases that give this confusion table at the operating point."""
    pairs = [(0.9, 1)] * tp + [(0.1, 1)] * fn + [(0.9, 0)] * fp + [(0.1, 0)] * tn
    return [MadeUpCase(score, label, patient) for score, label in pairs]


def random_cases(seed: int, patients: int, cases_each: int, ties: bool = False) -> list[MadeUpCase]:
    """Return cases of patients whose scores hang together, shuffled."""
    random = np.random.default_rng(seed)
    made = []
    for patient in range(patients):
        shift = random.normal(0.0, 0.7)
        for _ in range(cases_each):
            label = int(random.random() < 0.45)
            score = 1.0 / (1.0 + np.exp(-(random.normal(0.0, 1.0) + shift + 2.0 * label - 1.0)))
            made.append(MadeUpCase(round(float(score), 1 if ties else 15), label, f"patient-{patient:03}"))
    return [made[index] for index in random.permutation(len(made))]


def requirement(metric: str, **options: object) -> Requirement:
    """Return a requirement on a metric; a threshold that fits the metric unless one is given."""
    if not {"lower_limit", "upper_limit", "estimate"} & set(options):
        options |= threshold_for(metric)
    return Requirement.model_validate({"metric": metric, "basis": BASIS, **options})


def threshold_for(metric: str) -> dict[str, object]:
    """Return a threshold of the kind that a metric takes."""
    higher = {"lower_limit": {"at_least": 0.5}}
    lower = {"upper_limit": {"at_most": 0.5}}
    special: dict[str, dict[str, object]] = {
        "max_deviation": {"estimate": {"at_most": 0.0}},
        "breaking_point": {"estimate": {"at_least": 1}},
        "latency": {"upper_limit": {"at_most": "20 ms"}},
        "flip_rate": lower,
        "within_subject_sd": lower,
        "performance_drop": lower,
    }
    return special.get(metric, higher)


def policy_of(requirements: Mapping[str, Requirement], **parts: object) -> Policy:
    """Return a policy of these requirements, in their order."""
    return Policy.model_validate(
        {
            "id": "made_up",
            "version": "1.0.0",
            "title": "Made up",
            "context": CONTEXT,
            "requirements": dict(requirements),
            "order": tuple(id_ for id_, item in requirements.items() if item.blocking),
            **parts,
        }
    )


def plain_weights(patients: int) -> NDArray[np.int64]:
    """Return one resample that takes every patient once."""
    return np.ones((1, patients), dtype=np.int64)
