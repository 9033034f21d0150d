from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from made_up_evidence import (
    CONTEXT,
    OPERATING_POINT,
    MadeUpCase,
    cells,
    evidence_of,
    named,
    policy_of,
    random_cases,
    requirement,
    rows_of,
)
from scipy import stats

from gatekeeper.evidence import Outcome, Reason
from gatekeeper.metrics import METRICS
from gatekeeper.policy import Policy, Requirement
from gatekeeper.statistics import (
    Effective,
    Pairs,
    clopper_pearson,
    cluster_weights,
    effective_trials,
    tango,
    wilson,
)
from gatekeeper.statistics.noninferiority import compare_aurocs, compare_proportions
from gatekeeper.suites import Measurement
from gatekeeper.suites.performance import estimate, replicates
from gatekeeper.suites.performance import measure as measure_performance
from gatekeeper.suites.robustness import breaking_point, climb, measure, plan
from gatekeeper.suites.subjects import Subjects

LADDER = {"contour_erosion": ("0.5 mm", "1 mm", "1.5 mm")}
FOLLOWED = {
    "sensitivity": requirement("sensitivity"),
    "specificity": requirement("specificity"),
    "precision": requirement("precision"),
    "precision at prevalence": requirement("precision", at_prevalence=0.1),
    "auroc": requirement("auroc"),
}
ALSO = {name: requirement(name) for name in ("accuracy", "imageability", "npv", "f1", "matthews_correlation")}


def renamed(cases: list[MadeUpCase]) -> list[MadeUpCase]:
    """Give cases that a resample takes twice names of their own."""
    return [replace(case, case="", subject="", patient="") for case in cases]


every_followed = pytest.mark.parametrize("followed", sorted(FOLLOWED))


def drop_of(followed: str) -> tuple[Policy, Requirement]:
    drop = requirement("performance_drop", of="followed", perturbation="contour_erosion", severity=1)
    return policy_of({"followed": (FOLLOWED | ALSO)[followed], "drop": drop}, robustness=LADDER), drop


def measured_drop(followed: str, before: list[MadeUpCase], after: list[MadeUpCase]) -> Measurement:
    policy, drop = drop_of(followed)
    stressed = {f"contour_erosion.{severity}": after for severity in (1, 2, 3)}
    return measure(drop, policy, evidence_of({"baseline": before, **stressed}), OPERATING_POINT)


def test_every_severity_is_planned_with_its_magnitude() -> None:
    conditions = plan(drop_of("sensitivity")[0])
    assert [(c.id, c.severity, c.magnitude, c.unit) for c in conditions] == [
        ("contour_erosion.1", 1, 0.5, "mm"),
        ("contour_erosion.2", 2, 1.0, "mm"),
        ("contour_erosion.3", 3, 1.5, "mm"),
    ]


@every_followed
@pytest.mark.parametrize("cases_each", [1, 3])
def test_rows_that_did_not_change_drop_by_exactly_nothing_but_are_not_proof_of_it(
    followed: str, cases_each: int
) -> None:
    cases = random_cases(1, patients=30, cases_each=cases_each)
    found = measured_drop(followed, cases, cases)
    assert found.estimate == 0.0
    assert found.limits is not None
    assert found.limits[0] < 0.0 < found.limits[1]


def test_the_limits_of_no_change_count_the_patients_who_could_have_changed() -> None:
    cases = cells(12, 3, 10, 75)
    found = measured_drop("sensitivity", cases, cases)
    share = clopper_pearson(0, 15).upper
    assert found.limits == pytest.approx((-share, share), abs=1e-11)


def test_a_drop_of_everything_in_everybody_is_bounded_from_below() -> None:
    found = measured_drop("sensitivity", cells(20, 0, 0, 20), cells(0, 20, 0, 20))
    assert found.estimate == 1.0
    assert found.limits == pytest.approx((1.0 - 2.0 * clopper_pearson(0, 20).upper, 1.0), abs=1e-11)
    assert "no patient differs" in found.method


@every_followed
@pytest.mark.parametrize("cases_each", [1, 2])
def test_a_drop_is_paired_patient_by_patient(followed: str, cases_each: int) -> None:
    before = named(random_cases(2, patients=40, cases_each=cases_each))
    random = np.random.default_rng(5)
    after = [replace(case, score=float(np.clip(case.score + random.normal(-0.1, 0.15), 0.0, 1.0))) for case in before]
    found = measured_drop(followed, before, after)
    item = FOLLOWED[followed]
    first, second = (
        Subjects.of(evidence_of({"baseline": cases}).under("baseline"), OPERATING_POINT) for cases in (before, after)
    )
    assert found.estimate == pytest.approx(estimate(item, first) - estimate(item, second))
    weights = cluster_weights(40)
    patients = [
        [[case for case in cases if case.patient == name] for name in sorted({c.patient for c in cases})]
        for cases in (before, after)
    ]
    differences = []
    for row in weights[:200]:
        taken = [
            [case for patient, times in zip(side, row, strict=True) for case in patient * int(times)]
            for side in patients
        ]
        sides = [Subjects.of(rows_of(renamed(cases)), OPERATING_POINT) for cases in taken]
        differences.append(estimate(item, sides[0]) - estimate(item, sides[1]))
    drawn = replicates(item, first, second)
    assert (drawn[0] - drawn[1])[:200] == pytest.approx(differences, abs=1e-12)
    expected = limits_elsewhere(followed, first, second, drawn)
    if followed == "precision at prevalence":
        expected = expected[0], max(expected[1], most_by_rates(first, second, 0.1))
    assert found.limits == pytest.approx(expected, abs=1e-11)
    assert found.method.startswith("paired ")


def limits_elsewhere(followed: str, first: Subjects, second: Subjects, drawn: list[np.ndarray]) -> tuple[float, float]:
    """The limits by the functions that compare two models, or by MOVER's formula written out."""
    label, patients = first.rows.label, first.clusters.codes
    if followed == "auroc":
        interval = compare_aurocs(first.rows.score, second.rows.score, label, 0.1, patients).interval
        return interval.lower, interval.upper
    if followed in ("sensitivity", "specificity"):
        own = label == (followed == "sensitivity")
        right = [(subjects.rows.score >= OPERATING_POINT) == (label == 1) for subjects in (first, second)]
        interval = compare_proportions(right[0][own], right[1][own], patients[own], 0.1).interval
        return interval.lower, interval.upper
    one, other = (measure_performance(FOLLOWED[followed], part.rows, OPERATING_POINT) for part in (first, second))
    assert one.interval is not None
    assert other.interval is not None
    r = np.corrcoef(*drawn)[0, 1]
    below, above = one.estimate - one.interval.lower, other.interval.upper - other.estimate
    nearer, farther = one.interval.upper - one.estimate, other.estimate - other.interval.lower
    drop = one.estimate - other.estimate
    return (
        drop - np.sqrt(below**2 + above**2 - 2.0 * r * below * above),
        drop + np.sqrt(nearer**2 + farther**2 - 2.0 * r * nearer * farther),
    )


def most_by_rates(first: Subjects, second: Subjects, prevalence: float) -> float:
    """Bayes' rule at rates of which each, and each loss, is moved to its own limits; what that adds, squared."""
    label, patients = first.rows.label == 1, first.clusters.codes
    at, moves = [], []
    for own in (label, ~label):
        right = [(subjects.rows.score >= OPERATING_POINT)[own] == label[own] for subjects in (first, second)]
        codes = np.unique(patients[own], return_inverse=True)[1]
        hits, trials = np.bincount(codes, right[0]), np.bincount(codes).astype(float)
        share = Effective(hits.sum(), trials.sum()) if trials.max() == 1 else effective_trials(hits, trials)
        lost = compare_proportions(right[0], right[1], patients[own], 0.1)
        at += [hits.sum() / trials.sum(), lost.difference]
        moves += [wilson(share.hits, share.trials), lost.interval]

    def drop(found: float, found_less: float, cleared: float, cleared_less: float) -> float:
        values = []
        for rate, other in ((found, cleared), (found - found_less, cleared - cleared_less)):
            alarms = prevalence * min(1.0, max(0.0, rate)), (1.0 - prevalence) * (1.0 - min(1.0, max(0.0, other)))
            values.append(alarms[0] / sum(alarms))
        return values[0] - values[1]

    gains = []
    for place, interval in enumerate(moves):
        ends = [drop(*at[:place], end, *at[place + 1 :]) for end in (interval.lower, interval.upper)]
        gains.append(max(0.0, *(end - drop(*at) for end in ends)))
    return min(1.0, drop(*at) + float(np.hypot.reduce(gains)))


def test_alarms_that_did_not_change_leave_a_predictive_value_at_a_prevalence_unsure() -> None:
    """Only one positive case is lost, and no negative one: at 10 % that says nothing of the false alarms to come."""
    before, after = cells(45, 5, 5, 45), cells(44, 6, 5, 45)
    found = measured_drop("precision at prevalence", before, after)
    assert found.limits is not None
    assert found.limits[1] > 0.1
    assert "both rates" in found.method


def test_a_drop_of_accuracy_and_of_answers_is_one_of_shares_of_the_same_cases() -> None:
    before = named(random_cases(6, patients=60, cases_each=1))
    after = [replace(case, score=1.0 - case.score) if n % 9 == 0 else case for n, case in enumerate(before)]
    lost = [replace(case, answered=n % 9 > 0) for n, case in enumerate(before)]
    for followed, second in (("accuracy", after), ("imageability", lost)):
        found = measured_drop(followed, before, second)
        right = [
            np.array(
                [case.answered if followed == "imageability" else (case.score >= 0.5) == case.label for case in cases]
            )
            for cases in (before, second)
        ]
        expected = tango(Pairs(float((right[0] & ~right[1]).sum()), float((right[1] & ~right[0]).sum()), 60))
        assert found.limits == pytest.approx((expected.lower, expected.upper), abs=1e-11)
        assert found.method == "paired Tango score"


@pytest.mark.parametrize("positives", [30, 100, 300])
@pytest.mark.parametrize("share", [0.01, 0.03, 0.1])
def test_a_sensitivity_that_falls_by_the_threshold_is_rarely_released(positives: int, share: float) -> None:
    """Exact: each positive is lost with the same probability; those drops whose upper limit lies below it, added up."""
    released = 0.0
    for lost in range(min(positives, 60)):
        before, after = cells(positives, 0, 0, 20), cells(positives - lost, lost, 0, 20)
        limits = measured_drop("sensitivity", before, after).limits
        assert limits is not None
        released += stats.binom.pmf(lost, positives, share) if limits[1] <= share else 0.0
        if limits[0] > share:
            break
    assert released <= 0.026


def test_a_drop_of_one_case_is_not_proof_of_a_small_one() -> None:
    """One of 100 positives is lost; percentiles of resamples would end at three of them."""
    found = measured_drop("sensitivity", cells(100, 0, 0, 20), cells(99, 1, 0, 20))
    assert found.limits is not None
    assert found.limits[1] > 0.05


@pytest.mark.parametrize("metric", ["precision", "npv", "f1", "matthews_correlation"])
def test_a_drop_of_a_ratio_on_few_changed_calls_reaches_farther_than_percentiles(metric: str) -> None:
    before = cells(80, 10, 10, 80)
    after = [replace(case, score=1.0 - case.score) if n in (0, 85, 105) else case for n, case in enumerate(before)]
    found = measured_drop(metric, before, after)
    sides = [
        Subjects.of(evidence_of({"baseline": cases}).under("baseline"), OPERATING_POINT) for cases in (before, after)
    ]
    drawn = replicates((FOLLOWED | ALSO)[metric], *sides)
    assert found.limits is not None
    assert found.limits[1] > float(np.quantile(drawn[0] - drawn[1], 0.975))
    assert "MOVER" in found.method


def test_a_drop_that_rests_on_few_patients_has_no_interval() -> None:
    before = cells(5, 2, 10, 80)
    found = measured_drop("sensitivity", before, cells(4, 3, 10, 80))
    assert (found.interval, found.reason) == (None, Reason.TOO_FEW_CASES)


@pytest.mark.parametrize(
    ("followed", "cases"),
    [
        ("auroc", cells(20, 5, 0, 0)),
        ("sensitivity", cells(0, 0, 5, 20)),
        ("precision", cells(0, 20, 0, 20)),
        ("precision at prevalence", cells(0, 20, 0, 20)),
    ],
)
def test_a_drop_of_what_has_no_value_is_undefined(followed: str, cases: list[MadeUpCase]) -> None:
    found = measured_drop(followed, cases, cases)
    assert (found.estimate, found.reason) == (None, Reason.UNDEFINED_METRIC)


@pytest.mark.parametrize("metric", ["average_precision", "brier_score", "calibration_slope_deviation", "froc_score"])
@pytest.mark.parametrize("cases", [cells(20, 0, 0, 20), cells(20, 5, 0, 0), cells(0, 0, 0, 1), cells(1, 0, 0, 1), []])
def test_a_drop_of_any_metric_on_any_cases_is_measured_or_said(metric: str, cases: list[MadeUpCase]) -> None:
    higher = METRICS.get(metric).higher_is_better
    end = {"lower_limit": {"at_least": 0.5}} if higher else {"upper_limit": {"at_most": 1}}
    context = CONTEXT | {"task": "detection" if metric == "froc_score" else "classification"}
    drop = requirement("performance_drop", of="it", perturbation="contour_erosion", severity=1)
    policy = policy_of({"it": requirement(metric, **end), "drop": drop}, robustness=LADDER, context=context)
    evidence = evidence_of({name: cases for name in ("baseline", *(f"contour_erosion.{step}" for step in (1, 2, 3)))})
    found = measure(drop, policy, evidence, OPERATING_POINT)
    assert found.interval is not None or found.reason is not None


@every_followed
def test_all_correct_before_and_all_wrong_after_is_no_error(followed: str) -> None:
    for patients in (1, 6, 20):
        before = [replace(c, patient=f"p{n % patients}") for n, c in enumerate(cells(20, 0, 0, 20))]
        after = [replace(case, score=1.0 - case.score) for case in before]
        found = measured_drop(followed, before, after)
        assert found.estimate == 1.0
        assert found.interval is not None or found.reason is Reason.TOO_FEW_CASES


BREAKING = requirement("breaking_point", of="sensitivity", perturbation="contour_erosion")
POLICY = policy_of(
    {"sensitivity": requirement("sensitivity", estimate={"at_least": 0.8}), "breaking": BREAKING}, robustness=LADDER
)


def ladder_of(hits: list[int]) -> dict[str, list[MadeUpCase]]:
    names = ["baseline", *(f"contour_erosion.{severity}" for severity in (1, 2, 3))]
    return {name: cells(found, 20 - found, 2, 18) for name, found in zip(names, hits, strict=True)}


@pytest.mark.parametrize(
    ("hits", "broken"),
    [([10, 20, 20, 20], 0), ([20, 10, 20, 20], 1), ([20, 18, 15, 20], 2), ([20, 20, 16, 10], 3), ([16] * 4, 4)],
)
def test_the_breaking_point_is_the_first_severity_that_is_not_met(hits: list[int], broken: int) -> None:
    evidence = evidence_of(ladder_of(hits))
    steps = climb(POLICY, POLICY.requirements["sensitivity"], "contour_erosion", evidence, OPERATING_POINT)
    assert [step.outcome is Outcome.MET for step in steps] == [found >= 16 for found in hits]
    assert [step.magnitude for step in steps] == [0.0, 0.5, 1.0, 1.5]
    assert breaking_point(steps) == broken
    found = measure(BREAKING, POLICY, evidence, OPERATING_POINT)
    assert found.estimate == broken
    assert found.reason is (Reason.BREAKS_WITHOUT_STRESS if broken == 0 else None)


def test_what_is_not_decided_at_a_severity_does_not_count_as_met() -> None:
    followed = requirement("sensitivity", lower_limit={"at_least": 0.6})
    policy = policy_of({"sensitivity": followed, "breaking": BREAKING}, robustness=LADDER)
    evidence = evidence_of(ladder_of([20, 14, 14, 14]))
    steps = climb(policy, followed, "contour_erosion", evidence, OPERATING_POINT)
    assert [step.outcome for step in steps][:2] == [Outcome.MET, Outcome.NOT_DECIDED]
    assert measure(BREAKING, policy, evidence, OPERATING_POINT).estimate == 1.0


def test_a_step_decides_on_the_number_that_is_printed() -> None:
    # 0.3 / (0.3 + 0.7 x 0.1) and the like miss a threshold of the same printed value by the last bit otherwise.
    item = requirement("precision", at_prevalence=0.3, estimate={"at_least": 0.75})
    policy = policy_of({"sensitivity": item, "breaking": BREAKING}, robustness=LADDER)
    conditions = {name: cells(14, 6, 2, 18) for name in ladder_of([20] * 4)}
    steps = climb(policy, item, "contour_erosion", evidence_of(conditions), OPERATING_POINT)
    assert steps[0].measurement.rounded == 0.75
    assert {step.outcome for step in steps} == {Outcome.MET}


@pytest.mark.parametrize("missing", ["contour_erosion.1", "contour_erosion.3"])
def test_a_ladder_that_was_not_run_whole_is_said(missing: str) -> None:
    conditions = ladder_of([20] * 4)
    conditions.pop(missing)
    evidence = evidence_of(conditions)
    assert measure(BREAKING, POLICY, evidence, OPERATING_POINT).reason is Reason.CONDITION_NOT_RUN
    policy, drop = drop_of("sensitivity")
    assert measure(drop, policy, evidence, OPERATING_POINT).reason is Reason.CONDITION_NOT_RUN


def test_a_ladder_of_what_has_no_value_is_undefined() -> None:
    conditions = {name: cells(0, 0, 2, 18) for name in ladder_of([20] * 4)}
    found = measure(BREAKING, POLICY, evidence_of(conditions), OPERATING_POINT)
    assert (found.estimate, found.reason) == (None, Reason.UNDEFINED_METRIC)
