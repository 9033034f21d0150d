from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up_evidence import (
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
from numpy.typing import NDArray
from scipy.stats import beta, norm
from scipy.stats import t as student
from sklearn.metrics import (
    average_precision_score,
    balanced_accuracy_score,
    cohen_kappa_score,
    f1_score,
    matthews_corrcoef,
    precision_recall_curve,
    roc_auc_score,
    roc_curve,
)
from statsmodels.api import OLS
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from gatekeeper.evidence import Reason
from gatekeeper.policy import Requirement
from gatekeeper.statistics import (
    auroc_interval,
    clopper_pearson,
    cluster_weights,
    npv_at,
    npv_interval,
    ppv_at,
    ppv_interval,
)
from gatekeeper.suites import Measurement, measure_subgroup
from gatekeeper.suites.clusters import Clusters
from gatekeeper.suites.performance import estimate, measure, replicates
from gatekeeper.suites.scored import scored
from gatekeeper.suites.subjects import Subjects

PROPORTIONS = ("sensitivity", "specificity", "precision", "npv")
AT_PREVALENCE = (requirement("precision", at_prevalence=0.1), requirement("npv", at_prevalence=0.1))
OF_TABLE = {
    "balanced_accuracy": balanced_accuracy_score,
    "f1": f1_score,
    "matthews_correlation": matthews_corrcoef,
    "kappa": cohen_kappa_score,
    "youden": partial(balanced_accuracy_score, adjusted=True),
}
AT_OTHER_RATE = (requirement("sensitivity", at_specificity=0.8), requirement("specificity", at_sensitivity=0.8))
RANKED = (
    requirement("average_precision"),
    requirement("partial_auroc", up_to_false_positive_rate=0.3),
    requirement("sensitivity_at_precision", at_precision=0.5),
    requirement("precision_at_sensitivity", at_sensitivity=0.8),
)
EVERY = (
    *(requirement(name) for name in (*PROPORTIONS, *OF_TABLE, "auroc", "accuracy")),
    *RANKED,
    *AT_PREVALENCE,
    *AT_OTHER_RATE,
)


def name_of(item: Requirement) -> str:
    at = " at prevalence" if item.at_prevalence is not None else ""
    return item.metric + at + (" at another rate" if item.other_rate is not None else "")


every_requirement = pytest.mark.parametrize("item", EVERY, ids=name_of)


def measured(item: Requirement, cases: list[MadeUpCase]) -> Measurement:
    return measure(item, rows_of(cases), OPERATING_POINT)


def cells_of(cases: list[MadeUpCase]) -> tuple[int, int, int, int]:
    calls = [(case.score >= OPERATING_POINT, case.label) for case in cases]
    return calls.count((True, 1)), calls.count((False, 1)), calls.count((True, 0)), calls.count((False, 0))


def hits_of(name: str, tp: int, fn: int, fp: int, tn: int) -> tuple[int, int]:
    return {
        "sensitivity": (tp, tp + fn),
        "specificity": (tn, tn + fp),
        "precision": (tp, tp + fp),
        "npv": (tn, tn + fn),
        "accuracy": (tp + tn, tp + fn + fp + tn),
    }[name]


@pytest.mark.parametrize("name", PROPORTIONS)
@settings(max_examples=15, deadline=None)
@given(table=st.tuples(*[st.integers(0, 25)] * 4))
def test_independent_cases_give_clopper_pearson(name: str, table: tuple[int, int, int, int]) -> None:
    hits, trials = hits_of(name, *table)
    found = measured(requirement(name), cells(*table))
    if trials == 0:
        assert found.estimate is None
        return
    assert (found.estimate, found.n, found.patients) == (pytest.approx(hits / trials), trials, trials)
    assert found.limits == pytest.approx(proportion_confint(hits, trials, method="beta"), abs=1e-11)


@settings(max_examples=10, deadline=None)
@given(table=st.tuples(*[st.integers(1, 25)] * 4))
def test_independent_cases_at_a_prevalence_give_the_logit_interval(table: tuple[int, int, int, int]) -> None:
    precision, npv = (measured(item, cells(*table)) for item in AT_PREVALENCE)
    wanted = ppv_interval(*table, 0.1), npv_interval(*table, 0.1)
    tp, fn, fp, tn = table
    assert precision.estimate == pytest.approx(float(ppv_at(tp / (tp + fn), tn / (fp + tn), 0.1)))
    assert npv.estimate == pytest.approx(float(npv_at(tp / (tp + fn), tn / (fp + tn), 0.1)))
    assert (precision.interval, npv.interval) == wanted
    assert "Mercaldo" in precision.method
    assert f"{tp + fn} positive, {fp + tn} negative" in precision.n_of


def test_independent_cases_give_the_interval_of_delong() -> None:
    cases = random_cases(1, patients=60, cases_each=1, ties=True)
    scores, labels = np.array([case.score for case in cases]), np.array([case.label for case in cases])
    found = measured(requirement("auroc"), cases)
    area, interval = auroc_interval(scores, labels)
    assert found.estimate == pytest.approx(roc_auc_score(labels, scores))
    assert (found.estimate, found.method) == (area, interval.method)
    assert found.limits == pytest.approx((interval.lower, interval.upper), abs=1e-11)


def explicit_value(item: Requirement, cases: list[MadeUpCase]) -> float:
    """Compute a metric on a list of cases, as its definition says, by other means than the suite's."""
    tp, fn, fp, tn = cells_of(cases)
    if item.metric == "auroc":
        labels = [case.label for case in cases]
        return float(roc_auc_score(labels, [case.score for case in cases])) if len(set(labels)) == 2 else np.nan
    if item in RANKED:
        return ranked_value(item, cases)
    if item.other_rate is not None:
        labels, scores = np.array([case.label for case in cases]), np.array([case.score for case in cases])
        if len(set(labels.tolist())) < 2:
            return np.nan
        false_alarms, found, _ = roc_curve(labels, scores, drop_intermediate=False)
        own, other = (found, 1.0 - false_alarms) if item.metric == "sensitivity" else (1.0 - false_alarms, found)
        return float(own[other >= item.other_rate - 1e-9].max())
    if item.metric in OF_TABLE:
        labels = [case.label for case in cases]
        return float(OF_TABLE[item.metric](labels, [case.score >= OPERATING_POINT for case in cases]))
    if item.prevalence is not None:
        if tp + fn == 0 or fp + tn == 0:
            return np.nan
        formula = ppv_at if item.metric == "precision" else npv_at
        return float(formula(tp / (tp + fn), tn / (fp + tn), item.prevalence))
    hits, trials = hits_of(item.metric, tp, fn, fp, tn)
    return hits / trials if trials else np.nan


def ranked_value(item: Requirement, cases: list[MadeUpCase]) -> float:
    labels, scores = np.array([case.label for case in cases]), np.array([case.score for case in cases])
    if len(set(labels.tolist())) < 2:
        return np.nan
    if item.metric == "average_precision":
        return float(average_precision_score(labels, scores))
    if item.metric == "partial_auroc":
        return float(roc_auc_score(labels, scores, max_fpr=0.3))
    precision, found, _ = precision_recall_curve(labels, scores)
    own, other = (found, precision) if item.metric == "sensitivity_at_precision" else (precision, found)
    reached = other[:-1] >= (item.other_rate or 0.0) - 1e-9
    return float(own[:-1][reached].max()) if reached.any() else np.nan


@every_requirement
@pytest.mark.parametrize("seed", [2, 3])
def test_replicates_are_the_metric_on_patients_taken_with_all_their_cases(item: Requirement, seed: int) -> None:
    cases = random_cases(seed, patients=25, cases_each=3, ties=True)
    by_patient = [[case for case in cases if case.patient == name] for name in sorted({c.patient for c in cases})]
    subjects = Subjects.of(rows_of(cases), OPERATING_POINT)
    (drawn,) = replicates(item, subjects)
    wanted = []
    for weights in cluster_weights(25, 200):
        taken = [case for patient, times in zip(by_patient, weights, strict=True) for case in patient * int(times)]
        wanted.append(explicit_value(item, taken))
    if scored(item) is not None:
        assert drawn[:200] == pytest.approx(np.array(wanted), nan_ok=True)
    assert estimate(item, subjects) == pytest.approx(explicit_value(item, cases))
    assert np.nanquantile(drawn, [0.1, 0.5, 0.9]) == pytest.approx(np.nanquantile(wanted, [0.1, 0.5, 0.9]), abs=0.06)


@every_requirement
def test_the_spread_over_patients_decides_not_that_over_images(item: Requirement) -> None:
    """Ten copies of every case: the same interval but for what ten cases a patient change in the added fifth."""
    once = random_cases(7, patients=60, cases_each=2, ties=False)
    often = [replace(case, case=f"{case.case}-{copy}") for case in named(once) for copy in range(10)]
    often = [replace(case, subject=case.case) for case in often]
    few, many = measured(item, once), measured(item, often)
    assert many.estimate == pytest.approx(few.estimate)
    assert many.limits == pytest.approx(few.limits, abs=0.02)
    assert ("bootstrap" if item in RANKED[2:] else "effective") in many.method


@every_requirement
def test_clustered_cases_lie_within_what_resampling_patients_finds(item: Requirement) -> None:
    """Percentiles of 2,000 resamples of 150 patients: an independent way to nearly the same limits."""
    cases = random_cases(11, patients=150, cases_each=2, ties=False)
    found = measured(item, cases)
    subjects = Subjects.of(rows_of(cases), OPERATING_POINT)
    (drawn,) = replicates(item, subjects)
    lower, upper = np.nanquantile(drawn, [0.025, 0.975])
    assert found.limits is not None
    width = upper - lower
    assert found.limits[0] == pytest.approx(lower, abs=0.3 * width)
    assert found.limits[1] == pytest.approx(upper, abs=0.3 * width)
    assert found.limits[1] - found.limits[0] == pytest.approx(width, rel=0.25)


@pytest.mark.parametrize("name", ["sensitivity", "precision", "accuracy"])
def test_a_clustered_share_has_the_limits_of_korn_and_graubard(name: str) -> None:
    """Variance of statsmodels (cluster-robust, small-sample corrected), a fifth of a patient added by hand."""
    cases = random_cases(5, patients=40, cases_each=3, ties=False)
    wanted = {
        "sensitivity": [(case.patient, case.score >= 0.5) for case in cases if case.label == 1],
        "precision": [(case.patient, case.label == 1) for case in cases if case.score >= 0.5],
        "accuracy": [(case.patient, (case.score >= 0.5) == (case.label == 1)) for case in cases],
    }[name]
    patients, hits = zip(*wanted, strict=True)
    right, n = np.array(hits, dtype=float), len(hits)
    codes = np.unique(patients, return_inverse=True)[1]
    count = len(set(patients))
    fitted = OLS(right, np.ones(n)).fit(cov_type="cluster", cov_kwds={"groups": codes})
    share = right.mean()
    plain = float(fitted.cov_params()[0, 0]) / (count / (count - 1))  # its other factor, (n - 1) / (n - 1), is 1
    variance = count / (count - 1) * (plain + 0.2 * (max(share, 1 - share) / count) ** 2)
    trials = min(n, share * (1 - share) / variance) * (norm.ppf(0.975) / student.ppf(0.975, count - 1)) ** 2
    expected = (
        beta.ppf(0.025, share * trials, (1 - share) * trials + 1),
        beta.ppf(0.975, share * trials + 1, (1 - share) * trials),
    )
    assert measured(requirement(name), cases).limits == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(("name", "scale"), [("youden", 1.0), ("balanced_accuracy", 0.5)])
def test_sums_of_two_rates_have_newcombe_s_interval(name: str, scale: float) -> None:
    """Of statsmodels: the difference of Se and 1 - Sp."""
    found = measured(requirement(name), cells(43, 7, 12, 88))
    lower, upper = confint_proportions_2indep(43, 50, 12, 100, method="newcomb")
    shift = 1.0 - scale
    assert found.limits == pytest.approx((lower * scale + shift, upper * scale + shift), abs=1e-11)
    assert found.n_of == "cases (50 positive, 100 negative)"


def test_a_likelihood_ratio_has_the_log_interval() -> None:
    item = requirement("negative_likelihood_ratio", upper_limit={"at_most": 0.2})
    found = measured(item, cells(43, 7, 12, 88))
    assert found.estimate == pytest.approx((7 / 50) / (88 / 100))
    wanted = confint_proportions_2indep(7, 50, 88, 100, compare="ratio", method="log")
    assert found.limits == pytest.approx(wanted, abs=1e-11)


@pytest.mark.parametrize("name", [*OF_TABLE, "negative_likelihood_ratio"])
@pytest.mark.parametrize("each", [1, 2])
def test_a_candidate_without_errors_is_bounded_all_the_same(name: str, each: int) -> None:
    lower_is_better = name == "negative_likelihood_ratio"
    options = {"upper_limit": {"at_most": 0.2}} if lower_is_better else {}
    cases = [MadeUpCase(label * 0.9, label, f"p{label}{n}") for label in (0, 1) for n in range(60)] * each
    found = measured(requirement(name, **options), [replace(case, case=f"c{n}") for n, case in enumerate(cases)])
    assert found.interval is not None
    ends = (found.interval.lower, found.interval.upper)
    best, bound = ends if lower_is_better else reversed(ends)
    assert best == found.estimate == (0.0 if lower_is_better else 1.0)
    assert 0.01 < abs(best - bound) < 0.25


@pytest.mark.parametrize("name", [*OF_TABLE, "negative_likelihood_ratio"])
@pytest.mark.parametrize("table", [(0, 0, 0, 0), (0, 0, 0, 9), (9, 0, 0, 0), (0, 9, 9, 0), (9, 0, 9, 0), (0, 9, 0, 9)])
def test_a_table_with_empty_cells_gives_a_number_or_says_that_there_is_none(
    name: str, table: tuple[int, int, int, int]
) -> None:
    options = {"upper_limit": {"at_most": 0.2}} if name == "negative_likelihood_ratio" else {}
    found = measured(requirement(name, **options), cells(*table))
    if found.estimate is None:
        assert found.reason in (Reason.UNDEFINED_METRIC, Reason.TOO_FEW_CASES)
    elif found.interval is None:
        assert found.reason is Reason.TOO_FEW_CASES
    else:
        assert found.interval.lower - 1e-12 <= found.estimate <= found.interval.upper + 1e-12
        assert found.interval.lower < found.interval.upper


def test_a_cut_that_parts_the_classes_is_bounded_by_both_of_them() -> None:
    enough = measured(AT_OTHER_RATE[0], cells(60, 0, 0, 60))
    assert enough.limits == pytest.approx(proportion_confint(60, 60, method="wilson"))
    few = measured(AT_OTHER_RATE[0], cells(60, 0, 0, 12))
    assert few.limits == (0.0, 1.0)


def test_a_rate_at_another_does_not_depend_on_the_operating_point() -> None:
    rows = rows_of(random_cases(7, patients=80, cases_each=1))
    assert measure(AT_OTHER_RATE[0], rows, 0.2) == measure(AT_OTHER_RATE[0], rows, 0.9)


def test_cases_of_which_only_the_others_repeat_count_as_independent() -> None:
    cases = [MadeUpCase(0.9 if n % 4 else 0.1, 1, f"p{n}") for n in range(20)]
    cases += [MadeUpCase(0.1, 0, f"p{n}") for n in range(20)] * 2
    found = measured(requirement("sensitivity"), cases)
    assert found.limits == pytest.approx(proportion_confint(15, 20, method="beta"), abs=1e-11)


@every_requirement
@pytest.mark.parametrize("cases_each", [1, 3])
@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 1000))
def test_the_order_of_rows_changes_not_one_bit(item: Requirement, cases_each: int, seed: int) -> None:
    cases = named(random_cases(seed, patients=20, cases_each=cases_each))
    shuffled = [cases[index] for index in np.random.default_rng(seed).permutation(len(cases))]
    assert measured(item, cases) == measured(item, shuffled)


@every_requirement
def test_repeats_of_a_subject_are_not_counted(item: Requirement) -> None:
    cases = named(random_cases(4, patients=20, cases_each=2))
    repeats = [replace(case, case=f"{case.case}-again", score=1.0 - case.score) for case in cases]
    assert measured(item, cases + repeats) == measured(item, cases)


@every_requirement
@pytest.mark.parametrize("cases_each", [1, 2])
def test_a_case_without_an_answer_counts_as_wrong_as_can_be(item: Requirement, cases_each: int) -> None:
    cases = named(random_cases(5, patients=30, cases_each=cases_each))
    unanswered = [replace(case, answered=number % 6 != 0) for number, case in enumerate(cases)]
    worst = [case if case.answered else replace(case, answered=True, score=1.0 - case.label) for case in unanswered]
    found = measured(item, unanswered)
    assert found == measured(item, worst)
    assert found.estimate is not None
    before = measured(item, cases).estimate or 0.0
    # Calling all cases can keep the precision that is asked for, and then every positive is found as before.
    assert found.estimate < before or (item.at_precision is not None and found.estimate == before == 1.0)


def clustered(cases: list[MadeUpCase], patients: int) -> list[MadeUpCase]:
    return [replace(case, patient=f"patient-{number % patients:03}") for number, case in enumerate(cases)]


DEGENERATE: dict[str, list[MadeUpCase]] = {
    "no cases": [],
    "one positive": cells(1, 0, 0, 0),
    "one of each": cells(1, 0, 0, 1),
    "positives only": cells(20, 5, 0, 0),
    "negatives only": cells(0, 0, 5, 20),
    "no alarms": cells(0, 20, 0, 20),
    "alarms only": cells(20, 0, 20, 0),
    "all correct": cells(20, 0, 0, 20),
    "all wrong": cells(0, 20, 20, 0),
    "one patient": cells(3, 2, 2, 3, patient="only"),
    "one patient, all correct": cells(3, 0, 0, 3, patient="only"),
    "nine patients": clustered(cells(12, 6, 6, 12), 9),
    "constant scores": [MadeUpCase(0.5, number % 2) for number in range(40)],
    "constant scores, patients repeat": [MadeUpCase(0.5, n % 2, f"p{n // 4}") for n in range(40)],
    "all correct, patients repeat": clustered(cells(24, 0, 0, 24), 12),
    "all wrong, patients repeat": clustered(cells(0, 24, 24, 0), 12),
    "no alarms, patients repeat": clustered(cells(0, 24, 0, 24), 12),
    "every patient alike": [replace(c, patient=f"p{n}") for n in range(12) for c in cells(1, 1, 1, 1)],
    "nobody answers": [replace(case, answered=False) for case in cells(10, 0, 0, 10)],
    "few positive patients": [replace(c, patient=f"p{n}") for n in range(3) for c in cells(1 + n % 2, 1, 1, 1)]
    + [MadeUpCase(0.1 if n % 5 else 0.9, 0, f"q{n // 2}") for n in range(60)],
}


@every_requirement
@pytest.mark.parametrize("name", sorted(DEGENERATE))
def test_what_cannot_be_measured_is_said_and_never_an_error(item: Requirement, name: str) -> None:
    found = measured(item, DEGENERATE[name])
    if found.interval is None:
        assert found.reason in (Reason.TOO_FEW_CASES, Reason.UNDEFINED_METRIC)
        assert found.method.startswith("none")
    else:
        assert found.reason is None
        assert found.estimate is not None
        lower, upper = found.interval.lower, found.interval.upper
        assert item.spec.lowest <= lower < upper <= 1.0
        assert lower - 1e-12 <= found.estimate <= upper + 1e-12


@pytest.mark.parametrize(
    ("item", "name", "reason"),
    [
        (requirement("sensitivity"), "negatives only", Reason.UNDEFINED_METRIC),
        (requirement("specificity"), "positives only", Reason.UNDEFINED_METRIC),
        (requirement("precision"), "no alarms", Reason.UNDEFINED_METRIC),
        (requirement("npv"), "alarms only", Reason.UNDEFINED_METRIC),
        (requirement("auroc"), "positives only", Reason.UNDEFINED_METRIC),
        (AT_PREVALENCE[0], "no alarms", Reason.UNDEFINED_METRIC),
        (AT_PREVALENCE[1], "alarms only", Reason.UNDEFINED_METRIC),
        (AT_PREVALENCE[0], "positives only", Reason.UNDEFINED_METRIC),
        (requirement("sensitivity"), "no cases", Reason.TOO_FEW_CASES),
        (requirement("sensitivity"), "nine patients", Reason.TOO_FEW_CASES),
        (requirement("auroc"), "nine patients", Reason.TOO_FEW_CASES),
        (AT_PREVALENCE[0], "nine patients", Reason.TOO_FEW_CASES),
        (requirement("sensitivity"), "few positive patients", Reason.TOO_FEW_CASES),
        (requirement("auroc"), "few positive patients", Reason.TOO_FEW_CASES),
        (AT_PREVALENCE[0], "few positive patients", Reason.TOO_FEW_CASES),
    ],
    ids=lambda part: part if isinstance(part, str) else None,
)
def test_the_reason_is_the_right_one(item: Requirement, name: str, reason: Reason) -> None:
    assert measured(item, DEGENERATE[name]).reason is reason


@pytest.mark.parametrize("name", ["all correct, patients repeat", "all wrong, patients repeat"])
def test_patients_of_whom_none_differs_give_exact_limits_over_patients(name: str) -> None:
    found = measured(requirement("sensitivity"), DEGENERATE[name])
    exact = clopper_pearson(12 if "correct" in name else 0, 12)
    assert found.limits == pytest.approx((exact.lower, exact.upper), abs=1e-11)


def test_the_upper_limit_of_a_predictive_value_of_nought_counts_every_right_answer() -> None:
    # No positive is found, yet nine of ten negatives are right: specificity is not to be taken for that of a patient.
    cases = [MadeUpCase(0.1, 1, f"p{n}") for n in range(15)]
    cases += [MadeUpCase(0.9 if part == 0 else 0.1, 0, f"p{n}") for n in range(15) for part in range(10)]
    found = measured(AT_PREVALENCE[0], cases)
    assert found.estimate == 0.0
    assert found.interval is not None
    assert found.interval.upper >= float(ppv_at(clopper_pearson(0, 15, 0.975).upper, 0.9, 0.1))


def test_the_same_number_of_patients_gets_the_same_weights() -> None:
    codes: NDArray[np.intp] = np.arange(13)
    for _ in range(2):
        np.testing.assert_array_equal(np.concatenate(list(Clusters(codes, 13).weights())), cluster_weights(13))


GROUPS: list[tuple[Callable[[int], MadeUpCase], str, Reason | None]] = [
    (lambda n: MadeUpCase(0.9 if n % 5 else 0.1, 1, attributes={"site": "here"}), "here", None),
    (
        lambda n: MadeUpCase(0.9, 1, attributes={"site": "here" if n < 5 else "there"}),
        "here",
        Reason.SUBGROUP_TOO_SMALL,
    ),
    (lambda n: MadeUpCase(0.9, 1, attributes={"site": "there"}), "here", Reason.SUBGROUP_EMPTY),
    (lambda n: MadeUpCase(0.9, 0, attributes={"site": "here"}), "here", Reason.UNDEFINED_METRIC),
]


@pytest.mark.parametrize(("make", "group", "reason"), GROUPS)
def test_a_subgroup_is_measured_on_its_own_cases(
    make: Callable[[int], MadeUpCase], group: str, reason: Reason | None
) -> None:
    item = requirement("sensitivity")
    subgroups = {"by": ("site",), "min_cases": 10, "requirements": ("sensitivity",)}
    policy = policy_of({"sensitivity": item}, subgroups=subgroups)
    evidence = evidence_of({"baseline": [make(number) for number in range(40)]})
    found = measure_subgroup(item, policy, evidence, OPERATING_POINT, "site", group)
    assert found.reason is reason
    if reason is None:
        assert (found.estimate, found.n) == (0.8, 40)
        assert found.interval is not None
    elif reason is Reason.SUBGROUP_TOO_SMALL:
        assert (found.estimate, found.n, found.interval) == (1.0, 5, None)


def test_no_alarm_in_a_subgroup_is_not_an_empty_subgroup() -> None:
    item = requirement("precision")
    subgroups = {"by": ("site",), "min_cases": 10, "requirements": ("precision",)}
    policy = policy_of({"precision": item}, subgroups=subgroups)
    quiet = [replace(case, attributes={"site": "quiet"}) for case in cells(0, 20, 0, 20)]
    found = measure_subgroup(item, policy, evidence_of({"baseline": quiet}), OPERATING_POINT, "site", "quiet")
    assert (found.estimate, found.reason) == (None, Reason.UNDEFINED_METRIC)
