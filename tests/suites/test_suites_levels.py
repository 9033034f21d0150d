"""Benign changes (R3), quantities and scores between runs (R0 to R3), and which cases flipped; all data made up."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest
from made_up_evidence import CONTEXT, OPERATING_POINT, MadeUpCase, evidence_of, named, policy_of, requirement
from statsmodels.stats.proportion import proportion_confint

from gatekeeper.errors import Place, UsageError
from gatekeeper.evidence import Evidence, Reason
from gatekeeper.metrics import METRICS
from gatekeeper.perturbations import PERTURBATIONS
from gatekeeper.policy import Policy, Requirement
from gatekeeper.policy._meaning import BENIGN as USUAL
from gatekeeper.quantities import parse_quantity
from gatekeeper.statistics.bland_altman import differences
from gatekeeper.statistics.intraclass import intraclass_correlation
from gatekeeper.suites import Measurement, plan_policy
from gatekeeper.suites.levels import ONE_BY_ONE, RERUN, plan
from gatekeeper.suites.quantities import AGREEMENT
from gatekeeper.suites.repeatability import flipped, measure
from gatekeeper.validation import validate_data

BENIGN = {"contour_translation": "0.3 mm", "contour_rotation": "1 degree"}
SHIFTED, TURNED = "benign.contour_translation", "benign.contour_rotation"
FLIPS = requirement("flip_rate", level="R3")
OF_STRUCTURES = {**CONTEXT, "task": "segmentation", "positive": None, "structures": ("a",)}


def of(item: Requirement, **parts: object) -> Policy:
    return policy_of({"it": item}, **{"repeatability": {"benign": BENIGN}, **parts})


def found_by(item: Requirement, evidence: Evidence, **parts: object) -> Measurement:
    return measure(item, of(item, **parts), evidence, OPERATING_POINT)


def scored(runs: Mapping[str, Sequence[float]]) -> Evidence:
    """Runs of the same cases by their scores; NaN is a case without an answer."""
    return evidence_of(
        {
            name: [MadeUpCase(score, 1, answered=bool(np.isfinite(score))) for score in scores]
            for name, scores in runs.items()
        }
    )


def volumes(runs: Mapping[str, np.ndarray], **more: Mapping[str, np.ndarray]) -> Evidence:
    """Runs of the same cases by the quantity of structure a; NaN is a case without an answer."""
    table = scored({name: np.where(np.isfinite(values), 0.5, np.nan).tolist() for name, values in runs.items()}).table
    columns = {name: table[name].to_pylist() for name in table.column_names}
    columns["score"] = [None] * table.num_rows
    answers = {"quantity": runs, **more}
    return Evidence.from_columns(
        columns,
        {},
        {
            f"measured.a.{what}": [
                None if math.isnan(value) else float(value) for row in rows.values() for value in row
            ]
            for what, rows in answers.items()
        },
    )


def made_up(runs: int, cases: int = 40, scatter: float = 2.0, seed: int = 3) -> np.ndarray:
    source = np.random.default_rng(seed)
    return source.normal(50.0, 8.0, cases) + source.normal(0.0, scatter, (runs, cases))


def test_every_benign_change_is_planned_where_a_requirement_asks_and_nowhere_else() -> None:
    conditions = plan(of(FLIPS))
    assert [
        (one.id, one.suite, one.perturbation, one.severity, one.magnitude, one.unit, one.fresh_process)
        for one in conditions
    ] == [
        (SHIFTED, "repeatability", "contour_translation", None, 0.3, "mm", False),
        (TURNED, "repeatability", "contour_rotation", None, 1.0, "degree", False),
    ]
    assert plan(of(requirement("flip_rate", level="R4"))) == ()
    assert [one.id for one in plan_policy(of(FLIPS)).conditions] == ["baseline", SHIFTED, TURNED]


def test_level_r3_with_nothing_to_compare_is_an_error() -> None:
    data = of(FLIPS).to_json() | {"repeatability": {"benign": {}}}
    with pytest.raises(UsageError, match="no benign change is listed"):
        validate_data(Policy, data, lambda path: Place("policy"))


def test_without_a_word_the_usual_changes_are_planned() -> None:
    assert [one.id for one in plan(policy_of({"it": FLIPS}))] == [f"benign.{name}" for name in USUAL]


def test_the_usual_changes_can_be_applied() -> None:
    """One pixel, one degree, 1 % of intensity: within the range of each perturbation, and a change."""
    for name, size in USUAL.items():
        perturbation = PERTURBATIONS.get(name)
        magnitude = parse_quantity(size, perturbation.unit)
        assert perturbation.lowest <= magnitude <= perturbation.highest
        assert magnitude != perturbation.neutral


@pytest.mark.parametrize(
    ("benign", "words"),
    [
        ({"contour_translat": "1 mm"}, 'unknown perturbation "contour_translat"'),
        ({"contour_translation": "1 degree"}, "not in a unit"),
        ({"contour_translation": "99 mm"}, "outside"),
        ({"contour_translation": "0 mm"}, "nothing changes"),
    ],
)
def test_a_benign_change_that_cannot_be_applied_is_an_error_before_anything_is_run(
    benign: dict[str, str], words: str
) -> None:
    data = of(FLIPS).to_json() | {"repeatability": {"benign": benign}}
    with pytest.raises(UsageError, match=words) as caught:
        validate_data(Policy, data, lambda path: Place(".".join(str(part) for part in path)))
    assert "repeatability.benign.contour" in str(caught.value.problems[0].where)


def test_a_case_flips_when_one_of_all_its_answers_is_another_call() -> None:
    evidence = scored(
        {
            "baseline": [0.9, 0.6, 0.4, 0.1] * 5,
            SHIFTED: [0.9, 0.4, 0.45, 0.1] * 5,
            TURNED: [0.8, 0.6, 0.55, 0.2] * 5,
        }
    )
    found = found_by(FLIPS, evidence)
    assert (found.estimate, found.n, found.n_of) == (0.5, 20, "cases run 3 times")
    assert found.limits == pytest.approx(proportion_confint(10, 20, method="beta"), abs=1e-11)
    deviation = found_by(requirement("max_deviation", level="R3"), evidence)
    assert deviation.estimate == pytest.approx(0.2)  # 0.6 and 0.4: the widest of three
    spread = found_by(requirement("within_subject_sd", level="R3"), evidence)
    rows = np.array([[0.9, 0.9, 0.8], [0.6, 0.4, 0.6], [0.4, 0.45, 0.55], [0.1, 0.1, 0.2]])
    assert spread.estimate == pytest.approx(math.sqrt(rows.var(axis=1, ddof=1).mean()))


def test_a_benign_change_that_was_not_run_leaves_it_undecided() -> None:
    same = {"baseline": [0.9] * 20, SHIFTED: [0.9] * 20}
    assert found_by(FLIPS, scored(same)).reason is Reason.CONDITION_NOT_RUN
    assert found_by(FLIPS, scored({**same, TURNED: [0.9] * 20})).estimate == 0.0


def test_an_answer_lost_after_a_benign_change_is_a_flip() -> None:
    evidence = scored({"baseline": [0.9] * 20, SHIFTED: [0.9] * 19 + [math.nan], TURNED: [0.9] * 20})
    assert found_by(FLIPS, evidence).estimate == 1 / 20
    assert found_by(requirement("max_deviation", level="R3"), evidence).estimate == 1.0


def test_where_images_moved_quantities_are_compared_and_not_what_was_held_against_the_reference() -> None:
    values = np.full(12, 40.0)
    overlap = {"baseline": np.full(12, 0.9), SHIFTED: np.full(12, 0.5), TURNED: np.full(12, 0.9)}
    evidence = volumes({"baseline": values, SHIFTED: values + 0.25, TURNED: values}, dice=overlap)
    item = requirement("max_deviation", level="R3")
    assert found_by(item, evidence, context=OF_STRUCTURES).estimate == 0.25
    again = Evidence(
        evidence.table.set_column(
            evidence.table.schema.get_field_index("condition"),
            "condition",
            [["baseline"] * 12 + [RERUN.id] * 12 + ["other"] * 12],
        )
    )
    rerun = requirement("max_deviation", level="R0")
    assert found_by(rerun, again, context=OF_STRUCTURES).estimate == pytest.approx(0.4)


@pytest.mark.parametrize("level", ["R0", "R1", "R2"])
@pytest.mark.parametrize("name", AGREEMENT)
def test_two_runs_are_measured_as_pairs_of_true_repeats_are(level: str, name: str) -> None:
    """The same numbers, once as two runs of the cases and once as originals and their repeats in one run."""
    values = made_up(2)
    end = (
        {"lower_limit": {"at_least": 0.4}} if METRICS.get(name).higher_is_better else {"upper_limit": {"at_most": 0.5}}
    )
    condition = {"R0": RERUN.id, "R1": ONE_BY_ONE.id, "R2": "numeric_format.bf16"}[level]
    runs = volumes({"baseline": values[0], condition: values[1]})
    found = found_by(requirement(name, level=level, **end), runs, context=OF_STRUCTURES)
    cases = [
        MadeUpCase(0.5, 1, f"patient-{number:04}", f"case-{number:04}{again}", f"case-{number:04}")
        for again in ("", "-again")
        for number in range(values.shape[1])
    ]
    table = evidence_of({"baseline": cases}).table
    columns = {column: table[column].to_pylist() for column in table.column_names}
    repeats = Evidence.from_columns(columns, {}, {"measured.a.quantity": values.ravel().tolist()})
    true = found_by(requirement(name, level="R4", **end), repeats, context=OF_STRUCTURES)
    assert (found.estimate, found.limits, found.n) == (true.estimate, true.limits, true.n)
    assert found.n_of == "cases run twice"


def test_what_is_of_two_measurements_is_of_the_run_that_agrees_least() -> None:
    values = made_up(3)
    values[2] += 1.5
    evidence = volumes({"baseline": values[0], SHIFTED: values[1], TURNED: values[2]})
    bias = found_by(requirement("bias", level="R3", upper_limit={"at_most": 5}), evidence, context=OF_STRUCTURES)
    each = [abs(float(differences(values[0], other).mean())) for other in values[1:]]
    assert bias.estimate == pytest.approx(max(each))
    assert bias.method.startswith("worst of 2 runs: ")
    ccc = found_by(requirement("concordance_correlation", level="R3"), evidence, context=OF_STRUCTURES)
    alone = found_by(
        requirement("concordance_correlation", level="R1"),
        volumes({"baseline": values[0], ONE_BY_ONE.id: values[2]}),
        context=OF_STRUCTURES,
    )
    assert ccc.estimate == pytest.approx(alone.estimate)
    assert ccc.limits is not None
    assert alone.limits is not None
    assert ccc.limits[0] == pytest.approx(alone.limits[0])
    assert ccc.limits[1] >= alone.limits[1]  # the good end shares the error between both runs
    icc = found_by(requirement("icc", level="R3"), evidence, context=OF_STRUCTURES)
    assert icc.estimate == pytest.approx(intraclass_correlation(values.T)[0])


def test_a_quantity_that_one_run_lacks_counts_as_none_of_it() -> None:
    values = made_up(2)
    values[1, 5] = np.nan
    evidence = volumes({"baseline": values[0], ONE_BY_ONE.id: values[1]})
    item = requirement("rescan_difference", level="R1", upper_limit={"at_most": 0.5})
    found = found_by(item, evidence, context=OF_STRUCTURES)
    apart = np.abs(values[0] - values[1]) / values.mean(axis=0)
    assert found.n == 40
    assert found.estimate == pytest.approx((np.nansum(apart) + 2.0) / 40)
    cv = requirement("within_subject_cv", level="R1", upper_limit={"at_most": 0.5})
    assert found_by(cv, evidence, context=OF_STRUCTURES).reason is Reason.UNDEFINED_METRIC


def test_scores_have_a_spread_a_coefficient_and_a_correlation_too() -> None:
    source = np.random.default_rng(5)
    scores = np.clip(source.uniform(0.2, 0.8, 40) + source.normal(0.0, 0.03, (2, 40)), 0.0, 1.0)
    evidence = scored({"baseline": scores[0].tolist(), ONE_BY_ONE.id: scores[1].tolist()})
    apart = scores[0] - scores[1]
    spread = math.sqrt((apart**2).mean() / 2)
    upper = {"upper_limit": {"at_most": 0.5}}
    assert found_by(requirement("within_subject_sd", level="R1"), evidence).estimate == pytest.approx(spread)
    coefficient = found_by(requirement("repeatability_coefficient_absolute", level="R1", **upper), evidence)
    assert coefficient.estimate == pytest.approx(1.96 * math.sqrt(2.0) * spread)
    cv = found_by(requirement("within_subject_cv", level="R1", **upper), evidence)
    assert cv.estimate == pytest.approx(math.sqrt((apart**2 / 2 / scores.mean(axis=0) ** 2).mean()))
    icc = found_by(requirement("icc", level="R1"), evidence)
    assert icc.estimate == pytest.approx(intraclass_correlation(scores.T)[0])


def test_flipped_cases_are_listed_the_nearest_to_the_operating_point_first() -> None:
    evidence = scored(
        {
            "baseline": [0.9, 0.6, 0.49, 0.1, 0.95],
            SHIFTED: [0.9, 0.4, 0.52, 0.2, math.nan],
            TURNED: [0.8, 0.6, 0.40, 0.2, 0.95],
        }
    )
    found = flipped(of(FLIPS), evidence, OPERATING_POINT, FLIPS)
    assert [case.case_id for case in found] == ["case-0002", "case-0001", "case-0004"]
    assert [case.distance for case in found] == pytest.approx([0.01, 0.1, 0.45])
    assert found[1].scores == (0.6, 0.4, 0.6)
    assert math.isnan(found[2].scores[1])
    assert flipped(of(FLIPS), scored({"baseline": [0.9]}), OPERATING_POINT, FLIPS) == ()


def test_flipped_true_repeats_are_listed_by_their_subject() -> None:
    first = named([MadeUpCase(0.9, 1), MadeUpCase(0.55, 1), MadeUpCase(0.2, 0)])
    again = [
        replace(case, case=f"{case.case}-again", score=score)
        for case, score in zip(first, (0.8, 0.3, 0.3), strict=True)
    ]
    item = requirement("flip_rate", level="R4")
    (found,) = flipped(of(item), evidence_of({"baseline": [*first, *again]}), OPERATING_POINT, item)
    assert (found.case_id, found.scores) == ("case-0001", (0.55, 0.3))
    assert found.distance == pytest.approx(0.05)
