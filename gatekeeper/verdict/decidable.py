"""What a test set can never decide as met, told from its lock before any inference.

A candidate without errors is judged on the locked cases as any other: what it does not meet, the set is too small for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from gatekeeper.evidence import BASELINE, Evidence, Finding, Outcome, Reason
from gatekeeper.metrics import Suite
from gatekeeper.metrics.calibration import CALIBRATION_SLOPE_DEVIATION
from gatekeeper.metrics.masks import DISTANCES
from gatekeeper.policy import Policy, Requirement
from gatekeeper.statistics import values_needed
from gatekeeper.suites import structures
from gatekeeper.suites.clusters import FEWEST_CLUSTERS
from gatekeeper.suites.latency import COLD_ID, condition_of
from gatekeeper.suites.quantities import AGREEMENT
from gatekeeper.suites.subjects import Subjects
from gatekeeper.testset import Manifest
from gatekeeper.verdict._errorless import OPERATING_POINT, errorless_evidence
from gatekeeper.verdict._needed import (
    Need,
    need_of_agreement,
    need_of_drop,
    need_of_flips,
    need_of_mean,
    need_of_performance,
    need_of_spread,
)
from gatekeeper.verdict._why_short import why_fragile, why_not
from gatekeeper.verdict.judge import judge


class Reach(StrEnum):
    """Who cannot meet a requirement on a test set."""

    NOBODY_CAN = "nobody_can"
    ERRORLESS_CANNOT = "errorless_cannot"
    ONLY_ERRORLESS_CAN = "only_errorless_can"


@dataclass(frozen=True)
class Shortfall:
    """A requirement, or one of its subgroups, that a test set is too small for.

    ``reach`` tells whether no candidate can meet it, or a candidate without errors does not (one with errors might,
    since its interval is made in another way), or only one without errors can. ``have`` and ``needed`` count what
    ``n_of`` names; ``needed`` is None where no number does, or where numbers do not help. ``requirement`` is the id in
    the policy, ``id`` that of the finding. ``words`` is one sentence or two.
    """

    id: str
    requirement: str
    title: str
    blocking: bool
    reach: Reach
    reason: Reason | None
    have: int | None
    needed: int | None
    n_of: str
    words: str
    subgroup: tuple[str, str] | None = None
    waived_until: str | None = None

    @property
    def closes_the_gate(self) -> bool:
        """Whether a candidate without errors gets no PASS because of it (leaving waivers aside)."""
        return self.blocking and self.reach is not Reach.ONLY_ERRORLESS_CAN


def shortfalls(policy: Policy, manifest: Manifest) -> tuple[Shortfall, ...]:
    """Return what this test set cannot decide as met under this policy, in the order of a verdict's findings.

    From the lock's manifest alone: labels, patients, repeats and attributes. Hardware is left aside.
    """
    anywhere = policy.model_copy(update={"latency": policy.latency.model_copy(update={"hardware": None})})
    evidence = errorless_evidence(policy, manifest)
    found: dict[str, Shortfall] = {}
    for finding in judge(anywhere, evidence, OPERATING_POINT):
        short = _shortfall(finding, policy, evidence, found)
        if short is not None:
            found[finding.id] = short
    return tuple(found.values())


def told(short: Sequence[Shortfall]) -> list[str]:
    """Return sentences, the most important first: what keeps the gate closed, what errors would undo, what is advisory.

    Small subgroups of one requirement and attribute share a sentence.
    """
    closing = [item for item in short if item.closes_the_gate and item.waived_until is None]
    fragile = [item for item in short if item.blocking and item not in closing and item.waived_until is None]
    rest = [item for item in short if item not in closing and item not in fragile]
    lines = list(_sentences(closing))
    if closing:
        lines.insert(0, _headline(closing))
    return [*lines, *_sentences(fragile), *(f"{_aside(item)} {line}" for item, line in _with_items(rest))]


def _shortfall(finding: Finding, policy: Policy, evidence: Evidence, found: dict[str, Shortfall]) -> Shortfall | None:
    id_ = finding.id.partition("[")[0]
    requirement = policy.requirements[id_]
    if finding.id.endswith((".worst", ".gap")):
        return None  # told of each group
    if requirement.spec is CALIBRATION_SLOPE_DEVIATION and finding.reason is Reason.UNDEFINED_METRIC:
        return None  # a candidate without errors has no slope, others have: nothing is told of the test set
    if not _is_told_by_the_lock(finding, requirement, policy):
        return None
    need = _need(finding, requirement, policy, evidence)
    if finding.outcome is Outcome.MET:
        if need is None or not need.too_few_patients or requirement.threshold.of == "estimate":
            return None
        reach, why = Reach.ONLY_ERRORLESS_CAN, why_fragile(need)
    else:
        reach, why = _reach(finding, requirement, need, found), why_not(finding, requirement, policy, need)
    name, value = next(iter(finding.subgroup.items()), ("", ""))
    return Shortfall(
        id=finding.id,
        requirement=id_,
        title=finding.full_title,
        blocking=finding.blocking,
        reach=reach,
        reason=finding.reason,
        have=None if need is None else need.have,
        needed=_needed(finding, policy, need, reach),
        n_of=finding.n_of if need is None else need.n_of,
        words=f"{_subject(finding, reach)}: {why}.",
        subgroup=(name, value) if name else None,
        waived_until=next((waiver.expires for waiver in policy.waivers if waiver.requirement == finding.id), None),
    )


def _is_told_by_the_lock(finding: Finding, requirement: Requirement, policy: Policy) -> bool:
    """Say whether the lock tells what a candidate without errors brings: of distances it has no bound."""
    followed = policy.requirements.get(requirement.of or "", requirement)
    if finding.reason is Reason.NOT_MEASURED:
        return bool(requirement.not_measured or followed.not_measured)
    return requirement.spec.name not in DISTANCES


def _need(finding: Finding, requirement: Requirement, policy: Policy, evidence: Evidence) -> Need | None:
    """Count what there is and what is needed; None where cases are not what is missing."""
    if finding.reason in (Reason.NOT_MEASURED, Reason.BREAKS_WITHOUT_STRESS, Reason.SUBGROUP_EMPTY):
        return None
    suite, name = requirement.spec.suite, requirement.spec.name
    if suite is Suite.LATENCY:
        return _need_of_calls(finding, requirement, policy)
    if name in structures.MEASURED:
        return need_of_mean(requirement, finding.n_of, finding.patients)
    if name in AGREEMENT:
        return need_of_agreement(requirement, finding.n, finding.n_of)
    if suite is Suite.PERFORMANCE:
        return need_of_performance(requirement, _subjects(evidence, finding))
    if name == "performance_drop":
        return need_of_drop(requirement, policy, _subjects(evidence, finding))
    if name == "flip_rate":
        return need_of_flips(requirement, finding.n, finding.n_of, finding.patients)
    if name == "within_subject_sd":
        return need_of_spread(finding.patients, finding.n_of)
    return Need(finding.n_of, finding.n, 1) if finding.reason is Reason.NO_REPEATS else None


def _need_of_calls(finding: Finding, requirement: Requirement, policy: Policy) -> Need | None:
    id_, protocol = condition_of(requirement), policy.latency
    if id_ is None or requirement.spec.name == "peak_memory":
        return None
    share = requirement.percentile
    needed = 2 if share is None else values_needed(share / 100.0, requirement.confidence)
    planned = protocol.cold_starts if id_ == COLD_ID else protocol.timed_calls
    return Need("timed calls", finding.n if finding.subgroup else planned, needed)


def _subjects(evidence: Evidence, finding: Finding) -> Subjects:
    rows = evidence.under(BASELINE.id)
    for name, value in finding.subgroup.items():
        rows = rows.where(rows.attributes[name] == value)
    return Subjects.of(rows, OPERATING_POINT)


def _needed(finding: Finding, policy: Policy, need: Need | None, reach: Reach) -> int | None:
    if need is None:
        return None
    if reach is Reach.ONLY_ERRORLESS_CAN:
        return FEWEST_CLUSTERS
    if finding.subgroup and need.needed is not None and policy.subgroups and not need.resampled:
        return max(need.needed, policy.subgroups.min_cases)
    return need.needed


def _reach(finding: Finding, requirement: Requirement, need: Need | None, found: dict[str, Shortfall]) -> Reach:
    name = requirement.spec.name
    if finding.reason is Reason.BREAKS_WITHOUT_STRESS:
        return found[requirement.of or ""].reach if requirement.of in found else Reach.ERRORLESS_CANNOT
    if finding.reason is Reason.SUBGROUP_TOO_SMALL and name in ("precision", "npv"):
        return Reach.ERRORLESS_CANNOT  # errors add to the alarms, or to the all-clears
    if finding.interval is None and finding.reason is not Reason.TOO_FEW_CASES:
        return Reach.NOBODY_CAN
    counted = name in ("flip_rate", "imageability") or condition_of(requirement) is not None
    counted = counted or (
        requirement.spec.proportion is not None and requirement.prevalence is None and requirement.other_rate is None
    )
    return Reach.NOBODY_CAN if counted and need is not None and not need.resampled else Reach.ERRORLESS_CANNOT


def _subject(finding: Finding, reach: Reach) -> str:
    if finding.reason is Reason.NOT_MEASURED:
        return f"{finding.full_title} stays not decided"
    if finding.reason is Reason.SUBGROUP_EMPTY and finding.id.endswith(f"[{next(iter(finding.subgroup))}]"):
        return f"{finding.title} cannot be judged by {next(iter(finding.subgroup)).replace('_', ' ')}"
    if reach is Reach.ONLY_ERRORLESS_CAN:
        return f"{finding.full_title} can be met by a candidate without errors only"
    if reach is Reach.NOBODY_CAN:
        return f"{finding.full_title} cannot be met by this test set"
    return f"{finding.full_title} would not be met on this test set by a candidate without errors"


def _headline(closing: Sequence[Shortfall]) -> str:
    nobody = any(item.reach is Reach.NOBODY_CAN for item in closing)
    who = "No candidate can PASS" if nobody else "A candidate without errors would not PASS"
    many = "requirement" if len(closing) == 1 else "requirements"
    return f"{who}: this test set falls short for {len(closing)} blocking {many}."


def _aside(item: Shortfall) -> str:
    return f"Waived until {item.waived_until}:" if item.waived_until is not None else "Advisory:"


def _sentences(items: Sequence[Shortfall]) -> Iterator[str]:
    return (line for _, line in _with_items(items))


def _with_items(items: Sequence[Shortfall]) -> Iterator[tuple[Shortfall, str]]:
    """Pair sentences with their shortfalls; groups that are too small share the sentence of the first."""
    shared: dict[tuple[str, str], list[Shortfall]] = {}
    for item in items:
        if item.reason is Reason.SUBGROUP_TOO_SMALL and item.subgroup is not None:
            shared.setdefault((item.requirement, item.subgroup[0]), []).append(item)
    for item in items:
        key = (item.requirement, item.subgroup[0]) if item.subgroup else ("", "")
        alike = shared.get(key, [])
        if len(alike) < 2 or item not in alike:
            yield item, item.words
        elif item is alike[0]:
            groups = ", ".join(f"{_group(other)} ({other.have:,})" for other in alike)
            title = item.title.removesuffix(f", {_group(item)}")
            name = key[1].replace("_", " ")
            yield item, f"{title} cannot be judged in {len(alike)} groups of {name}, too few {item.n_of}: {groups}."


def _group(item: Shortfall) -> str:
    name, value = item.subgroup or ("", "")
    return value or f"{name.replace('_', ' ')} not given"
