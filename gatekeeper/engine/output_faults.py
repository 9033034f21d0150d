"""Why an output does not hold: a closed list, so that nothing a candidate says is ever shown."""

from __future__ import annotations

from enum import StrEnum


class OutputFault(StrEnum):
    """Why the output of a case does not hold."""

    MISSING = "no such output"
    SHAPE = "another shape"
    TYPE = "another type"
    NOT_FINITE = "no number, or one out of bounds"
    NO_PROBABILITY = "outside 0 to 1"
    NO_SUM = "a sum other than 1"
    NO_LABEL = "an undeclared label"
    NO_BOX = "an empty box"


class Invalid(Exception):
    """The output of a case, or of a batch, does not hold."""

    def __init__(self, fault: OutputFault) -> None:
        super().__init__(fault.value)
        self.fault = fault


def require(holds: bool, fault: OutputFault) -> None:
    """Raise Invalid unless something holds."""
    if not holds:
        raise Invalid(fault)
