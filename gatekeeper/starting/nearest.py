"""The shipped policy that a new one lies upon: by name, or the nearest of a modality, a body part and a task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gatekeeper.catalogue import nearest
from gatekeeper.errors import Code, UsageError
from gatekeeper.policy import Policy, load_policy, shipped
from gatekeeper.policy.listing import list_policies


@dataclass(frozen=True)
class Shipped:
    """A shipped policy under the name that ``defaults`` call it by."""

    name: str
    policy: Policy


def shipped_policies() -> tuple[Shipped, ...]:
    """Return every shipped policy, in the order of their names."""
    listed, _ = list_policies()
    return tuple(Shipped(entry.name, entry.policy) for entry in listed if not entry.own)


def shipped_policy(name: str) -> Shipped:
    """Return the shipped policy of a name. Raises UsageError, with the nearest name, where there is none."""
    folder = shipped("policies")
    names = sorted(
        file.relative_to(folder).with_suffix("").as_posix()
        for file in folder.glob("*/*.yaml")
        if file.parent.name != "base"
    )
    if name not in names:
        near = nearest(name, names) or {known.rpartition("/")[2]: known for known in names}.get(name)
        raise UsageError(
            Code.UNKNOWN_NAME,
            "no shipped policy has the name that --context gives",
            where=f"--context {name[:100]}",
            mend=f'did you mean "{near}"?' if near else f"give one of: {', '.join(names)}",
        )
    return Shipped(name, load_policy(str(folder / f"{name}.yaml")).policy)


def nearest_policy(known: Sequence[Shipped], modality: str, body_part: str | None, task: str) -> Shipped:
    """Return the policy of this modality and task, of this body part where there is one.

    A policy of another modality or task is never taken: its stress and its metrics would not fit. Raises UsageError
    for one that nothing is shipped for, and where several fit and no body part tells them apart.
    """
    fitting = [
        one
        for one in known
        if one.policy.context.modality == modality.upper() and one.policy.context.task == task.lower()
    ]
    of_part = [one for one in fitting if body_part and one.policy.context.body_part == body_part.upper()]
    chosen = of_part or fitting
    if len(chosen) == 1:
        return chosen[0]
    near = chosen or [one for one in known if one.policy.context.modality == modality.upper()] or known
    raise UsageError(
        Code.UNKNOWN_NAME,
        "several shipped policies fit" if chosen else "no shipped policy is of this modality and task",
        where=" ".join(part[:40] for part in (modality, body_part or "", task) if part),
        mend=f"give --context, such as one of: {', '.join(one.name for one in near)}",
    )
