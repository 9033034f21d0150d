"""Findings to a verdict."""

from __future__ import annotations

from collections.abc import Iterable

from gatekeeper.candidate import CandidateRecord
from gatekeeper.evidence import (
    Digests,
    Finding,
    Outcome,
    Plan,
    RunStamp,
    Verdict,
    VerdictWord,
    reproducible_digest,
)
from gatekeeper.policy import Policy
from gatekeeper.testset import Manifest


def decide(findings: Iterable[Finding]) -> VerdictWord:
    """FAIL when a blocking requirement is not met, else INCONCLUSIVE when one is not decided, else PASS.

    Advisory findings never count, nor do those that a waiver in force covers. Raises ValueError when nothing
    counts: nothing judged is never a pass.
    """
    outcomes = [finding.outcome for finding in findings if finding.blocking and finding.waived is None]
    if not outcomes:
        raise ValueError("no blocking finding to decide on")
    if Outcome.NOT_MET in outcomes:
        return VerdictWord.FAIL
    return VerdictWord.INCONCLUSIVE if Outcome.NOT_DECIDED in outcomes else VerdictWord.PASS


def conclude(
    policy: Policy,
    plan: Plan,
    findings: tuple[Finding, ...],
    candidate: CandidateRecord,
    manifest: Manifest,
    run: RunStamp,
    *,
    exploratory: bool,
) -> Verdict:
    """Make the verdict on a candidate from its findings."""
    word = decide(findings)
    strict = decide(finding.model_copy(update={"waived": None}) for finding in findings)
    waived = any(finding.waived for finding in findings)
    digests = Digests(policy=policy.digest, candidate=candidate.digest, lock=manifest.digest, plan=plan.digest)
    return Verdict(
        verdict=word,
        without_waivers=strict if waived else None,
        words=_words(word, findings) + _waived(strict, findings),
        policy_id=policy.id,
        policy_version=policy.version,
        candidate=candidate.name,
        testset=manifest.name,
        cases=len(manifest.cases),
        patients=manifest.patients,
        exploratory=exploratory,
        digests=digests,
        findings=findings,
        reproducible=reproducible_digest(word, digests, findings),
        run=run,
    )


def _words(word: VerdictWord, findings: tuple[Finding, ...]) -> str:
    blocking = [finding for finding in findings if finding.blocking and finding.waived is None]
    if word is VerdictWord.PASS:
        if len(blocking) == 1:
            return "The one blocking requirement is met."
        return f"All {len(blocking)} blocking requirements are met."
    wanted = Outcome.NOT_MET if word is VerdictWord.FAIL else Outcome.NOT_DECIDED
    titles = [finding.full_title for finding in blocking if finding.outcome is wanted]
    verb = "is" if len(titles) == 1 else "are"
    return f"{len(titles)} of {len(blocking)} blocking requirements {verb} {wanted.value}: {'; '.join(titles)}."


def _waived(strict: VerdictWord, findings: tuple[Finding, ...]) -> str:
    """Say what waivers took out, so that no verdict hides the one beneath it."""
    told = [
        f"{finding.full_title} ({finding.outcome.value}, waived until {finding.waived.expires})"
        for finding in findings
        if finding.waived
    ]
    return f" Not counted: {'; '.join(told)}. Without waivers: {strict.value}." if told else ""
