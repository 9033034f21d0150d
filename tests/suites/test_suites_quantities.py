"""Repeated quantities from rows of evidence, against pingouin and formulas of their sources; all data made up."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from made_up_evidence import CONTEXT, MadeUpCase, evidence_of, policy_of, requirement
from numpy.typing import NDArray

from gatekeeper.evidence import Evidence, Reason
from gatekeeper.metrics import METRICS
from gatekeeper.policy import Requirement
from gatekeeper.statistics.repeatability import uneven_within_subject_sd_interval
from gatekeeper.suites import Measurement
from gatekeeper.suites.quantities import AGREEMENT
from gatekeeper.suites.repeatability import measure

Floats = NDArray[np.float64]

POLICY = policy_of(
    {"it": requirement("icc", level="R4")},
    context={**CONTEXT, "task": "quantification", "positive": None, "structures": ("LVEF",)},
)


def evidence_with(values: Floats, subjects_each: int = 1, structure: str = "LVEF") -> Evidence:
    """Rows of n subjects with k repeats; a NaN is a repeat without an answer."""
    cases, quantities = [], []
    for number, row in enumerate(values):
        for repeat, value in enumerate(row):
            name = f"case-{number:03}-{repeat}"
            patient = f"patient-{number // subjects_each:03}"
            answered = bool(np.isfinite(value))
            cases.append(MadeUpCase(0.5, 1, patient, name, f"case-{number:03}-0", answered))
            quantities.append(float(value) if answered else None)
    table = evidence_of({"baseline": cases}).table
    columns = {name: table[name].to_pylist() for name in table.column_names}
    return Evidence.from_columns(columns, {}, {f"measured.{structure}.quantity": quantities})


def made_up(seed: int = 1, subjects: int = 60, repeats: int = 2, scatter: float = 3.0) -> Floats:
    source = np.random.default_rng(seed)
    return source.normal(55.0, 9.0, (subjects, 1)) + source.normal(0.0, scatter, (subjects, repeats))


def item_of(name: str, **options: object) -> Requirement:
    if METRICS.get(name).higher_is_better:
        return requirement(name, level="R4", lower_limit={"at_least": 0.4}, **options)
    return requirement(name, level="R4", upper_limit={"at_most": 0.5}, **options)


def measured(name: str, evidence: Evidence, **options: object) -> Measurement:
    return measure(item_of(name, **options), POLICY, evidence, 0.5)


def by_formula(name: str, values: Floats) -> float:
    first, second = values[:, 0], values[:, 1]
    apart, means = first - second, values.mean(axis=1)
    relative = apart / ((first + second) / 2)
    both = np.cov(first, second, ddof=0)[0, 1]
    cv = np.sqrt((values.var(axis=1, ddof=1) / means**2).mean())
    return {
        "within_subject_cv": cv,
        "repeatability_coefficient": 1.96 * np.sqrt(2) * cv,
        "repeatability_coefficient_absolute": 1.96 * np.sqrt(2) * np.sqrt((apart**2).mean() / 2),
        "limits_of_agreement": max(abs(relative.mean() + sign * 1.96 * relative.std(ddof=1)) for sign in (-1, 1)),
        "rescan_difference": np.abs(relative).mean(),
        "bias": abs(apart.mean()),
        "concordance_correlation": 2.0 * both / (first.var() + second.var() + apart.mean() ** 2),
    }[name]


@pytest.mark.parametrize("name", [name for name in AGREEMENT if name != "icc"])
@pytest.mark.parametrize("subjects_each", [1, 3])
def test_the_value_is_that_of_the_formula_and_lies_in_its_interval(name: str, subjects_each: int) -> None:
    found = measured(name, evidence_with(made_up(), subjects_each), structure="LVEF")
    assert found.estimate == pytest.approx(by_formula(name, made_up()), rel=1e-9)
    assert found.interval is not None
    assert found.interval.lower < found.estimate < found.interval.upper
    assert (found.n, found.patients) == (60, 60 // subjects_each)


def test_the_icc_and_its_limits_are_those_of_pingouin() -> None:
    import pingouin

    values = made_up(subjects=25, repeats=3)
    found = measured("icc", evidence_with(values))
    long = pd.DataFrame(values).melt(ignore_index=False, var_name="rater", value_name="value").reset_index()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table = pingouin.intraclass_corr(long, targets="index", raters="rater", ratings="value")
    row = table[table["Type"].isin(["ICC2", "ICC(A,1)"])].iloc[0]
    assert found.estimate == pytest.approx(row["ICC"], abs=1e-9)
    interval = row[next(name for name in table.columns if name.startswith("CI95"))]
    assert found.limits == pytest.approx(tuple(interval), abs=0.006)


@pytest.mark.parametrize("name", AGREEMENT)
def test_the_order_of_rows_changes_nothing(name: str) -> None:
    evidence = evidence_with(made_up())
    turned = Evidence(evidence.table.take(list(range(evidence.table.num_rows))[::-1]))
    assert measured(name, turned) == measured(name, evidence)


def test_a_repeat_without_an_answer_leaves_its_subject_out() -> None:
    values = made_up(subjects=30)
    values[4, 1] = np.nan
    found = measured("rescan_difference", evidence_with(values))
    assert found.n == 29
    assert found.estimate == pytest.approx(by_formula("rescan_difference", np.delete(values, 4, axis=0)))


@pytest.mark.parametrize("name", AGREEMENT)
@pytest.mark.parametrize("kind", ["one subject", "two subjects", "all alike", "no spread between", "zeros", "negative"])
def test_what_cannot_be_measured_is_said_and_never_an_error(name: str, kind: str) -> None:
    values = {
        "one subject": made_up(subjects=1),
        "two subjects": made_up(subjects=2),
        "all alike": np.full((20, 2), 55.0),
        "no spread between": np.repeat(made_up(subjects=20)[:, :1], 2, axis=1),
        "zeros": np.zeros((20, 2)),
        "negative": -made_up(subjects=20),
    }[kind]
    found, spec = measured(name, evidence_with(values)), METRICS.get(name)
    if found.interval is None:
        assert found.reason in (Reason.TOO_FEW_CASES, Reason.UNDEFINED_METRIC)
    else:
        assert found.estimate is not None
        assert spec.lowest <= found.interval.lower <= found.estimate <= found.interval.upper <= spec.highest


@pytest.mark.parametrize("subjects_each", [1, 3])
@pytest.mark.parametrize(
    "name", ["within_subject_cv", "repeatability_coefficient", "repeatability_coefficient_absolute"]
)
def test_a_spread_has_the_interval_of_variances_that_need_not_be_alike(name: str, subjects_each: int) -> None:
    values, patients = made_up(repeats=3), np.arange(60) // subjects_each
    variances = values.var(axis=1, ddof=1)
    if name != "repeatability_coefficient_absolute":
        variances = variances / values.mean(axis=1) ** 2
    expected = uneven_within_subject_sd_interval(variances * 2.0, np.full(60, 2.0), patients)
    times = 1.0 if name == "within_subject_cv" else 1.96 * np.sqrt(2.0)
    found = measured(name, evidence_with(values, subjects_each))
    assert found.limits == pytest.approx((times * expected.lower, times * expected.upper), rel=1e-9)
    assert found.method == expected.method


def test_scatter_that_grows_with_the_value_widens_the_limits_of_a_spread_in_its_unit() -> None:
    """Chi-squared limits of 40 pairs reach to 1.28 times the estimate, whatever the scatter."""
    source = np.random.default_rng(3)
    values = np.exp(source.normal(0.0, 1.0, (40, 1))) * (50.0 + source.normal(0.0, 2.0, (40, 2)))
    found = measured("repeatability_coefficient_absolute", evidence_with(values))
    assert found.limits is not None
    assert found.limits[1] > 1.3 * found.estimate


@pytest.mark.parametrize(
    "name", ["within_subject_cv", "repeatability_coefficient", "repeatability_coefficient_absolute"]
)
def test_one_subject_or_a_few_that_never_differ_show_no_spread(name: str) -> None:
    almost = np.array([[55.0, 55.0 + 1e-9]])
    assert measured(name, evidence_with(almost)).reason is Reason.TOO_FEW_CASES
    for patients in (9, 10):
        same = np.repeat(made_up(subjects=patients)[:, :1], 2, axis=1)
        found = measured(name, evidence_with(same))
        assert (found.reason is Reason.TOO_FEW_CASES) == (patients == 9)
        assert found.limits == (None if patients == 9 else (0.0, 0.0))


def test_what_was_not_brought_is_said() -> None:
    rows = evidence_of({"baseline": [MadeUpCase(0.5, 1)]})
    assert measured("icc", rows).reason is Reason.NOT_MEASURED
    assert measured("icc", evidence_with(made_up()), structure="other").reason is Reason.NOT_MEASURED
    assert measured("icc", evidence_with(made_up(repeats=1))).reason is Reason.NO_REPEATS
    again = measure(requirement("icc", level="R1"), POLICY, evidence_with(made_up()), 0.5)
    assert again.reason is Reason.CONDITION_NOT_RUN
