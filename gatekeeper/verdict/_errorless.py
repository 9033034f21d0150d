"""The evidence of a candidate without errors on a locked test set: the best that the set can show."""

from __future__ import annotations

from typing import get_args

from gatekeeper.evidence import CaseOutcome, Condition, Evidence
from gatekeeper.policy import Policy
from gatekeeper.policy.schema.requirement import Stage
from gatekeeper.suites import plan_policy
from gatekeeper.testset import LockedCase, Manifest
from gatekeeper.testset.unusable import chosen, inputs_of
from gatekeeper.verdict._flawless import flawless_answers

OPERATING_POINT = 0.5
_NO_TIME = 1e-6  # seconds


def errorless_evidence(policy: Policy, manifest: Manifest) -> Evidence:
    """Return what a candidate that is always right, never differs and takes no time would leave behind.

    Positives score 1, negatives 0, under every condition of the policy's plan; a timed call takes a microsecond. A
    true repeat scores as the case that it repeats. Structures are outlined almost without fault. What is unusable is
    refused, each input as if it differed from all others.
    """
    planned = plan_policy(policy).conditions
    rows = [row for condition in planned for row in _rows(condition, policy, manifest)]
    refused = {condition.id for condition in planned if condition.refusal is not None}
    cases = [case for _, case in rows]
    timed = {condition.id for condition in planned if condition.recorded_calls}
    label = {case.case_id: case.label for case in manifest.cases}
    columns = {
        "case_id": [case.case_id for case in cases],
        "patient": [case.patient for case in cases],
        "subject": [case.subject for case in cases],
        "label": [case.label for case in cases],
        "condition": [condition for condition, _ in rows],
        "repeat": [0] * len(rows),
        "outcome": [(CaseOutcome.REFUSED if id_ in refused else CaseOutcome.OK).value for id_, _ in rows],
        "score": [None if id_ in timed else float(label.get(case.subject, case.label)) for id_, case in rows],
        "seconds": [_NO_TIME if id_ in timed else None for id_, _ in rows],
    }
    names = sorted({name for case in manifest.cases for name in case.attributes})
    attributes = {name: [case.attributes.get(name, "") for case in cases] for name in names}
    answers = dict(flawless_answers(policy, manifest, cases)) | _clock([id_ for id_, _ in rows], timed)
    return Evidence.from_columns(columns, attributes, answers)


def _clock(conditions: list[str], timed: set[str]) -> dict[str, list[float | None]]:
    if not timed:
        return {}
    took = {f"seconds.{stage}": _NO_TIME for stage in (*get_args(Stage), "per_case")}
    peaks = {"peak.host": 0.0, "peak.device": 0.0}
    return {name: [value if id_ in timed else None for id_ in conditions] for name, value in (took | peaks).items()}


def _rows(condition: Condition, policy: Policy, manifest: Manifest) -> list[tuple[str, LockedCase]]:
    cases = manifest.cases
    if condition.refusal is not None:
        inputs = inputs_of(manifest)
        tried = chosen(condition.refusal, condition.tries, manifest, policy.context.modality)
        return [(condition.id, inputs[index]) for index in tried]
    calls = condition.recorded_calls or len(cases)
    return [(condition.id, cases[index % len(cases)]) for index in range(calls)]
