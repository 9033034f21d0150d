"""The conditions of each level of repeatability: what is run again, and how."""

from __future__ import annotations

from gatekeeper.evidence import Condition
from gatekeeper.evidence.conditions import NumericFormat
from gatekeeper.metrics import Suite
from gatekeeper.perturbations import PERTURBATIONS
from gatekeeper.policy import Policy, Requirement

_SUITE = Suite.REPEATABILITY.value

RERUN = Condition(id="rerun", suite=_SUITE, fresh_process=True)
ONE_BY_ONE = Condition(id="one_by_one", suite=_SUITE, batch_size=1, reverse=True)


def reruns(policy: Policy) -> tuple[Condition, ...]:
    """Return the conditions of level R0: as many reruns as the policy allows, all but the first only until decided."""
    more = range(2, policy.repeatability.reruns + 1)
    return (
        RERUN,
        *(RERUN.model_copy(update={"id": f"{RERUN.id}.{number}", "until_decided": True}) for number in more),
    )


def in_format(numeric_format: NumericFormat) -> Condition:
    """Return the condition of level R2: every case again in this numeric format."""
    return Condition(id=f"numeric_format.{numeric_format}", suite=_SUITE, numeric_format=numeric_format)


def benign(policy: Policy) -> tuple[Condition, ...]:
    """Return the conditions of level R3: every case under each benign change that the policy names."""
    return tuple(
        Condition(
            id=f"benign.{name}",
            suite=_SUITE,
            perturbation=name,
            magnitude=magnitude,
            unit=PERTURBATIONS.get(name).unit,
        )
        for name, magnitude in policy.benign_magnitudes.items()
    )


def conditions_of(requirement: Requirement, policy: Policy) -> tuple[Condition, ...]:
    """Return the conditions under which cases are run again; none at R4, whose repeats are in the baseline."""
    if requirement.compared_format is not None:
        return (in_format(requirement.compared_format),)
    if requirement.level == "R1":
        return (ONE_BY_ONE,)
    return {"R0": reruns, "R3": benign}.get(requirement.level or "", _none)(policy)


def plan(policy: Policy) -> tuple[Condition, ...]:
    """Run every case again at each level that a requirement asks for; reruns first."""
    asked = [item for item in policy.requirements.values() if item.level is not None and item.not_measured is None]
    found = {condition.id: condition for item in asked for condition in conditions_of(item, policy)}
    order = {condition.id: place for place, condition in enumerate((*reruns(policy), ONE_BY_ONE))}
    return tuple(sorted(found.values(), key=lambda condition: order.get(condition.id, len(order))))


def _none(_: Policy) -> tuple[Condition, ...]:
    return ()
