"""What counts as a change between two answers to one subject: any number, a value or a finding that is missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up_evidence import MadeUpCase, evidence_of, policy_of, requirement

from gatekeeper.evidence import Evidence
from gatekeeper.suites import measure
from gatekeeper.suites.reruns import largest_change

CASES = [MadeUpCase(0.0, 1, case=f"case-{number}") for number in range(3)]


def two_runs(answers: Mapping[str, Sequence[object]], scores: Sequence[float | None] = (None,) * 6) -> Evidence:
    """Three cases at baseline and again in a rerun, with these further columns of six rows."""
    table = evidence_of({"baseline": CASES, "rerun": CASES}).table
    columns = {name: table[name].to_pylist() for name in table.column_names}
    return Evidence.from_columns({**columns, "score": scores}, {}, answers)


def change(evidence: Evidence) -> float:
    runs = [evidence.under("baseline"), evidence.under("rerun")]
    return largest_change(runs, [rows.case for rows in runs])


def test_equal_measurements_are_no_change_and_what_has_no_value_twice_is_none_either() -> None:
    assert change(two_runs({"measured.a.dice": [0.9, 0.8, np.nan] * 2})) == 0.0


@given(st.lists(st.floats(0.0, 1e6), min_size=3, max_size=3), st.floats(0.0, 1e6), st.integers(0, 2))
@settings(max_examples=50, deadline=None)
def test_the_change_is_that_of_the_value_that_moved(values: list[float], moved: float, at: int) -> None:
    again = [moved if place == at else value for place, value in enumerate(values)]
    found = change(two_runs({"measured.a.dice": [0.5] * 6, "measured.a.quantity": [*values, *again]}))
    assert found == abs(moved - values[at])


def test_a_value_that_one_run_lacks_is_a_change() -> None:
    assert change(two_runs({"measured.a.dice": [0.9, 0.8, np.nan, 0.9, 0.8, 0.7]})) == 1.0


def test_scores_are_compared_beside_all_else() -> None:
    assert change(two_runs({}, scores=(0.5, 0.5, 0.5, 0.5, 0.75, 0.5))) == 0.25


@pytest.mark.parametrize(
    ("scores", "lesions", "expected"),
    [
        ([[0.5, 0.9], [], [0.1]], [[0, -1], [], [-1]], 0.0),
        ([[0.9, 0.5], [], [0.1]], [[-1, 0], [], [-1]], 0.0),  # another order
        ([[0.5, 0.8], [], [0.1]], [[0, -1], [], [-1]], 0.1),
        ([[0.5], [], [0.1]], [[0], [], [-1]], 1.0),  # one fewer
        ([[0.5, 0.9], [], [0.1]], [[-1, 0], [], [-1]], 1.0),  # another lesion
    ],
)
def test_findings_are_compared_by_score_and_lesion(
    scores: list[list[float]], lesions: list[list[int]], expected: float
) -> None:
    first = [[0.5, 0.9], [], [0.1]], [[0, -1], [], [-1]]
    found = change(
        two_runs(
            {
                "finding_score": [*first[0], *scores],
                "finding_lesion": [*first[1], *lesions],
                "lesions": [1, 0, 0] * 2,
            }
        )
    )
    assert found == pytest.approx(expected)


def test_a_rerun_of_masks_is_judged_by_what_was_measured() -> None:
    asked = requirement("max_deviation", level="R0")
    same = two_runs({"measured.a.dice": [0.9, 0.8, 0.7] * 2})
    moved = two_runs({"measured.a.dice": [0.9, 0.8, 0.7, 0.9, 0.8, 0.7000001]})
    policy = policy_of({"rerun": asked})
    assert measure(asked, policy, same, 0.5).estimate == 0.0
    assert measure(asked, policy, moved, 0.5).estimate == pytest.approx(1e-7)


def test_outlines_that_differ_are_a_change_though_all_else_is_the_same() -> None:
    same = {"measured.a.dice": [0.9, 0.8, 0.7] * 2, "measured.a.quantity": [5.0, 6.0, 7.0] * 2}
    assert change(two_runs({**same, "measured.a.between_dice": [None, None, None, 1.0, 1.0, 1.0]})) == 0.0
    assert change(two_runs({**same, "measured.a.between_dice": [None, None, None, 1.0, 0.75, 1.0]})) == 0.25
