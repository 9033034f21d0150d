"""Conditions: the ways in which cases are run; a plan is a list of them, derived from the policy alone."""

from __future__ import annotations

from typing import Literal, TypeAlias

from pydantic import Field

from gatekeeper.canonical import digest_json
from gatekeeper.evidence.record import Record

NumericFormat: TypeAlias = Literal["fp32", "tf32", "bf16", "fp16"]
# What a safe product declines, in the order in which it is tried.
UnusableKind: TypeAlias = Literal[
    "blank",
    "inverted",
    "cropped",
    "noise",
    "corrupted",
    "missing_slices",
    "mixed_orientation",
    "wrong_modality",
    "wrong_body_part",
    "another_species",
]


class Condition(Record):
    """One way in which every case is run.

    ``severity`` counts from 1, in the order of the policy's ladder; ``magnitude`` is its physical value in ``unit``.
    A condition with ``fresh_process`` runs in a worker process of its own, started for it. ``numeric_format`` and
    ``batch_size`` are those of the engine's settings where a condition does not say. With ``reverse`` the last case is
    asked first. A condition ``until_decided`` is run only while those of its kind before it leave something undecided.
    ``timed_calls`` > 0 makes it a latency protocol: batch size 1, ``warm_up_calls`` unrecorded calls or more
    until times are stable, then that many recorded ones, cases taken in turn. With ``declared_batch`` each call is of
    as many cases as the run's own batches; its row is that of the first of them. ``cold_starts`` > 0 makes it so many
    new worker processes, each of which answers one case. A condition with ``refusal`` hands in unusable inputs of that
    kind, ``tries`` at most, instead of the cases: there is one row of each that differs from those before it.

    A condition whose ``numeric_format`` is the run's own, or none that the candidate declares and the device has, is
    left out of a run: there is then no row of it.
    """

    id: str
    suite: str
    perturbation: str | None = None
    severity: int | None = Field(default=None, ge=1)
    magnitude: float | None = None
    unit: str | None = None
    fresh_process: bool = False
    numeric_format: NumericFormat | None = None
    batch_size: int | None = Field(default=None, ge=1)
    reverse: bool = False
    until_decided: bool = False
    timed_calls: int = Field(default=0, ge=0)
    warm_up_calls: int = Field(default=0, ge=0)
    declared_batch: bool = False
    cold_starts: int = Field(default=0, ge=0)
    refusal: UnusableKind | None = None
    tries: int = Field(default=0, ge=0)

    @property
    def recorded_calls(self) -> int:
        """How many calls the clock records; 0 of a condition under which every case is answered once."""
        return self.timed_calls or self.cold_starts


BASELINE = Condition(id="baseline", suite="performance")


class Plan(Record):
    """Everything that a run will do, in order. The baseline always comes first."""

    policy: str
    conditions: tuple[Condition, ...] = Field(min_length=1)

    @property
    def digest(self) -> str:
        """SHA-256 of the plan in canonical JSON."""
        return digest_json(self.to_json())
