"""Findings of subgroups beyond performance, across groups, and where there is little. All evidence is made up."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up_evidence import OPERATING_POINT, MadeUpCase, cells, evidence_of, named, policy_of, requirement
from pydantic import ValidationError

from gatekeeper.evidence import Evidence, Finding, Outcome, Reason
from gatekeeper.policy import Policy, Requirement
from gatekeeper.suites.subgroups import gap_between, gaps, measure_subgroup
from gatekeeper.testset import LockedCase, LockedFile, Manifest
from gatekeeper.verdict import judge
from gatekeeper.verdict.decidable import shortfalls

FOUND = requirement("sensitivity", interval="wilson")
EVERY = {
    "found": FOUND,
    "same": requirement("max_deviation", level="R0", estimate={"at_most": 0.0}),
    "one_by_one": requirement("flip_rate", level="R1", upper_limit={"at_most": 0.5}),
    "again": requirement("within_subject_sd", level="R4", upper_limit={"at_most": 0.5}),
    "drop": requirement("performance_drop", of="found", perturbation="contour_erosion", severity=1),
    "breaks": requirement("breaking_point", of="found", perturbation="contour_erosion", estimate={"at_least": 1}),
    "time": requirement("latency", percentile=50.0, upper_limit={"at_most": "20 ms"}),
    "mean": requirement("mean_latency", upper_limit={"at_most": "20 ms"}),
}
LADDER = {"contour_erosion": ("1 mm",)}


def grouped(items: dict[str, Requirement], **parts: object) -> Policy:
    asked = {"by": ("site",), "min_cases": 5, "requirements": tuple(items), **parts}
    return policy_of(items if "found" in items else {"found": FOUND, **items}, robustness=LADDER, subgroups=asked)


def at(site: str, cases: list[MadeUpCase]) -> list[MadeUpCase]:
    return [replace(case, attributes={"site": site}) for case in cases]


def timed(seconds: dict[str, list[float]]) -> Evidence:
    """Return evidence whose timed calls are of cases of these sites, so many seconds each."""
    cases = named([case for site in seconds for case in at(site, cells(10, 2, 2, 10))])
    of = {site: [case for case in cases if case.attributes["site"] == site] for site in seconds}
    calls = [(of[site][number % 24], taken) for site in seconds for number, taken in enumerate(seconds[site])]
    rows = [("baseline", case, None) for case in cases] + [("latency", case, taken) for case, taken in calls]
    columns = {
        "case_id": [case.case for _, case, _ in rows],
        "patient": [case.patient for _, case, _ in rows],
        "subject": [case.subject for _, case, _ in rows],
        "label": [case.label for _, case, _ in rows],
        "condition": [condition for condition, _, _ in rows],
        "repeat": [0] * len(rows),
        "outcome": ["ok"] * len(rows),
        "score": [None if taken else case.score for _, case, taken in rows],
        "seconds": [taken for _, _, taken in rows],
    }
    return Evidence.from_columns(columns, {"site": [case.attributes["site"] for _, case, _ in rows]})


def judged(policy: Policy, evidence: Evidence) -> dict[str, Finding]:
    return {one.id: one for one in judge(policy, evidence, OPERATING_POINT)}


def test_times_are_judged_by_the_calls_of_each_group() -> None:
    evidence = timed({"north": [0.010] * 20, "south": [0.030] * 20, "west": [0.010] * 3})
    found = judged(grouped({"time": EVERY["time"]}, largest_gap={"time": "5 ms"}), evidence)
    north, south, west = (found[f"time[site={site}]"] for site in ("north", "south", "west"))
    assert (north.outcome, north.n, north.is_time) == (Outcome.MET, 20, True)
    assert (south.outcome, south.n) == (Outcome.NOT_MET, 20)
    assert (west.reason, west.n) == (Reason.SUBGROUP_TOO_SMALL, 3)
    assert found["time[site].worst"].subgroup == {"site": "south"}
    assert (found["time[site].gap"].estimate, found["time[site].gap"].outcome) == (pytest.approx(0.02), Outcome.NOT_MET)


def test_times_of_groups_need_the_hardware_that_the_policy_names() -> None:
    evidence = timed({"north": [0.010] * 20, "south": [0.011] * 20})
    policy = grouped({"time": EVERY["time"]}, largest_gap={"time": "5 ms"})
    named_device = policy.model_copy(update={"latency": policy.latency.model_copy(update={"hardware": "H100"})})
    assert judged(policy, evidence)["time[site].gap"].outcome is Outcome.MET
    across = [one for id_, one in judged(named_device, evidence).items() if "[" in id_]
    assert {one.reason for one in across} == {Reason.HARDWARE_DIFFERS}


@pytest.mark.parametrize(
    "item",
    [
        requirement("throughput", lower_limit={"at_least": "1 cases/s"}),
        requirement("peak_memory", of_memory="host", estimate={"at_most": "10 MiB"}),
        requirement("latency", percentile=95, stage="cold_start"),
        requirement("mean_latency", batch="declared", upper_limit={"at_most": "1 s"}),
    ],
    ids=lambda item: item.spec.name,
)
def test_what_is_not_measured_case_by_case_is_of_no_group(item: Requirement) -> None:
    with pytest.raises(ValidationError, match="it is not measured case by case"):
        grouped({"it": item})


@pytest.mark.parametrize("id_", ["same", "breaks"])
def test_the_gap_of_what_has_no_interval_cannot_be_bounded(id_: str) -> None:
    with pytest.raises(ValidationError, match="could never be decided"):
        grouped({"found": FOUND, id_: EVERY[id_]}, largest_gap={id_: 1})


def test_a_group_that_is_expected_and_missing_is_empty_for_every_requirement() -> None:
    policy = grouped(EVERY, expected={"site": ("nowhere",)})
    cases = named(at("north", cells(10, 2, 2, 10)))
    again = [replace(case, case=f"{case.case}-again", subject=case.case) for case in cases]
    evidence = evidence_of({id_: cases + again for id_ in ("baseline", "rerun", "one_by_one", "contour_erosion.1")})
    found = judged(policy, evidence)
    for id_ in EVERY:
        missing = found[f"{id_}[site=nowhere]"]
        assert (missing.outcome, missing.reason, missing.estimate) == (Outcome.NOT_DECIDED, Reason.SUBGROUP_EMPTY, None)


def test_reruns_that_stopped_for_all_cases_are_enough_for_each_group() -> None:
    policy = grouped({"same": EVERY["same"]}).model_copy(
        update={"repeatability": policy_of({"found": FOUND}).repeatability.model_copy(update={"reruns": 3})}
    )
    before = named(at("north", cells(10, 0, 0, 10)) + at("south", cells(10, 0, 0, 10)))
    after = [replace(case, score=0.8) if number == 0 else case for number, case in enumerate(before)]
    found = judged(policy, evidence_of({"baseline": before, "rerun": after}))
    assert found["same"].outcome is Outcome.NOT_MET
    assert found["same[site=north]"].outcome is Outcome.NOT_MET
    south = found["same[site=south]"]
    assert (south.outcome, south.n, south.n_of) == (Outcome.MET, 20, "cases run twice")


def test_a_gap_does_not_hang_on_what_groups_are_called() -> None:
    """Equal estimates of few and of many cases: whichever is the better one, the limit reaches as far."""
    limits = set()
    for few, many in permutations(("a", "b")):
        cases = named(at(few, cells(10, 0, 0, 5)) + at(many, cells(40, 0, 0, 5)))
        gap = gap_between(FOUND, grouped({"found": FOUND}), evidence_of({"baseline": cases}), OPERATING_POINT, "site")
        assert gap is not None
        limits.add(gap.measurement.limits)
    ((lower, upper),) = limits
    assert (lower, upper) == (0.0, pytest.approx(1.0 - 10.0 / (10.0 + 1.959964**2), abs=1e-6))  # Wilson, 10 of 10


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), min_size=1, max_size=5))
@settings(max_examples=40, deadline=None)
def test_a_gap_lies_between_its_limits_and_no_group_is_worse_than_the_worst(hits: list[tuple[int, int]]) -> None:
    cases = named([case for site, (tp, fn) in enumerate(hits) for case in at(f"s{site}", cells(tp, fn, 0, 1))])
    policy, evidence = grouped({"found": FOUND}, largest_gap={"found": 0.1}), evidence_of({"baseline": cases})
    found = judged(policy, evidence)
    large = [tp / (tp + fn) for tp, fn in hits if tp + fn >= 5]
    worst, gap = found["found[site].worst"], found["found[site].gap"]
    assert worst.estimate == (pytest.approx(min(large)) if large else None)
    assert (gap.estimate is None) is (len(large) < 2)
    if gap.estimate is not None and gap.interval is not None:
        assert 0.0 <= gap.interval[0] <= gap.estimate + 1e-12
        assert gap.estimate == pytest.approx(max(large) - min(large))
        assert gap.estimate <= gap.interval[1] + 1e-12
        (asked,) = gaps(policy, evidence, OPERATING_POINT)
        assert (asked.requirement, asked.attribute, asked.most) == ("found", "site", 0.1)
        assert asked.gap.measurement.limits == gap.interval
    else:
        assert gaps(policy, evidence, OPERATING_POINT) == ()


def test_patients_in_several_groups_are_told() -> None:
    cases = [replace(case, patient=f"p{number % 30}") for number, case in enumerate(cells(50, 10, 0, 0))]
    evidence = evidence_of({"baseline": named(at("north", cases[:30]) + at("south", cases[30:]))})
    gap = gap_between(FOUND, grouped({"found": FOUND}), evidence, OPERATING_POINT, "site")
    assert gap is not None
    assert gap.measurement.method.endswith("groups taken as independent, though 30 patients are in more than one")


@pytest.mark.parametrize(("too_small", "blocking"), [("not_judged", False), ("not_decided", True)])
def test_a_gap_of_small_groups_closes_the_gate_only_where_small_groups_do(too_small: str, blocking: bool) -> None:
    policy = grouped({"found": FOUND}, largest_gap={"found": 0.1}, too_small=too_small, blocking=True)
    found = judged(policy, evidence_of({"baseline": named(at("north", cells(3, 0, 0, 9)))}))["found[site].gap"]
    assert (found.outcome, found.reason, found.blocking) == (
        Outcome.NOT_DECIDED,
        Reason.SUBGROUP_TOO_SMALL,
        blocking,
    )


def test_a_group_under_a_condition_that_was_not_run_is_told_so() -> None:
    item = EVERY["one_by_one"]
    evidence = evidence_of({"baseline": named(at("north", cells(10, 2, 2, 10)))})
    found = measure_subgroup(item, grouped({"one_by_one": item}), evidence, OPERATING_POINT, "site", "north")
    assert found.reason is Reason.CONDITION_NOT_RUN


def test_a_lock_tells_beforehand_that_a_group_gets_too_few_timed_calls() -> None:
    cases = tuple(
        LockedCase(
            case_id=f"c{number}",
            patient=f"p{number}",
            files=(LockedFile(role="image", path=f"{number}.dcm", sha256="sha256:" + "0" * 64, size=1),),
            label=number % 2,
            subject=f"c{number}",
            attributes={"site": "south" if number >= 36 else "north"},
        )
        for number in range(40)
    )
    policy = grouped({"time": EVERY["time"]}, min_cases=30)
    policy = policy.model_copy(update={"latency": policy.latency.model_copy(update={"timed_calls": 40})})
    short = {item.id: item for item in shortfalls(policy, Manifest.of("made-up", cases))}
    assert "time[site=north]" not in short
    assert (short["time[site=south]"].have, short["time[site=south]"].needed) == (4, 30)
