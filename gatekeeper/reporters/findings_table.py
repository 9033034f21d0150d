"""Findings in a terminal: a table where it is wide enough, two lines a finding where it is not."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING

from gatekeeper.errors import printable
from gatekeeper.evidence import Finding, Outcome
from gatekeeper.evidence.notation import write_number, write_threshold
from gatekeeper.reporters.drawing import track
from gatekeeper.reporters.told import MARKS, counted_cases, weight_of

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

WIDE = 110  # columns from which a table leaves room for titles
_DRAWN = 80  # columns below which an interval is written, not drawn
_STYLES = {Outcome.MET: "green", Outcome.NOT_MET: "bold red", Outcome.NOT_DECIDED: "yellow"}


def findings_table(findings: tuple[Finding, ...]) -> Table:
    """Return a table of a line a finding, long titles aside."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", show_edge=False)
    table.add_column("")
    table.add_column("requirement", overflow="fold")
    table.add_column("estimate", justify="right", no_wrap=True)
    table.add_column("interval", no_wrap=True)
    table.add_column("threshold", no_wrap=True)
    table.add_column("n", overflow="fold")
    for finding in findings:
        table.add_row(
            _mark(finding),
            Text(printable(finding.full_title) + weight_of(finding)),
            Text(_estimate(finding)),
            Text(_interval(finding, drawn=True)),
            Text(write_threshold(finding)),
            Text(printable(counted_cases(finding))),
        )
    return table


def stacked_findings(findings: tuple[Finding, ...], width: int) -> Iterator[Text]:
    """Give lines: the title of a finding with its weight, and below it the numbers in columns."""
    from rich.text import Text

    drawn = width >= _DRAWN
    rows = [(_estimate(one), _interval(one, drawn=drawn), write_threshold(one)) for one in findings]
    head = ("estimate", "interval", "threshold")
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    yield Text(_columns(head, widths) + "n", style="dim")
    for finding, row in zip(findings, rows, strict=True):
        first, *others = textwrap.wrap(printable(finding.full_title) + weight_of(finding), width - 2) or [""]
        yield Text.assemble(_mark(finding), f" {first}")
        yield from (Text(f"  {line}") for line in others)
        numbers = _columns(row, widths)
        yield Text(numbers + _counted(finding, width - len(numbers) if drawn else 0))


def _columns(cells: tuple[str, ...], widths: list[int]) -> str:
    estimate, *others = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
    return "  ".join(("", estimate.strip().rjust(widths[0]), *others, ""))


def _counted(finding: Finding, room: int) -> str:
    """Say what was counted, in as many words as there is room for."""
    of = printable(finding.n_of)
    ways = (printable(counted_cases(finding)), f"{finding.n:,} {of}", f"{finding.n:,} {of.partition(' (')[0]}")
    return next((words for words in ways if len(words) <= room), f"{finding.n:,}")


def _mark(finding: Finding) -> Text:
    from rich.text import Text

    return Text(MARKS[finding.outcome], style=_STYLES[finding.outcome])


def _estimate(finding: Finding) -> str:
    return "–" if finding.estimate is None else write_number(finding, finding.estimate)


def _interval(finding: Finding, *, drawn: bool) -> str:
    """Write the ends of an interval; draw between them, with the estimate as a dot at its place."""
    if finding.interval is None or finding.estimate is None:
        return "–"
    lower, upper = (write_number(finding, end) for end in finding.interval)
    return f"{lower:>7} {track(finding)} {upper}" if drawn else f"{lower} to {upper}"
