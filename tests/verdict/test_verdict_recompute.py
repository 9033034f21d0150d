from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from gatekeeper.errors import Code, IntegrityError
from gatekeeper.evidence import Evidence, Finding, Outcome, Reason, Threshold, VerdictWord, reproducible_digest
from gatekeeper.run_records import RunRecords, read_records, read_run_files
from gatekeeper.testset import Manifest
from gatekeeper.verdict import recompute

Change = Callable[[RunRecords], RunRecords]


@pytest.fixture(scope="module")
def records(finished_run: Path) -> RunRecords:
    return read_records(read_run_files(finished_run), "the finished run")


def recomputed(records: RunRecords) -> int:
    return recompute(
        records.policy,
        records.plan,
        records.candidate,
        records.manifest,
        records.environment,
        records.evidence,
        records.verdict,
    )


def claiming(records: RunRecords, **changes: object) -> RunRecords:
    """Change the claimed verdict, and its own digest with it, as a forger would."""
    verdict = records.verdict.model_copy(update=changes)
    digest = reproducible_digest(verdict.verdict, verdict.digests, verdict.findings)
    return replace(records, verdict=verdict.model_copy(update={"reproducible": digest}))


def with_finding(id_: str, change: Callable[[Finding], dict[str, object]]) -> Change:
    def changed(records: RunRecords) -> RunRecords:
        findings = tuple(
            item.model_copy(update=change(item)) if item.id == id_ else item for item in records.verdict.findings
        )
        assert findings != records.verdict.findings
        return claiming(records, findings=findings)

    return changed


def scaled(factor: float) -> Callable[[Finding], dict[str, object]]:
    return lambda item: {"estimate": (item.estimate or 0.0) * factor}


def limits_scaled(lower: float, upper: float) -> Callable[[Finding], dict[str, object]]:
    return lambda item: {"interval": ((item.interval or (0, 0))[0] * lower, (item.interval or (0, 0))[1] * upper)}


def with_column(name: str, change: Callable[[list[object]], None]) -> Change:
    def changed(records: RunRecords) -> RunRecords:
        table = records.evidence.table
        values = table[name].to_pylist()
        change(values)
        column = pa.array(values, type=table[name].type)
        return replace(records, evidence=Evidence(table.set_column(table.schema.get_field_index(name), name, column)))

    return changed


def with_table(change: Callable[[pa.Table], pa.Table]) -> Change:
    return lambda records: replace(records, evidence=Evidence(change(records.evidence.table)))


def put(place: int, value: object) -> Callable[[list[object]], None]:
    def change(values: list[object]) -> None:
        assert values[place] != value
        values[place] = value

    return change


def swapped(values: list[object]) -> None:
    first, other = 0, next(place for place, value in enumerate(values) if value != values[0])
    values[first], values[other] = values[other], values[first]


def timed_row(records: RunRecords) -> int:
    return records.evidence.table["condition"].to_pylist().index("latency")


def relabelled(records: RunRecords) -> RunRecords:
    first, *others = records.manifest.cases
    cases = (replace(first, label=1 - first.label), *others)
    return replace(records, manifest=Manifest.of(records.manifest.name, cases))


def relabelled_throughout(records: RunRecords) -> RunRecords:
    """Change a label in the lock and the lock's digest in the verdict, but not in the evidence."""
    changed = relabelled(records)
    return claiming(changed, digests=changed.verdict.digests.model_copy(update={"lock": changed.manifest.digest}))


def with_operating_point(records: RunRecords) -> RunRecords:
    contract = records.candidate.contract.model_copy(update={"operating_point": 0.25})
    return replace(records, candidate=records.candidate.model_copy(update={"contract": contract}))


def with_policy_threshold(records: RunRecords) -> RunRecords:
    content = records.policy.to_json()
    content["requirements"]["sensitivity"]["lower_limit"]["at_least"] = "29 %"  # type: ignore[index,call-overload]
    return replace(records, policy=type(records.policy).model_validate_json(_json(content)))


def _json(content: object) -> str:
    import json

    return json.dumps(content)


def without_a_condition(records: RunRecords) -> RunRecords:
    plan = records.plan.model_copy(update={"conditions": records.plan.conditions[:-1]})
    digests = records.verdict.digests.model_copy(update={"plan": plan.digest})
    return claiming(replace(records, plan=plan), digests=digests)


ROWS = 90

CHANGES: dict[str, tuple[Change, str]] = {
    "an estimate": (with_finding("sensitivity", scaled(1 + 1e-6)), 'the estimate of "sensitivity"'),
    "an estimate left out": (with_finding("specificity", lambda _: {"estimate": None}), "the estimate of"),
    "a lower limit": (with_finding("specificity", limits_scaled(1 - 1e-6, 1)), 'the lower limit of "specificity"'),
    "an upper limit": (with_finding("flips", limits_scaled(1, 1 + 1e-6)), 'the upper limit of "flips"'),
    "an interval left out": (with_finding("flips", lambda _: {"interval": None}), 'the lower limit of "flips"'),
    "a latency": (with_finding("time", scaled(0.5)), 'the estimate of "time"'),
    "an outcome": (with_finding("precision", lambda _: {"outcome": Outcome.NOT_DECIDED}), 'the outcome of "precision"'),
    "a reason": (with_finding("rerun", lambda _: {"reason": Reason.NO_REPEATS}), 'the reason of "rerun"'),
    "a threshold": (
        with_finding("sensitivity", lambda _: {"threshold": Threshold(of="lower_limit", at_least=0.31)}),
        'the threshold of "sensitivity"',
    ),
    "words": (with_finding("sensitivity", lambda item: {"words": item.words + " Really."}), 'the words of "sensitiv'),
    "a denominator": (with_finding("sensitivity", lambda item: {"n": item.n + 1}), 'the n of "sensitivity"'),
    "a weight": (with_finding("flips", lambda _: {"blocking": False}), 'the blocking of "flips"'),
    "a finding left out": (lambda r: claiming(r, findings=r.verdict.findings[:-1]), "the list of findings"),
    "findings in another order": (lambda r: claiming(r, findings=r.verdict.findings[::-1]), "the list of findings"),
    "the verdict": (lambda r: claiming(r, verdict=VerdictWord.INCONCLUSIVE), "the verdict does not hold"),
    "the verdict's words": (lambda r: claiming(r, words="All is well."), "the words does not hold"),
    "the policy's version": (lambda r: claiming(r, policy_version="9.0.0"), "the policy version"),
    "the number of cases": (lambda r: claiming(r, cases=1000), "the cases does not hold"),
    "the number of patients": (lambda r: claiming(r, patients=1000), "the patients does not hold"),
    "the shared digest": (
        lambda r: replace(r, verdict=r.verdict.model_copy(update={"reproducible": "sha256:" + "0" * 64})),
        "the digest of what two runs share",
    ),
    "two labels in the evidence": (with_column("label", swapped), "is not the locked case"),
    "two patients in the evidence": (with_column("patient", swapped), "is not the locked case"),
    "a subject in the evidence": (with_column("subject", put(0, "disc-001-0")), "is not the locked case"),
    "a score that turns a call": (with_column("score", lambda v: put(0, 1.0 - float(str(v[0])))(v)), "does not hold"),
    "a score of no probability": (with_column("score", put(0, 1.5)), "no possible answer"),
    "a score left out": (with_column("score", put(0, None)), "no possible answer"),
    "an answer struck out": (with_column("outcome", put(0, "crashed")), "does not hold"),
    "an attribute": (with_column("attribute.site", put(0, "south")), "the attributes of case"),
    "an attribute left out": (with_table(lambda table: table.drop_columns(["attribute.site"])), "the attributes in"),
    "an attribute added": (
        with_table(lambda table: table.append_column("attribute.sex", pa.array(["f"] * table.num_rows))),
        "the attributes in the evidence",
    ),
    "a row dropped": (with_table(lambda table: table.slice(1)), 'the number of rows under "baseline"'),
    "a row doubled": (
        with_table(lambda table: pa.concat_tables([table.slice(0, 1), table])),
        'the number of rows under "baseline"',
    ),
    "two rows in another order": (
        with_table(lambda table: table.take([1, 0, *range(2, table.num_rows)])),
        "is not the locked case",
    ),
    "a condition in another name": (
        with_column("condition", lambda v: v.__setitem__(slice(0, ROWS), ["other"] * ROWS)),
        "the conditions in the evidence",
    ),
    "a condition without rows": (
        with_table(lambda table: table.filter(pa.compute.not_equal(table["condition"], "rerun"))),
        "the conditions in the evidence",
    ),
    "a call that took no time": (lambda r: with_column("seconds", put(timed_row(r), 0.0))(r), "no possible answer"),
    "a call without a time": (lambda r: with_column("seconds", put(timed_row(r), None))(r), "no possible answer"),
    "a stage that took less than nothing": (
        lambda r: with_column("seconds.forward", put(timed_row(r), -1.0))(r),
        "no possible answer",
    ),
    "a threshold of the policy": (with_policy_threshold, "the policy's digest"),
    "the operating point": (with_operating_point, "the digest of the candidate's record"),
    "the candidate's digest": (
        lambda r: claiming(r, digests=r.verdict.digests.model_copy(update={"candidate": "sha256:" + "0" * 64})),
        "the candidate's digest",
    ),
    "a plan that lacks a condition": (without_a_condition, "the plan that follows from the policy"),
    "a label in the lock": (relabelled, "the lock's digest"),
    "a label in the lock and its digest": (relabelled_throughout, "is not the locked case"),
}


def test_an_unchanged_run_is_recomputed_and_its_numbers_are_counted(records: RunRecords) -> None:
    numbers = sum((item.estimate is not None) + 2 * (item.interval is not None) for item in records.verdict.findings)
    assert recomputed(records) == numbers
    assert numbers >= len(records.verdict.findings)
    assert len(records.manifest.cases) == ROWS


@pytest.mark.parametrize("what", sorted(CHANGES))
def test_whatever_was_changed_is_found_and_named(records: RunRecords, what: str) -> None:
    change, named = CHANGES[what]
    with pytest.raises(IntegrityError) as caught:
        recomputed(change(records))
    problem = caught.value.problems[0]
    assert problem.code is Code.NOT_RECOMPUTED
    assert named in problem.what


@pytest.mark.parametrize("factor", [1 + 1e-13, 1 - 1e-13, 1 + 1e-10])
def test_the_last_digits_of_another_processor_are_tolerated(records: RunRecords, factor: float) -> None:
    assert recomputed(with_finding("sensitivity", scaled(factor))(records)) == recomputed(records)
    assert recomputed(with_finding("flips", limits_scaled(1, factor))(records)) == recomputed(records)


def test_no_patient_is_named_in_what_is_said(records: RunRecords) -> None:
    patients = {case.patient for case in records.manifest.cases}
    for what in ("two patients in the evidence", "two labels in the evidence", "an attribute"):
        with pytest.raises(IntegrityError) as caught:
            recomputed(CHANGES[what][0](records))
        assert not any(patient in str(caught.value) for patient in patients)
