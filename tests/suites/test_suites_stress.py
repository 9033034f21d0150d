"""Flips and means under stress, averaged errors and the operating envelope; all evidence is made up."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
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
)
from pydantic import ValidationError
from scipy import stats
from sklearn.metrics import balanced_accuracy_score

from gatekeeper.evidence import Evidence
from gatekeeper.policy import Policy
from gatekeeper.suites.robustness import measure
from gatekeeper.suites.stress_summary import corruption_errors, envelope

LADDER = {"contour_erosion": ("0.5 mm", "1 mm", "1.5 mm")}
STEPS = tuple(f"contour_erosion.{severity}" for severity in (1, 2, 3))
FLIPS = requirement("flips_under_stress", perturbation="contour_erosion", severity=2, upper_limit={"at_most": 0.1})
OF_BRAINS = CONTEXT | {"task": "segmentation", "structures": ("brain",)}


def stressed(before: list[MadeUpCase], *after: list[MadeUpCase]) -> Evidence:
    steps = [after[min(number, len(after) - 1)] for number in range(3)]
    return evidence_of({"baseline": before, **dict(zip(STEPS, steps, strict=True))})


def of_values(column: str, before: list[float], after: list[float], answered: list[bool] | None = None) -> Evidence:
    """Return evidence of one structure: the value of each case at baseline, and at every severity."""
    cases = named([MadeUpCase(0.0, 0)] * len(before))
    lost = [replace(case, answered=ok) for case, ok in zip(cases, answered or [True] * len(cases), strict=True)]
    plain = stressed(cases, lost)
    values = before + 3 * after
    table = plain.table.append_column(f"measured.brain.{column}", pa.array(values, pa.float64()))
    table = table.append_column("measured.brain.diagonal", pa.array([300.0] * len(values), pa.float64()))
    return Evidence(table)


def of_brains(metric: str, **limit: object) -> Policy:
    followed = requirement(metric, structure="brain", **limit)
    drop = requirement("performance_drop", of="followed", perturbation="contour_erosion", severity=1)
    broken = requirement("breaking_point", of="followed", perturbation="contour_erosion")
    requirements = {"followed": followed, "drop": drop, "broken": broken}
    return policy_of(requirements, robustness=LADDER, context=OF_BRAINS)


def test_flips_are_counted_against_the_baseline_with_an_exact_interval() -> None:
    before = named(cells(20, 5, 5, 20))
    after = [replace(case, score=1.0 - case.score) if number < 7 else case for number, case in enumerate(before)]
    policy = policy_of({"flips": FLIPS, "sensitivity": requirement("sensitivity")}, robustness=LADDER)
    found = measure(FLIPS, policy, stressed(before, before, after), OPERATING_POINT)
    exact = stats.binomtest(7, 50).proportion_ci(0.95, method="exact")
    assert (found.estimate, found.n, found.patients) == (7 / 50, 50, 50)
    assert found.limits == pytest.approx((exact.low, exact.high), abs=1e-9)


def test_an_answer_in_one_of_both_runs_alone_is_a_flip() -> None:
    before = named(cells(10, 0, 0, 10))
    after = [replace(case, answered=number != 3) for number, case in enumerate(before)]
    policy = policy_of({"flips": FLIPS, "sensitivity": requirement("sensitivity")}, robustness=LADDER)
    assert measure(FLIPS, policy, stressed(before, before, after), OPERATING_POINT).estimate == 1 / 20


def test_what_a_dice_loses_is_the_mean_of_paired_differences() -> None:
    random = np.random.default_rng(3)
    before = random.uniform(0.8, 0.99, 40)
    after = before - random.uniform(0.0, 0.1, 40)
    policy = of_brains("dice")
    evidence = of_values("dice", before.tolist(), after.tolist())
    found = measure(policy.requirements["drop"], policy, evidence, OPERATING_POINT)
    assert found.estimate == pytest.approx(float(np.mean(before - after)))
    assert found.limits is not None
    low, high = stats.ttest_rel(before, after).confidence_interval(0.95)
    assert found.limits[0] <= low
    assert found.limits[1] >= high  # at least Student t, and wider for what no patient shows
    assert found.method.startswith("paired")


def test_a_case_that_is_lost_under_stress_loses_all_of_its_dice() -> None:
    policy = of_brains("dice")
    evidence = of_values("dice", [0.9] * 12, [0.9] * 12, [True] * 11 + [False])
    found = measure(policy.requirements["drop"], policy, evidence, OPERATING_POINT)
    assert found.estimate == pytest.approx(0.9 / 12)


def test_a_share_that_should_be_small_is_lost_when_it_grows() -> None:
    policy = of_brains("relative_volume_difference", upper_limit={"at_most": 0.1})
    before, after = [0.02] * 10 + [0.03] * 10, [0.05] * 10 + [0.04] * 10
    columns = of_values("relative_volume_difference", before, after)
    found = measure(policy.requirements["drop"], policy, columns, OPERATING_POINT)
    assert found.estimate == pytest.approx(0.02)


def test_millimetres_have_a_breaking_point_and_no_drop() -> None:
    with pytest.raises(ValidationError, match="is of shares, and hausdorff_95 is in mm"):
        of_brains("hausdorff_95", upper_limit={"at_most": "10 mm"})


def test_errors_are_those_of_scikit_learn_averaged_over_severities() -> None:
    before = named(random_cases(1, patients=60, cases_each=1))
    random = np.random.default_rng(4)
    after = [
        [replace(case, score=float(np.clip(case.score + random.normal(0, size), 0, 1))) for case in before]
        for size in (0.1, 0.3, 0.5)
    ]
    policy = policy_of({"sensitivity": requirement("sensitivity")}, robustness=LADDER)
    (found,) = corruption_errors(policy, stressed(before, *after), OPERATING_POINT)

    def error(cases: list[MadeUpCase]) -> float:
        called = [case.score >= OPERATING_POINT for case in cases]
        return 1.0 - float(balanced_accuracy_score([case.label for case in cases], called))

    assert found.what == "1 - balanced accuracy"
    assert found.without == pytest.approx(error(before))
    assert found.at_severity == pytest.approx([error(cases) for cases in after])
    assert found.added == pytest.approx(np.mean([error(cases) for cases in after]) - error(before))


def test_the_error_of_a_structure_counts_a_lost_case_as_missed() -> None:
    policy = of_brains("dice")
    evidence = of_values("dice", [0.9] * 4, [0.8] * 4, [True, True, True, False])
    (found,) = corruption_errors(policy, evidence, OPERATING_POINT)
    assert (found.what, found.without) == ("1 - Dice, brain", pytest.approx(0.1))
    assert found.at_severity == pytest.approx([0.4] * 3)


@pytest.mark.parametrize(
    ("found", "steps", "words"),
    [
        ((95, 95, 95, 95), 3, "holds up to contour erosion of 1.5 mm, the strongest tried."),
        ((95, 95, 95, 60), 2, "holds up to contour erosion of 1 mm."),
        ((95, 60, 95, 95), 0, "is shown to hold without contour erosion alone, and not at 0.5 mm, the least tried."),
        ((60, 95, 95, 95), -1, "is not shown to hold even without contour erosion."),
    ],
)
def test_the_envelope_ends_before_the_first_step_that_is_not_met(
    found: tuple[int, ...], steps: int, words: str
) -> None:
    runs = [named(cells(hits, 100 - hits, 10, 90)) for hits in found]
    policy = policy_of({"found": requirement("sensitivity", lower_limit={"at_least": 0.8})}, robustness=LADDER)
    (held,) = envelope(policy, stressed(*runs), OPERATING_POINT)
    assert (held.steps, held.of) == (steps, 3)
    assert held.words == f"Sensitivity {words}"


def test_a_ladder_that_was_not_run_says_nothing() -> None:
    policy = policy_of({"found": requirement("sensitivity")}, robustness=LADDER)
    evidence = evidence_of({"baseline": cells(5, 5, 5, 5)})
    assert envelope(policy, evidence, OPERATING_POINT) == ()
    assert corruption_errors(policy, evidence, OPERATING_POINT) == ()
