"""Findings to a verdict."""

from __future__ import annotations

from collections.abc import Iterable

from gatekeeper.candidate import CandidateRecord
from gatekeeper.candidate.contract import NEED_TRUST
from gatekeeper.evidence import (
    BASELINE,
    CaseOutcome,
    Digests,
    Evidence,
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
    evidence: Evidence,
    exploratory: bool,
) -> Verdict:
    """Make the verdict on a candidate from its findings; ``evidence`` tells how many cases it did not answer."""
    word = decide(findings)
    strict = decide(finding.model_copy(update={"waived": None}) for finding in findings)
    waived = any(finding.waived for finding in findings)
    digests = Digests(policy=policy.digest, candidate=candidate.digest, lock=manifest.digest, plan=plan.digest)
    return Verdict(
        verdict=word,
        without_waivers=strict if waived else None,
        words=_words(word, findings) + _waived(strict, findings) + _unanswered(evidence) + _how_it_ran(candidate),
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


def _unanswered(evidence: Evidence) -> str:
    """Count the cases of the baseline that gave no answer: no figure in a verdict hides them."""
    outcomes = evidence.outcomes_under(BASELINE.id)
    failed = [(outcome, count) for outcome, count in outcomes.items() if outcome is not CaseOutcome.OK and count]
    if not failed:
        return ""
    told = ", ".join(f"{count:,} {outcome.value.replace('_', ' ')}" for outcome, count in failed)
    total, lost = sum(outcomes.values()), sum(count for _, count in failed)
    return f" No usable answer to {lost:,} of {total:,} cases: {told}."


def _how_it_ran(candidate: CandidateRecord) -> str:
    """Say what the reader must know of the candidate before the verdict is believed."""
    contract = candidate.contract
    if contract.format == "predictions":
        return " The model was not run here: the verdict is on predictions that were made elsewhere."
    if contract.format in NEED_TRUST:
        return f" The candidate's format ({contract.format}) can run code of its own; its producer is declared trusted."
    return ""


def _waived(strict: VerdictWord, findings: tuple[Finding, ...]) -> str:
    """Say what waivers took out, so that no verdict hides the one beneath it."""
    told = [
        f"{finding.full_title} ({finding.outcome.value}, waived until {finding.waived.expires})"
        for finding in findings
        if finding.waived
    ]
    return f" Not counted: {'; '.join(told)}. Without waivers: {strict.value}." if told else ""
