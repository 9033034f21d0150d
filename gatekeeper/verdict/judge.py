"""Requirement and measurement to finding. Pure functions of policy, evidence and operating point."""

from __future__ import annotations

from collections.abc import Iterator

from gatekeeper.evidence import Evidence, Finding, Outcome, Reason
from gatekeeper.metrics import Suite
from gatekeeper.policy import Policy, Requirement
from gatekeeper.statistics import Interval, cases_to_decide
from gatekeeper.suites import Measurement, measure, measure_subgroup, undefined
from gatekeeper.verdict.words import title_of, words_of

_LARGEST_STUDY = 1_000_000


def judge(policy: Policy, evidence: Evidence, operating_point: float) -> tuple[Finding, ...]:
    """Return every finding: blocking ones in the policy's order, advisory ones, then subgroups.

    In serial gatekeeping a blocking requirement is claimed only when all before it are met.
    """
    findings: list[Finding] = []
    claimed = True
    advisory = (id_ for id_, requirement in policy.requirements.items() if not requirement.blocking)
    for id_ in (*policy.order, *advisory):
        requirement = policy.requirements[id_]
        measured = measure(requirement, policy, evidence, operating_point)
        finding = _finding(
            policy, id_, requirement, measured, {}, requirement.blocking, claimed and requirement.blocking
        )
        claimed = claimed and (not requirement.blocking or finding.outcome is Outcome.MET)
        findings.append(finding)
    return (*findings, *_subgroup_findings(policy, evidence, operating_point))


def _more_cases(estimate: float, interval: Interval, threshold: float, n: int) -> int | None:
    """Return about how many more cases would decide, rounded up to two digits; None when no study is so large."""
    needed = cases_to_decide(estimate, interval, threshold, n)
    if needed is None or needed > _LARGEST_STUDY:
        return None
    more = max(1, needed - n)
    step = int(10 ** max(0, len(str(more)) - 2))
    return -(-more // step) * step


def _subgroup_findings(policy: Policy, evidence: Evidence, operating_point: float) -> Iterator[Finding]:
    if policy.subgroups is None:
        return
    for attribute in policy.subgroups.by:
        column = evidence.under("baseline").attributes.get(attribute)
        for id_ in policy.subgroups.requirements:
            requirement = policy.requirements[id_]
            if column is None:  # told, not left out: no group judged is never all groups judged
                measured = undefined(Reason.SUBGROUP_EMPTY, requirement.spec.n_of)
                name, blocking = f"{id_}[{attribute}]", policy.subgroups.blocking
                yield _finding(policy, name, requirement, measured, {attribute: ""}, blocking, claimed=False)
                continue
            for group in sorted(set(column)):
                measured = measure_subgroup(requirement, policy, evidence, operating_point, attribute, group)
                name = f"{id_}[{attribute}={group}]"
                yield _finding(
                    policy, name, requirement, measured, {attribute: group}, policy.subgroups.blocking, claimed=False
                )


def _finding(
    policy: Policy,
    id_: str,
    requirement: Requirement,
    measured: Measurement,
    subgroup: dict[str, str],
    blocking: bool,
    claimed: bool,
) -> Finding:
    spec, threshold = requirement.spec, requirement.threshold
    estimate, limits = measured.rounded, measured.limits
    outcome = threshold.outcome(estimate, limits)
    reason = measured.reason
    more = None
    if outcome is Outcome.NOT_DECIDED and measured.interval is not None and estimate is not None:
        more = _more_cases(estimate, measured.interval, threshold.value, measured.n)
        reason = reason or Reason.TOO_FEW_CASES
    finding = Finding(
        id=id_,
        suite=spec.suite.value,
        metric=spec.name,
        title=title_of(requirement, policy),
        subgroup=subgroup,
        outcome=outcome,
        reason=reason,
        estimate=estimate,
        interval=limits,
        confidence=None if limits is None else requirement.confidence,
        method=measured.method,
        n=measured.n,
        n_of=measured.n_of,
        patients=measured.patients,
        unit=spec.unit,
        threshold=threshold,
        blocking=blocking,
        claimed=claimed,
        is_time=spec.suite is Suite.LATENCY,
        more_cases=more,
        words="",
    )
    return finding.model_copy(update={"words": words_of(finding, requirement, policy)})
