"""The largest gap between groups: how a change of it is told, and how it is explained. Policies are made up."""

from __future__ import annotations

import pytest
from made_up_evidence import policy_of, requirement

from gatekeeper.policy._compare import Direction, changes
from gatekeeper.policy.explain import explain_requirement


@pytest.mark.parametrize(
    ("before", "after", "direction", "weakens"),
    [
        ("10 %", "15 %", Direction.LOOSER, True),
        ("10 %", 0.05, Direction.STRICTER, False),
        ("5 ms", "0.004 s", Direction.STRICTER, False),
        ("5 ms", "6 ms", Direction.LOOSER, True),
        ("2 mm", "0.1 mm", Direction.STRICTER, False),
        ("5 ms", "1 mm", Direction.LOOSER, True),  # what cannot be compared may be weaker
        ("10 %", None, Direction.REMOVED, True),
        (None, "10 %", Direction.ADDED, False),
    ],
)
def test_a_gap_that_grows_or_goes_is_a_weakening(
    before: str | None, after: str | float | None, direction: Direction, weakens: bool
) -> None:
    layers = [{"subgroups": {"by": ["sex"], "largest_gap": {"it": gap} if gap else {}}} for gap in (before, after)]
    (change,) = changes(*layers)
    assert (change.path, change.direction, change.weakens) == (("subgroups", "largest_gap", "it"), direction, weakens)


@pytest.mark.parametrize(("before", "after"), [("10 %", 0.1), ("5 ms", "0.005 s")])
def test_another_spelling_of_the_same_gap_is_no_change(before: str, after: str | float) -> None:
    assert not list(changes(*({"subgroups": {"largest_gap": {"it": gap}}} for gap in (before, after))))


def test_the_worst_group_and_the_gap_are_explained() -> None:
    asked = {"by": ("sex",), "min_cases": 30, "requirements": ("it",), "largest_gap": {"it": "10 %"}, "blocking": True}
    policy = policy_of({"it": requirement("sensitivity")}, subgroups=asked)
    told = explain_requirement(policy, "it").subgroups
    assert told == (
        "Looked at again by sex, in groups of 30 positive cases or more, and for the worst of them; each group can "
        "close the gate. The best and the worst group may lie at most 10 points apart, by the upper limit."
    )
