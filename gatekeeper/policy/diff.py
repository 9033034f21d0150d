"""What changed between two policies, in words that fit a change record."""

from __future__ import annotations

from gatekeeper.policy._compare import Change, Direction, changes
from gatekeeper.policy.schema import Policy

# What a reviewer must see first stands first.
ORDER = (Direction.REMOVED, Direction.LOOSER, Direction.STRICTER, Direction.ADDED, Direction.CHANGED)


def diff(before: Policy, after: Policy) -> tuple[Change, ...]:
    """Return the differences of two resolved policies, what asks for less first."""
    found = list(changes(before.to_json(), after.to_json()))
    return tuple(sorted(found, key=lambda change: ORDER.index(change.direction)))


__all__ = ["ORDER", "Change", "Direction", "diff"]
