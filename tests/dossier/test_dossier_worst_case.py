"""What cases without an answer cost: shown on answered cases alone, as judged, and all counted as wrong."""

from __future__ import annotations

from dataclasses import replace

import pytest
from made_up_evidence import cells, evidence_of, named
from made_up_material import material
from made_up_shown import classification_policy, scored
from made_up_structures import outlined, structure_evidence, structure_policy
from scipy.stats import binomtest

from gatekeeper.dossier.blocks import Paragraph, Table
from gatekeeper.dossier.curves import Shown
from gatekeeper.dossier.gather_unanswered import unanswered
from gatekeeper.dossier.sections.worst_case import worst_case
from gatekeeper.evidence import Evidence
from gatekeeper.policy import Policy
from gatekeeper.policy.schema import FailureCosts
from gatekeeper.verdict import judge

CRASHES_ARE_CALLS = FailureCosts(crash="positive")


def evidence() -> Evidence:
    """Of 50 positive and 60 negative cases, 5 and 6 crashed."""
    cases = named(cells(tp=40, fn=10, fp=6, tn=54))
    lost = {*range(5), *range(110 - 6, 110)}
    return evidence_of({"baseline": [replace(case, answered=at not in lost) for at, case in enumerate(cases)]})


def test_each_requirement_is_measured_in_three_ways_by_its_own_method() -> None:
    found = unanswered(classification_policy(failure_costs=CRASHES_ARE_CALLS), evidence(), 0.5)
    assert found is not None
    assert found.lost == 11
    sensitivity = next(one for one in found.costed if one.requirement.metric == "sensitivity")
    for measured, hits, n in (
        (sensitivity.answered, 35, 45),
        (sensitivity.judged, 40, 50),
        (sensitivity.worst, 35, 50),
    ):
        score = binomtest(hits, n).proportion_ci(method="wilson")  # scipy; the requirement asks for it
        assert (measured.estimate, measured.n) == (hits / n, n)
        assert measured.limits == pytest.approx((score.low, score.high))
    specificity = next(one for one in found.costed if one.requirement.metric == "specificity")
    for measured, hits, n in (
        (specificity.answered, 48, 54),
        (specificity.judged, 48, 60),
        (specificity.worst, 48, 60),
    ):
        exact = binomtest(hits, n).proportion_ci(method="exact")  # Clopper-Pearson, unless asked otherwise
        assert measured.estimate == hits / n
        assert measured.limits == pytest.approx((exact.low, exact.high))


@pytest.mark.parametrize("costs", [FailureCosts(), CRASHES_ARE_CALLS], ids=["wrong", "called"])
def test_as_judged_is_what_the_findings_say(costs: FailureCosts) -> None:
    policy = classification_policy(failure_costs=costs)
    findings = {one.title: one for one in judge(policy, evidence(), 0.5)}
    found = unanswered(policy, evidence(), 0.5)
    assert found is not None
    assert len(found.costed) == 4
    for one in found.costed:
        assert (one.judged.rounded, one.judged.limits) == (findings[one.title].estimate, findings[one.title].interval)


def test_with_every_case_answered_there_is_nothing_to_tell() -> None:
    assert unanswered(classification_policy(), scored(), 0.5) is None
    assert tuple(worst_case(material())) == ()


def told(policy: Policy) -> tuple[str, Table]:
    found = unanswered(policy, evidence(), 0.5)
    blocks = tuple(worst_case(material(policy=policy, shown=Shown(unanswered=found))))
    (table,) = (block for block in blocks if isinstance(block, Table))
    text = " ".join(block.text for block in blocks if isinstance(block, Paragraph))
    return text.replace("\u202f", " "), table


def test_the_share_is_told_with_its_interval_and_the_table_with_outcomes() -> None:
    text, table = told(classification_policy(failure_costs=CRASHES_ARE_CALLS))
    low, high = (100.0 * (1.0 - end) for end in reversed(binomtest(99, 110).proportion_ci(method="exact")))
    assert f"11 of 110 cases that are no repeats got no answer: 10.0 % ({low:.1f} % to {high:.1f} %, 95 %" in text
    assert "counts each failure as the policy declares" in text
    row = next(row for row in table.rows if row.cells[0].text == "Sensitivity")
    assert [cell.text for cell in row.cells[2:]] == ["0.778", "0.800", "0.700"]
    assert [cell.below[1] for cell in row.cells[2:]] == ["met, n 45", "met, n 50", "met, n 50"]


def test_where_all_failures_count_as_wrong_it_says_that_this_is_the_worst_case() -> None:
    text, _ = told(classification_policy())
    assert "What was judged is the worst case" in text


def test_structures_that_were_lost_are_counted_as_missed() -> None:
    policy, outlines = structure_policy(), structure_evidence(outlined())
    found = unanswered(policy, outlines, 0.5)
    assert found is not None
    assert (found.lost, found.answered.n) == (2, 40)
    dice = next(one for one in found.costed if one.requirement.metric == "dice")
    assert dice.answered.estimate is not None
    assert dice.judged == dice.worst
    assert dice.worst.estimate == pytest.approx(dice.answered.estimate * 38 / 40)  # two at 0
