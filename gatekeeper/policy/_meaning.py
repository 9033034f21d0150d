"""What is wrong with a policy that every key of which is well formed: sentences, each at its key."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from gatekeeper.catalogue import Catalogue, Entry, nearest
from gatekeeper.errors import Code
from gatekeeper.metrics import METRICS, Suite
from gatekeeper.perturbations import PERTURBATIONS
from gatekeeper.quantities import parse_quantity
from gatekeeper.strict_yaml import KeyPath
from gatekeeper.validation import Fault

if TYPE_CHECKING:
    from gatekeeper.policy.schema import Policy, Requirement

ENDS = ("lower_limit", "upper_limit", "estimate")
_OPTIONS = ("at_prevalence", "level", "percentile", "of", "perturbation", "severity")


def faults_of_metric(name: str) -> Iterator[Fault]:
    """Say when no metric has this name or alias."""
    return _unknown(METRICS, name)


def faults_of_requirement(requirement: Requirement) -> Iterator[Fault]:
    """Say what does not fit the metric: options, the end of the interval, the side and size of the threshold."""
    yield from _faults_of_options(requirement)
    yield from _faults_of_limits(requirement)


def faults_of_policy(policy: Policy) -> Iterator[Fault]:
    """Say which names lead nowhere, and what ``order`` lacks."""
    for id_ in policy.requirements:
        yield from _faults_of_stress(policy, id_)
    yield from _faults_of_order(policy)
    yield from _faults_of_subgroups(policy)


def faults_of_ladder(name: str, steps: tuple[str | int | float, ...]) -> Iterator[Fault]:
    """Say why severities are no ladder: unknown perturbation, unreadable, out of range, not climbing."""
    unknown = list(_unknown(PERTURBATIONS, name, (name,)))
    if unknown:
        yield from unknown
        return
    perturbation = PERTURBATIONS.get(name)
    unreadable = [
        fault for index, step in enumerate(steps) for fault in _quantity_fault(step, perturbation.unit, (name, index))
    ]
    if unreadable:
        yield from unreadable
        return
    values = [parse_quantity(step, perturbation.unit) for step in steps]
    span = f"{perturbation.lowest:g} to {perturbation.highest:g} {perturbation.unit}"
    for index, value in enumerate(values):
        if not perturbation.lowest < value <= perturbation.highest:
            yield Fault((name, index), f"the severity lies outside {span}")
    if not values or values != sorted(set(values)):
        yield Fault((name,), "severities are listed from the least to the greatest, none twice")


def faults_of_share(written: str | int | float, path: KeyPath = ()) -> Iterator[Fault]:
    """Say why a quantity is no prevalence."""
    unreadable = list(_quantity_fault(written, "1", path))
    if unreadable:
        yield from unreadable
    elif not 0.0 < parse_quantity(written, "1") < 1.0:
        yield Fault(path, "a prevalence lies between 0 and 1")


def _faults_of_options(requirement: Requirement) -> Iterator[Fault]:
    spec = requirement.spec
    given = {name for name in _OPTIONS if getattr(requirement, name) is not None}
    for name in sorted(spec.must - given):
        yield Fault((), f"the metric {spec.name} needs {name}", mend=f'add "{name}:"')
    for name in sorted(given - spec.options):
        yield Fault((name,), f"the metric {spec.name} does not take {name}", mend="remove it")
    if requirement.at_prevalence is not None:
        yield from faults_of_share(requirement.at_prevalence, ("at_prevalence",))


def _faults_of_limits(requirement: Requirement) -> Iterator[Fault]:
    ends = [name for name in ENDS if getattr(requirement, name) is not None]
    if len(ends) != 1:
        yield Fault(tuple(ends[1:2]), "give exactly one of lower_limit, upper_limit, estimate")
        return
    end, limit = ends[0], getattr(requirement, ends[0])
    side = "at_least" if limit.at_least is not None else "at_most"
    demand = "at_least" if requirement.spec.higher_is_better else "at_most"
    unreadable = list(_quantity_fault(getattr(limit, side), requirement.spec.unit, (end, side)))
    if end != "estimate" and not requirement.spec.has_interval:
        yield Fault((end,), f"{requirement.spec.name} has no interval to require a limit of", mend='write "estimate:"')
    elif side != {"lower_limit": "at_least", "upper_limit": "at_most"}.get(end, side):
        wanted = "a lower limit is required to be at_least" if side == "at_most" else "an upper limit at_most"
        yield Fault((end, side), f"{wanted} something")
    elif side != demand:
        name = requirement.spec.name
        yield Fault((end, side), f"{name} is a metric on which {demand} is a demand; {side} demands nothing")
    elif unreadable:
        yield from unreadable
    elif not requirement.spec.lowest <= requirement.threshold.value <= requirement.spec.highest:
        span = f"{requirement.spec.lowest:g} to {requirement.spec.highest:g}"
        yield Fault((end, side), f"the threshold is outside the range of {requirement.spec.name}, {span}")


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
            yield _misnamed("requirement", id_, blocking, ("order", index))
        elif id_ not in blocking:
            yield Fault(("order", index), f'"{id_}" is not blocking; order lists what blocks', mend="remove it")


def _faults_of_subgroups(policy: Policy) -> Iterator[Fault]:
    for index, id_ in enumerate(policy.subgroups.requirements if policy.subgroups else ()):
        path = ("subgroups", "requirements", index)
        if id_ not in policy.requirements:
            yield _misnamed("requirement", id_, policy.requirements, path)
        elif policy.requirements[id_].spec.suite is not Suite.PERFORMANCE:
            yield Fault(path, f"subgroups can ask for performance requirements; {id_} is none")


def _faults_of_stress(policy: Policy, id_: str) -> Iterator[Fault]:
    requirement = policy.requirements[id_]
    if requirement.spec.suite is not Suite.ROBUSTNESS:
        return
    path = ("requirements", id_)
    measured = policy.requirements.get(requirement.of or "")
    if measured is None or measured.spec.suite is not Suite.PERFORMANCE:
        yield Fault((*path, "of"), f'"{requirement.of}" is no performance requirement of this policy')
    name = requirement.perturbation or ""
    steps = len(policy.robustness.get(name, ()))
    if not steps:
        unknown = list(_unknown(PERTURBATIONS, name, (*path, "perturbation")))
        lacking = Fault((*path, "perturbation"), f'no ladder of "{name}" under robustness', mend="add its ladder")
        yield from unknown or [lacking]
    elif requirement.severity is not None and requirement.severity > steps:
        yield Fault((*path, "severity"), f"the ladder of {name} has {steps} severities")
    elif requirement.spec.unit == "severity" and requirement.threshold.value > steps + 1:
        what = f"the ladder of {name} has {steps} severities: {steps + 1} is the most that can be reached"
        yield Fault((*path, requirement.threshold.of), what)


def _unknown(catalogue: Catalogue[Entry], name: str, path: KeyPath = ()) -> Iterator[Fault]:
    if name not in catalogue:
        yield _misnamed(catalogue.kind, name, catalogue.names(), path)


def _misnamed(kind: str, name: str, known: Iterable[str], path: KeyPath) -> Fault:
    near = nearest(name, known)
    mend = f'did you mean "{near}"?' if near else f"known: {', '.join(sorted(known))}"
    return Fault(path, f'unknown {kind} "{name}"', Code.UNKNOWN_NAME, mend)


def _quantity_fault(written: str | int | float, unit: str, path: KeyPath) -> Iterator[Fault]:
    try:
        value = parse_quantity(written, unit)
    except ValueError as error:
        yield Fault(path, str(error))
    else:
        if not math.isfinite(value):
            yield Fault(path, "a number too large to compute with")
