"""How many cases a requirement needs, whatever its metric: the shape that every formula fills in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

from gatekeeper.evidence.notation import write_declared_share

Cases: TypeAlias = dict[str, int]

MOST_CASES = 100_000
CLUSTERS = (
    "Independent cases, one a patient. Where patients have several, count patients: the gate then looks at their "
    "spread over patients, and cases of one patient tell less."
)


@dataclass(frozen=True)
class Design:
    """How many cases a requirement needs, as a function of the true value and the power.

    True values lie strictly between ``goal`` and ``end``, the best value there is. ``count`` gives numbers, or says
    why a true value cannot be; it raises ValueError where no number does. ``fewest`` is the least with which the
    requirement is met if all comes out as ``best``, the end of a sentence that begins with "if", says.
    ``usual`` are true values to plan for where none are given, chosen as ``usual_words`` say; empty for half, and a
    quarter, of the way.
    """

    method: str
    goal: float = 0.0
    end: float = 1.0
    count: Callable[[float, float], Cases | str] | None = None
    fewest: Cases | None = None
    best: str = ""
    usual: tuple[float, ...] = ()
    usual_words: str = ""
    write: Callable[[float], str] = write_declared_share
    assumptions: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def at_the_end(design: Design) -> Design:
    """Return the design of a threshold that every, or no, interval clears."""
    note = "The threshold lies at the end of the range: no true value clears it by a margin that could be planned for."
    return replace(design, count=None, notes=(note, *design.notes))
