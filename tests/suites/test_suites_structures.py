"""Masks from rows of evidence to measurements, and that no miss ever helps; all masks made up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache, lru_cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up_evidence import MadeUpCase, evidence_of, requirement
from numpy.typing import NDArray

from gatekeeper.evidence import Evidence, Reason, Rows
from gatekeeper.metrics import METRICS
from gatekeeper.metrics.masks import DISTANCES, VALUES, MaskComparison, charged, compare_masks
from gatekeeper.policy import Requirement
from gatekeeper.suites import Measurement
from gatekeeper.suites.performance import measure
from gatekeeper.suites.structures import MEASURED

SPACING = (2.0, 1.0, 1.0)
OPTIONS: Mapping[str, dict[str, float]] = {
    "normalized_surface_distance": {"tolerance": 2.0},
    "normalized_surface_distance_by_area": {"tolerance": 2.0},
}


def ball(radius: float, shift: int = 0) -> NDArray[np.bool_]:
    across = np.indices((12, 24, 24)) - np.array([6, 12, 12 + shift])[:, None, None, None]
    return np.asarray(((across * np.array(SPACING)[:, None, None, None]) ** 2).sum(axis=0) <= radius**2)


@lru_cache
def made_up(seed: int, n: int, missed: float = 0.1) -> tuple[MaskComparison, ...]:
    source = np.random.default_rng(seed)
    cases = []
    for _ in range(n):
        radius = source.uniform(4.0, 7.0)
        drawn = ball(0.0 if source.random() < missed else radius + source.normal(0, 0.6), int(source.integers(-1, 2)))
        cases.append(compare_masks(ball(radius), drawn & (source.random() >= missed), SPACING))
    return tuple(cases)


@cache
def value_of(name: str, case: MaskComparison) -> float:
    return charged(name, case, **OPTIONS.get(name, {}))


def evidence_rows(cases: Sequence[MaskComparison], each: int = 1, lost: Sequence[int] = ()) -> Rows:
    made = [MadeUpCase(0.5, 1, f"patient-{n // each:03}", answered=n not in lost) for n in range(len(cases))]
    table = evidence_of({"baseline": made}).table
    columns = {name: table[name].to_pylist() for name in table.column_names}
    answers: dict[str, object] = {
        "measured.liver." + (f"{name}@{OPTIONS[name]['tolerance']:g}" if name in OPTIONS else name): [
            None if n in lost else value_of(name, case) for n, case in enumerate(cases)
        ]
        for name in VALUES
    }
    answers["measured.liver.diagonal"] = [case.diagonal for case in cases]
    answers["measured.liver.reference"] = [(case.tp + case.fn) * case.voxel_volume / 1000.0 for case in cases]
    return Evidence.from_columns(columns, {}, answers).under("baseline")


def item_of(name: str, structure: str = "liver") -> Requirement:
    spec = METRICS.get(name)
    options: dict[str, object] = {"tolerance": "2 mm"} if name in OPTIONS else {}
    unit = {"mm": "8 mm", "mL": "8 mL"}.get(spec.unit, 0.5)
    end = {"lower_limit": {"at_least": unit}} if spec.higher_is_better else {"upper_limit": {"at_most": unit}}
    return requirement(name, structure=structure, **end, **options)  # type: ignore[arg-type]


def measured(name: str, rows: Rows) -> Measurement:
    return measure(item_of(name), rows, 0.5)


@pytest.mark.parametrize("name", MEASURED)
@pytest.mark.parametrize("each", [1, 2])
def test_the_value_is_the_mean_over_cases_and_lies_in_its_interval(name: str, each: int) -> None:
    cases = made_up(1, 60)
    found = measured(name, evidence_rows(cases, each))
    values = np.array([value_of(name, case) for case in cases])
    mean = np.nanmean(values)
    assert found.estimate == pytest.approx(abs(mean) if name == "volume_bias" else mean)
    assert (found.n, found.patients) == (int(np.isfinite(values).sum()), 60 // each)
    assert found.interval is not None
    assert found.interval.lower < found.estimate < found.interval.upper


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 2), lost=st.sets(st.integers(0, 29), min_size=1, max_size=6))
@pytest.mark.parametrize("name", [name for name in MEASURED if name != "volume_bias"])
def test_a_case_without_an_answer_never_helps(name: str, seed: int, lost: set[int]) -> None:
    cases = made_up(seed, 30)
    before, after = measured(name, evidence_rows(cases)), measured(name, evidence_rows(cases, lost=sorted(lost)))
    assert before.estimate is not None
    assert after.estimate is not None
    worse = after.estimate - before.estimate
    assert (worse <= 1e-12) if METRICS.get(name).higher_is_better else (worse >= -1e-12)


SHIFTED = (
    *(compare_masks(ball(6.0), ball(6.0, shift), SPACING) for shift in (0, 1, 2, 3)),
    compare_masks(ball(6.0), ball(6.0) & False, SPACING),
)


@pytest.mark.parametrize("name", sorted(DISTANCES))
def test_more_missed_structures_are_never_a_better_distance(name: str) -> None:
    """Where a missed structure is left out of the mean, a model improves by missing what is hard (MONAI issue 9095)."""
    seen = list(SHIFTED[:4]) * 10
    worst, missed = [SHIFTED[3], *seen[1:]], [SHIFTED[4], *seen[1:]]
    estimates = [measured(name, evidence_rows(cases)).estimate or 0.0 for cases in (seen, worst, missed)]
    assert estimates == sorted(estimates)
    assert estimates[0] < estimates[2]


@pytest.mark.parametrize("name", [*sorted(DISTANCES), "relative_volume_difference", "absolute_volume_difference"])
def test_a_lost_case_whose_cost_is_not_told_is_never_left_out(name: str) -> None:
    rows = evidence_rows(made_up(1, 30), lost=[3])
    what = f"measured.liver.{'diagonal' if name in DISTANCES else 'reference'}"
    assert measured(name, rows).estimate is not None
    without = replace(rows, answers={column: given for column, given in rows.answers.items() if column != what})
    assert measured(name, without).reason is Reason.NOT_MEASURED
    unknown = np.where(np.arange(30) == 3, np.nan, rows.answers[what])
    assert measured(name, replace(rows, answers=rows.answers | {what: unknown})).reason is Reason.NOT_MEASURED


def test_volumes_are_compared_also_where_only_they_were_measured() -> None:
    table = evidence_of({"baseline": [MadeUpCase(0.5, 1)] * 30}).table
    columns = {name: table[name].to_pylist() for name in table.column_names}
    reference, quantity = np.linspace(40.0, 70.0, 30), np.linspace(42.0, 71.0, 30)
    answers = {"measured.LVEF.quantity": quantity, "measured.LVEF.reference": reference}
    rows = Evidence.from_columns(columns, {}, answers).under("baseline")
    found = measure(item_of("relative_volume_difference", "LVEF"), rows, 0.5)
    assert found.estimate == pytest.approx(np.mean(np.abs(quantity - reference) / reference))
    assert measure(item_of("dice", "LVEF"), rows, 0.5).reason is Reason.NOT_MEASURED


NOTHING = compare_masks(ball(5.0) & False, ball(5.0) & False, SPACING)


@pytest.mark.parametrize("name", MEASURED)
@pytest.mark.parametrize("kind", ["one case", "all perfect", "all missed", "nothing there", "nobody answers"])
def test_what_cannot_be_measured_is_said_and_never_an_error(name: str, kind: str) -> None:
    case = {"all missed": SHIFTED[4], "nothing there": NOTHING}.get(kind, SHIFTED[0])
    n = 1 if kind == "one case" else 20
    lost = range(20) if kind == "nobody answers" else ()
    found, spec = measured(name, evidence_rows([case] * n, lost=lost)), METRICS.get(name)
    if found.interval is None:
        assert found.reason in (Reason.TOO_FEW_CASES, Reason.UNDEFINED_METRIC)
    else:
        assert found.estimate is not None
        assert spec.lowest <= found.interval.lower <= found.estimate <= found.interval.upper <= spec.highest


def test_a_structure_that_was_not_brought_is_not_measured() -> None:
    rows = evidence_rows(made_up(1, 12))
    assert measure(item_of("dice", "spleen"), rows, 0.5).reason is Reason.NOT_MEASURED
