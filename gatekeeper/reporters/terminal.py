"""A verdict as a person reads it in a terminal, or in a log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gatekeeper.errors import printable
from gatekeeper.evidence import Outcome, Verdict, VerdictWord
from gatekeeper.reporters.findings_table import WIDE, findings_table, stacked_findings
from gatekeeper.reporters.self_test import print_self_test
from gatekeeper.reporters.told import MARKS, Judged

if TYPE_CHECKING:
    from rich.console import Console

    from gatekeeper.verdict import ReleaseBar

_VERDICT_STYLES = {VerdictWord.PASS: "bold green", VerdictWord.FAIL: "bold red"}


def print_judged(console: Console, judged: Judged) -> None:
    """Print the verdict and, of a finished run, what the gate would not see, where the dossier is, and its release."""
    run = judged.run
    print_verdict(console, judged.verdict, run.exposures if run else None)
    if run is None:
        return
    print_self_test(console, run.self_test, whole=run.with_self_test)
    signed = "DEVELOPMENT KEY, not for release" if run.development else "release key"
    for line in (
        f"dossier  {run.dossier}   signed: tool ({signed})",
        f"page     {run.page}   for browsers, unsigned",
        *release_lines(run.bars),
    ):
        console.print(printable(line), highlight=False, markup=False, soft_wrap=True)


def release_lines(bars: tuple[ReleaseBar, ...]) -> list[str]:
    """Return what bars the release, a line each."""
    if not bars:
        return ["release  nothing bars it"]
    heads = ["release  barred:", *["                "] * (len(bars) - 1)]
    return [printable(f"{head} {bar.words}") for head, bar in zip(heads, bars, strict=True)]


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
    if console.width >= WIDE:
        console.print(findings_table(verdict.findings))
    else:
        for line in stacked_findings(verdict.findings, console.width):
            console.print(line, highlight=False)
    console.print()
    style = _VERDICT_STYLES.get(verdict.verdict, "bold yellow")
    console.print(Text.assemble((verdict.verdict.value, style), "  ", printable(verdict.words)), highlight=False)
    for finding in verdict.findings:
        if finding.blocking and finding.outcome is not Outcome.MET:
            console.print(Text(f"  {MARKS[finding.outcome]} {printable(finding.words)}"), highlight=False)
    if verdict.exploratory:
        console.print(Text("Exploratory: the policy was changed for this run; it cannot release."), highlight=False)
