"""What a report tells of: a verdict with all that belongs to it, or the error that kept it from being reached."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gatekeeper.errors import Place, Problem
from gatekeeper.evidence import Finding, Outcome, Verdict
from gatekeeper.evidence.self_test import SelfTest
from gatekeeper.policy import Policy
from gatekeeper.strict_yaml import KeyPath
from gatekeeper.verdict import ReleaseBar


@dataclass(frozen=True)
class Asked:
    """What was asked for, known before anything was read.

    ``workspace`` is the root of the repository, to which places in reports are relative. ``anchors`` are files of the
    user's own, for what has no place in the workspace, the best one first. ``policy`` and ``candidate`` are as they
    stood on the command line: they name a report from run to run.
    """

    workspace: Path
    policy: str = ""
    candidate: str = ""
    anchors: tuple[Path, ...] = ()


@dataclass(frozen=True)
class FinishedRun:
    """A run whose folder is written: its files, what bars its release, and what is known of it beside its verdict."""

    folder: Path
    dossier: Path
    page: Path
    attestation: Path
    bars: tuple[ReleaseBar, ...]
    development: bool
    exposures: int
    self_test: SelfTest
    with_self_test: bool = False


@dataclass(frozen=True)
class Judged:
    """A verdict. ``run`` is None where stored evidence was judged again: that is no run, and releases nothing.

    ``written_at`` tells which file sets a key of the policy; None where the policy has no file.
    """

    asked: Asked
    verdict: Verdict
    policy: Policy
    run: FinishedRun | None = None
    written_at: Callable[[KeyPath], Place] | None = None
    layers: tuple[str, ...] = ()

    @property
    def releasable(self) -> bool:
        """Whether nothing bars the release of a finished run."""
        return self.run is not None and not self.run.bars


@dataclass(frozen=True)
class Failed:
    """An error: nothing was judged. ``exit_code`` is the process's."""

    asked: Asked
    problems: tuple[Problem, ...]
    exit_code: int


Told = Judged | Failed

MARKS = {Outcome.MET: "✓", Outcome.NOT_MET: "✗", Outcome.NOT_DECIDED: "?"}
_OUTCOMES = (Outcome.NOT_MET, Outcome.NOT_DECIDED, Outcome.MET)


def sentence(text: str) -> str:
    """Return text with the capital and the full stop of a sentence."""
    return f"{text[:1].upper()}{text[1:]}" + ("" if text.endswith((".", "?", "!")) else ".")


def sentences(problem: Problem) -> str:
    """Return what is wrong, why, and what mends it, as sentences."""
    return " ".join(sentence(part) for part in (problem.what, problem.why, problem.mend) if part)


def closes_the_gate(finding: Finding) -> bool:
    """Whether a finding alone keeps the verdict from being PASS."""
    return finding.blocking and finding.waived is None and finding.outcome is not Outcome.MET


def by_weight(findings: tuple[Finding, ...]) -> list[Finding]:
    """Return findings as a hurried reader wants them: blocking ones first, and of these what is not met."""
    return sorted(findings, key=lambda one: (not one.blocking, one.waived is not None, _OUTCOMES.index(one.outcome)))


def weight_of(finding: Finding) -> str:
    """Return what a finding weighs, where it is not blocking: `` (waived)``, `` (advisory)``."""
    return " (waived)" if finding.waived else "" if finding.blocking else " (advisory)"


def counted_cases(finding: Finding) -> str:
    """Return what was counted, and how many more would decide: ``34 positive cases; about 170 more decide``."""
    more = "" if finding.more_cases is None else f"; about {finding.more_cases:,} more decide"
    return f"{finding.n:,} {finding.n_of}{more}"
