from __future__ import annotations

from dataclasses import replace

import pytest
from made_up_environment import environment
from made_up_evidence import CONTEXT, OPERATING_POINT, MadeUpCase, cells, evidence_of, policy_of, requirement
from pydantic import ValidationError

from gatekeeper.evidence import Environment, Evidence, Finding, Outcome, Reason, VerdictWord
from gatekeeper.policy import Policy
from gatekeeper.verdict import decide, judge
from gatekeeper.verdict.conclude import _waived

GOOD = evidence_of({"baseline": cells(45, 5, 5, 45)})
WAIVER = {"requirement": "specificity", "reason": "Scanner under repair.", "by": "A. Person", "expires": "2026-12-31"}


def judged(policy: Policy, evidence: Evidence = GOOD, **facts: object) -> dict[str, Finding]:
    return {item.id: item for item in judge(policy, evidence, OPERATING_POINT, **facts)}  # type: ignore[arg-type]


def waiving(**changes: str) -> Policy:
    items = {
        "sensitivity": requirement("sensitivity"),
        "specificity": requirement("specificity", lower_limit={"at_least": 0.99}),
    }
    return policy_of(items, waivers=({**WAIVER, **changes},))


@pytest.mark.parametrize(
    ("started", "in_force"),
    [("2026-12-31T23:59:59Z", True), ("2027-01-01T00:00:00Z", False), ("2026-01-01T00:00:00Z", True), (None, False)],
)
def test_a_waiver_holds_to_the_end_of_its_day_and_shows_what_it_covers(started: str | None, in_force: bool) -> None:
    findings = judged(waiving(), started=started)
    waived = findings["specificity"]
    assert waived.outcome is Outcome.NOT_MET
    assert (waived.waived is not None) is in_force
    assert ("Waived until 2026-12-31 by A. Person: Scanner under repair." in waived.words) is in_force
    assert decide(findings.values()) is (VerdictWord.PASS if in_force else VerdictWord.FAIL)


def test_the_words_of_a_verdict_name_the_waiver_and_the_verdict_beneath_it() -> None:
    findings = tuple(judged(waiving(), started="2026-11-23T00:00:00Z").values())
    told = _waived(VerdictWord.FAIL, findings)
    assert told == " Not counted: Specificity (not met, waived until 2026-12-31). Without waivers: FAIL."
    assert _waived(VerdictWord.FAIL, tuple(judged(waiving()).values())) == ""


def test_a_waiver_of_what_is_met_covers_nothing() -> None:
    findings = judged(waiving(requirement="sensitivity"), started="2026-11-23T00:00:00Z")
    assert findings["sensitivity"].waived is None
    assert decide(findings.values()) is VerdictWord.FAIL


def test_what_is_waived_is_not_met_and_holds_up_the_claims_after_it() -> None:
    items = {
        "specificity": requirement("specificity", lower_limit={"at_least": 0.99}),
        "sensitivity": requirement("sensitivity"),
    }
    findings = judged(policy_of(items, waivers=(WAIVER,)), started="2026-11-23T00:00:00Z")
    assert findings["specificity"].waived is not None
    assert not findings["sensitivity"].claimed


def test_not_everything_can_be_waived() -> None:
    with pytest.raises(ValidationError, match="every blocking requirement is waived"):
        policy_of({"specificity": requirement("specificity")}, waivers=(WAIVER,))


def unanswered(outcome: str) -> Evidence:
    """Ten positive and ten negative cases; two of each get no answer, the others the right one."""
    cases = cells(8, 0, 0, 8) + [replace(case, answered=False) for case in cells(2, 0, 0, 2)]
    table = evidence_of({"baseline": cases}).table
    renamed = [outcome if word == "crashed" else word for word in table["outcome"].to_pylist()]
    index = table.column_names.index("outcome")
    return Evidence(table.set_column(index, "outcome", [renamed]))


@pytest.mark.parametrize(
    ("outcome", "cost"),
    [("crashed", "crash"), ("timed_out", "timeout"), ("refused", "refusal"), ("invalid_output", "invalid_output")],
)
@pytest.mark.parametrize(
    ("counts_as", "sensitivity", "specificity"), [("wrong", 0.8, 0.8), ("positive", 1.0, 0.8), ("negative", 0.8, 1.0)]
)
def test_a_failure_counts_as_the_policy_declares(
    outcome: str, cost: str, counts_as: str, sensitivity: float, specificity: float
) -> None:
    items = {name: requirement(name) for name in ("sensitivity", "specificity", "auroc", "imageability")}
    policy = policy_of(items, failure_costs={cost: counts_as})
    findings = judged(policy, unanswered(outcome))
    assert findings["sensitivity"].estimate == pytest.approx(sensitivity)
    assert findings["specificity"].estimate == pytest.approx(specificity)
    assert findings["imageability"].estimate == pytest.approx(0.8)  # an answer is an answer, whatever failures cost
    # Ranked worst, a failure loses all its pairs. Ranked first (or last), the two of one class win theirs against the
    # eight answered ones of the other, the other two lose theirs, and failures tie among each other.
    auroc = 8 * 8 / 100 if counts_as == "wrong" else (8 * 8 + 2 * 8 + 0.5 * 4) / 100
    assert findings["auroc"].estimate == pytest.approx(auroc)


def test_a_cost_declared_for_one_failure_leaves_the_others_wrong() -> None:
    policy = policy_of({"sensitivity": requirement("sensitivity")}, failure_costs={"refusal": "positive"})
    assert judged(policy, unanswered("crashed"))["sensitivity"].estimate == pytest.approx(0.8)
    assert judged(policy, unanswered("refused"))["sensitivity"].estimate == pytest.approx(1.0)


ENVIRONMENT = environment(processor="", device="cuda", device_name="NVIDIA H100 80GB HBM3")


@pytest.mark.parametrize(
    ("hardware", "environment", "decided"),
    [("h100", ENVIRONMENT, True), ("A100", ENVIRONMENT, False), ("H100", None, False), (None, None, True)],
)
@pytest.mark.parametrize("end", ["upper_limit", "estimate"])
def test_times_count_on_the_hardware_that_the_policy_names(
    hardware: str | None, environment: Environment | None, decided: bool, end: str
) -> None:
    items = {
        "sensitivity": requirement("sensitivity"),
        "time": requirement("mean_latency", **{end: {"at_most": "20 ms"}}),
    }
    evidence = evidence_of({"baseline": cells(45, 5, 5, 45)}, {"latency": [0.01, 0.011, 0.012]})
    policy = policy_of(items, latency={"hardware": hardware} if hardware else {})
    found = judged(policy, evidence, environment=environment)["time"]
    assert found.estimate == pytest.approx(0.011)
    if decided:
        assert (found.outcome, found.reason) == (Outcome.MET, None)
    else:
        assert (found.outcome, found.reason) == (Outcome.NOT_DECIDED, Reason.HARDWARE_DIFFERS)
        assert "Not decided: it was timed on other hardware than the policy names." in found.words
        assert found.more_cases is None


def at(sex: str, cases: list[MadeUpCase]) -> list[MadeUpCase]:
    return [replace(case, attributes={"sex": sex}) for case in cases]


@pytest.mark.parametrize("missing", ["not_decided", "not_judged"])
@pytest.mark.parametrize("too_small", ["not_decided", "not_judged"])
def test_a_group_that_is_missing_or_too_small_counts_as_the_policy_says(missing: str, too_small: str) -> None:
    subgroups = {
        "by": ("sex",),
        "min_cases": 10,
        "requirements": ("sensitivity",),
        "blocking": True,
        "expected": {"sex": ("F", "M", "O")},
        "missing": missing,
        "too_small": too_small,
    }
    policy = policy_of({"sensitivity": requirement("sensitivity")}, subgroups=subgroups)
    evidence = evidence_of({"baseline": at("F", cells(40, 2, 5, 40)) + at("M", cells(4, 1, 5, 45))})
    found = judged(policy, evidence)
    assert [name for name in found if "[" in name] == [
        *(f"sensitivity[sex={sex}]" for sex in "FMO"),
        "sensitivity[sex].worst",
    ]
    assert found["sensitivity[sex=F]"].outcome is Outcome.MET
    assert found["sensitivity[sex=M]"].reason is Reason.SUBGROUP_TOO_SMALL
    assert found["sensitivity[sex=O]"].reason is Reason.SUBGROUP_EMPTY
    assert found["sensitivity[sex=M]"].blocking is (too_small == "not_decided")
    assert found["sensitivity[sex=O]"].blocking is (missing == "not_decided")
    open_ones = "not_decided" in (missing, too_small)
    assert decide(found.values()) is (VerdictWord.INCONCLUSIVE if open_ones else VerdictWord.PASS)


def test_what_is_not_measured_yet_is_never_decided() -> None:
    items = {"sensitivity": requirement("sensitivity"), "later": requirement("froc_score")}
    policy = policy_of(items, context=CONTEXT | {"task": "detection"})
    found = judged(policy)["later"]
    assert (found.outcome, found.reason, found.estimate) == (Outcome.NOT_DECIDED, Reason.NOT_MEASURED, None)
    assert found.words.startswith("This version of gatekeeper does not measure it yet.")
    assert decide(judged(policy).values()) is VerdictWord.INCONCLUSIVE


@pytest.mark.parametrize("interval", [None, "wilson", "clopper_pearson", "jeffreys"])
def test_the_interval_is_the_one_that_the_policy_names(interval: str | None) -> None:
    from statsmodels.stats.proportion import proportion_confint

    names = {None: "beta", "wilson": "wilson", "clopper_pearson": "beta", "jeffreys": "jeffreys"}
    found = judged(policy_of({"s": requirement("sensitivity", interval=interval)}))["s"]
    assert found.interval == pytest.approx(proportion_confint(45, 50, method=names[interval]), abs=1e-9)


def test_the_share_of_calls_in_use_mixes_hits_and_false_alarms_at_the_prevalence() -> None:
    item = requirement("recall_rate", at_prevalence=0.005, upper_limit={"at_most": 0.12})
    found = judged(policy_of({"recalled": item}), evidence_of({"baseline": cells(90, 10, 40, 960)}))["recalled"]
    assert found.estimate == pytest.approx(0.005 * 0.9 + 0.995 * 0.04)
    assert found.interval is not None
    assert found.interval[0] < found.estimate < found.interval[1] < 0.12
    assert found.outcome is Outcome.MET
    assert found.words.startswith(
        "Where 0.5 % of nodules are positive (malignant), 4.4 % of all nodules raise an alarm ("
    )
