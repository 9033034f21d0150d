"""Every number and the verdict again, from the records alone, held against what was claimed."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from gatekeeper.candidate import CandidateRecord
from gatekeeper.errors import Code, IntegrityError
from gatekeeper.evidence import Condition, Environment, Evidence, Finding, Plan, Rows, Verdict, reproducible_digest
from gatekeeper.policy import Policy
from gatekeeper.suites import plan_policy
from gatekeeper.testset import Manifest
from gatekeeper.verdict.conclude import conclude
from gatekeeper.verdict.judge import judge

# Another processor may differ in the last bits of a sum; a claimed number must agree to nine digits.
_RELATIVE_TOLERANCE = 1e-9


def recompute(
    policy: Policy,
    plan: Plan,
    candidate: CandidateRecord,
    manifest: Manifest,
    environment: Environment,
    evidence: Evidence,
    claimed: Verdict,
) -> int:
    """Recompute a verdict and return how many numbers were compared.

    Raises IntegrityError with a sentence that says what does not hold: a digest, the plan, a row of evidence, a
    number, an outcome, or the verdict.
    """
    _check_digests(policy, plan, candidate, manifest, claimed)
    _check_rows(plan, candidate, manifest, evidence)
    operating_point, started = candidate.contract.operating_point, claimed.run.started
    findings = judge(policy, evidence, operating_point, environment=environment, started=started)
    again = conclude(
        policy,
        plan,
        findings,
        candidate,
        manifest,
        claimed.run,
        evidence=evidence,
        exploratory=claimed.exploratory,
    )
    numbers = _check_findings(again, claimed)
    for name in (
        "verdict",
        "without_waivers",
        "words",
        "policy_id",
        "policy_version",
        "candidate",
        "testset",
        "cases",
        "patients",
    ):
        if getattr(again, name) != getattr(claimed, name):
            raise _differs(f"the {name.replace('_', ' ')}", str(getattr(claimed, name)), str(getattr(again, name)))
    digest = reproducible_digest(claimed.verdict, claimed.digests, claimed.findings)
    if claimed.reproducible != digest:
        raise _differs("the digest of what two runs share", claimed.reproducible, digest)
    return numbers


def _check_digests(
    policy: Policy, plan: Plan, candidate: CandidateRecord, manifest: Manifest, claimed: Verdict
) -> None:
    for what, claim, found in (
        ("the digest of the candidate's record", candidate.digest, candidate.recomputed),
        ("the candidate's digest", claimed.digests.candidate, candidate.digest),
        ("the policy's digest", claimed.digests.policy, policy.digest),
        ("the lock's digest", claimed.digests.lock, manifest.digest),
        ("the plan's digest", claimed.digests.plan, plan.digest),
        ("the plan that follows from the policy", plan.digest, plan_policy(policy).digest),
    ):
        if claim != found:
            raise _differs(what, claim, found)


def _check_rows(plan: Plan, candidate: CandidateRecord, manifest: Manifest, evidence: Evidence) -> None:
    """Hold the evidence against the lock: the cases of every condition are those that were locked, in their order."""
    attributes = sorted({name for case in manifest.cases for name in case.attributes})
    if sorted(evidence.attributes) != attributes:
        raise _differs("the attributes in the evidence", ", ".join(sorted(evidence.attributes)), ", ".join(attributes))
    # A condition that cannot be run here is left out: what needs it is then not decided, so that no pass hangs on it.
    elsewhere = candidate.contract.format == "predictions"
    wanted = [
        condition.id
        for number, condition in enumerate(plan.conditions)
        if condition.id in evidence.conditions or not (condition.numeric_format or (elsewhere and number))
    ]
    if list(evidence.conditions) != wanted:
        raise _differs("the conditions in the evidence", ", ".join(evidence.conditions), ", ".join(wanted))
    for condition in plan.conditions:
        if condition.id not in wanted:
            continue
        rows = evidence.under(condition.id)
        expected = condition.timed_calls or len(manifest.cases)
        if len(rows) != expected:
            raise _differs(f'the number of rows under "{condition.id}"', str(len(rows)), str(expected))
        _check_answers(condition, rows)
        for index in range(len(rows)):
            case = manifest.cases[index % len(manifest.cases)]
            row = (rows.case[index], rows.patient[index], rows.subject[index], int(rows.label[index]))
            if row != (case.case_id, case.patient, case.subject, case.label):
                raise IntegrityError(
                    Code.NOT_RECOMPUTED,
                    f'a row of evidence under "{condition.id}" is not the locked case "{case.case_id}"',
                    why="case id, patient, subject or label differ from the lock",
                )
            if any(values[index] != case.attributes.get(name, "") for name, values in rows.attributes.items()):
                raise IntegrityError(
                    Code.NOT_RECOMPUTED,
                    f'the attributes of case "{case.case_id}" in the evidence are not those that were locked',
                )


def _check_answers(condition: Condition, rows: Rows) -> None:
    """Refuse answers that no run writes down: a probability outside [0, 1], a call that took no time."""
    if condition.timed_calls:
        possible = bool(np.all((rows.seconds > 0.0) & np.isfinite(rows.seconds) | ~rows.answered))
    else:
        possible = _possible(rows)
    if not possible:
        raise IntegrityError(
            Code.NOT_RECOMPUTED,
            f'a row of evidence under "{condition.id}" holds no possible answer',
            why="a score lies between 0 and 1, a time above 0 seconds",
        )


def _possible(rows: Rows) -> bool:
    """Say whether answers are such as a run writes down: probabilities, finite numbers, lesions that exist."""
    answered, findings = rows.answered, rows.findings
    scores = rows.score[answered]
    # Where answers are of structures or of classes there need not be a score.
    held = bool(np.all((scores >= 0.0) & (scores <= 1.0) | (np.isnan(scores) & bool(rows.answers))))
    for name, values in rows.answers.items():
        given = values[answered]
        bounded = (given >= 0.0) & (given <= 1.0) if name.startswith("probability.") else ~np.isinf(given)
        held = held and bool(np.all(bounded))
    if findings is None:
        return held
    pairs = zip(findings.scores, findings.hits, findings.lesions, strict=True)
    return held and all(
        len(values) == len(hits) and lesions >= 0 and np.isfinite(values).all() and _exist(hits, int(lesions))
        for values, hits, lesions in pairs
    )


def _exist(hits: NDArray[np.int64], lesions: int) -> bool:
    """Say whether each hit is of a lesion that is there, and none is hit twice; -1 and -2 are no hits."""
    named = hits[hits >= 0]
    return bool(np.all((hits >= -2) & (hits < lesions))) and len(np.unique(named)) == len(named)


def _check_findings(again: Verdict, claimed: Verdict) -> int:
    numbers = 0
    if [finding.id for finding in again.findings] != [finding.id for finding in claimed.findings]:
        raise IntegrityError(Code.NOT_RECOMPUTED, "the list of findings is not the one that policy and evidence give")
    for now, then in zip(again.findings, claimed.findings, strict=True):
        for what, recomputed, stated in zip(
            ("estimate", "lower limit", "upper limit"), _numbers(now), _numbers(then), strict=True
        ):
            if not _agree(recomputed, stated):
                raise _differs(f'the {what} of "{then.id}"', str(stated), str(recomputed))
            numbers += recomputed is not None
        without_numbers = {"estimate": None, "interval": None}
        if now.model_copy(update=without_numbers) != then.model_copy(update=without_numbers):
            fields = [
                name
                for name in type(now).model_fields
                if name not in without_numbers and getattr(now, name) != getattr(then, name)
            ]
            raise _differs(
                f'the {fields[0].replace("_", " ")} of "{then.id}"',
                str(getattr(then, fields[0])),
                str(getattr(now, fields[0])),
            )
    return numbers


def _numbers(finding: Finding) -> tuple[float | None, float | None, float | None]:
    lower, upper = finding.interval or (None, None)
    return finding.estimate, lower, upper


def _agree(recomputed: float | None, stated: float | None) -> bool:
    if recomputed is None or stated is None:
        return recomputed is stated
    return math.isclose(recomputed, stated, rel_tol=_RELATIVE_TOLERANCE, abs_tol=1e-12)


def _differs(what: str, stated: str, found: str) -> IntegrityError:
    return IntegrityError(Code.NOT_RECOMPUTED, f"{what} does not hold: stated {stated}, recomputed {found}")
