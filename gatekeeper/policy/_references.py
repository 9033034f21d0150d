"""What is wrong with a policy as a whole: names that lead nowhere, metrics of another task, an order that lacks one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from gatekeeper.metrics import Suite
from gatekeeper.perturbations import PERTURBATIONS
from gatekeeper.policy._meaning import DECLARED, faults_of_quantity, faults_of_share, misnamed, unknown_in
from gatekeeper.quantities import parse_quantity
from gatekeeper.strict_yaml import KeyPath
from gatekeeper.validation import Fault

if TYPE_CHECKING:
    from gatekeeper.policy.schema import Policy, Requirement


def faults_of_policy(policy: Policy) -> Iterator[Fault]:
    """Say which names lead nowhere, which metrics do not fit the task, and what ``order`` lacks."""
    for id_ in policy.requirements:
        yield from _faults_of_task(policy, id_)
        yield from _faults_of_stress(policy, id_)
        yield from _faults_of_load(policy, id_)
    yield from _faults_of_modality(policy)
    yield from _faults_of_benign(policy)
    yield from _faults_of_order(policy)
    yield from _faults_of_refusals(policy)
    yield from _faults_of_subgroups(policy)
    yield from _faults_of_waivers(policy)
    yield from _faults_of_later_use(policy)


def _faults_of_task(policy: Policy, id_: str) -> Iterator[Fault]:
    requirement, context = policy.requirements[id_], policy.context
    if context.task not in requirement.spec.tasks:
        fits = ", ".join(sorted(requirement.spec.tasks))
        what = f"{requirement.spec.name} is a metric of {fits}; the task of this context is {context.task}"
        yield Fault(("requirements", id_, "metric"), what)
    named = requirement.of_class
    if named is not None and named not in context.classes:
        yield misnamed("class", named, context.classes, ("requirements", id_, "of_class"))
    structure = requirement.structure
    if structure is not None and structure not in context.structures:
        yield misnamed("structure", structure, context.structures, ("requirements", id_, "structure"))


def _faults_of_modality(policy: Policy) -> Iterator[Fault]:
    for name in policy.robustness:
        if not _is_of_modality(name, policy):
            yield Fault(("robustness", name), _other_modality(name, policy), mend="remove it, or mend context.modality")


def _faults_of_benign(policy: Policy) -> Iterator[Fault]:
    path, benign = ("repeatability", "benign"), policy.repeatability.benign
    if not any(item.level == "R3" for item in policy.requirements.values()):
        return
    if not benign:
        mend = "name some, such as {rotation: 1 degree}, or leave the key out"
        yield Fault(path, "level R3 is asked for, and no benign change is listed", mend=mend)
    for name in benign:
        if not _is_of_modality(name, policy):
            mend = "leave it out of repeatability.benign, or mend context.modality"
            yield Fault((*path, name), _other_modality(name, policy), mend=mend)


def _is_of_modality(name: str, policy: Policy) -> bool:
    taken = PERTURBATIONS.get(name).modalities if name in PERTURBATIONS else None
    return taken is None or policy.context.modality in taken


def _other_modality(name: str, policy: Policy) -> str:
    taken = ", ".join(sorted(PERTURBATIONS.get(name).modalities or ()))
    return f"{name} is of {taken} alone; the modality of this context is {policy.context.modality}"


def _faults_of_order(policy: Policy) -> Iterator[Fault]:
    blocking = [id_ for id_, requirement in policy.requirements.items() if requirement.blocking]
    if not blocking:
        yield Fault(("requirements",), "no requirement is blocking: nothing judged is never a pass")
        return
    for id_ in blocking:
        if id_ not in policy.order:
            yield Fault(("order",), f'order lacks the blocking requirement "{id_}"', mend=f'add "{id_}"')
    for index, id_ in enumerate(policy.order):
        if id_ in policy.order[:index]:
            yield Fault(("order", index), f'order lists "{id_}" twice', mend="keep one of the two")
        elif id_ not in policy.requirements:
            yield misnamed("requirement", id_, blocking, ("order", index))
        elif id_ not in blocking:
            yield Fault(("order", index), f'"{id_}" is not blocking; order lists what blocks', mend="remove it")


def _faults_of_subgroups(policy: Policy) -> Iterator[Fault]:
    for index, id_ in enumerate(policy.subgroups.requirements if policy.subgroups else ()):
        path = ("subgroups", "requirements", index)
        if id_ not in policy.requirements:
            yield misnamed("requirement", id_, policy.requirements, path)
        elif not _is_of_cases(policy.requirements[id_]):
            what = f"{id_} is not measured case by case, so that no subgroup has a value of its own"
            mend = "ask for performance, repeatability, robustness, or times of one case at a time"
            yield Fault(path, what, mend=mend)
    for id_, gap in (policy.subgroups.largest_gap if policy.subgroups else {}).items():
        where: KeyPath = ("subgroups", "largest_gap", id_)
        if policy.subgroups and id_ not in policy.subgroups.requirements:
            yield misnamed("requirement of subgroups", id_, policy.subgroups.requirements, where)
            continue
        if id_ not in policy.requirements:
            continue  # told above
        spec = policy.requirements[id_].spec
        if spec.interval is None:
            yield Fault(where, f"{spec.name} has no interval, and neither has its gap: it could never be decided")
            continue
        unit = spec.unit
        unreadable = list(faults_of_quantity(gap, unit, where))
        yield from unreadable
        if not unreadable and not parse_quantity(gap, unit) > 0.0:
            yield Fault(where, "a gap that is allowed is more than 0")


def _is_of_cases(requirement: Requirement) -> bool:
    """Say whether a requirement is on cases, so that those of a subgroup have a value of their own."""
    spec = requirement.spec
    if spec.suite is Suite.LATENCY:
        alone = requirement.batch != "declared" and requirement.stage not in ("cold_start", "first_case")
        return spec.name in ("latency", "mean_latency") and alone
    return spec.suite is not Suite.REFUSAL


def _faults_of_stress(policy: Policy, id_: str) -> Iterator[Fault]:
    requirement = policy.requirements[id_]
    if requirement.spec.suite is not Suite.ROBUSTNESS:
        return
    path = ("requirements", id_)
    if requirement.of is not None:
        yield from _faults_of_followed(policy, requirement, (*path, "of"))
    name = requirement.perturbation or ""
    steps = len(policy.robustness.get(name, ()))
    if not steps:
        unknown = list(unknown_in(PERTURBATIONS, name, (*path, "perturbation")))
        lacking = Fault((*path, "perturbation"), f'no ladder of "{name}" under robustness', mend="add its ladder")
        yield from unknown or [lacking]
    elif requirement.severity is not None and requirement.severity > steps:
        yield Fault((*path, "severity"), f"the ladder of {name} has {steps} severities")
    elif requirement.spec.unit == "severity" and requirement.threshold.value > steps + 1:
        what = f"the ladder of {name} has {steps} severities: {steps + 1} is the most that can be reached"
        yield Fault((*path, requirement.threshold.of), what)


def _faults_of_load(policy: Policy, id_: str) -> Iterator[Fault]:
    name, load, path = policy.requirements[id_].spec.name, policy.latency.load, ("requirements", id_, "metric")
    if name not in ("time_to_notification", "waiting_time_saved"):
        return
    if load is None:
        mend = 'add "latency:" with load: {arrivals_per_hour: ..., reading_minutes: ...}'
        yield Fault(path, f"{name} needs the load that is to be expected", mend=mend)
    elif name == "waiting_time_saved" and load.reading_minutes is None:
        yield Fault(
            path, f"{name} needs the mean time of reading a case", mend='add "reading_minutes:" to latency.load'
        )
    elif name == "waiting_time_saved" and load.prevalence == DECLARED and policy.context.prevalence is None:
        yield from faults_of_share(DECLARED, path)


def _faults_of_followed(policy: Policy, requirement: Requirement, path: KeyPath) -> Iterator[Fault]:
    followed = policy.requirements.get(requirement.of or "")
    if followed is None or followed.spec.suite is not Suite.PERFORMANCE:
        yield Fault(path, f'"{requirement.of}" is no performance requirement of this policy')
    elif requirement.spec.unit != followed.spec.unit and requirement.spec.unit == "1":
        what = f"{requirement.spec.name} is of shares, and {followed.spec.name} is in {followed.spec.unit}"
        yield Fault(path, what, mend="require its breaking_point")


def _faults_of_refusals(policy: Policy) -> Iterator[Fault]:
    demanded = [id_ for id_, requirement in policy.requirements.items() if requirement.spec.suite is Suite.REFUSAL]
    for index, kind in enumerate(policy.refusals):
        if kind in policy.refusals[:index]:
            yield Fault(("refusals", index), f'"{kind}" is listed twice', mend="keep one of the two")
    if policy.refusals and not demanded:
        mend = "add a requirement on refusal_rate"
        yield Fault(("refusals",), "unusable inputs are tried and nothing is required of them", mend=mend)
    if demanded and not policy.refusals:
        what = "no unusable input is listed under refusals"
        yield Fault(("requirements", demanded[0], "metric"), what, mend='add "refusals:", such as [blank, corrupted]')


def _faults_of_waivers(policy: Policy) -> Iterator[Fault]:
    waived = {waiver.requirement for waiver in policy.waivers}
    if waived and all(id_ in waived for id_, requirement in policy.requirements.items() if requirement.blocking):
        yield Fault(("waivers",), "every blocking requirement is waived: nothing judged is never a pass")
    for index, waiver in enumerate(policy.waivers):
        path: KeyPath = ("waivers", index, "requirement")
        if waiver.requirement not in policy.requirements:
            yield misnamed("requirement", waiver.requirement, policy.requirements, path)
        elif not policy.requirements[waiver.requirement].blocking:
            yield Fault(
                path, f'"{waiver.requirement}" is advisory: there is nothing to waive', mend="remove the waiver"
            )
        elif any(other.requirement == waiver.requirement for other in policy.waivers[:index]):
            yield Fault(path, f'"{waiver.requirement}" is waived twice', mend="keep one of the two")


def _faults_of_later_use(policy: Policy) -> Iterator[Fault]:
    for id_, margin in (policy.champion.not_inferior if policy.champion else {}).items():
        path: KeyPath = ("champion", "not_inferior", id_)
        if id_ not in policy.requirements:
            yield misnamed("requirement", id_, policy.requirements, path)
            continue
        unit = policy.requirements[id_].spec.unit
        unreadable = list(faults_of_quantity(margin.margin, unit, (*path, "margin")))
        yield from unreadable
        if not unreadable and not parse_quantity(margin.margin, unit) > 0.0:
            yield Fault((*path, "margin"), "a margin is more than 0")
    for index, id_ in enumerate(policy.monitoring.requirements if policy.monitoring else ()):
        if id_ not in policy.requirements:
            yield misnamed("requirement", id_, policy.requirements, ("monitoring", "requirements", index))
