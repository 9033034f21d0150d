"""The section on planted defects, and its line on page one."""

from __future__ import annotations

from dataclasses import replace

from made_up_material import attachments, material

from gatekeeper.dossier.attachments import describe_attachments
from gatekeeper.dossier.blocks import Paragraph, Table
from gatekeeper.dossier.content import compose_content
from gatekeeper.dossier.first_page import first_page
from gatekeeper.dossier.sections import self_test as section
from gatekeeper.evidence.self_test import DefectOutcome, PlantedDefect, SelfTest

CAUGHT = PlantedDefect(
    id="positives_lost", done="12 of 60 get a score of 0", outcome=DefectOutcome.CAUGHT, seen_by=("sensitivity",)
)
MISSED = PlantedDefect(
    id="subgroup_broken[manufacturer]", done="all wrong", outcome=DefectOutcome.NOT_SEEN, noticed_by=("auroc",)
)
CANNOT = PlantedDefect(id="latency_tripled", done="no call was timed", outcome=DefectOutcome.NOT_APPLICABLE)
TESTED = SelfTest(a_a=True, defects=(CAUGHT, MISSED, CANNOT))


def test_each_defect_is_shown_with_what_was_done_what_saw_it_and_its_outcome_in_words() -> None:
    made = replace(material(), self_test=TESTED)
    told, table, how = section.self_test(made)
    assert isinstance(told, Paragraph)
    assert told.text.startswith(
        "2 defects planted, 1 seen. This gate would not see: subgroup broken (by manufacturer). The same evidence"
    )
    assert isinstance(table, Table)
    caught, missed, cannot = [[cell.text for cell in row.cells] for row in table.rows]
    title = next(item.full_title for item in made.verdict.findings if item.id == "sensitivity")
    assert caught == ["positives lost", "12 of 60 get a score of 0", title, "caught"]
    assert missed == ["subgroup broken (by manufacturer)", "all wrong", "–", "not seen"]
    assert "noticed, but not blocked, by" in table.rows[1].cells[2].below[0]
    assert cannot[1:] == ["no call was timed", "–", "not applicable"]
    assert isinstance(how, Paragraph)
    assert all(f"{outcome.value.capitalize()}:" in how.text for outcome in DefectOutcome)


def test_page_one_has_a_line_only_when_something_is_not_seen() -> None:
    seen = SelfTest(a_a=True, defects=(CAUGHT, CANNOT))
    assert "Would not see" not in dict(first_page(replace(material(), self_test=seen)).facts)
    assert "Would not see" not in dict(first_page(material()).facts)
    line = dict(first_page(replace(material(), self_test=TESTED)).facts)["Would not see"]
    assert line.startswith("subgroup broken (by manufacturer): planted")
    content = compose_content(replace(material(), self_test=TESTED), describe_attachments(attachments()))
    assert "What this gate can see" in [part.title for part in content.sections]
    assert line.endswith("(see “What this gate can see”)")


def test_a_gate_that_was_shut_or_not_tested_says_so() -> None:
    shut = replace(material(), self_test=TESTED.model_copy(update={"shut_by": ("precision",)}))
    assert any("the gate is shut by" in block.text for block in section.self_test(shut) if isinstance(block, Paragraph))
    (alone,) = section.self_test(material())
    assert isinstance(alone, Paragraph)
    assert alone.text.startswith("No defect was planted")
