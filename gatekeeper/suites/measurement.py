"""What a suite says of one requirement: an estimate, how sure it is, and what was counted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from gatekeeper.canonical import stable
from gatekeeper.evidence import Reason
from gatekeeper.statistics import Interval


@dataclass(frozen=True)
class Measurement:
    """A number from evidence, before it is held against a threshold.

    ``n`` counts what ``n_of`` names, ``patients`` the clusters among them. ``estimate`` is None, with a ``reason``,
    where the metric has no value. ``grown`` gives the interval of so many times as many cases at the same estimate,
    where a formula does. ``remark`` is a sentence on how it came about that a reader must know.
    """

    estimate: float | None
    interval: Interval | None
    method: str
    n: int
    n_of: str
    patients: int
    reason: Reason | None = None
    grown: Callable[[float], Interval | None] | None = field(default=None, compare=False, repr=False)
    remark: str = ""

    @property
    def rounded(self) -> float | None:
        """The estimate as it is printed and decided on: see ``canonical.stable``."""
        return None if self.estimate is None else stable(self.estimate)

    @property
    def limits(self) -> tuple[float, float] | None:
        """The ends of the interval as they are printed and decided on."""
        return None if self.interval is None else (stable(self.interval.lower), stable(self.interval.upper))


def undefined(reason: Reason, n_of: str, n: int = 0, patients: int = 0) -> Measurement:
    """Return the measurement of what has no value."""
    return Measurement(None, None, "none: not measurable", n, n_of, patients, reason)


def measured(
    value: float,
    interval: Interval | None,
    n: int,
    n_of: str,
    patients: int,
    grown: Callable[[float], Interval | None] | None = None,
) -> Measurement:
    """Return the measurement of a value; without an interval, too few patients are why."""
    if interval is None:
        return Measurement(value, None, "none: too few patients", n, n_of, patients, Reason.TOO_FEW_CASES)
    return Measurement(value, interval, interval.method, n, n_of, patients, grown=grown)
