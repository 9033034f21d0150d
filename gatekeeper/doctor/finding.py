"""One thing that was looked at on this machine."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gatekeeper.canonical import JSON


class State(StrEnum):
    """``works``; ``missing``: something optional is not there, or not as it should be; ``broken``: `check` needs it."""

    WORKS = "works"
    MISSING = "missing"
    BROKEN = "broken"


MARKS = {State.WORKS: "✓", State.MISSING: "!", State.BROKEN: "✗"}


@dataclass(frozen=True)
class Finding:
    """What was looked at, in which area, what was found, and for what does not work the command that mends it."""

    area: str
    what: str
    state: State
    value: str
    mend: str | None = None

    def to_json(self) -> dict[str, JSON]:
        """Return the finding as plain data."""
        return {
            "area": self.area,
            "what": self.what,
            "state": self.state.value,
            "value": self.value,
            "mend": self.mend,
        }


def works(area: str, what: str, value: str) -> Finding:
    """Return a finding of what works."""
    return Finding(area, what, State.WORKS, value)


def missing(area: str, what: str, value: str, mend: str) -> Finding:
    """Return a finding of something optional that is not there."""
    return Finding(area, what, State.MISSING, value, mend)


def broken(area: str, what: str, value: str, mend: str) -> Finding:
    """Return a finding of something that `check` needs and that does not work."""
    return Finding(area, what, State.BROKEN, value, mend)
