"""Calibration from rows of evidence, against scikit-learn and statsmodels; all cases made up."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from made_up_evidence import MadeUpCase, cells, evidence_of, named, policy_of, random_cases, requirement, rows_of
from sklearn.metrics import brier_score_loss, log_loss
from statsmodels.api import Logit

from gatekeeper.evidence import Outcome, Reason
from gatekeeper.metrics import METRICS
from gatekeeper.policy import Requirement
from gatekeeper.suites import Measurement
from gatekeeper.suites.performance import estimate, measure, replicates
from gatekeeper.suites.subjects import Subjects
from gatekeeper.verdict import judge

NAMES = (
    "brier_score",
    "log_score",
    "expected_calibration_error",
    "maximum_calibration_error",
    "calibration_slope_deviation",
    "calibration_intercept_deviation",
)


def item_of(name: str, **options: object) -> Requirement:
    return requirement(name, upper_limit={"at_most": 0.5}, **options)


def measured(name: str, cases: list[MadeUpCase]) -> Measurement:
    return measure(item_of(name), rows_of(cases), 0.5)


def by_a_peer(name: str, cases: list[MadeUpCase]) -> float:
    score, label = np.array([case.score for case in cases]), np.array([case.label for case in cases])
    if name == "brier_score":
        return float(brier_score_loss(label, score))
    if name == "log_score":
        return float(log_loss(label, score))
    logit = np.log(score / (1.0 - score))
    if name == "calibration_slope_deviation":
        fitted = Logit(label, np.stack([np.ones(len(label)), logit], axis=1)).fit(disp=0)
        return abs(float(fitted.params[1]) - 1.0)
    if name == "calibration_intercept_deviation":
        return abs(float(Logit(label, np.ones(len(label)), offset=logit).fit(disp=0).params[0]))
    gaps = []
    for number in range(15):
        inside = (score > number / 15) & (score <= (number + 1) / 15)
        if inside.any():
            gaps.append((abs(score[inside].mean() - label[inside].mean()), inside.mean()))
    if name == "maximum_calibration_error":
        return float(max(gap for gap, _ in gaps))
    return float(sum(gap * share for gap, share in gaps))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("cases_each", [1, 3])
def test_the_value_is_that_of_a_peer_and_lies_in_its_interval(name: str, cases_each: int) -> None:
    cases = random_cases(4, patients=60, cases_each=cases_each)
    found = measured(name, cases)
    assert found.estimate == pytest.approx(by_a_peer(name, cases), abs=1e-6)
    assert found.interval is not None
    assert found.interval.lower <= found.estimate <= found.interval.upper
    assert found.patients == 60


@pytest.mark.parametrize("name", NAMES)
def test_replicates_of_the_set_itself_are_the_value(name: str) -> None:
    subjects = Subjects.of(rows_of(random_cases(4, patients=40, cases_each=2)), 0.5)
    (drawn,) = replicates(item_of(name), subjects)
    value = estimate(item_of(name), subjects)
    assert value == pytest.approx(measured(name, random_cases(4, patients=40, cases_each=2)).estimate, abs=1e-7)
    assert np.isfinite(drawn).mean() > 0.95
    assert np.nanmin(drawn) < value < np.nanmax(drawn)


@pytest.mark.parametrize("name", NAMES)
def test_a_case_without_an_answer_was_sure_of_the_wrong_class(name: str) -> None:
    cases = named(random_cases(5, patients=60, cases_each=1))
    lost = [replace(case, answered=number % 7 != 0) for number, case in enumerate(cases)]
    worst = [case if case.answered else replace(case, answered=True, score=1.0 - case.label) for case in lost]
    assert measured(name, lost) == measured(name, worst)


DEGENERATE = {
    "no cases": [],
    "one case": cells(1, 0, 0, 0),
    "one of each": cells(1, 0, 0, 1),
    "one class": cells(20, 3, 0, 0),
    "constant scores": [MadeUpCase(0.5, number % 2) for number in range(40)],
    "certain and right": [MadeUpCase(float(number % 2), number % 2) for number in range(40)],
    "certain and wrong": [MadeUpCase(float(1 - number % 2), number % 2) for number in range(40)],
    "one patient": cells(3, 2, 2, 3, patient="only"),
    "nobody answers": [replace(case, answered=False) for case in cells(10, 0, 0, 10)],
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("case", sorted(DEGENERATE))
def test_what_cannot_be_measured_is_said_and_never_an_error(name: str, case: str) -> None:
    found, spec = measured(name, DEGENERATE[case]), METRICS.get(name)
    if found.interval is None:
        assert found.reason in (Reason.TOO_FEW_CASES, Reason.UNDEFINED_METRIC)
    else:
        assert found.estimate is not None
        assert spec.lowest <= found.interval.lower <= found.estimate <= found.interval.upper <= spec.highest


def test_a_policy_on_calibration_is_judged_to_its_end() -> None:
    cases = random_cases(8, patients=400, cases_each=1)
    items = {name.replace("_", "-"): item_of(name) for name in NAMES}
    items["bins"] = item_of("expected_calibration_error", bins=10)
    findings = judge(policy_of(items), evidence_of({"baseline": cases}), 0.5)
    assert [finding.outcome for finding in findings if finding.metric == "brier_score"] == [Outcome.MET]
    assert all(finding.words and finding.n == 400 for finding in findings)
