"""Subgroups in a dossier: one scale for all groups, the worst marked, the gap below. All evidence is made up."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import pytest
from made_up_evidence import OPERATING_POINT, cells, evidence_of, named, policy_of, requirement
from made_up_material import finding, main_findings, material, verdict

from gatekeeper.dossier.blocks import Row, Table
from gatekeeper.dossier.charts.groups import common_span, gap_chart, group_chart
from gatekeeper.dossier.numerals import Style
from gatekeeper.dossier.sections.requirements import requirements, subgroups
from gatekeeper.dossier.sections.subgroups import group_rows
from gatekeeper.evidence import Finding, Outcome, Reason
from gatekeeper.suites.subgroups import Asked, gaps
from gatekeeper.verdict import judge


def judged(**bounds: object) -> tuple[tuple[Finding, ...], tuple[Asked, ...]]:
    """Return the subgroup findings of three sites, one of them small, and every gap."""
    cases = []
    for site, (tp, fn) in {"north": (56, 14), "south": (48, 32), "": (3, 1)}.items():
        cases += [type(case)(case.score, case.label, attributes={"site": site}) for case in cells(tp, fn, 2, 18)]
    asked = {"by": ("site",), "min_cases": 30, "requirements": ("found",), **bounds}
    policy = policy_of({"found": requirement("sensitivity", interval="wilson")}, subgroups=asked)
    evidence = evidence_of({"baseline": named(cases)})
    found = tuple(one for one in judge(policy, evidence, OPERATING_POINT) if one.subgroup)
    return found, gaps(policy, evidence, OPERATING_POINT)


def names(rows: list[Row]) -> list[str]:
    return [row.group or row.cells[1].text for row in rows]


def test_groups_come_first_then_the_worst_then_the_gap_that_is_bounded() -> None:
    found, apart = judged(largest_gap={"found": "10 %"})
    rows = list(group_rows(found, apart))
    assert names(rows) == [
        "Sensitivity, by site",
        "not given",
        "north",
        "south",
        "Worst: south",
        "Gap, best to worst: north, south",
    ]
    gap = rows[-1].cells
    assert (gap[2].text, gap[2].below) == ("0.200", ("0.052 to 0.334, 95\u202f%",))  # Newcombe, Stat Med 1998;17:873
    assert (gap[4].text, gap[4].below) == ("≤\u00a00.10", ("upper limit",))
    assert rows[4].cells[2].below == ("0.475 to 0.713, 97.5\u202f%",)
    assert names(list(group_rows(found)))[-1] == "Gap, best to worst"


def test_a_gap_that_nothing_bounds_is_shown_as_well() -> None:
    found, apart = judged()
    gap = list(group_rows(found, apart))[-1].cells
    assert (gap[0].drawing, gap[1].text, gap[4].text) == (None, "Gap, best to worst: north, south", "not bounded")
    assert gap[2].below == ("0.052 to 0.334, 95\u202f%",)
    assert not [row for row in group_rows(found) if row.cells and row.cells[1].text.startswith("Gap")]


def test_small_groups_alone_have_neither_a_worst_nor_a_gap() -> None:
    found, apart = judged(largest_gap={"found": "10 %"}, min_cases=100)
    rows = list(group_rows(found, apart))
    assert names(rows)[-2:] == ["Worst group", "Gap, best to worst"]
    assert [row.cells[1].below for row in rows[-2:]] == [("not decided: subgroup too small",)] * 2
    assert [row.cells[3].drawing for row in rows[-2:]] == [None, None]


def test_the_same_share_lies_at_the_same_place_in_every_group() -> None:
    found, _ = judged()
    span = common_span(found)
    places = set()
    for one in found:
        drawn = group_chart(one, span, strong=False, ends=one.id.endswith(".worst"))
        root = ElementTree.fromstring(drawn.svg)
        assert root.get("aria-label") == drawn.words != ""
        upright = next(line for line in root.iter() if line.get("stroke-width") == "0.9")
        places.add(upright.get("x1"))
    assert len(places) == 1  # the threshold


@pytest.mark.parametrize(("estimate", "limits", "most"), [(0.0, None, None), (0.0, (0.0, 0.0), 0.1), (0.2, (0, 1), 0)])
def test_a_gap_of_any_size_is_drawn(estimate: float, limits: tuple[float, float] | None, most: float | None) -> None:
    for outcome in (None, *Outcome):
        drawn = gap_chart("gap", estimate, limits, Style.SHARE, most=most, outcome=outcome)
        assert "nan" not in ElementTree.tostring(ElementTree.fromstring(drawn.svg), encoding="unicode")


def test_the_section_shows_them_and_the_list_of_what_is_open_tells_each_group_once() -> None:
    found, _ = judged(largest_gap={"found": "10 %"})
    shown = material(verdict=verdict((*main_findings(), *found)))
    (table,) = (block for block in subgroups(shown) if isinstance(block, Table))
    assert names(list(table.rows)) == names(list(group_rows(found)))
    opened = [lead for block in requirements(shown) for lead, _ in getattr(block, "items", ())]
    assert not [lead for lead in opened if "worst" in lead]
    assert any("largest gap by site" in lead for lead in opened)


def test_a_group_without_an_estimate_stretches_no_scale() -> None:
    empty = finding("x[sex=O]", subgroup={"sex": "O"}, estimate=None, interval=None, reason=Reason.SUBGROUP_EMPTY)
    low, high = common_span((finding("x[sex=F]", subgroup={"sex": "F"}), empty))
    assert low == pytest.approx(0.8 - 0.16 * 0.08)
    assert high == pytest.approx(0.96 + 0.16 * 0.08)
