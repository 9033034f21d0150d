"""Rows that were found, in any order, as evidence in the order of plan and lock."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gatekeeper.engine.journal import Found
from gatekeeper.engine.measuring import Asked, value_columns
from gatekeeper.evidence import Evidence, Plan
from gatekeeper.testset import LockedTestSet
from gatekeeper.testset.unusable import inputs_of


def assembled(plan: Plan, testset: LockedTestSet, found: Found, asked: Asked) -> Evidence:
    """Return evidence of all rows, with what the lock says of their cases: patient, subject, label, attributes.

    A case is numbered by its place in ``inputs_of``, since rows may be of what is unusable.

    What is asked of structures has its columns even where no case was answered: a lost case has a cost. Repeats of the
    clock follow one another, cases in turn. A condition of a numeric format that some of the cases were not run in,
    since the run was begun on another device and resumed, is left out.
    """
    cases, inputs = testset.manifest.cases, inputs_of(testset.manifest)
    rows = np.bincount(np.asarray(found.condition, dtype=np.intp), minlength=len(plan.conditions))
    partly = {
        index
        for index, condition in enumerate(plan.conditions)
        if condition.numeric_format is not None and rows[index] < len(cases)
    }
    order = np.lexsort((found.case, found.repeat, found.condition)).tolist()
    order = [row for row in order if found.condition[row] not in partly]
    of = [inputs[found.case[row]] for row in order]
    ids = [condition.id for condition in plan.conditions]
    columns: dict[str, Sequence[object]] = {
        "case_id": [case.case_id for case in of],
        "patient": [case.patient for case in of],
        "subject": [case.subject for case in of],
        "label": [case.label for case in of],
        "condition": [ids[found.condition[row]] for row in order],
    }
    for name in ("repeat", "outcome", "fault", "score", "seconds"):
        values = getattr(found, name)
        columns[name] = [values[row] for row in order]
    names = sorted({name for case in cases for name in case.attributes})
    attributes = {name: [case.attributes.get(name, "") for case in of] for name in names}
    answers: dict[str, Sequence[object]] = {
        name: [values[row] for row in order] for name, values in sorted(found.answers.items())
    }
    answers |= {name: [None] * len(order) for name in value_columns(asked) if name not in answers}
    return Evidence.from_columns(columns, attributes, answers | _findings(testset, found, order))


def _findings(testset: LockedTestSet, found: Found, order: Sequence[int]) -> dict[str, Sequence[object]]:
    if testset.manifest.task != "detection":
        return {}
    from gatekeeper.engine.references import lesions_in

    lesions = [lesions_in(case.boxes) for case in inputs_of(testset.manifest)]
    return {
        "finding_score": [found.finding_score[row] or [] for row in order],
        "finding_lesion": [found.finding_lesion[row] or [] for row in order],
        "lesions": [lesions[found.case[row]] for row in order],
    }
