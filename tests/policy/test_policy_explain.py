from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up_evidence import BASIS, CONTEXT, OPERATING_POINT, cells, evidence_of, policy_of, requirement

from gatekeeper.canonical import pretty_json
from gatekeeper.errors import Code, UsageError
from gatekeeper.evidence import Outcome
from gatekeeper.metrics import METRICS
from gatekeeper.policy import Policy, Requirement, load_policy, policy_names
from gatekeeper.policy.explain import Explanation, Plan, explain_policy, explain_requirement, read_plan
from gatekeeper.policy.explain_text import explanation_text, overview_text
from gatekeeper.policy.titles import title_of
from gatekeeper.statistics import called_share_at, cases_for_lower_limit, ppv_at
from gatekeeper.statistics.sample_size import subjects_for_spread
from gatekeeper.verdict import judge

LADDER = {"contour_erosion": ("0.5 mm", "1 mm")}
SEGMENTATION = CONTEXT | {"task": "segmentation", "structures": ("lesion",), "positive": None}
OPTIONS: dict[str, object] = {
    "at_prevalence": 0.1,
    "tolerance": "1 mm",
    "at_threshold_probability": 0.1,
    "at_false_positives_per_case": 1,
    "at_sensitivity": 0.9,
    "at_precision": 0.5,
    "up_to_false_positive_rate": 0.1,
    "beta": 2,
    "of_class": "a",
    "miss_cost": 5,
    "level": "R4",
    "percentile": 95.0,
    "of_memory": "host",
    "of": "followed",
    "perturbation": "contour_erosion",
    "severity": 1,
}
THRESHOLDS: dict[str, object] = {
    "count": 2.0,
    "s": "1 s",
    "mm": "3 mm",
    "mL": "3 mL",
    "MiB": "3 GiB",
    "cases/s": "3 cases/s",
    "severity": 1,
}
LOAD = {"arrivals_per_hour": 10.0, "prevalence": "10 %", "reading_minutes": 5.0}


def any_requirement(metric: str) -> Requirement:
    """Return a requirement on a metric of the catalogue with the options that it must have."""
    spec = METRICS.get(metric)
    end = "estimate" if spec.interval is None else "lower_limit" if spec.higher_is_better else "upper_limit"
    limit = {"at_least" if spec.higher_is_better else "at_most": THRESHOLDS.get(spec.unit, 0.4)}
    return requirement(metric, **{end: limit}, **{name: OPTIONS[name] for name in spec.must})


def policy_with(metric: str, **options: object) -> Policy:
    item = requirement(metric, **options) if options else any_requirement(metric)
    task = next(iter(sorted(item.spec.tasks)))
    context = {**CONTEXT, "task": task}
    if task == "multiclass_classification":
        context |= {"classes": ("a", "b", "c"), "positive": None}
    if task in ("segmentation", "quantification"):
        context = {**SEGMENTATION, "task": task}
    items = {"it": item}
    if item.spec.suite == "robustness":
        items["followed"] = requirement("sensitivity")
    refusals = {"refusals": ("blank",)} if item.spec.suite == "refusal" else {}
    return policy_of(items, context=context, robustness=LADDER, latency={"load": LOAD}, **refusals)


def explained(metric: str, plan: Plan | None = None, **options: object) -> Explanation:
    return explain_requirement(policy_with(metric, **options), "it", plan)


@pytest.mark.parametrize("metric", [spec.name for spec in METRICS])
def test_every_metric_of_the_catalogue_can_be_explained(metric: str) -> None:
    policy = policy_with(metric)
    explanation = explain_requirement(policy, "it")
    assert explanation.title == title_of(policy.requirements["it"], policy)
    assert explanation.source == METRICS.get(metric).source
    assert (explanation.not_measured is None) == METRICS.get(metric).measured
    assert set(explanation.outcomes) == {outcome.value for outcome in Outcome}
    sizes = explanation.sizes
    assert sizes.sizes or sizes.notes
    for size in sizes.sizes:
        assert (size.cases is None) == (size.why is not None)
    for width in (80, 120):
        text = explanation_text(explanation, policy, width)
        assert max(len(line) for line in text.splitlines()) <= width
        assert not re.search(r"\bNone\b|\bnan\b| \n|\.\.\s", text)


@pytest.mark.parametrize("name", policy_names())
def test_shipped_policies_are_explained_whole_within_a_second(name: str) -> None:
    policy = load_policy(name).policy
    explain_policy(policy)
    began = time.perf_counter()
    explanations = explain_policy(policy)
    assert time.perf_counter() - began < 1.0
    assert [item.id for item in explanations][: len(policy.order)] == list(policy.order)
    assert {item.id for item in explanations} == set(policy.requirements)
    text = overview_text(explanations, policy, 80)
    assert max(len(line) for line in text.splitlines()) <= 80
    for item in explanations:
        assert item.title == title_of(policy.requirements[item.id], policy)
        assert item.id in text
        pretty_json(item.to_json())


def test_the_demand_names_the_limit_that_has_to_clear_the_threshold() -> None:
    least = explained("sensitivity", lower_limit={"at_least": "80 %"}).demand
    assert least == (
        "Of the positive nodules (malignant), the share found must be at least 80 %: the lower limit of the two-sided "
        "95 % interval has to clear it, not the estimate."
    )
    most = explained("flip_rate", level="R4", upper_limit={"at_most": "2 %"}, confidence=0.9).demand
    assert "at most 2 %: the upper limit of the two-sided 90 % interval" in most
    point = explained("auroc", estimate={"at_least": 0.9})
    assert point.demand.endswith("must be at least 0.9. The value measured decides by itself, without an interval.")
    assert point.confidence is None


def test_each_outcome_is_said_as_the_threshold_decides_it() -> None:
    least = explained("sensitivity", lower_limit={"at_least": 0.8}).outcomes
    assert least["met"] == "the lower limit is at or above 80 %"
    assert least["not met"].startswith("the upper limit is below 80 %; the verdict is FAIL")
    most = explained("flip_rate", level="R4", upper_limit={"at_most": 0.02}).outcomes
    assert most["met"] == "the upper limit is at or below 2 %"
    assert most["not met"].startswith("the lower limit is above 2 %")


@pytest.mark.parametrize(
    ("options", "method"),
    [
        ({"metric": "sensitivity"}, "Clopper-Pearson (exact)"),
        ({"metric": "sensitivity", "interval": "wilson"}, "Wilson score"),
        ({"metric": "sensitivity", "interval": "clopper_pearson"}, "Clopper-Pearson (exact)"),
        ({"metric": "specificity", "interval": "jeffreys"}, "Jeffreys"),
        ({"metric": "precision", "at_prevalence": 0.2}, "logit of Mercaldo, Lau & Zhou"),
        ({"metric": "imageability"}, "Clopper-Pearson (exact)"),
        ({"metric": "flip_rate", "level": "R0"}, "Clopper-Pearson (exact)"),
    ],
)
def test_the_interval_that_is_named_is_the_one_that_the_gate_uses(options: dict[str, object], method: str) -> None:
    metric = str(options["metric"])
    policy = policy_with(metric, **{name: value for name, value in options.items() if name != "metric"})
    explanation = explain_requirement(policy, "it")
    assert explanation.interval.startswith(method)
    rows = cells(40, 5, 6, 49)
    found = judge(policy, evidence_of({"baseline": rows, "rerun": rows}), OPERATING_POINT)[0]
    assert found.method.split(" (")[0].split()[0] == method.split()[0]


def test_planned_cases_are_those_of_the_interval_that_the_gate_uses() -> None:
    by_default = explained("sensitivity", lower_limit={"at_least": 0.8}).sizes
    assert [(size.truth, size.power) for size in by_default.sizes] == [(0.9, 0.8), (0.9, 0.9), (0.85, 0.8), (0.85, 0.9)]
    assert [size.cases for size in by_default.sizes[:2]] == [{"positive cases": 107}, {"positive cases": 137}]
    assert by_default.fewest == {"positive cases": 17}
    named = explained("sensitivity", lower_limit={"at_least": 0.8}, interval="wilson").sizes
    assert named.sizes[0].cases == {"positive cases": cases_for_lower_limit(0.9, 0.8, method="wilson")}
    flips = explained("flip_rate", level="R4", upper_limit={"at_most": 0.02}).sizes
    assert flips.fewest == {"subjects with repeats": 183}


def test_a_study_can_be_planned_for_other_truths_powers_and_confidence() -> None:
    policy = policy_with("sensitivity", lower_limit={"at_least": "80 %"}, interval="clopper_pearson")
    plan = read_plan(policy, "it", ["92.5 %", "0.9"], ["0.8"])
    sizes = explain_requirement(policy, "it", plan).sizes.sizes
    assert [size.cases for size in sizes] == [{"positive cases": 62}, {"positive cases": 107}]
    looser = read_plan(policy, "it", ["0.9"], ["80 %"], "90 %")
    one = explain_requirement(policy, "it", looser).sizes
    assert one.sizes[0].cases == {"positive cases": cases_for_lower_limit(0.9, 0.8, 0.8, 0.9)}
    assert "90 % confidence" in one.purpose


def test_a_predictive_value_says_what_is_assumed_besides_it() -> None:
    items = {
        "it": requirement("precision", at_prevalence=0.131, lower_limit={"at_least": 0.41}),
        "found": requirement("sensitivity", lower_limit={"at_least": 0.8}),
    }
    policy = policy_of(items)
    sizes = explain_requirement(policy, "it", read_plan(policy, "it", ["0.5"], ["0.8"])).sizes
    assert sizes.sizes[0].cases == {"positive cases": 340, "negative cases": 340}
    assert sizes.assumptions[0].startswith("A sensitivity of 90 % is assumed; the specificity follows from it")
    halved = Plan(truths=(0.5,), powers=(0.8,), positives_per_negative=0.5)
    fewer = explain_requirement(policy, "it", halved).sizes.sizes[0].cases or {}
    assert fewer["positive cases"] * 2 == fewer["negative cases"]


def test_a_true_value_that_no_specificity_gives_is_told_and_not_planned() -> None:
    sizes = explained("precision", Plan(truths=(0.2,)), at_prevalence=0.3, lower_limit={"at_least": 0.1}).sizes
    assert all(size.cases is None for size in sizes.sizes)
    assert sizes.sizes[0].why == "no specificity gives it with a sensitivity of 90 %"
    assert float(ppv_at(0.9, 0.0, 0.3)) > 0.2


def test_an_alarm_rate_is_planned_from_the_rate_that_positives_alone_give() -> None:
    limit = {"at_most": "12 %"}
    explanation = explained("abnormal_interpretation_rate", at_prevalence=0.005, upper_limit=limit)
    assert explanation.demand.startswith("Where 0.5 % of nodules are positive (malignant), the share of all")
    assert all(size.truth > float(called_share_at(0.9, 1.0, 0.005)) for size in explanation.sizes.sizes)
    assert explanation.sizes.fewest == {"positive cases": 36, "negative cases": 36}


@pytest.mark.parametrize(
    ("metric", "options"),
    [
        ("sensitivity", {"lower_limit": {"at_least": 1.0}}),
        ("sensitivity", {"lower_limit": {"at_least": 0.0}}),
        ("flip_rate", {"level": "R4", "upper_limit": {"at_most": 0.0}}),
        ("within_subject_sd", {"level": "R4", "upper_limit": {"at_most": 0.0}}),
        ("auroc", {"lower_limit": {"at_least": 1.0}}),
        ("precision", {"at_prevalence": 0.1, "lower_limit": {"at_least": 1.0}}),
        ("abnormal_interpretation_rate", {"at_prevalence": 0.1, "upper_limit": {"at_most": 0.05}}),
    ],
)
def test_a_threshold_at_the_end_of_the_range_is_explained_without_a_plan(
    metric: str, options: dict[str, object]
) -> None:
    sizes = explained(metric, None, **options).sizes
    assert not sizes.sizes
    assert sizes.notes[0].startswith("The threshold lies at the end of the range")


def test_the_place_in_the_order_and_what_it_means_for_the_claim_are_said() -> None:
    items = {name: requirement(name) for name in ("sensitivity", "specificity", "auroc")}
    items["npv"] = requirement("npv", blocking=False)
    serial = {item.id: item.weight for item in explain_policy(policy_of(items))}
    assert serial["sensitivity"] == (
        "Blocking, number 1 of 3. In serial order the first to be claimed: all others wait for it."
    )
    assert "only when all before it are met (sensitivity, specificity)" in serial["auroc"]
    assert serial["npv"].startswith("Advisory")
    holm = {item.id: item.weight for item in explain_policy(policy_of(items, multiplicity="holm"))}
    assert "98.3333 %" in holm["auroc"]
    assert explained("sensitivity").weight == "Blocking, the only one."


def test_basis_clause_hazard_subgroups_and_waiver_are_told() -> None:
    item = requirement("sensitivity", clause="AI-DSF X.A", hazard="H-01", basis={"source": "K1", "status": "verified"})
    policy = policy_of(
        {"it": item, "other": requirement("auroc")},
        subgroups={"by": ("sex",), "requirements": ("it",), "expected": {"sex": ("F", "M")}},
        waivers=({"requirement": "it", "reason": "Pilot.", "by": "QA", "expires": "2027-06-30"},),
    )
    explanation = explain_requirement(policy, "it")
    text = explanation_text(explanation, policy, 100)
    assert explanation.basis == "K1 (read in the source named)."
    for part in ("AI-DSF X.A", "H-01", "Expected of sex: F, M.", "Waived until 2027-06-30 by QA: Pilot."):
        assert part in text
    bare = explanation_text(explain_requirement(policy, "other"), policy, 100)
    assert "Hazard" not in bare
    assert "Waiver" not in bare


@pytest.mark.parametrize("status", ["verified", "secondary", "computed", "unverified", "project_choice"])
def test_the_status_of_a_figure_is_told_in_words(status: str) -> None:
    told = explained("sensitivity", basis=BASIS | {"status": status}).basis
    assert status not in told.replace("computed from", "")
    assert ("not checked against a source" in told) == (status == "unverified")


def test_what_this_version_cannot_measure_is_told_with_its_consequence() -> None:
    told = explained("froc_score").not_measured
    assert told == (
        "This version of gatekeeper does not measure it yet (Competition performance metric (FROC)): it stays not "
        "decided. The verdict cannot be PASS with it."
    )


@pytest.mark.parametrize(
    "metric", ["sensitivity", "specificity", "imageability", "accuracy", "precision", "npv", "auroc"]
)
@pytest.mark.parametrize("goal", [0.05, 0.1])
def test_the_fewest_cases_of_a_drop_are_those_of_the_interval_that_the_gate_uses(metric: str, goal: float) -> None:
    items = {
        "followed": requirement(metric),
        "it": requirement(
            "performance_drop",
            of="followed",
            perturbation="contour_erosion",
            severity=1,
            upper_limit={"at_most": goal},
        ),
    }
    policy = policy_of(items, robustness=LADDER)
    fewest = explain_requirement(policy, "it").sizes.fewest
    (needed,) = (fewest or {}).values()
    for many, outcome in ((needed, Outcome.MET), (needed - 1, Outcome.NOT_DECIDED)):
        rows = cells(many, 0, 0, many)
        if metric in ("accuracy", "imageability"):
            rows = rows[:many]
        evidence = evidence_of({"baseline": rows, "contour_erosion.1": rows, "contour_erosion.2": rows})
        found = {item.id: item for item in judge(policy, evidence, OPERATING_POINT)}
        assert found["it"].outcome is outcome, (many, found["it"].interval)


@pytest.mark.parametrize(
    ("metric", "options", "method"),
    [
        ("sensitivity", {}, "paired Tango score"),
        ("auroc", {}, "paired DeLong"),
        ("f1", {}, "MOVER of the limits before and after"),
        ("precision", {"at_prevalence": 0.1}, "MOVER of the limits before and after"),
    ],
)
def test_a_drop_names_the_interval_that_decides_it(metric: str, options: dict[str, object], method: str) -> None:
    items = {
        "followed": requirement(metric, **options),
        "it": requirement("performance_drop", of="followed", perturbation="contour_erosion", severity=1),
    }
    sizes = explain_requirement(policy_of(items, robustness=LADDER), "it").sizes
    assert sizes.method == method
    assert "how many answers the stress changes" in sizes.notes[0]


@pytest.mark.parametrize("metric", ["within_subject_cv", "repeatability_coefficient_absolute", "within_subject_sd"])
def test_a_spread_is_planned_with_more_subjects_than_chi_squared_needs(metric: str) -> None:
    sizes = explained(metric, Plan(truths=(0.2,), powers=(0.8,)), level="R4", upper_limit={"at_most": 0.3}).sizes
    assert sizes.sizes[0].cases == {"subjects with two repeats": subjects_for_spread(1.5)}
    assert "scatter alike" in sizes.assumptions[0]


def test_a_mean_time_says_how_many_calls_show_slow_ones() -> None:
    sizes = explained("mean_latency", upper_limit={"at_most": "20 ms"}).sizes
    assert (sizes.method, sizes.fewest) == ("Student t, skewness removed (Hall)", {"timed calls": 2})
    assert sizes.notes[1].startswith("Time 300 or more")


@pytest.mark.parametrize(
    ("options", "title", "demand"),
    [
        ({"level": "R1"}, "Flips between repeats, one at a time", "when cases are given one at a time, the last one"),
        ({"level": "R2"}, "Flips between repeats, bf16", "when numbers are bf16 instead of what the run uses"),
        ({"level": "R2", "numeric_format": "fp16"}, "Flips between repeats, fp16", "when numbers are fp16"),
    ],
)
def test_a_level_says_what_is_done_again(options: dict[str, object], title: str, demand: str) -> None:
    explanation = explained("flip_rate", **options, upper_limit={"at_most": "2 %"})
    assert (explanation.title, explanation.not_measured) == (title, None)
    assert demand in explanation.demand
    assert explanation.sizes.fewest == {"cases run twice": 183}


@pytest.mark.parametrize("level", ["R0", "R1", "R2", "R3", "R4"])
def test_agreement_is_measured_at_every_level(level: str) -> None:
    assert explained("icc", level=level, lower_limit={"at_least": 0.5}).not_measured is None


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("nothing", ["0.9"]), Code.UNKNOWN_NAME),
        (("it", ["0.7"]), Code.BAD_VALUE),
        (("it", ["1"]), Code.BAD_VALUE),
        (("it", ["much"]), Code.BAD_VALUE),
        (("it", ["5 mm"]), Code.BAD_VALUE),
        (("it", ["nan"]), Code.BAD_VALUE),
        ((None, ["0.9"]), Code.MISSING_KEY),
        (("it", [], ["1.2"]), Code.BAD_VALUE),
        (("it", [], [], "0.4"), Code.BAD_VALUE),
        (("it", [], [], None, -1.0), Code.BAD_VALUE),
    ],
)
def test_a_plan_that_cannot_be_is_refused_in_words(arguments: tuple[object, ...], code: Code) -> None:
    policy = policy_with("sensitivity", lower_limit={"at_least": 0.8})
    with pytest.raises(UsageError) as error:
        read_plan(policy, *arguments)  # type: ignore[arg-type]
    assert error.value.problems[0].code is code


def test_a_true_value_for_what_no_number_of_cases_shows_is_refused() -> None:
    with pytest.raises(UsageError, match="no sample size depends"):
        read_plan(policy_with("max_deviation"), "it", ["0.1"])


@settings(max_examples=40, deadline=None)
@given(st.floats(0.01, 0.99), st.sampled_from(["lower_limit", "upper_limit"]))
def test_truths_that_nobody_gave_lie_between_the_threshold_and_the_best_value(goal: float, end: str) -> None:
    if end == "lower_limit":
        sizes = explained("sensitivity", lower_limit={"at_least": goal}).sizes
        assert all(goal < size.truth < 1.0 for size in sizes.sizes)
    else:
        sizes = explained("flip_rate", level="R4", upper_limit={"at_most": goal}).sizes
        assert all(0.0 < size.truth < goal for size in sizes.sizes)
    assert sizes.sizes


@settings(max_examples=30, deadline=None)
@given(st.floats(0.005, 0.995), st.sampled_from(["precision", "npv"]))
def test_predictive_values_that_nobody_gave_lie_above_the_threshold(goal: float, metric: str) -> None:
    sizes = explained(metric, Plan(powers=(0.8,)), at_prevalence=0.1, lower_limit={"at_least": goal}).sizes
    assert len(sizes.sizes) == 2
    assert all(goal < size.truth < 1.0 for size in sizes.sizes)
    assert "false calls" in sizes.assumptions[-1]
