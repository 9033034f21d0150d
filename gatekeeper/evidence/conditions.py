"""Conditions: the ways in which cases are run; a plan is a list of them, derived from the policy alone."""

from __future__ import annotations

from typing import Literal, TypeAlias

from pydantic import Field

from gatekeeper.canonical import digest_json
from gatekeeper.evidence.record import Record

NumericFormat: TypeAlias = Literal["fp32", "tf32", "bf16", "fp16"]


class Condition(Record):
    """One way in which every case is run.

    ``severity`` counts from 1, in the order of the policy's ladder; ``magnitude`` is its physical value in ``unit``.
    A condition with ``fresh_process`` runs in a worker process of its own, started for it. ``numeric_format`` and
    ``batch_size`` are those of the engine's settings where a condition does not say. With ``reverse`` the last case is
    asked first. ``timed_calls`` > 0 makes it a latency protocol: batch size 1, ``warm_up_calls`` unrecorded calls, then
    that many recorded ones, cases taken in turn.

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
    timed_calls: int = Field(default=0, ge=0)
    warm_up_calls: int = Field(default=0, ge=0)


BASELINE = Condition(id="baseline", suite="performance")


class Plan(Record):
    """Everything that a run will do, in order. The baseline always comes first."""

    policy: str
    conditions: tuple[Condition, ...] = Field(min_length=1)

    @property
    def digest(self) -> str:
        """SHA-256 of the plan in canonical JSON."""
        return digest_json(self.to_json())
