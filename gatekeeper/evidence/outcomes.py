"""Closed lists of outcomes and reasons; reporters and tests key on them, never on sentences."""

from __future__ import annotations

from enum import StrEnum


class CaseOutcome(StrEnum):
    """What became of one case under one condition."""

    OK = "ok"
    REFUSED = "refused"
    CRASHED = "crashed"
    TIMED_OUT = "timed_out"
    OUT_OF_MEMORY = "out_of_memory"
    INVALID_OUTPUT = "invalid_output"


class Outcome(StrEnum):
    """What became of one requirement."""

    MET = "met"
    NOT_MET = "not met"
    NOT_DECIDED = "not decided"


class VerdictWord(StrEnum):
    """What became of the candidate."""

    PASS = "PASS"
    FAIL = "FAIL"
    INCONCLUSIVE = "INCONCLUSIVE"
    INVALID = "INVALID"


class Reason(StrEnum):
    """Why an outcome is not plain."""

    TOO_FEW_CASES = "TOO_FEW_CASES"
    SUBGROUP_EMPTY = "SUBGROUP_EMPTY"
    SUBGROUP_TOO_SMALL = "SUBGROUP_TOO_SMALL"
    UNDEFINED_METRIC = "UNDEFINED_METRIC"
    NO_REPEATS = "NO_REPEATS"
    CONDITION_NOT_RUN = "CONDITION_NOT_RUN"
    BREAKS_WITHOUT_STRESS = "BREAKS_WITHOUT_STRESS"
    HARDWARE_DIFFERS = "HARDWARE_DIFFERS"
    NOT_MEASURED = "NOT_MEASURED"
    CALLS_FAILED = "CALLS_FAILED"
    NO_UNUSABLE_INPUT = "NO_UNUSABLE_INPUT"
    NOISY_MACHINE = "NOISY_MACHINE"
