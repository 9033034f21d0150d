from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from gatekeeper.evidence import Evidence
from gatekeeper.policy import load_policy, policy_names
from gatekeeper.run_records import RunRecords, read_records, read_run_files
from gatekeeper.suites import measure, plan_policy
from gatekeeper.suites.measured_from import measured_from


@pytest.fixture(scope="module")
def records(finished_run: Path) -> RunRecords:
    return read_records(read_run_files(finished_run), "here")


def garbled(evidence: Evidence, kept: tuple[str, ...]) -> Evidence:
    """Return evidence in which scores and times of all other conditions are others."""
    table = evidence.table
    elsewhere = ~np.isin(np.array(table["condition"].to_pylist()), kept)
    for name, change in (("score", lambda value: 1.0 - value), ("seconds", lambda value: value * 1000.0)):
        values = [
            change(value) if away and value is not None else value
            for value, away in zip(table[name].to_pylist(), elsewhere, strict=True)
        ]
        table = table.set_column(table.column_names.index(name), name, pa.array(values, pa.float64()))
    return Evidence(table)


@pytest.mark.parametrize("name", ["sensitivity", "specificity", "precision", "rerun", "flips", "breaking", "time"])
def test_what_stands_under_other_conditions_changes_nothing_of_a_requirement(records: RunRecords, name: str) -> None:
    policy, point = records.policy, records.candidate.contract.operating_point
    requirement = policy.requirements[name]
    named = measured_from(requirement, policy)
    found = measure(requirement, policy, records.evidence, point)
    assert measure(requirement, policy, garbled(records.evidence, named), point) == found
    assert measure(requirement, policy, garbled(records.evidence, ()), point) != found or name in ("rerun", "flips")


@pytest.mark.parametrize("name", policy_names())
def test_every_requirement_of_a_shipped_policy_names_conditions_of_its_plan(name: str) -> None:
    policy = load_policy(name).policy
    planned = {condition.id for condition in plan_policy(policy).conditions}
    used = set[str]()
    for requirement in policy.requirements.values():
        if requirement.not_measured is None:
            named = measured_from(requirement, policy)
            assert named
            assert set(named) <= planned
            used |= set(named)
    unused = {condition for condition in planned - used if condition.partition(".")[0] not in policy.robustness}
    assert {condition for condition in unused if not condition.startswith("refusal.")} == set()
