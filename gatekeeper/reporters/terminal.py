"""A verdict as a person reads it in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gatekeeper.errors import printable
from gatekeeper.evidence import Finding, Outcome, Verdict, VerdictWord
from gatekeeper.evidence.notation import write_number, write_threshold

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

MARKS = {Outcome.MET: "✓", Outcome.NOT_MET: "✗", Outcome.NOT_DECIDED: "?"}
_STYLES = {Outcome.MET: "green", Outcome.NOT_MET: "bold red", Outcome.NOT_DECIDED: "yellow"}
_VERDICT_STYLES = {VerdictWord.PASS: "bold green", VerdictWord.FAIL: "bold red"}
_TRACK = 10
_NARROW = 80  # columns below which a drawn interval and long denominators would squeeze the titles


def print_verdict(console: Console, verdict: Verdict, exposures: int | None = None) -> None:
    """Print the head, the table of findings, and the verdict with the sentences that decided it."""
    from rich.text import Text

    digest = verdict.digests.candidate.removeprefix("sha256:")
    use = f", use {exposures}" if exposures is not None else ""
    head = (
        f"{verdict.policy_id} {verdict.policy_version} · candidate {verdict.candidate} {digest[:4]}…{digest[-4:]} · "
        f"{verdict.testset} ({verdict.cases:,} cases, {verdict.patients:,} patients{use})"
    )
    console.print(Text(printable(head)), highlight=False)
    console.print()
    console.print(_table(verdict, narrow=console.width < _NARROW))
    console.print()
    style = _VERDICT_STYLES.get(verdict.verdict, "bold yellow")
    console.print(Text.assemble((verdict.verdict.value, style), "  ", printable(verdict.words)), highlight=False)
    for finding in verdict.findings:
        if finding.blocking and finding.outcome is not Outcome.MET:
            console.print(Text(f"  {MARKS[finding.outcome]} {printable(finding.words)}"), highlight=False)
    if verdict.exploratory:
        console.print(Text("Exploratory: the policy was changed for this run; it cannot release."), highlight=False)


def _table(verdict: Verdict, narrow: bool) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", show_edge=False)
    table.add_column("")
    table.add_column("requirement", overflow="fold")
    table.add_column("estimate", justify="right", no_wrap=True)
    table.add_column("interval", no_wrap=True)
    table.add_column("threshold", no_wrap=True)
    table.add_column("n", overflow="fold")
    for finding in verdict.findings:
        mark = Text(MARKS[finding.outcome], style=_STYLES[finding.outcome])
        weight = " (waived)" if finding.waived else "" if finding.blocking else " (advisory)"
        estimate = "–" if finding.estimate is None else write_number(finding, finding.estimate)
        threshold = Text(write_threshold(finding))
        counted = f"{finding.n:,}" if narrow else f"{finding.n:,} {finding.n_of}"
        if finding.more_cases is not None and not narrow:
            counted += f"; about {finding.more_cases:,} more decide"
        table.add_row(
            mark,
            Text(printable(finding.full_title) + weight),
            Text(estimate),
            Text(_interval(finding, narrow)),
            threshold,
            Text(counted),
        )
    return table


def _interval(finding: Finding, narrow: bool) -> str:
    """Draw the interval: its ends in numbers, the estimate (unless narrow) as a dot at its place between them."""
    if finding.interval is None or finding.estimate is None:
        return "–"
    lower, upper = finding.interval
    if narrow:
        return f"{write_number(finding, lower)} to {write_number(finding, upper)}"
    width = upper - lower
    place = 0.5 if width <= 0 else min(1.0, max(0.0, (finding.estimate - lower) / width))
    dot = round(place * (_TRACK - 1))
    track = "─" * dot + "●" + "─" * (_TRACK - 1 - dot)
    return f"{write_number(finding, lower):>7} {track} {write_number(finding, upper)}"
