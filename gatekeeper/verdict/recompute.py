"""Every number and the verdict again, from the records alone, held against what was claimed."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gatekeeper.candidate import CandidateRecord
from gatekeeper.errors import Code, IntegrityError
from gatekeeper.evidence import Condition, Environment, Evidence, Finding, Plan, Rows, Verdict, reproducible_digest
from gatekeeper.evidence.self_test import PlantedDefect, SelfTest
from gatekeeper.policy import Policy
from gatekeeper.suites import is_decided, plan_policy
from gatekeeper.testset import LockedCase, Manifest
from gatekeeper.testset.unusable import chosen, inputs_of
from gatekeeper.verdict.conclude import conclude
from gatekeeper.verdict.judge import judge
from gatekeeper.verdict.self_test import run_self_test

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
    _check_rows(policy, plan, candidate, manifest, evidence)
    _check_stopping(policy, plan, candidate, evidence)
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


def recompute_self_test(
    policy: Policy,
    candidate: CandidateRecord,
    environment: Environment,
    evidence: Evidence,
    started: str,
    claimed: SelfTest,
) -> int:
    """Plant every defect again and return how many were planted; ``started`` is when the run began.

    Raises IntegrityError with a sentence that says what does not hold.
    """
    operating_point = candidate.contract.operating_point
    again = run_self_test(policy, evidence, operating_point, environment=environment, started=started)
    for name in ("a_a", "differing", "shut_by"):
        if getattr(again, name) != getattr(claimed, name):
            raise _differs(f"the self-test's {name}", str(getattr(claimed, name)), str(getattr(again, name)))
    stated, found = ([defect.id for defect in test.defects] for test in (claimed, again))
    if stated != found:
        raise _differs("the list of planted defects", ", ".join(stated), ", ".join(found))
    for then, now in zip(claimed.defects, again.defects, strict=True):
        for name in PlantedDefect.model_fields:
            if getattr(now, name) != getattr(then, name):
                what = f'the {name.replace("_", " ")} of the planted defect "{then.id}"'
                raise _differs(what, str(getattr(then, name)), str(getattr(now, name)))
    return len(again.defects)


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


def _check_rows(policy: Policy, plan: Plan, candidate: CandidateRecord, manifest: Manifest, evidence: Evidence) -> None:
    """Hold the evidence against the lock: the cases of every condition are those that were locked, in their order."""
    attributes = sorted({name for case in manifest.cases for name in case.attributes})
    if sorted(evidence.attributes) != attributes:
        raise _differs("the attributes in the evidence", ", ".join(sorted(evidence.attributes)), ", ".join(attributes))
    # A condition that cannot be run here is left out: what needs it is then not decided, so that no pass hangs on it.
    elsewhere = candidate.contract.format == "predictions"
    wanted = [
        condition.id
        for number, condition in enumerate(plan.conditions)
        if condition.id in evidence.conditions
        or not (condition.numeric_format or condition.until_decided or condition.refusal or (elsewhere and number))
    ]
    if list(evidence.conditions) != wanted:
        raise _differs("the conditions in the evidence", ", ".join(evidence.conditions), ", ".join(wanted))
    for condition in plan.conditions:
        if condition.id not in wanted:
            continue
        rows = evidence.under(condition.id)
        cases = _cases_of(condition, policy, candidate, manifest, rows)
        expected = condition.recorded_calls or len(cases)
        if len(rows) != expected:
            raise _differs(f'the number of rows under "{condition.id}"', str(len(rows)), str(expected))
        _check_answers(condition, rows)
        for index in range(len(rows)):
            case = cases[index % len(cases)]
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


def _cases_of(
    condition: Condition, policy: Policy, candidate: CandidateRecord, manifest: Manifest, rows: Rows
) -> Sequence[LockedCase]:
    """Return the locked cases that the rows of a condition are of, in their order.

    Of unusable inputs there are those that were to be tried; which of them were alike to the candidate, and tried once,
    only their pixels tell.
    """
    if condition.refusal is None:
        return manifest.cases
    taken, tried = candidate.contract.input, set(rows.case.tolist())
    indices = chosen(
        condition.refusal,
        condition.tries,
        manifest,
        policy.context.modality,
        volumes=taken.axes == 3,
        original=taken.gives == "original",
    )
    inputs = inputs_of(manifest)
    return [inputs[index] for index in indices if inputs[index].case_id in tried]


def _check_stopping(policy: Policy, plan: Plan, candidate: CandidateRecord, evidence: Evidence) -> None:
    """See that reruns were made, and left out, as their rule says of this evidence."""
    if candidate.contract.format == "predictions":
        return
    for condition in plan.conditions:
        made = condition.id in evidence.conditions
        if condition.until_decided and made is is_decided(
            policy, candidate.contract.operating_point, condition.id, evidence
        ):
            raise IntegrityError(
                Code.NOT_RECOMPUTED,
                f'the run {"goes on with" if made else "stops before"} "{condition.id}"',
                why=f"the reruns before it had {'' if made else 'not '}decided",
            )


def _check_answers(condition: Condition, rows: Rows) -> None:
    """Refuse answers that no run writes down: a probability outside [0, 1], a call that took no time."""
    if condition.recorded_calls:
        possible = bool(np.all((rows.seconds > 0.0) & np.isfinite(rows.seconds) | ~rows.answered))
        possible = possible and not any(np.any((told < 0.0) | np.isinf(told)) for told in rows.clock.values())
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
