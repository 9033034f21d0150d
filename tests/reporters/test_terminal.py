from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from made_up_findings import finding, verdict
from rich.console import Console

from gatekeeper.evidence import Outcome, Reason, Threshold, Verdict, VerdictWord
from gatekeeper.reporters import print_verdict

SECONDS = Threshold(of="upper_limit", at_most=0.2)
FINDINGS = (
    finding(),
    finding(id="in_use", title="Precision (PPV) at 10 %", metric="precision", n_of="cases (79 positive, 193 negative)"),
    finding(
        id="open",
        title="Specificity lost, contour 0.5 mm too wide",
        outcome=Outcome.NOT_DECIDED,
        reason=Reason.TOO_FEW_CASES,
        more_cases=1200,
        words="Under contour dilation of 0.5 mm, specificity falls by 5.2 points. Required: at most 15 %. Not decided.",
    ),
    finding(
        id="none",
        title="Flips between repeats",
        outcome=Outcome.NOT_DECIDED,
        reason=Reason.NO_REPEATS,
        estimate=None,
        interval=None,
        n=0,
        n_of="subjects with repeats",
    ),
    finding(id="time", title="Time to answer, p95", unit="s", metric="latency", threshold=SECONDS, estimate=0.01),
    finding(id="point", title="Largest change on rerun", metric="max_deviation", estimate=0.0, interval=None),
    finding(id="outside", title="Estimate outside", outcome=Outcome.NOT_MET, estimate=0.5, interval=(0.6, 0.6)),
    finding(
        id="sensitivity[slice_thickness=over 2.5 mm]",
        title="Sensitivity",
        subgroup={"slice_thickness": "over 2.5 mm"},
        blocking=False,
    ),
)
MARKED = ("✓ ", "✗ ", "? ")
VERDICT = verdict(*FINDINGS, verdict=VerdictWord.FAIL, words="1 of 7 blocking requirements is not met.")


def printed(made: Verdict, width: int, exposures: int | None = None) -> str:
    stream = io.StringIO()
    print_verdict(Console(file=stream, width=width, force_terminal=False), made, exposures)
    return stream.getvalue()


@pytest.mark.parametrize("width", [60, 80, 100, 109, 110, 140])
def test_every_title_is_there_and_no_line_is_too_long(width: int) -> None:
    text = printed(VERDICT, width)
    lines = text.splitlines()
    assert all(len(line) <= width for line in lines)
    head = next(line for line in lines if "estimate" in line)
    start, end = (head.index("requirement"), head.index("estimate")) if width >= 110 else (2, width)
    titles = "".join("".join(line[start:end].split()) for line in lines)
    assert end - start >= len("requirement")
    for item in FINDINGS:
        assert "".join(item.full_title.split()) in titles
    assert "None" not in text
    assert "nan" not in text.replace("malignant", "")


def test_at_full_width_a_line_holds_a_whole_finding() -> None:
    lines = printed(VERDICT, 140).splitlines()
    line = next(line for line in lines if "Precision (PPV) at 10 %" in line)
    for part in ("✓", "93.1 %", "90.0 %", "●", "96.0 %", "≥ 80 %", "100 cases (79 positive"):
        assert part in line
    assert any("Sensitivity, over 2.5 mm (advisory)" in line for line in lines)
    assert next(line for line in lines if "Flips between repeats" in line).count("–") == 2
    assert any("100 positive cases; about 1,200 more" in line for line in lines)


@pytest.mark.parametrize("width", [60, 80, 100])
def test_where_it_is_narrow_a_title_has_a_line_and_its_numbers_stand_in_columns_below(width: int) -> None:
    lines = printed(VERDICT, width).splitlines()
    head = next(line for line in lines if "estimate" in line)
    for item in FINDINGS:
        at = next(number for number, line in enumerate(lines) if line[:2] in MARKED and item.title in line)
        numbers = next(line for line in lines[at + 1 :] if "≥" in line or "≤" in line)
        assert re.search("[≥≤]", numbers).start() == head.index("threshold")  # type: ignore[union-attr]
        assert ("●" in numbers) == (width >= 80 and item.interval is not None)
    if width == 80:
        assert any(line.endswith("100 cases") for line in lines)


def test_the_verdict_stands_before_the_sentences_that_decided_it() -> None:
    text = printed(VERDICT, 140, exposures=3)
    assert "discs (1,200 cases, 60 patients, use 3)" in text
    tail = text[text.index("FAIL  1 of 7 blocking requirements is not met.") :]
    assert "? Under contour dilation of 0.5 mm" in tail
    assert "✗ Of the malignant nodules" in tail
    assert "Exploratory" not in text
    assert "it cannot release" in printed(verdict(finding(), exploratory=True), 140)


@pytest.mark.parametrize("width", [60, 140])
def test_names_cannot_steer_a_terminal_or_its_markup(width: int) -> None:
    hostile = "\x1b[31mred\x1b[0m[bold]x[/bold]\x07\x08\r\u202e"
    made = finding(title=hostile, subgroup={"site": hostile}, outcome=Outcome.NOT_MET, words=hostile)
    text = printed(verdict(made, candidate=hostile, testset=hostile, words=hostile), width)
    assert not set(text) & set("\x1b\x07\x08\r\u202e")
    assert "[bold]x[/bold]" in text.replace("\n", "") or width < 100


def test_the_verdict_of_a_run_is_printed(finished_run: Path) -> None:
    made = Verdict.model_validate_json((finished_run / "verdict.json").read_bytes())
    for width in (60, 140):
        assert made.verdict.value in printed(made, width, exposures=1)
