"""Requirement and measurement to finding. Pure functions of policy, evidence and operating point."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gatekeeper.evidence import BASELINE, Clock, Environment, Evidence, Finding, Outcome, Reason, Threshold, Waived
from gatekeeper.policy import Policy, Requirement
from gatekeeper.policy.schema import Limit, Subgroups, Waiver
from gatekeeper.policy.titles import spoken, title_of
from gatekeeper.statistics import cases_to_decide
from gatekeeper.suites import Measurement, measure, undefined
from gatekeeper.suites.latency import condition_of
from gatekeeper.suites.subgroups import gap_between, measure_groups, worst_group
from gatekeeper.verdict.claims import claimed_ids
from gatekeeper.verdict.words import words_of, words_of_clock, words_of_gap, words_of_worst

_LARGEST_STUDY = 1_000_000


@dataclass(frozen=True)
class _Case:
    """What findings are made from: a policy, and the evidence with failures that count as the policy declares."""

    policy: Policy
    evidence: Evidence
    operating_point: float
    environment: Environment | None
    day: str


def judge(
    policy: Policy,
    evidence: Evidence,
    operating_point: float,
    *,
    environment: Environment | None = None,
    started: str | None = None,
) -> tuple[Finding, ...]:
    """Return every finding: blocking ones in the policy's order, advisory ones, then subgroups.

    ``environment`` tells whether times were taken on the hardware that the policy names, and how steady it was: times
    taken on a noisy machine are decided only where they would be decided alike, were they longer or shorter by its
    drift. ``started`` (ISO 8601, UTC) tells which waivers were in force. Without them, times that need a hardware are
    not decided, and no waiver counts.
    """
    case = _Case(
        policy,
        evidence.counting(policy.failure_costs.by_outcome),
        operating_point,
        environment=environment,
        day=started[:10] if started else "",
    )
    advisory = [id_ for id_, requirement in policy.requirements.items() if not requirement.blocking]
    findings = {id_: _finding(case, id_, policy.requirements[id_]) for id_ in (*policy.order, *advisory)}
    outcomes = {id_: finding.outcome for id_, finding in findings.items()}
    claimed = claimed_ids(policy, outcomes, lambda changed: _outcome(case, changed, _measured(case, changed))[0])
    waivers = {waiver.requirement: waiver for waiver in policy.waivers if case.day and case.day <= waiver.expires}
    listed = (
        _with_waiver(finding.model_copy(update={"claimed": id_ in claimed}), waivers.get(id_))
        for id_, finding in findings.items()
    )
    return (*listed, *_subgroup_findings(case))


def _with_waiver(finding: Finding, waiver: Waiver | None) -> Finding:
    if waiver is None or finding.outcome is Outcome.MET:
        return finding
    words = f"{finding.words} Waived until {waiver.expires} by {waiver.by}: {waiver.reason.rstrip('.')}."
    waived = Waived(reason=waiver.reason, by=waiver.by, expires=waiver.expires)
    return finding.model_copy(update={"waived": waived, "words": words})


def _more_cases(measured: Measurement, threshold: Threshold) -> int | None:
    """Return about how many more cases would decide, rounded up to two digits; None when no study is so large."""
    estimate, interval, n = measured.rounded, measured.interval, measured.n
    if estimate is None or interval is None:
        return None
    needed = cases_to_decide(estimate, interval, threshold.value, n)
    if needed is None or needed > _LARGEST_STUDY:
        return None
    if measured.grown is not None:
        needed = _first_that_decides(measured, threshold, needed) or needed
    more = max(1, needed - n)
    step = int(10 ** max(0, len(str(more)) - 2))
    return -(-more // step) * step


def _first_that_decides(measured: Measurement, threshold: Threshold, about: int) -> int | None:
    """Return the fewest cases whose interval, at the estimate seen, clears the threshold or fails it."""

    def decided(cases: int) -> bool:
        grown = measured.grown and measured.grown(cases / measured.n)
        limits = (grown.lower, grown.upper) if grown else None
        return threshold.outcome(measured.rounded, limits) is not Outcome.NOT_DECIDED

    low, high = measured.n, about
    while not decided(high):
        low, high = high, 2 * high
        if high > _LARGEST_STUDY:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if decided(middle) else (middle, high)
    return high


def _subgroup_findings(case: _Case) -> Iterator[Finding]:
    asked = case.policy.subgroups
    if asked is None:
        return
    for attribute in asked.by:
        column = case.evidence.under(BASELINE.id).attributes.get(attribute)
        for id_ in asked.requirements:
            requirement = case.policy.requirements[id_]
            if column is None:  # told, not left out: no group judged is never all groups judged
                measured = undefined(Reason.SUBGROUP_EMPTY, requirement.spec.n_of)
                yield _subgroup_finding(case, asked, f"{id_}[{attribute}]", requirement, measured, {attribute: ""})
                continue
            each = measure_groups(requirement, case.policy, case.evidence, case.operating_point, attribute)
            for group, measured in each.items():
                name = f"{id_}[{attribute}={group}]"
                yield _subgroup_finding(case, asked, name, requirement, measured, {attribute: group})
            yield from _across_groups(case, asked, id_, attribute, each)


def _across_groups(
    case: _Case, asked: Subgroups, id_: str, attribute: str, each: Mapping[str, Measurement]
) -> Iterator[Finding]:
    """Give the finding on the worst group, and that on the gap between groups where the policy bounds it."""
    requirement = case.policy.requirements[id_]
    worst = worst_group(requirement, case.policy, case.evidence, case.operating_point, attribute, each)
    together = 1.0 - (1.0 - requirement.confidence) / max(1, worst.groups)
    item = requirement.model_copy(update={"confidence": together})
    name = f"{id_}[{attribute}].worst"
    found = _subgroup_finding(case, asked, name, item, worst.measurement, {attribute: worst.group or "worst group"})
    # Each group has a finding that can close the gate; this one says how bad it may be, whichever group it is.
    told = {"words": words_of_worst(found, worst.groups, attribute), "more_cases": None, "blocking": False}
    yield found.model_copy(update={**told, "title": f"{found.title}, worst group"})
    if id_ not in asked.largest_gap:
        return
    gap = gap_between(requirement, case.policy, case.evidence, case.operating_point, attribute, each)
    measured = gap.measurement if gap else undefined(Reason.SUBGROUP_TOO_SMALL, requirement.spec.n_of)
    allowed = {"lower_limit": None, "estimate": None, "upper_limit": Limit(at_most=asked.largest_gap[id_])}
    bounded, name = requirement.model_copy(update=allowed), f"{id_}[{attribute}].gap"
    called = {attribute: f"largest gap by {spoken(attribute)}"}
    finding = _subgroup_finding(case, asked, name, bounded, measured, called)
    told = {"words": words_of_gap(finding, gap, attribute), "more_cases": None}
    yield finding.model_copy(update=told)


def _subgroup_finding(
    case: _Case, asked: Subgroups, id_: str, requirement: Requirement, measured: Measurement, subgroup: dict[str, str]
) -> Finding:
    rules = {Reason.SUBGROUP_TOO_SMALL: asked.too_small, Reason.SUBGROUP_EMPTY: asked.missing}
    rule = rules.get(measured.reason) if measured.reason else None
    blocking = asked.blocking and rule != "not_judged"
    return _finding(case, id_, requirement, measured, subgroup, blocking=blocking)


def _measured(case: _Case, requirement: Requirement) -> Measurement:
    return measure(requirement, case.policy, case.evidence, case.operating_point)


def _outcome(case: _Case, requirement: Requirement, measured: Measurement) -> tuple[Outcome, Reason | None]:
    hardware, timed = case.policy.latency.hardware, condition_of(requirement) is not None
    device_name = case.environment.device_name if case.environment else ""
    if timed and hardware and hardware.casefold() not in device_name.casefold():
        return Outcome.NOT_DECIDED, measured.reason or Reason.HARDWARE_DIFFERS
    outcome = requirement.threshold.outcome(measured.rounded, measured.limits)
    if outcome is not Outcome.NOT_DECIDED and _hangs_on_noise(case, requirement, measured, outcome):
        return Outcome.NOT_DECIDED, measured.reason or Reason.NOISY_MACHINE
    if outcome is Outcome.NOT_DECIDED and measured.interval is not None:
        return outcome, measured.reason or Reason.TOO_FEW_CASES
    return outcome, measured.reason


def _clock(case: _Case, requirement: Requirement) -> Clock | None:
    """Return how steady the machine was while what a requirement on times is measured from was timed."""
    return case.environment.clocks.get(condition_of(requirement) or "") if case.environment else None


def _hangs_on_noise(case: _Case, requirement: Requirement, measured: Measurement, outcome: Outcome) -> bool:
    """Say whether times decide otherwise once they are longer, or shorter, by as much as a noisy machine drifted."""
    clock = _clock(case, requirement)
    if clock is None or not clock.noisy or requirement.spec.name == "peak_memory" or measured.rounded is None:
        return False
    estimate, limits = measured.rounded, measured.limits
    return any(
        requirement.threshold.outcome(estimate * factor, limits and (limits[0] * factor, limits[1] * factor))
        is not outcome
        for factor in (clock.drift, 1.0 / clock.drift)
    )


def _finding(
    case: _Case,
    id_: str,
    requirement: Requirement,
    measured: Measurement | None = None,
    subgroup: dict[str, str] | None = None,
    *,
    blocking: bool | None = None,
) -> Finding:
    spec, threshold = requirement.spec, requirement.threshold
    measured = measured or _measured(case, requirement)
    estimate, limits = measured.rounded, measured.limits
    outcome, reason = _outcome(case, requirement, measured)
    more = None
    if reason is Reason.TOO_FEW_CASES and measured.interval is not None and estimate is not None:
        more = _more_cases(measured, threshold)
    finding = Finding(
        id=id_,
        suite=spec.suite.value,
        metric=spec.name,
        title=title_of(requirement, case.policy),
        subgroup=subgroup or {},
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
        blocking=requirement.blocking if blocking is None else blocking,
        claimed=False,
        is_time=condition_of(requirement) is not None,
        more_cases=more,
        words="",
    )
    words = f"{words_of(finding, requirement, case.policy)} {measured.remark}".rstrip()
    if finding.is_time and finding.estimate is not None and case.environment is not None:
        words += words_of_clock(requirement, case.environment, _clock(case, requirement))
    return finding.model_copy(update={"words": words})
