"""What an interval is, and what is raised when the data cannot carry one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist


class Undecidable(ValueError):
    """The data are too few, or too often undefined, for the interval that was asked for."""


@dataclass(frozen=True)
class Interval:
    """A two-sided interval at ``confidence``; each limit alone may be wrong with probability (1 - confidence) / 2.

    ``method`` is the name that people read, such as ``Wilson score``. Raises ValueError when the limits are not
    numbers or not in order, or when ``confidence`` is not between 0 and 1 (both excluded).
    """

    lower: float
    upper: float
    confidence: float
    method: str

    def __post_init__(self) -> None:
        check_confidence(self.confidence)
        if not self.lower <= self.upper:
            raise ValueError(f"the limits of an interval are out of order or undefined: {self.lower}, {self.upper}")

    def within(self, lowest: float, highest: float) -> Interval:
        """Return the interval cut off at the ends of what the number can be."""
        lower, upper = (min(max(limit, lowest), highest) for limit in (self.lower, self.upper))
        return Interval(lower, upper, self.confidence, self.method)


def check_confidence(confidence: float) -> None:
    """Raise ValueError unless 0 < ``confidence`` < 1."""
    if not 0.0 < confidence < 1.0:
        raise ValueError(f"confidence must lie between 0 and 1, not {confidence}")


def error_each_side(confidence: float) -> float:
    """Return the probability with which each limit may be wrong: (1 - confidence) / 2."""
    check_confidence(confidence)
    return (1.0 - confidence) / 2.0


def normal_quantile(confidence: float) -> float:
    """Return z with P(-z < Z < z) = confidence for a standard normal Z; 1.959964 at 0.95."""
    return -NormalDist().inv_cdf(error_each_side(confidence))


def inverse_logit(value: float) -> float:
    """Return 1 / (1 + exp(-value)), without overflow."""
    shrunk = math.exp(-abs(value))
    return (1.0 if value >= 0.0 else shrunk) / (1.0 + shrunk)
