"""A verdict as Markdown: a comment on a pull request, and the page of a job summary."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

from gatekeeper.errors import Problem
from gatekeeper.evidence import Finding, Outcome, VerdictWord
from gatekeeper.evidence.notation import write_number, write_threshold
from gatekeeper.reporters.drawing import plot
from gatekeeper.reporters.markdown_text import code, plain
from gatekeeper.reporters.told import (
    MARKS,
    Asked,
    Failed,
    FinishedRun,
    Judged,
    Told,
    by_weight,
    closes_the_gate,
    counted_cases,
    sentence,
)

MARKER = "<!-- gatekeeper-report"
_COMMENT_BYTES = 60_000  # GitHub takes comments of 65,536 characters
_SENTENCES = 10
_PROBLEMS = 20
_SIGNS = {
    VerdictWord.PASS: "✅",
    VerdictWord.FAIL: "❌",
    VerdictWord.INCONCLUSIVE: "⚠️",
    VerdictWord.INVALID: "⛔",
}
_HEAD = ("|   | requirement, n | estimate | interval | threshold |", "|---|---|--:|---|---|")


def comment(told: Told) -> str:
    """Return a comment of under 64 kB. Its first line is hidden and stays the same from run to run, to find it by."""
    marker = f"{MARKER} {_key(told.asked)} -->\n"
    return marker + page(told, _COMMENT_BYTES - len(marker))


def page(told: Told, most_bytes: int) -> str:
    """Return what is told, as a page of at most so many bytes of UTF-8: findings are left out at its end, and counted.

    ``most_bytes`` is at least 20,000.
    """
    if isinstance(told, Failed):
        return _joined([*_error_lines(told)])
    above, below = [*_opening(told)], [*_closing(told)]
    room = most_bytes - len(_joined([*above, *below]).encode()) - 500  # what frames the tables
    return _joined([*above, *_tables(told, room), *below])


def _key(asked: Asked) -> str:
    return hashlib.sha256(f"{asked.policy}\0{asked.candidate}".encode("utf-8", "replace")).hexdigest()[:12]


def _joined(lines: Sequence[str]) -> str:
    return "\n".join(lines) + "\n"


def _opening(judged: Judged) -> Iterator[str]:
    verdict = judged.verdict
    yield f"## {_SIGNS[verdict.verdict]} {verdict.verdict.value}: {plain(verdict.candidate, 200)}"
    yield ""
    yield (
        f"Candidate {code(verdict.candidate)} under policy {code(f'{verdict.policy_id} {verdict.policy_version}')}, "
        f"test set {code(verdict.testset)}: {verdict.cases:,} cases, {verdict.patients:,} patients."
    )
    yield ""
    yield f"**{verdict.verdict.value}.** {plain(verdict.words)}"
    if verdict.exploratory:
        yield ""
        yield "Exploratory: the policy was changed for this run; it cannot release."
    closing = [finding for finding in by_weight(verdict.findings) if closes_the_gate(finding)]
    if closing:
        yield ""
    for finding in closing[:_SENTENCES]:
        yield f"- {MARKS[finding.outcome]} {plain(finding.words)}"
    if len(closing) > _SENTENCES:
        yield f"- and {len(closing) - _SENTENCES:,} more, in the table"
    yield ""


def _tables(judged: Judged, room: int) -> Iterator[str]:
    """Give the blocking findings, then the others folded away, as many as there is room for."""
    findings = by_weight(judged.verdict.findings)
    rows: list[tuple[Finding, str]] = []
    for finding in findings:
        row = _row(finding)
        room -= len(row.encode()) + 1
        if room < 0:
            break
        rows.append((finding, row))
    blocking = [row for finding, row in rows if finding.blocking]
    others = [row for finding, row in rows if not finding.blocking]
    if blocking:
        yield from (*_HEAD, *blocking, "")
    if len(rows) < len(findings):
        yield _left_out(findings[len(rows) :])
        yield ""
    if others:
        count = f"{len(others):,} advisory finding{'' if len(others) == 1 else 's'}"
        yield from (f"<details><summary>{count}</summary>", "", *_HEAD, *others, "", "</details>", "")


def _left_out(findings: Sequence[Finding]) -> str:
    closing = sum(closes_the_gate(finding) for finding in findings)
    of_these = f" Of these, {closing:,} close the gate." if closing else ""
    return f"**{len(findings):,} findings are left out here**, for want of room.{of_these} The dossier has them all."


def _row(finding: Finding) -> str:
    estimate = "–" if finding.estimate is None else write_number(finding, finding.estimate)
    interval = "–"
    if finding.interval is not None and finding.estimate is not None:
        lower, upper = (write_number(finding, end) for end in finding.interval)
        interval = f"{code(plot(finding))}<br>{_held(f'{lower} to {upper}')}"
    weight = f" (waived until {plain(finding.waived.expires, 20)})" if finding.waived else ""
    said = "" if finding.outcome is Outcome.MET else f" {finding.outcome.value}"
    cells = (
        _held(MARKS[finding.outcome] + said),
        f"{plain(finding.full_title, 200)}{weight}<br>{plain(counted_cases(finding), 200)}",
        _held(estimate),
        interval,
        _held(write_threshold(finding)),
    )
    return f"| {' | '.join(cells)} |"


def _held(number: str) -> str:
    """Keep a number and its unit in one line."""
    return number.replace(" ", "\u00a0")


def _closing(judged: Judged) -> Iterator[str]:
    verdict, run = judged.verdict, judged.run
    if run is None:
        yield "Stored evidence was judged again: nothing was run, and this releases nothing."
    else:
        yield from _release(run)
    yield ""
    digests = verdict.digests
    told = (("candidate", digests.candidate), ("policy", digests.policy), ("lock", digests.lock))
    yield "<br>".join(f"{name} {code(digest)}" for name, digest in told)


def _release(run: FinishedRun) -> Iterator[str]:
    if run.bars:
        yield "**Release barred:**"
        yield ""
        for bar in run.bars:
            yield f"- {plain(bar.words)}: {bar.mend}"
    else:
        yield "**Release:** nothing bars it."
    yield ""
    yield f"**Dossier** {code(str(run.dossier), 500)}<br>"
    yield f"**Attestation** {code(str(run.attestation), 500)}"
    if run.development:
        yield ""
        yield "Signed with a DEVELOPMENT KEY: not for release."


def _error_lines(failed: Failed) -> Iterator[str]:
    yield f"## ⛔ Nothing was judged (exit code {failed.exit_code})"
    yield ""
    yield "The check ended in an error: there is no verdict, and nothing can be released."
    yield ""
    for problem in failed.problems[:_PROBLEMS]:
        yield f"- {_problem(problem)}"
    if len(failed.problems) > _PROBLEMS:
        yield f"- and {len(failed.problems) - _PROBLEMS:,} more: the log has them all"


def _problem(problem: Problem) -> str:
    where = f"<br>at {code(str(problem.where))}" if problem.where else ""
    said = (plain(sentence(part), 500) for part in (problem.what, problem.why, problem.mend) if part)
    return f"**{problem.code.value}** {' '.join(said)}{where}"
