"""The evidence of a candidate without errors on a locked test set: the best that the set can show."""

from __future__ import annotations

from gatekeeper.evidence import CaseOutcome, Condition, Evidence
from gatekeeper.policy import Policy
from gatekeeper.suites import plan_policy
from gatekeeper.testset import LockedCase, Manifest
from gatekeeper.verdict._flawless import flawless_answers

OPERATING_POINT = 0.5
_NO_TIME = 1e-6  # seconds


def errorless_evidence(policy: Policy, manifest: Manifest) -> Evidence:
    """Return what a candidate that is always right, never differs and takes no time would leave behind.

    Positives score 1, negatives 0, under every condition of the policy's plan; a timed call takes a microsecond. A
    true repeat scores as the case that it repeats. Structures are outlined almost without fault.
    """
    rows = [row for condition in plan_policy(policy).conditions for row in _rows(condition, manifest.cases)]
    cases = [case for _, case in rows]
    timed = {condition.id for condition in plan_policy(policy).conditions if condition.timed_calls}
    label = {case.case_id: case.label for case in manifest.cases}
    columns = {
        "case_id": [case.case_id for case in cases],
        "patient": [case.patient for case in cases],
        "subject": [case.subject for case in cases],
        "label": [case.label for case in cases],
        "condition": [condition for condition, _ in rows],
        "repeat": [0] * len(rows),
        "outcome": [CaseOutcome.OK.value] * len(rows),
        "score": [None if id_ in timed else float(label.get(case.subject, case.label)) for id_, case in rows],
        "seconds": [_NO_TIME if id_ in timed else None for id_, _ in rows],
    }
    names = sorted({name for case in manifest.cases for name in case.attributes})
    attributes = {name: [case.attributes.get(name, "") for case in cases] for name in names}
    return Evidence.from_columns(columns, attributes, dict(flawless_answers(policy, manifest, cases)))


def _rows(condition: Condition, cases: tuple[LockedCase, ...]) -> list[tuple[str, LockedCase]]:
    calls = condition.timed_calls or len(cases)
    return [(condition.id, cases[index % len(cases)]) for index in range(calls)]
