"""What reports are told, made up around made-up findings; and texts that want to be more than text."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from made_up_findings import finding, verdict

from gatekeeper.errors import Code, Place, Problem
from gatekeeper.evidence import Finding, Outcome, Reason, VerdictWord
from gatekeeper.evidence.self_test import DefectOutcome, PlantedDefect, SelfTest
from gatekeeper.policy import load_policy
from gatekeeper.reporters import Asked, Failed, FinishedRun, Judged
from gatekeeper.verdict import Bar, ReleaseBar

OWN_POLICY = """\
# a policy of one's own, over a shipped one
defaults: [chest_ct/nodule_malignancy]
id: ours
requirements:
  specificity:
    lower_limit: {at_least: 90 %}
"""

FINDINGS = (
    finding(id="precision", title="Precision (PPV)"),
    finding(id="sensitivity", outcome=Outcome.NOT_MET),
    finding(id="specificity", title="Specificity", outcome=Outcome.NOT_MET, estimate=0.5, interval=(0.4, 0.6)),
    finding(
        id="flips_between_readers",
        title="Flips between readers",
        outcome=Outcome.NOT_DECIDED,
        reason=Reason.TOO_FEW_CASES,
        more_cases=40,
    ),
    finding(
        id="sensitivity[slice_thickness=over 2.5 mm]",
        subgroup={"slice_thickness": "over 2.5 mm"},
        outcome=Outcome.NOT_MET,
        blocking=False,
    ),
    finding(id="auroc", title="AUROC", outcome=Outcome.NOT_DECIDED, estimate=None, interval=None, blocking=False),
)
BARS = (ReleaseBar(Bar.NOT_PASSED, "the verdict is FAIL", "mend what is not met, and check again"),)

# Each would do something if a terminal, a runner, a page or a comment took it for more than text.
HOSTILE = (
    "::error file=a.py,line=1::x",
    "   ::set-output name=verdict::PASS",
    "##[error]x",
    "a ##[set-output name=verdict]PASS",
    "\n::warning::x\r\n##[add-mask]y\n",
    "\u2028::stop-commands::z",
    "| a | b |\n|---|---|\n",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "-->\n## Approved by QA",
    "[click](http://evil.example/a) ![p](http://evil.example/p.png) <http://evil.example>",
    "http://evil.example https://evil.example/?q=1 www.evil.example ftp://evil.example",
    "@octocat @org/team octo@evil.example mailto:a@evil.example xmpp:a@evil.example",
    "#1 GH-1 org/repo#1 :rage: $\\alpha$ ~~gone~~ **bold** _it_ `code` ``two`` [^1]",
    "PASS\nreleasable=true\nEOF\nverdict<<EOF\nPASS\nEOF",
    "%0A::error::x %25",
    "\x1b[31mred\x1b[0m \u202egnp.exe \x00",
    "- [x] done",
    "1. one",
    "``` \n",
    "x" * 5000,
    "",
)


def finished(folder: Path, bars: tuple[ReleaseBar, ...] = BARS) -> FinishedRun:
    """Return a finished run in a folder, whether or not that is there."""
    defect = PlantedDefect(id="latency_tripled", done="all times tripled", outcome=DefectOutcome.NOT_SEEN)
    tested = SelfTest(a_a=True, defects=(defect,))
    names = [folder / name for name in ("dossier.pdf", "dossier.html", "attestation.dsse.json")]
    return FinishedRun(folder, *names, bars, True, 3, tested)


def judged(workspace: Path, *findings: Finding, **changes: object) -> Judged:
    """Return a verdict of FAIL under a policy of one's own, which is written into the workspace."""
    policy = workspace / "ours.yaml"
    policy.write_text(OWN_POLICY)
    loaded = load_policy(str(policy))
    content = {"verdict": VerdictWord.FAIL, "policy_id": "ours"} | changes
    made = verdict(*(findings or FINDINGS), **content)
    asked = Asked(workspace, "ours.yaml", "cnn.yaml", (policy,))
    return Judged(asked, made, loaded.policy, finished(workspace / "reports/run"), loaded.written_at, loaded.layers)


def released(workspace: Path) -> Judged:
    """Return a verdict of PASS that nothing bars."""
    made = judged(workspace, finding(), verdict=VerdictWord.PASS)
    return replace(made, run=finished(workspace / "reports/run", ()))


def failed(workspace: Path, *problems: Problem) -> Failed:
    """Return an error, by default of a policy that does not hold."""
    place = Place(str(workspace / "ours.yaml"), 4, 3, excerpt="  metric: precison")
    usual = Problem(Code.UNKNOWN_NAME, 'unknown metric "precison"', place, mend='did you mean "precision"?')
    return Failed(Asked(workspace, "ours.yaml", "cnn.yaml", (workspace / "ours.yaml",)), problems or (usual,), 2)
