from __future__ import annotations

import functools
import itertools
import re
from dataclasses import replace

import pytest
from made_up_evidence import (
    OPERATING_POINT,
    MadeUpCase,
    cells,
    evidence_of,
    policy_of,
    random_cases,
    requirement,
)
from made_up_findings import finding

from gatekeeper.evidence import Evidence, Finding, Outcome, Reason, VerdictWord
from gatekeeper.policy import Policy, Requirement
from gatekeeper.statistics import clopper_pearson
from gatekeeper.verdict import decide, judge
from gatekeeper.verdict.conclude import _words

LADDER = {"contour_erosion": ("0.5 mm", "1 mm")}


@pytest.mark.parametrize("outcomes", list(itertools.product(Outcome, repeat=3)))
@pytest.mark.parametrize("advisory", list(Outcome))
def test_the_worst_blocking_outcome_decides_and_advisory_ones_never_count(
    outcomes: tuple[Outcome, ...], advisory: Outcome
) -> None:
    findings = [finding(outcome=outcome) for outcome in outcomes] + [finding(outcome=advisory, blocking=False)]
    if Outcome.NOT_MET in outcomes:
        expected = VerdictWord.FAIL
    else:
        expected = VerdictWord.INCONCLUSIVE if Outcome.NOT_DECIDED in outcomes else VerdictWord.PASS
    assert decide(findings) is expected


@pytest.mark.parametrize("findings", [[], [finding(blocking=False)]])
def test_nothing_judged_is_never_a_pass(findings: list[Finding]) -> None:
    with pytest.raises(ValueError, match="no blocking finding"):
        decide(findings)


def test_the_words_of_a_verdict_count_and_name_what_decided_it() -> None:
    met, missed = finding(), finding(title="Specificity", outcome=Outcome.NOT_MET)
    group = finding(outcome=Outcome.NOT_DECIDED, subgroup={"site": "north"})
    advisory = finding(title="AUROC", outcome=Outcome.NOT_MET, blocking=False)
    assert _words(VerdictWord.PASS, (met, met, advisory)) == "All 2 blocking requirements are met."
    assert _words(VerdictWord.PASS, (met, advisory)) == "The one blocking requirement is met."
    assert _words(VerdictWord.FAIL, (met, missed, group)) == "1 of 3 blocking requirements is not met: Specificity."
    wanted = "2 of 3 blocking requirements are not decided: Sensitivity, north; Sensitivity, north."
    assert _words(VerdictWord.INCONCLUSIVE, (met, group, group)) == wanted


def judged(policy: Policy, evidence: Evidence) -> dict[str, Finding]:
    return {item.id: item for item in judge(policy, evidence, OPERATING_POINT)}


def proportions(**at_least: float) -> Policy:
    items = {name: requirement(name, lower_limit={"at_least": least}) for name, least in at_least.items()}
    return policy_of(items)


@pytest.mark.parametrize(
    ("at_least", "claimed"),
    [
        ({"sensitivity": 0.3, "specificity": 0.3, "auroc": 0.3}, [True, True, True]),
        ({"sensitivity": 0.3, "specificity": 0.99, "auroc": 0.3}, [True, True, False]),
        ({"sensitivity": 0.9, "specificity": 0.3, "auroc": 0.3}, [True, False, False]),
    ],
)
def test_a_requirement_is_claimed_only_when_all_before_it_are_met(
    at_least: dict[str, float], claimed: list[bool]
) -> None:
    evidence = evidence_of({"baseline": cells(45, 5, 5, 45)})
    found = judged(proportions(**at_least), evidence)
    assert list(found) == list(at_least)
    assert [item.claimed for item in found.values()] == claimed
    assert all(item.estimate is not None for item in found.values())


def test_advisory_findings_come_after_the_blocking_ones_are_not_claimed_and_hold_nothing_up() -> None:
    advisory = requirement("specificity", lower_limit={"at_least": 0.99}, blocking=False)
    items = {"advisory": advisory, "first": requirement("sensitivity"), "second": requirement("auroc")}
    found = judged(policy_of(items), evidence_of({"baseline": cells(45, 5, 5, 45)}))
    assert list(found) == ["first", "second", "advisory"]
    assert [item.claimed for item in found.values()] == [True, True, False]


@pytest.mark.parametrize("cells_", [(43, 7, 5, 45), (17, 3, 5, 45), (400, 80, 5, 45), (31, 9, 5, 45), (74, 26, 5, 45)])
def test_about_as_many_more_cases_as_are_named_decide_it(cells_: tuple[int, int, int, int]) -> None:
    found = judged(proportions(sensitivity=0.8), evidence_of({"baseline": cells(*cells_)}))["sensitivity"]
    assert (found.outcome, found.reason) == (Outcome.NOT_DECIDED, Reason.TOO_FEW_CASES)
    assert found.estimate is not None
    assert found.more_cases is not None

    def decided(more: float) -> bool:
        trials = found.n + round(more)
        limits = clopper_pearson((found.estimate or 0.0) * trials, trials)
        return found.threshold.outcome(found.estimate, (limits.lower, limits.upper)) is not Outcome.NOT_DECIDED

    assert decided(found.more_cases)
    assert not decided(0.9 * found.more_cases - 1)


def test_an_estimate_on_the_threshold_is_decided_by_no_number_of_cases() -> None:
    found = judged(proportions(sensitivity=0.8), evidence_of({"baseline": cells(36, 9, 5, 45)}))["sensitivity"]
    assert (found.outcome, found.more_cases) == (Outcome.NOT_DECIDED, None)
    assert found.words.endswith(" Not decided.")


def test_a_number_is_held_against_the_threshold_as_it_is_printed() -> None:
    item = requirement("precision", at_prevalence=0.3, estimate={"at_least": 0.75})
    found = judged(policy_of({"precision": item}), evidence_of({"baseline": cells(14, 6, 2, 18)}))["precision"]
    assert (found.estimate, found.outcome) == (0.75, Outcome.MET)


def grouped_policy(min_cases: int, blocking: bool = False) -> Policy:
    subgroups = {"by": ("site",), "min_cases": min_cases, "requirements": ("sensitivity",), "blocking": blocking}
    return policy_of({"sensitivity": requirement("sensitivity")}, subgroups=subgroups)


def at_site(site: str, cases: list[MadeUpCase]) -> list[MadeUpCase]:
    return [replace(case, attributes={"site": site}) for case in cases]


def test_each_group_gets_a_finding_and_small_ones_are_not_decided() -> None:
    cases = at_site("north", cells(30, 5, 1, 9)) + at_site("south", cells(4, 1, 1, 9)) + at_site("", cells(0, 0, 1, 9))
    found = judged(grouped_policy(10, blocking=True), evidence_of({"baseline": cases}))
    assert list(found) == [
        "sensitivity",
        "sensitivity[site=]",
        "sensitivity[site=north]",
        "sensitivity[site=south]",
        "sensitivity[site].worst",
    ]
    assert not found.pop("sensitivity[site].worst").blocking
    north, south, nowhere = (found[f"sensitivity[site={site}]"] for site in ("north", "south", ""))
    assert (north.outcome, north.n, north.reason) == (Outcome.MET, 35, None)
    assert (south.outcome, south.n, south.reason) == (Outcome.NOT_DECIDED, 5, Reason.SUBGROUP_TOO_SMALL)
    assert (south.estimate, south.interval) == (0.8, None)
    assert nowhere.reason is Reason.UNDEFINED_METRIC
    assert all(item.blocking for item in found.values())
    assert not any(item.claimed for item in (north, south, nowhere))
    assert north.words.startswith("In site north: of the positive nodules (malignant)")
    assert decide(found.values()) is VerdictWord.INCONCLUSIVE


def test_a_group_that_only_repeats_stand_in_is_empty() -> None:
    cases = [MadeUpCase(0.9, 1, f"p{n}", f"c{n}", attributes={"site": "north"}) for n in range(20)]
    cases += [
        replace(case, case=f"{case.case}-again", subject=case.case, attributes={"site": "south"}) for case in cases
    ]
    found = judged(grouped_policy(5), evidence_of({"baseline": cases}))["sensitivity[site=south]"]
    assert (found.estimate, found.n, found.reason) == (None, 0, Reason.SUBGROUP_EMPTY)


def test_an_attribute_that_the_evidence_lacks_is_a_finding_and_not_silence() -> None:
    found = judged(grouped_policy(5, blocking=True), evidence_of({"baseline": cells(30, 5, 1, 9)}))
    assert found["sensitivity[site]"].reason is Reason.SUBGROUP_EMPTY
    assert decide(found.values()) is VerdictWord.INCONCLUSIVE


def repeats(differ: bool) -> list[MadeUpCase]:
    cases = [MadeUpCase(0.9 if n % 2 else 0.1, n % 2, f"p{n}", f"c{n}") for n in range(30)]
    again = [replace(case, case=f"{case.case}-again", subject=case.case) for case in cases]
    return cases + [replace(case, score=0.6) if differ else case for case in again]


def every_metric(low: bool) -> dict[str, Requirement]:
    """One requirement on every metric, easy to meet or hard."""
    least = {"lower_limit": {"at_least": 0.01 if low else 0.999}}
    most = {"upper_limit": {"at_most": 0.999 if low else 0.0001}}
    stress = {"perturbation": "contour_erosion"}
    return {
        "sensitivity": requirement("sensitivity", **least),
        "specificity": requirement("specificity", **least),
        "precision": requirement("precision", **least),
        "in_use": requirement("precision", at_prevalence="0.5 %", **least),
        "npv": requirement("npv", **least),
        "clear_in_use": requirement("npv", at_prevalence="12.5 %", **least),
        "auroc": requirement("auroc", **least),
        "rerun": requirement("max_deviation", level="R0", estimate={"at_most": 0.999 if low else 0.0}),
        "flips": requirement("flip_rate", level="R4", **most),
        "spread": requirement("within_subject_sd", level="R4", **most),
        "open_spread": requirement("within_subject_sd", level="R4", upper_limit={"at_most": 0.3}),
        "drop": requirement("performance_drop", of="sensitivity", severity=2, **stress, **most),
        "breaking": requirement("breaking_point", of="auroc", estimate={"at_least": 1 if low else 3}, **stress),
        "time": requirement("latency", percentile=95, upper_limit={"at_most": "1 min" if low else "1 ms"}),
    }


def whole_evidence(cases: list[MadeUpCase], changed: list[MadeUpCase], times: list[float]) -> Evidence:
    conditions = {"baseline": cases, "contour_erosion.1": changed, "contour_erosion.2": changed, "rerun": changed}
    return evidence_of(conditions, {"latency": times})


def scored(cases: list[MadeUpCase], shift: float) -> list[MadeUpCase]:
    return [replace(case, score=min(1.0, max(0.0, case.score + shift))) for case in cases]


EVIDENCE = {
    "all right": whole_evidence(repeats(False), repeats(False), [0.01] * 100),
    "mixed": whole_evidence(repeats(True), scored(repeats(True), -0.45), [0.01 * (n % 7 + 1) for n in range(100)]),
    "better under stress": whole_evidence(scored(repeats(True), -0.45), repeats(True), [1.5] * 100),
    "random": whole_evidence(
        random_cases(1, patients=40, cases_each=2), random_cases(2, patients=40, cases_each=2), [0.9999] * 100
    ),
    "few": whole_evidence(cells(2, 1, 1, 2), cells(1, 2, 2, 1), [0.01] * 5),
    "one class": whole_evidence(cells(0, 0, 0, 12), cells(0, 0, 0, 12), [0.01] * 5),
    "not run": evidence_of({"baseline": cells(2, 1, 1, 2)}),
    "nothing": evidence_of({}),
}


@functools.cache
def findings_of(name: str, low: bool) -> tuple[Finding, ...]:
    return judge(policy_of(every_metric(low), robustness=LADDER), EVIDENCE[name], OPERATING_POINT)


@pytest.mark.parametrize("name", sorted(EVIDENCE))
@pytest.mark.parametrize("low", [False, True], ids=["hard", "easy"])
def test_words_are_plain_sentences_whatever_was_found(name: str, low: bool) -> None:
    for item in findings_of(name, low):
        words = item.words
        assert not re.search(r"\bnan\b|None|\binf\b|\bTrue\b|  |\.\.|-0\.0 |e\+|\{|\}", words), words
        assert words[0].isupper() or words[0].isdigit()
        sentences = re.split(r"(?<=\.) (?=[A-Z])", words)
        assert 2 <= len(sentences) <= 3
        assert all(sentence.endswith(".") for sentence in sentences)
        assert sentences[1].startswith("Required: ")
        assert ("Not decided" in words) == (item.outcome is Outcome.NOT_DECIDED and item.estimate is not None)
        if item.estimate is None:
            assert item.reason is not None
            assert item.outcome is Outcome.NOT_DECIDED


def test_those_words_covered_every_metric_met_not_met_and_without_a_value() -> None:
    found = [item for name in EVIDENCE for low in (False, True) for item in findings_of(name, low)]
    seen = {(item.metric, item.outcome.value if item.estimate is not None else "undefined") for item in found}
    metrics = {item.metric for item in every_metric(True).values()}
    for outcome in ("met", "not met", "undefined"):
        assert metrics == {metric for metric, was in seen if was == outcome}
    decidable = metrics - {"max_deviation", "breaking_point", "latency"}
    assert decidable <= {metric for metric, was in seen if was == "not decided"}
