"""Planted defects, the A/A test, and what a policy does not see; all evidence here is made up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_up_bench import POLICY
from made_up_evidence import OPERATING_POINT, MadeUpCase, evidence_of, policy_of, requirement
from made_up_findings import finding

from gatekeeper.errors import Code, IntegrityError
from gatekeeper.evidence import Evidence, Finding, Outcome, Waived
from gatekeeper.evidence.self_test import DefectOutcome, PlantedDefect, SelfTest
from gatekeeper.policy import Policy, Requirement, load_policy
from gatekeeper.policy.lint import Weight
from gatekeeper.run_records import read_records, read_run_files
from gatekeeper.verdict import blind_spots, judge, recompute_self_test, run_self_test
from gatekeeper.verdict.defects import planted
from gatekeeper.verdict.planting import shuffled
from gatekeeper.verdict.self_test import compared, self_test_of

SEEN = {DefectOutcome.CAUGHT, DefectOutcome.WEAKENED}
SITES = {"site": "north"}, {"site": "south"}
CONTEXT = {"modality": "MR", "body_part": "HEAD", "unit": "patient", "intended_use": "Tests. Not for clinical use."}


# evidence of each kind, and a policy that asks for all that it can tell


def scores(n: int = 600, repeats: int = 60) -> Evidence:
    """One good classifier: 40 cases of each class stand for the small site."""
    source = np.random.default_rng(5)
    cases = []
    for at in range(n):
        label = at % 2
        score = 1.0 / (1.0 + np.exp(-(source.normal(0.0, 1.0) + 6.0 * label - 3.0)))
        cases.append(MadeUpCase(float(score), label, f"p-{at:03}", f"c-{at:03}", attributes=SITES[at < 80]))
    for at in range(repeats):
        of = cases[at]
        cases.append(MadeUpCase(of.score, of.label, of.patient, f"again-{at:03}", of.case, attributes=of.attributes))
    times = source.uniform(0.010, 0.011, 300).tolist()
    return evidence_of({"baseline": cases, "rerun": cases}, {"latency": times})


RATES = {name: requirement(name, lower_limit={"at_least": 0.9}) for name in ("sensitivity", "specificity")}
SOUND: dict[str, Requirement] = {
    **RATES,
    "area": requirement("auroc", lower_limit={"at_least": 0.9}),
    "answered": requirement("imageability", lower_limit={"at_least": 0.95}),
    "rerun": requirement("max_deviation", level="R0"),
    "time": requirement("latency", percentile=95.0, upper_limit={"at_most": "25 ms"}),
}
SUBGROUPS = {"by": ("site",), "requirements": ("sensitivity", "specificity"), "blocking": True}


def sound(*left_out: str, **parts: object) -> Policy:
    kept = {name: item for name, item in SOUND.items() if name not in left_out}
    return policy_of(kept, **({"subgroups": SUBGROUPS} if not left_out else {}), **parts)


def classes() -> Evidence:
    source = np.random.default_rng(7)
    labels = np.arange(300) % 3
    odds = np.exp(source.normal(size=(300, 3)) + 5.0 * np.eye(3)[labels])
    given = odds / odds.sum(axis=1, keepdims=True)
    cases = [MadeUpCase(0.0, int(label)) for label in labels]
    return _answers(
        {"baseline": cases, "rerun": cases},
        {f"probability.{name}": given[:, at].tolist() for at, name in enumerate(("none", "mild", "severe"))},
    )


def findings(n: int = 200) -> Evidence:
    source = np.random.default_rng(9)
    answers: dict[str, list[Any]] = {"finding_score": [], "finding_lesion": [], "lesions": []}
    for at in range(n):
        lesions = at % 3
        hits = [lesion for lesion in range(lesions) if source.random() < 0.95]
        falses = int(source.poisson(0.2))
        found = [*source.uniform(0.6, 1.0, len(hits)), *source.uniform(0.0, 0.55, falses)]
        answers["finding_score"].append([float(score) for score in found])
        answers["finding_lesion"].append([*hits, *[-1] * falses])
        answers["lesions"].append(lesions)
    cases = [MadeUpCase(max(given, default=0.0), int(at % 3 > 0)) for at, given in enumerate(answers["finding_score"])]
    return _answers({"baseline": cases, "rerun": cases}, answers)


def masks(n: int = 120) -> Evidence:
    source = np.random.default_rng(3)
    overlap = source.uniform(0.95, 0.99, n).tolist()
    reference = [1400.0 + 5.0 * at for at in range(n)]
    answers = {
        "dice": overlap,
        "normalized_surface_distance@2.5": overlap,
        "hausdorff_95": source.uniform(1.0, 3.0, n).tolist(),
        "diagonal": [330.0] * n,
        "quantity": [value * float(source.uniform(0.99, 1.01)) for value in reference],
        "reference": reference,
    }
    cases = [MadeUpCase(0.0, 1) for _ in range(n)]
    return _answers(
        {"baseline": cases, "rerun": cases}, {f"measured.brain.{name}": values for name, values in answers.items()}
    )


def quantities() -> Evidence:
    whole = masks()
    kept = ("measured.brain.quantity", "measured.brain.reference")
    table = whole.table
    return Evidence(
        table.drop([name for name in table.column_names if name.startswith("measured.") and name not in kept])
    )


def _answers(conditions: Mapping[str, list[MadeUpCase]], answers: Mapping[str, list[Any]]) -> Evidence:
    table = evidence_of(conditions).table
    columns = {name: table[name].to_pylist() for name in table.column_names}
    if "finding_score" not in answers:
        columns["score"] = [None] * table.num_rows
    return Evidence.from_columns(columns, {}, {name: [*values] * len(conditions) for name, values in answers.items()})


AGAIN = requirement("max_deviation", level="R0")
KINDS: dict[str, tuple[Evidence, Policy]] = {
    "scores": (scores(), sound()),
    "classes": (
        classes(),
        policy_of(
            {
                "area": requirement("macro_auroc", lower_limit={"at_least": 0.9}),
                "found": requirement("macro_sensitivity", lower_limit={"at_least": 0.9}),
                "again": AGAIN,
            },
            context=CONTEXT | {"task": "multiclass_classification", "classes": ("none", "mild", "severe")},
        ),
    ),
    "findings": (
        findings(),
        policy_of(
            {
                "froc": requirement("froc_score", lower_limit={"at_least": 0.8}),
                "found": requirement("lesion_detection_rate", lower_limit={"at_least": 0.8}),
                "false": requirement("false_positives_per_case", upper_limit={"at_most": 0.15}),
                "again": AGAIN,
            },
            context=CONTEXT | {"task": "detection", "positive": "lesion"},
        ),
    ),
    "masks": (
        masks(),
        policy_of(
            {
                "dice": requirement("dice", structure="brain", lower_limit={"at_least": 0.9}),
                "far": requirement("hausdorff_95", structure="brain", upper_limit={"at_most": "10 mm"}),
                "again": AGAIN,
            },
            context=CONTEXT | {"task": "segmentation", "structures": ("brain",)},
        ),
    ),
    "quantities": (
        quantities(),
        policy_of(
            {"volume": requirement("relative_volume_difference", structure="brain", upper_limit={"at_most": 0.05})},
            context=CONTEXT | {"task": "quantification", "structures": ("brain",)},
        ),
    ),
}
CANNOT = {
    "scores": set(),
    "classes": {"operating_point_moved", "subgroup_broken", "latency_tripled"},
    "findings": {"subgroup_broken", "latency_tripled"},
    "masks": {"labels_shuffled", "constant_scores", "operating_point_moved", "subgroup_broken", "latency_tripled"},
    "quantities": {"operating_point_moved", "subgroup_broken", "latency_tripled"},
}


def result_of(evidence: Evidence, policy: Policy) -> SelfTest:
    return run_self_test(policy, evidence, OPERATING_POINT)


def defect_of(found: SelfTest, name: str) -> PlantedDefect:
    return next(defect for defect in found.defects if defect.name == name)


# what a sound policy sees


@pytest.mark.parametrize("kind", KINDS)
def test_a_sound_policy_sees_every_defect_that_the_evidence_can_carry(kind: str) -> None:
    found = result_of(*KINDS[kind])
    assert found.shut_by == ()
    cannot = {item.id for item in found.defects if item.outcome is DefectOutcome.NOT_APPLICABLE}
    assert cannot == CANNOT[kind]
    seen = {item.id for item in found.defects if item.outcome in SEEN}
    assert seen | cannot == {item.id for item in found.defects}
    assert all(item.seen_by and item.done for item in found.defects if item.id in seen)


@pytest.mark.parametrize(
    ("defect", "kept"),
    [
        ("labels_shuffled", ["answered", "rerun", "time"]),
        ("constant_scores", ["sensitivity"]),
        ("operating_point_moved", ["area", "specificity", "answered", "rerun", "time"]),
        ("positives_lost", ["specificity", "answered", "rerun", "time"]),
        ("latency_tripled", ["sensitivity", "specificity", "area", "answered", "rerun"]),
        ("noisy_scores", ["answered", "time"]),
        ("unanswered", ["rerun"]),
    ],
)
def test_each_defect_goes_through_a_policy_that_lacks_the_requirement(defect: str, kept: list[str]) -> None:
    policy = sound(*(name for name in SOUND if name not in kept))
    missed = defect_of(result_of(KINDS["scores"][0], policy), defect)
    assert missed.outcome is DefectOutcome.NOT_SEEN
    assert missed.seen_by == missed.noticed_by == ()


def test_a_broken_subgroup_goes_through_where_nobody_asks_for_it() -> None:
    lenient = {name: requirement(name, lower_limit={"at_least": 0.8}) for name in ("sensitivity", "specificity")}
    evidence = KINDS["scores"][0]
    missed = defect_of(result_of(evidence, policy_of(lenient)), "subgroup_broken")
    assert (missed.id, missed.outcome) == ("subgroup_broken[site]", DefectOutcome.NOT_SEEN)
    assert "site is south: 80 of 600 cases" in missed.done
    told = policy_of(lenient, subgroups=SUBGROUPS | {"blocking": False})
    noticed = defect_of(result_of(evidence, told), "subgroup_broken")
    assert noticed.outcome is DefectOutcome.NOT_SEEN
    south = {"sensitivity[site=south]", "specificity[site=south]"}
    assert set(noticed.noticed_by) == south | {"sensitivity[site].worst", "specificity[site].worst"}
    seen = defect_of(result_of(evidence, policy_of(lenient, subgroups=SUBGROUPS)), "subgroup_broken")
    assert set(seen.seen_by) == south


# what is planted


def evidence_with(name: str, evidence: Evidence, policy: Policy) -> Evidence:
    found = next(item for item in planted(policy, evidence, OPERATING_POINT) if item.id.startswith(name))
    assert found.evidence is not None
    return found.evidence


@pytest.mark.parametrize("kind", KINDS)
def test_a_defect_changes_no_case_no_condition_and_no_attribute_and_is_always_the_same(kind: str) -> None:
    evidence, policy = KINDS[kind]
    names = [
        "case_id",
        "patient",
        "subject",
        "condition",
        "repeat",
        *(f"attribute.{name}" for name in evidence.attributes),
    ]
    pairs = zip(planted(policy, evidence, OPERATING_POINT), planted(policy, evidence, OPERATING_POINT), strict=True)
    for first, second in pairs:
        assert (first.done, first.operating_point) == (second.done, second.operating_point)
        if first.evidence is None or second.evidence is None:
            continue
        assert first.evidence.table.equals(second.evidence.table)
        assert first.evidence.table.schema == evidence.table.schema
        assert first.evidence.table.select(names).equals(evidence.table.select(names))
        assert first.evidence.table != evidence.table or first.operating_point != OPERATING_POINT


def test_a_fifth_of_positives_is_lost_alike_in_every_run_and_every_repeat() -> None:
    evidence = evidence_with("positives_lost", *KINDS["scores"])
    rows, again = evidence.under("baseline"), evidence.under("rerun")
    originals = rows.originals()
    assert int(((originals.score == 0.0) & (originals.label == 1)).sum()) == 60
    assert not (rows.score[rows.label == 0] == 0.0).any()
    assert np.array_equal(rows.score, again.score)
    lost = dict(zip(originals.case, originals.score == 0.0, strict=True))
    assert all(lost[subject] == (score == 0.0) for subject, score in zip(rows.subject, rows.score, strict=True))


def test_noise_is_another_in_every_run_and_of_the_size_that_is_told() -> None:
    clean = KINDS["scores"][0]
    evidence = evidence_with("noisy_scores", *KINDS["scores"])
    moved = []
    for condition in ("baseline", "rerun"):
        before, after = clean.under(condition).score, evidence.under(condition).score
        kept = (before > 1e-4) & (before < 1.0 - 1e-4)
        moved.append(np.log(after / (1.0 - after))[kept] - np.log(before / (1.0 - before))[kept])
    assert all(abs(float(np.std(noise)) - 1.0) < 0.15 and abs(float(np.mean(noise))) < 0.15 for noise in moved)
    assert abs(float(np.corrcoef(moved[0], moved[1])[0, 1])) < 0.15


def test_the_score_of_a_case_stays_that_of_its_highest_finding() -> None:
    for found in planted(KINDS["findings"][1], KINDS["findings"][0], OPERATING_POINT):
        rows = found.evidence.under("baseline") if found.evidence is not None else None
        if rows is not None and rows.findings is not None:
            highest = [max(scores, default=0.0) for scores in rows.findings.scores]
            assert np.array_equal(rows.score[rows.answered], np.array(highest)[rows.answered])
            assert np.array_equal(rows.label, rows.findings.lesions > 0)


def test_the_operating_point_is_moved_to_where_half_is_found() -> None:
    evidence, policy = KINDS["scores"]
    found = next(item for item in planted(policy, evidence, OPERATING_POINT) if item.id == "operating_point_moved")
    rows = evidence.under("baseline").originals()
    positive = rows.score[rows.label == 1]
    assert (positive >= found.operating_point).sum() == (positive >= OPERATING_POINT).sum() // 2


def test_an_empty_mask_costs_what_a_missed_structure_costs() -> None:
    evidence = evidence_with("positives_lost", *KINDS["masks"])
    answers = evidence.under("baseline").answers
    empty = answers["measured.brain.quantity"] == 0.0
    assert int(empty.sum()) == 24
    assert not answers["measured.brain.dice"][empty].any()
    assert not answers["measured.brain.normalized_surface_distance@2.5"][empty].any()
    assert set(answers["measured.brain.hausdorff_95"][empty]) == {330.0}
    assert answers["measured.brain.dice"][~empty].min() > 0.9


def test_stages_of_a_call_take_three_times_as_long_as_well() -> None:
    evidence = KINDS["scores"][0]
    table = evidence.table.append_column("seconds.reading", evidence.table["seconds"])
    slow = evidence_with("latency_tripled", Evidence(table), sound()).table
    assert slow["seconds.reading"].equals(slow["seconds"])
    assert slow["seconds"].to_pylist()[-1] == 3.0 * (table["seconds"].to_pylist()[-1] or 0.0)


def test_evidence_of_one_class_without_answers_is_tested_all_the_same() -> None:
    cases = [MadeUpCase(0.1, 0, answered=False) for _ in range(12)]
    found = result_of(evidence_of({"baseline": cases}), policy_of(RATES))
    assert found.a_a
    assert {item.outcome for item in found.defects} <= {DefectOutcome.NOT_APPLICABLE, DefectOutcome.NOT_SEEN}


# A/A


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_the_order_of_cases_and_the_pieces_of_the_table_change_no_bit_of_a_finding(kind: str, seed: int) -> None:
    evidence, policy = KINDS[kind]
    other = shuffled(evidence, seed)
    assert other.conditions == evidence.conditions
    assert other.table["case_id"].num_chunks > 1
    assert other.table["case_id"].to_pylist() != evidence.table["case_id"].to_pylist()
    assert judge(policy, other, OPERATING_POINT) == judge(policy, evidence, OPERATING_POINT)


def test_runs_of_the_same_cases_are_shuffled_alike() -> None:
    other = shuffled(KINDS["scores"][0], 1)
    assert other.under("baseline").case.tolist() == other.under("rerun").case.tolist()
    assert sorted(other.under("baseline").case) == sorted(KINDS["scores"][0].under("baseline").case)


def test_a_judge_that_looks_at_the_order_is_told_by_the_requirement_that_it_gets_wrong() -> None:
    evidence, policy = KINDS["scores"]

    def of_order(found: Evidence, operating_point: float) -> tuple[Finding, ...]:
        first, *others = judge(policy, found, operating_point)
        score = float(found.under("baseline").score[0])
        return (first.model_copy(update={"estimate": score}), *others)

    found = self_test_of(of_order, policy, evidence, OPERATING_POINT)
    assert not found.a_a
    assert found.differing == ("sensitivity",)
    assert result_of(evidence, policy).a_a


# what counts as seen


WAIVED = Waived(reason="made up", by="A. Person", expires="2026-12-31")
NOT_MET, NOT_DECIDED = {"outcome": Outcome.NOT_MET}, {"outcome": Outcome.NOT_DECIDED}


@pytest.mark.parametrize(
    ("was", "now", "outcome"),
    [
        ({}, NOT_MET, DefectOutcome.CAUGHT),
        (NOT_DECIDED, NOT_MET, DefectOutcome.CAUGHT),
        ({}, NOT_DECIDED, DefectOutcome.WEAKENED),
        ({}, {"estimate": 0.89}, DefectOutcome.NOT_SEEN),
        (NOT_MET, NOT_MET | {"estimate": 0.89}, DefectOutcome.WORSE),
        (NOT_MET, NOT_MET | {"estimate": 0.91}, DefectOutcome.NOT_SEEN),
        (NOT_MET, NOT_MET | {"estimate": 0.99}, DefectOutcome.NOT_SEEN),
        (NOT_MET | {"interval": None}, NOT_MET | {"estimate": 0.1}, DefectOutcome.NOT_SEEN),
        (NOT_MET, NOT_MET | {"estimate": None}, DefectOutcome.NOT_SEEN),
        ({"blocking": False}, NOT_MET | {"blocking": False}, DefectOutcome.NOT_SEEN),
        ({}, NOT_MET | {"waived": WAIVED}, DefectOutcome.NOT_SEEN),
    ],
)
def test_a_defect_is_seen_by_a_blocking_finding_that_changes_for_the_worse(
    was: dict[str, object], now: dict[str, object], outcome: DefectOutcome
) -> None:
    found, seen_by, noticed_by = compared((finding(**was),), (finding(**now),))
    assert found is outcome
    assert seen_by == (() if outcome is DefectOutcome.NOT_SEEN else ("sensitivity",))
    closes_nothing = now.get("waived") is not None or now.get("blocking") is False
    assert noticed_by == (("sensitivity",) if closes_nothing else ())


# what is said of it


def test_a_policy_is_told_what_it_does_not_see_and_what_would_see_it(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(POLICY)
    loaded = load_policy(str(path))
    missed = [
        PlantedDefect(id="latency_tripled", done="slower", outcome=DefectOutcome.NOT_SEEN),
        PlantedDefect(id="subgroup_broken[site]", done="x", outcome=DefectOutcome.NOT_SEEN),
        PlantedDefect(
            id="subgroup_broken[sex]", done="x", outcome=DefectOutcome.NOT_SEEN, noticed_by=("sensitivity[sex=F]",)
        ),
        PlantedDefect(id="noisy_scores", done="x", outcome=DefectOutcome.NOT_SEEN, noticed_by=("rerun",)),
        PlantedDefect(id="unanswered", done="x", outcome=DefectOutcome.CAUGHT, seen_by=("time",)),
    ]
    remarks = blind_spots(loaded, SelfTest(a_a=True, shut_by=("flips",), defects=tuple(missed)))
    warnings = [remark for remark in remarks if remark.weight is Weight.WARNING]
    assert {remark.rule for remark in warnings} == {"blind-to-defect"}
    assert warnings[0].what == "latency_tripled goes through: slower"
    mends = [remark.mend or "" for remark in warnings]
    assert mends[0].startswith("require latency")
    assert mends[1].startswith("ask for subgroups by site")
    assert mends[2].startswith("set subgroups.blocking: true")
    assert mends[3] == "make it blocking: rerun would see it"
    assert "flips" in remarks[-1].what
    assert remarks[-1].weight is Weight.NOTE
    assert blind_spots(loaded, SelfTest(a_a=True, shut_by=("flips",), defects=(missed[-1],))) == ()


@pytest.mark.parametrize("kind", KINDS)
def test_there_is_a_mend_for_every_defect_of_every_task(kind: str, tmp_path: Path) -> None:
    evidence, policy = KINDS[kind]
    path = tmp_path / "policy.yaml"
    path.write_text(POLICY)
    ids = [item.id for item in planted(policy, evidence, OPERATING_POINT) if item.evidence is not None]
    missed = tuple(PlantedDefect(id=id_, done="x", outcome=DefectOutcome.NOT_SEEN) for id_ in ids)
    loaded = load_policy(str(path))
    loaded = replace(loaded, policy=policy)
    assert all(remark.mend for remark in blind_spots(loaded, SelfTest(a_a=True, defects=missed)))


# what is claimed of it


def test_a_self_test_that_claims_what_it_did_not_see_is_refused(finished_run: Path) -> None:
    records = read_records(read_run_files(finished_run), "the finished run")
    claimed = records.self_test
    assert claimed is not None
    again = partial(
        recompute_self_test,
        records.policy,
        records.candidate,
        records.environment,
        records.evidence,
        records.verdict.run.started,
    )
    assert again(claimed) == len(claimed.defects)
    at = next(at for at, item in enumerate(claimed.defects) if item.outcome is DefectOutcome.NOT_SEEN)
    better = claimed.defects[at].model_copy(update={"outcome": DefectOutcome.CAUGHT, "seen_by": ("time",)})
    forged = (*claimed.defects[:at], better, *claimed.defects[at + 1 :])
    for changes in ({"defects": forged}, {"defects": claimed.defects[1:]}, {"a_a": False}, {"shut_by": ("flips",)}):
        with pytest.raises(IntegrityError) as caught:
            again(claimed.model_copy(update=changes))
        assert caught.value.problems[0].code is Code.NOT_RECOMPUTED
