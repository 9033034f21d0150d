from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from made_up_evidence import OPERATING_POINT, MadeUpCase, evidence_of, policy_of, requirement

from gatekeeper.evidence import Evidence, Finding, Outcome, Reason
from gatekeeper.policy import Policy, Requirement
from gatekeeper.suites import plan_policy
from gatekeeper.testset import LockedCase, LockedFile, Manifest
from gatekeeper.verdict import Reach, Shortfall, judge, shortfalls, told

LADDER = {"contour_erosion": ("0.5 mm", "1 mm")}
SOME_DIGEST = "sha256:" + "0" * 64


def case(name: str, label: int, patient: str = "", subject: str = "", **attributes: str) -> LockedCase:
    return LockedCase(
        case_id=name,
        patient=patient or f"patient of {subject or name}",
        files=(LockedFile(role="image", path=f"{name}.dcm", sha256=SOME_DIGEST, size=1),),
        label=label,
        subject=subject or name,
        attributes=attributes,
    )


def lock_of(positives: int, negatives: int, *, each: int = 1, repeated: int = 0, sites: Sequence[str] = ()) -> Manifest:
    """Lock cases, ``each`` of them of one patient, and a repeat of the first ones; sites in turn."""
    cases = []
    for number in range(positives + negatives):
        site = {"site": sites[number % len(sites)]} if sites else {}
        label, patient = int(number < positives), f"patient-{number // each}"
        cases.append(case(f"case-{number}", label, patient, **site))
        if number < repeated:
            cases.append(case(f"again-{number}", label, patient, f"case-{number}", **site))
    return Manifest.of("made up", tuple(cases))


def evidence_on(policy: Policy, manifest: Manifest, score: Callable[[str, LockedCase], float]) -> Evidence:
    """Return the evidence of a candidate with these scores by condition and case, in made-up rows."""
    conditions: dict[str, list[MadeUpCase]] = {}
    seconds: dict[str, list[float]] = {}
    for condition in plan_policy(policy).conditions:
        if condition.timed_calls:
            seconds[condition.id] = [1e-6] * condition.timed_calls
            continue
        conditions[condition.id] = [
            MadeUpCase(
                score(condition.id, item),
                item.label,
                item.patient,
                item.case_id,
                item.subject,
                attributes=item.attributes,
            )
            for item in manifest.cases
        ]
    return evidence_of(conditions, seconds)


def errorless(policy: Policy, manifest: Manifest) -> dict[str, Finding]:
    evidence = evidence_on(policy, manifest, lambda _, item: float(item.label))
    return {finding.id: finding for finding in judge(policy, evidence, OPERATING_POINT)}


def short_of(policy: Policy, manifest: Manifest) -> dict[str, Shortfall]:
    return {item.id: item for item in shortfalls(policy, manifest)}


def one(metric: str, **options: object) -> Policy:
    return policy_of({"it": requirement(metric, **options)}, robustness=LADDER)


def requirements_at(least: float, most: float, level: str, percentile: float) -> dict[str, Requirement]:
    lower, upper = {"lower_limit": {"at_least": least}}, {"upper_limit": {"at_most": most}}
    return {
        "found": requirement("sensitivity", **lower),
        "cleared": requirement("specificity", interval="clopper_pearson", **lower),
        "right": requirement("precision", **lower),
        "right_in_use": requirement("precision", at_prevalence=0.2, **lower),
        "clear_in_use": requirement("npv", at_prevalence=0.2, **lower),
        "clears": requirement("npv", interval="jeffreys", **lower),
        "ranked": requirement("auroc", **lower),
        "answered": requirement("imageability", **lower),
        "called": requirement("abnormal_interpretation_rate", at_prevalence=0.2, **upper),
        "flips": requirement("flip_rate", level=level, **upper),
        "spread": requirement("within_subject_sd", level=level, **upper),
        "rerun": requirement("max_deviation", level="R0"),
        "drop": requirement(
            "performance_drop", of="found", perturbation="contour_erosion", severity=1, blocking=False, **upper
        ),
        "rank_drop": requirement("performance_drop", of="ranked", perturbation="contour_erosion", severity=2, **upper),
        "use_drop": requirement(
            "performance_drop", of="right_in_use", perturbation="contour_erosion", severity=2, **upper
        ),
        "breaks": requirement("breaking_point", of="cleared", perturbation="contour_erosion"),
        "time": requirement("latency", percentile=percentile),
        "mean_time": requirement("mean_latency", upper_limit={"at_most": "20 ms"}),
        "benign": requirement("flip_rate", level="R3", **upper),
    }


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    items = requirements_at(
        draw(st.floats(0.3, 0.95)),
        draw(st.floats(0.05, 0.6)),
        draw(st.sampled_from(["R0", "R4"])),
        draw(st.sampled_from([50.0, 95.0, 99.0])),
    )
    subgroups = {
        "by": ("site", "scanner"),
        "min_cases": draw(st.integers(1, 12)),
        "requirements": ("found", "right", "ranked", "right_in_use"),
        "blocking": draw(st.booleans()),
        "too_small": draw(st.sampled_from(["not_decided", "not_judged"])),
        "expected": {"site": ("north", "west")},
    }
    timed = {"timed_calls": draw(st.sampled_from([1, 60, 100])), "hardware": "H100"}
    again = {"benign": {"contour_translation": "0.3 mm"}, "reruns": 3}
    return policy_of(items, robustness=LADDER, subgroups=subgroups, latency=timed, repeatability=again)


@st.composite
def locks(draw: st.DrawFn) -> Manifest:
    positives, negatives = draw(st.integers(0, 40)), draw(st.integers(0, 40))
    assume(positives + negatives)
    sites = draw(st.sampled_from([(), ("north",), ("north", "south", ""), ("east", "north", "north")]))
    return lock_of(positives, negatives, each=draw(st.integers(1, 5)), repeated=draw(st.integers(0, 40)), sites=sites)


@settings(max_examples=60, deadline=None)
@given(policies(), locks())
def test_what_is_told_is_not_met_on_errorless_evidence_and_what_is_not_told_is_met(
    policy: Policy, manifest: Manifest
) -> None:
    found, short = errorless(policy, manifest), short_of(policy, manifest)
    assert set(short) <= set(found)
    for id_, finding in found.items():
        if finding.reason is Reason.HARDWARE_DIFFERS:  # no matter of the test set
            continue
        if id_.endswith(".worst"):  # advisory: each group is told of
            continue
        met = id_ not in short or short[id_].reach is Reach.ONLY_ERRORLESS_CAN
        assert (finding.outcome is Outcome.MET) == met, finding.words
        if id_ in short:
            assert short[id_].blocking == finding.blocking
            assert short[id_].title == finding.full_title
    lines = told(tuple(short.values()))
    assert all(line.endswith(".") and "None" not in line and "nan" not in line for line in lines)


@settings(max_examples=60, deadline=None)
@given(policies(), locks(), st.data())
def test_what_nobody_can_meet_is_not_met_by_any_candidate(
    policy: Policy, manifest: Manifest, data: st.DataObject
) -> None:
    wrong = data.draw(st.sets(st.integers(0, len(manifest.cases) - 1), max_size=4))
    flipped = {manifest.cases[index].case_id for index in wrong}
    evidence = evidence_on(policy, manifest, lambda _, item: float(item.label != (item.case_id in flipped)))
    outcomes = {finding.id: finding.outcome for finding in judge(policy, evidence, OPERATING_POINT)}
    for item in shortfalls(policy, manifest):
        if item.reach is Reach.NOBODY_CAN:
            assert outcomes[item.id] is not Outcome.MET, item.words


@settings(max_examples=40, deadline=None)
@given(st.floats(0.3, 0.95), st.integers(1, 9), st.sampled_from(["found", "cleared", "clears", "answered", "ranked"]))
def test_as_many_cases_as_are_said_to_be_needed_do_and_one_less_does_not(least: float, few: int, id_: str) -> None:
    items = requirements_at(least, 0.5, "R0", 50.0)
    policy = policy_of({id_: items[id_]})
    short = short_of(policy, lock_of(few, few))
    assume(id_ in short)
    needed = short[id_].needed
    assert needed is not None
    assert short[id_].have is not None
    assert short[id_].have < needed
    classes = (needed, 0) if id_ == "answered" else (needed, needed)
    assert id_ not in short_of(policy, lock_of(*classes))
    assert id_ in short_of(policy, lock_of(*(max(0, count - 1) for count in classes)))


@pytest.mark.parametrize("metric", ["precision", "npv"])
@pytest.mark.parametrize("each", [1, 3])
def test_a_predictive_value_needs_so_many_cases_in_the_mix_that_there_is(metric: str, each: int) -> None:
    policy = one(metric, at_prevalence=0.2, lower_limit={"at_least": 0.85})
    short = short_of(policy, lock_of(6, 12, each=each))["it"]
    assert short.needed is not None
    assert short.n_of == ("cases" if each == 1 else "patients")
    third = short.needed // 3
    enough = short_of(policy, lock_of((third + 1) * each, 2 * (third + 1) * each, each=each))
    assert all(item.reach is Reach.ONLY_ERRORLESS_CAN for item in enough.values())
    assert "it" in short_of(policy, lock_of((third - 1) * each, 2 * (third - 1) * each, each=each))


@pytest.mark.parametrize("level", ["R0", "R4"])
@pytest.mark.parametrize("each", [1, 2])
def test_flips_need_so_many_subjects_without_one(level: str, each: int) -> None:
    policy = one("flip_rate", level=level, upper_limit={"at_most": "20 %"})
    short = short_of(policy, lock_of(3 * each, 3 * each, each=each, repeated=6 * each if level == "R4" else 0))["it"]
    assert (short.have, short.needed) == (6, 17)
    assert short.reach is (Reach.NOBODY_CAN if each == 1 else Reach.ERRORLESS_CANNOT)
    enough = lock_of(9 * each, 8 * each, each=each, repeated=17 * each if level == "R4" else 0)
    assert short_of(policy, enough) == {}


@pytest.mark.parametrize(("metric", "few"), [("within_subject_sd", 9), ("flip_rate", 16)])
def test_a_set_without_repeats_cannot_show_repeatability(metric: str, few: int) -> None:
    policy = one(metric, level="R4", upper_limit={"at_most": 0.2})
    none = short_of(policy, lock_of(30, 30))["it"]
    assert none.reason is Reason.NO_REPEATS
    assert none.reach is Reach.NOBODY_CAN
    assert none.needed == few + 1
    assert "no case has a repeat (repeat_of)" in none.words
    assert "it" in short_of(policy, lock_of(30, 30, repeated=few))
    assert "it" not in short_of(policy, lock_of(30, 30, repeated=few + 1))


@pytest.mark.parametrize("of", ["sensitivity", "auroc", "precision"])
def test_a_drop_needs_so_many_patients_whom_stress_does_not_change(of: str) -> None:
    items = {
        "followed": requirement(of, lower_limit={"at_least": 0.01}),
        "it": requirement(
            "performance_drop",
            of="followed",
            perturbation="contour_erosion",
            severity=1,
            upper_limit={"at_most": 0.15},
        ),
    }
    policy = policy_of(items, robustness=LADDER)
    needed = short_of(policy, lock_of(12, 12))["it"].needed
    assert needed is not None
    assert "it" not in short_of(policy, lock_of(needed, needed))
    assert "it" in short_of(policy, lock_of(needed - 1, needed - 1))


def test_a_percentile_needs_so_many_timed_calls_whatever_the_cases() -> None:
    items = {"it": requirement("latency", percentile=99.0)}
    few = policy_of(items, latency={"timed_calls": 200})
    short = short_of(few, lock_of(5, 5))["it"]
    assert (short.have, short.needed, short.reach) == (200, 368, Reach.NOBODY_CAN)
    assert short.words.endswith("the policy times 200 calls, 368 are needed; raise latency.timed_calls.")
    assert short_of(policy_of(items, latency={"timed_calls": 368, "hardware": "H100"}), lock_of(5, 5)) == {}


@pytest.mark.parametrize("each", [1, 2])
def test_a_rate_at_another_needs_both_classes(each: int) -> None:
    policy = one("sensitivity", at_specificity=0.9, lower_limit={"at_least": 0.8})
    short = short_of(policy, lock_of(20 * each, 20 * each, each=each))["it"]
    assert short.needed is not None
    half = short.needed // 2
    assert "it" not in short_of(policy, lock_of(half * each, half * each, each=each))
    assert "it" in short_of(policy, lock_of((half - 1) * each, (half - 1) * each, each=each))


@pytest.mark.parametrize("metric", ["youden", "f1", "kappa", "matthews_correlation", "balanced_accuracy"])
@pytest.mark.parametrize("each", [1, 2])
def test_a_metric_of_the_whole_table_needs_so_many_of_both_classes(metric: str, each: int) -> None:
    policy = one(metric, lower_limit={"at_least": 0.85})
    short = short_of(policy, lock_of(6 * each, 6 * each, each=each))["it"]
    assert short.needed is not None
    half = short.needed // 2
    assert "it" not in short_of(policy, lock_of(half * each, half * each, each=each))
    assert "it" in short_of(policy, lock_of((half - 1) * each, (half - 1) * each, each=each))


def test_a_class_that_is_not_there_is_named() -> None:
    policy = policy_of({"found": requirement("sensitivity"), "ranked": requirement("auroc")})
    short = short_of(policy, lock_of(0, 30))
    assert "no positive case" in short["found"].words
    assert short["found"].needed == 6
    assert "all cases are of one class" in short["ranked"].words
    assert all(item.reach is Reach.NOBODY_CAN for item in short.values())


def test_few_patients_with_several_cases_leave_room_for_no_error() -> None:
    policy = one("sensitivity", lower_limit={"at_least": 0.5})
    short = short_of(policy, lock_of(45, 60, each=5))["it"]
    assert (short.reach, short.needed) == (Reach.ONLY_ERRORLESS_CAN, 10)
    assert not short.closes_the_gate
    assert short_of(policy, lock_of(50, 60, each=5)) == {}


def test_an_unusable_input_that_is_not_there_is_told() -> None:
    items = {
        "later": requirement("refusal_rate"),
        "measured": requirement("max_deviation", level="R2", blocking=False),
    }
    short = short_of(policy_of(items, refusals=("another_species",)), lock_of(100, 100))
    assert {id_: item.reason for id_, item in short.items()} == {"later": Reason.NO_UNUSABLE_INPUT}
    assert short["later"].words == (
        "Refusal of unusable inputs cannot be met by this test set: it has no value (no unusable input was tried; "
        "without an interval where a kind that is listed was not)."
    )


def test_subgroups_that_are_missing_unexpectedly_small_or_not_there_are_told() -> None:
    subgroups = {
        "by": ("site", "scanner"),
        "min_cases": 10,
        "requirements": ("it",),
        "expected": {"site": ("north", "west")},
    }
    policy = policy_of({"it": requirement("sensitivity")}, subgroups=subgroups)
    short = short_of(policy, lock_of(15, 30, sites=("north", "north", "south")))
    assert list(short) == ["it[site=south]", "it[site=west]", "it[scanner]"]
    assert (short["it[site=south]"].have, short["it[site=south]"].needed) == (5, 10)
    assert "no case has this site" in short["it[site=west]"].words
    assert short["it[scanner]"].words == (
        'Sensitivity cannot be judged by scanner: the test set has no attribute "scanner".'
    )
    assert not any(item.blocking for item in short.values())


def test_small_groups_of_one_attribute_share_a_sentence() -> None:
    subgroups = {"by": ("site",), "min_cases": 10, "requirements": ("it",)}
    policy = policy_of({"it": requirement("sensitivity")}, subgroups=subgroups)
    lines = told(shortfalls(policy, lock_of(12, 30, sites=("a", "b", "c"))))
    assert lines == [
        "Advisory: Sensitivity cannot be judged in 3 groups of site, too few positive cases: a (4), b (4), c (4)."
    ]


def test_sentences_say_first_what_keeps_the_gate_closed() -> None:
    items = {
        "aside": requirement("auroc", lower_limit={"at_least": 0.9}, blocking=False),
        "found": requirement("sensitivity", lower_limit={"at_least": 0.8}),
        "excused": requirement("specificity", lower_limit={"at_least": 0.9}),
    }
    waiver = {"requirement": "excused", "reason": "Pilot", "by": "QA", "expires": "2027-06-30"}
    lines = told(shortfalls(policy_of(items, waivers=(waiver,)), lock_of(12, 12)))
    assert lines[:2] == [
        "No candidate can PASS: this test set falls short for 1 blocking requirement.",
        "Sensitivity cannot be met by this test set: 12 positive cases give a lower limit of at most 73.5 %; 17 are "
        "needed for 80 %.",
    ]
    assert lines[2].startswith("Waived until 2027-06-30: Specificity")
    assert lines[3].startswith("Advisory: Area under the ROC curve would not be met")
    assert len(lines) == 4


def test_a_threshold_that_no_number_of_cases_reaches_is_told_so() -> None:
    items: Mapping[str, Requirement] = {
        "all": requirement("sensitivity", lower_limit={"at_least": 1.0}),
        "none": requirement("flip_rate", level="R0", upper_limit={"at_most": 0.0}),
    }
    short = short_of(policy_of(items), lock_of(50, 50))
    assert [item.needed for item in short.values()] == [None, None]
    assert all("no number of cases is enough" in item.words for item in short.values())


def test_a_set_that_is_large_enough_is_told_nothing() -> None:
    items = requirements_at(0.8, 0.2, "R4", 95.0)
    del items["called"]
    policy = policy_of(items, robustness=LADDER, repeatability={"benign": {"contour_translation": "0.3 mm"}})
    assert shortfalls(policy, lock_of(80, 200, repeated=60)) == ()
    assert told(()) == []
