"""Cases without a usable answer are shown with their reason and their cost."""

from __future__ import annotations

from dataclasses import replace

from made_up_material import material

from gatekeeper.dossier.blocks import Paragraph, Table
from gatekeeper.dossier.gather import failures
from gatekeeper.dossier.material import Failures
from gatekeeper.dossier.sections import failures as section
from gatekeeper.evidence import Evidence

ROWS = [("ok", ""), ("crashed", "SIGSEGV"), ("refused", "Declined"), ("crashed", "SIGSEGV"), ("timed_out", "late")]


def evidence() -> Evidence:
    """Five made-up cases at baseline, and one of another condition."""
    n = len(ROWS) + 1
    columns = {
        "case_id": [f"case-{number}" for number in range(n)],
        "patient": ["p"] * n,
        "subject": [f"case-{number}" for number in range(n)],
        "label": [0] * n,
        "condition": ["baseline"] * len(ROWS) + ["rerun"],
        "repeat": [0] * n,
        "outcome": [outcome for outcome, _ in ROWS] + ["crashed"],
        "fault": [fault for _, fault in ROWS] + ["elsewhere"],
        "score": [0.5] + [None] * (n - 1),
        "seconds": [None] * n,
    }
    return Evidence.from_columns(columns, {})


def test_failures_of_the_baseline_are_grouped_by_outcome_and_reason() -> None:
    assert failures(evidence()) == (
        Failures("crashed", "SIGSEGV", ("case-1", "case-3")),
        Failures("refused", "Declined", ("case-2",)),
        Failures("timed out", "late", ("case-4",)),
    )


def test_each_group_is_shown_with_its_count_its_cost_and_its_first_cases() -> None:
    many = Failures("out of memory", "MemoryError", tuple(f"case-{number}" for number in range(8)))
    paragraph, table = section.failures(replace(material(), failures=(many,)))
    assert isinstance(paragraph, Paragraph)
    assert paragraph.text.startswith("8 of ")
    assert isinstance(table, Table)
    (row,) = table.rows
    texts = [cell.text for cell in row.cells]
    assert texts[:3] == ["out of memory", "MemoryError", "8"]
    assert texts[3] == "wrong, whatever the truth"
    assert texts[4] == "case-0, case-1, case-2, case-3, case-4 and 3 more"


def test_without_failures_it_says_so_and_tells_of_workers_that_were_replaced() -> None:
    calm = material()
    assert [block.text for block in section.failures(calm)] == ["Every case of the baseline got a usable answer."]
    restless = replace(calm, environment=calm.environment.model_copy(update={"restarts": 2}))
    assert "ended 2 times and was started again" in section.failures(restless)[0].text
