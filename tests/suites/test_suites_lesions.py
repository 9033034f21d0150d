"""Findings from rows of evidence to measurements, against counts made by hand and scikit-learn; all data made up."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from made_up_evidence import MadeUpCase, evidence_of, requirement

from gatekeeper.evidence import Evidence, Reason, Rows
from gatekeeper.metrics import METRICS
from gatekeeper.statistics import clopper_pearson, effective_trials
from gatekeeper.statistics.findings import Findings
from gatekeeper.statistics.froc import cpm
from gatekeeper.suites import Measurement
from gatekeeper.suites.lesions import MEASURED
from gatekeeper.suites.performance import measure

Found = tuple[list[float], list[int], int]  # scores, lesions hit, lesions there
FEWER_IS_BETTER = {"upper_limit": {"at_most": 2}}
OPTIONS: dict[str, dict[str, object]] = {
    "sensitivity_at_fppi": {"at_false_positives_per_case": 1},
    "false_positives_per_case_at_sensitivity": {"at_sensitivity": 0.5, **FEWER_IS_BETTER},
    "false_positives_per_case": FEWER_IS_BETTER,
}


def rows_with(found: Sequence[Found], cases_each: int = 1, unanswered: Sequence[int] = ()) -> Rows:
    cases = [
        MadeUpCase(0.5, int(lesions > 0), f"patient-{number // cases_each:04}", answered=number not in unanswered)
        for number, (_, _, lesions) in enumerate(found)
    ]
    table = evidence_of({"baseline": cases}).table
    columns = {name: table[name].to_pylist() for name in table.column_names}
    scores, hits, lesions = zip(*found, strict=True)
    answers = {"finding_score": scores, "finding_lesion": hits, "lesions": lesions}
    return Evidence.from_columns(columns, {}, answers).under("baseline")


def measured(name: str, rows: Rows) -> Measurement:
    return measure(requirement(name, **OPTIONS.get(name, {})), rows, 0.5)


def made_up(seed: int, cases: int) -> list[Found]:
    source = np.random.default_rng(seed)
    found: list[Found] = []
    for _ in range(cases):
        lesions = int(source.integers(0, 3))
        hit = [lesion for lesion in range(lesions) if source.random() < 0.8]
        falses = int(source.poisson(0.7))
        scores = [*source.uniform(0.3, 1.0, len(hit)), *source.uniform(0.0, 0.8, falses)]
        found.append(([round(float(score), 2) for score in scores], [*hit, *[-1] * falses], lesions))
    return found


def test_shares_and_means_are_those_counted_by_hand() -> None:
    found: list[Found] = [([0.9, 0.6, 0.4], [0, -1, 1], 2), ([0.8], [-1], 0), ([0.7, 0.7], [0, -2], 1)] * 10
    rows = rows_with(found)
    assert measured("lesion_detection_rate", rows).estimate == pytest.approx(20 / 30)
    assert measured("finding_precision", rows).estimate == pytest.approx(20 / 40)
    assert measured("false_positives_per_case", rows).estimate == pytest.approx(20 / 30)
    assert measured("false_positives_per_case", rows).n == 30
    assert measured("lesion_detection_rate", rows).n == 30


def test_lesions_of_a_patient_are_no_independent_trials() -> None:
    rows = rows_with(made_up(1, 120), cases_each=2)
    found = measured("lesion_detection_rate", rows)
    hits, lesions = np.zeros(60), np.zeros(60)
    for number, (scores, struck, count) in enumerate(made_up(1, 120)):
        lesions[number // 2] += count
        hits[number // 2] += sum(hit >= 0 and score >= 0.5 for score, hit in zip(scores, struck, strict=True))
    effective = effective_trials(hits, lesions)
    wanted = clopper_pearson(effective.hits, effective.trials)
    assert found.limits == pytest.approx((wanted.lower, wanted.upper), abs=1e-11)
    assert found.patients == np.count_nonzero(lesions)


def test_the_curve_is_that_of_all_findings() -> None:
    cases = made_up(2, 80)
    scores, hits, lesions = zip(*cases, strict=True)
    findings = Findings.of_cases(
        [np.array(found) for found in scores], [np.array(hit, int) for hit in hits], np.array(lesions), np.arange(80)
    )
    assert measured("froc_score", rows_with(cases)).estimate == pytest.approx(cpm(findings))


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 100), failed=st.sets(st.integers(0, 39), min_size=1, max_size=8))
@pytest.mark.parametrize("name", MEASURED)
def test_to_fail_on_a_case_never_helps(name: str, seed: int, failed: set[int]) -> None:
    """As long as some case that was answered is as bad as the worst of those that were not."""
    cases = made_up(seed, 40)
    falses = [hits.count(-1) for _, hits, _ in cases]
    most = max(falses[at] for at in range(40) if at not in failed)
    assume(most >= max(falses[at] for at in failed))
    before = measured(name, rows_with(cases))
    after = measured(name, rows_with(cases, unanswered=sorted(failed)))
    assert before.estimate is not None
    if after.estimate is None:
        assert name == "false_positives_per_case_at_sensitivity"
        assert after.reason is Reason.UNDEFINED_METRIC
    elif METRICS.get(name).higher_is_better:
        assert after.estimate <= before.estimate + 1e-12
    else:
        assert after.estimate >= before.estimate - 1e-12
    if name == "false_positives_per_case":
        marked = [sum(score >= 0.5 and hit == -1 for score, hit in zip(*case[:2], strict=True)) for case in cases]
        kept = sum(count for at, count in enumerate(marked) if at not in failed)
        assert after.estimate == pytest.approx((kept + max(1, most) * len(failed)) / 40)


@pytest.mark.parametrize("name", MEASURED)
def test_the_order_of_rows_changes_nothing(name: str) -> None:
    rows = rows_with(made_up(5, 60), cases_each=2)
    turned = rows.where(np.arange(60)[::-1])  # type: ignore[arg-type]
    assert measured(name, turned) == measured(name, rows)


NONE: list[Found] = [([], [], 0)] * 20
DEGENERATE: dict[str, list[Found]] = {
    "one case": [([0.9], [0], 1)],
    "no lesion": [([0.9], [-1], 0)] * 20,
    "no lesion, no finding": NONE,
    "no finding": [([], [], 1)] * 20,
    "every lesion hit": [([0.9], [0], 1)] * 20,
    "every finding false": [([0.9], [-1], 1)] * 20,
    "equal scores": [([0.5, 0.5], [0, -1], 1)] * 20,
}


@pytest.mark.parametrize("name", MEASURED)
@pytest.mark.parametrize("case", sorted(DEGENERATE))
def test_what_cannot_be_measured_is_said_and_never_an_error(name: str, case: str) -> None:
    found, spec = measured(name, rows_with(DEGENERATE[case])), METRICS.get(name)
    if found.interval is None:
        assert found.reason in (Reason.TOO_FEW_CASES, Reason.UNDEFINED_METRIC)
    else:
        assert found.estimate is not None
        assert spec.lowest <= found.interval.lower <= found.estimate <= found.interval.upper <= spec.highest


def test_rows_without_findings_are_not_measured() -> None:
    rows = evidence_of({"baseline": [MadeUpCase(0.5, 1)]}).under("baseline")
    assert measured("froc_score", rows).reason is Reason.NOT_MEASURED
