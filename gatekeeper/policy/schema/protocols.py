"""How a policy is carried out: subgroups, time, failures, the use of test sets, waivers, and what comes after."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, TypeAlias

from pydantic import Field, SerializerFunctionWrapHandler, field_validator, model_serializer, model_validator

from gatekeeper.evidence import CaseOutcome, Record
from gatekeeper.policy._meaning import (
    BENIGN,
    DECLARED,
    faults_of_expected_groups,
    faults_of_ladder,
    faults_of_load,
)
from gatekeeper.policy.schema.basis import Basis
from gatekeeper.policy.schema.values import Day, Quantity, Text
from gatekeeper.quantities import parse_quantity
from gatekeeper.validation import refuse

Cost: TypeAlias = Literal["wrong", "positive", "negative"]


class Subgroups(Record):
    """Which requirements are looked at again in each group of each attribute.

    A group with fewer than ``min_cases`` counted cases, or one that is ``expected`` and missing from the test set, is
    not decided. With ``not_judged`` it is shown all the same, and cannot close the gate. ``largest_gap``: how far the
    best and the worst group may lie apart, in the unit of the metric.
    """

    by: tuple[Text, ...] = Field(min_length=1)
    min_cases: int = Field(default=30, ge=1, le=1_000_000)
    requirements: tuple[str, ...] = Field(min_length=1)
    blocking: bool = False
    expected: dict[str, tuple[Text, ...]] = Field(default_factory=dict)
    too_small: Literal["not_decided", "not_judged"] = "not_decided"
    missing: Literal["not_decided", "not_judged"] = "not_decided"
    largest_gap: dict[str, Quantity] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _expects_groups_of_its_own(self) -> Subgroups:
        refuse(faults_of_expected_groups(self))
        return self


class Load(Record):
    """The work that a device and its readers get: cases that arrive at random, and how they are read.

    ``arrivals_per_hour`` is the rate of a Poisson process, ``prevalence`` the share of positive cases among them
    (``declared``: that of the context), ``reading_minutes`` the mean time that one of ``readers`` spends on a case.
    """

    arrivals_per_hour: float = Field(gt=0.0, le=1e6)
    prevalence: Quantity = DECLARED
    reading_minutes: float | None = Field(default=None, gt=0.0, le=1440.0)
    readers: int = Field(default=1, ge=1, le=100)

    @model_validator(mode="after")
    def _can_be_read(self) -> Load:
        refuse(faults_of_load(self))
        return self

    @property
    def own_prevalence(self) -> float | None:
        """The prevalence as a share; None where it is that of the context."""
        return None if self.prevalence == DECLARED else parse_quantity(self.prevalence, "1")


class RepeatabilityProtocol(Record):
    """How cases are run again.

    ``benign`` maps perturbations to the size at which they mean nothing: what level R3 compares. ``reruns`` is the most
    reruns of level R0, each in a fresh process; they stop early where one has shown that a requirement is not met.
    """

    benign: dict[str, Quantity] = Field(default_factory=lambda: dict(BENIGN))
    reruns: int = Field(default=1, ge=1, le=20)

    @field_validator("benign")
    @classmethod
    def _can_be_applied(cls, sizes: dict[str, Quantity]) -> dict[str, Quantity]:
        faults = ((name, fault) for name, size in sizes.items() for fault in faults_of_ladder(name, (size,)))
        refuse(replace(fault, path=(name,)) for name, fault in faults)
        return sizes


class LatencyProtocol(Record):
    """How time is measured: batch size 1, cases in turn, unrecorded calls first.

    Calls are recorded once times are stable: when the median of the last ten differs by less than 5 % from that of the
    ten before (of as many as ``warm_up_calls`` where these are fewer), or after five times ``warm_up_calls``, or 60 s.
    Of ``cold_starts`` new processes start and first case are timed where a requirement asks for them. ``hardware`` is a
    part of the name of the device for which the requirements hold, such as ``H100``; on another device they are not
    decided.
    """

    warm_up_calls: int = Field(default=20, ge=0, le=1_000_000)
    timed_calls: int = Field(default=200, ge=1, le=1_000_000)
    cold_starts: int = Field(default=3, ge=1, le=20)
    hardware: Text | None = None
    load: Load | None = None


class FailureCosts(Record):
    """What a case without a usable answer counts as.

    ``wrong``: against the candidate, whatever the truth (for an overlap 0, for a distance the worst). ``positive``,
    ``negative``: as a call of that kind, where the site's workflow makes it one.
    """

    crash: Cost = "wrong"
    timeout: Cost = "wrong"
    out_of_memory: Cost = "wrong"
    refusal: Cost = "wrong"
    invalid_output: Cost = "wrong"
    empty_prediction: Literal["wrong"] = "wrong"
    missed_structure: Literal["wrong"] = "wrong"

    @property
    def by_outcome(self) -> dict[CaseOutcome, Cost]:
        """What each outcome of a case other than an answer counts as."""
        return {
            CaseOutcome.CRASHED: self.crash,
            CaseOutcome.TIMED_OUT: self.timeout,
            CaseOutcome.OUT_OF_MEMORY: self.out_of_memory,
            CaseOutcome.REFUSED: self.refusal,
            CaseOutcome.INVALID_OUTPUT: self.invalid_output,
        }


class TestSetUse(Record):
    """How often a locked test set may decide on releases before it is worn out."""

    __test__ = False  # not a test, whatever pytest makes of the name

    max_release_evaluations: int = Field(ge=1, le=1_000_000)


class Margin(Record):
    """How much worse than the champion a challenger may be: a distance in the unit of the metric."""

    margin: Quantity
    basis: Basis | None = None


class Pages(Record):
    """What a dossier shows besides numbers, and the paper that its pages are for.

    ``pictures`` lets it show images of a few cases with their outlines. These are pixels of patients: a head in profile
    can be recognised, and whoever gets the dossier gets them.
    """

    pictures: bool = False
    paper: Literal["a4", "letter"] = "a4"

    @model_serializer(mode="wrap")
    def _as_before(self, write: SerializerFunctionWrapHandler) -> dict[str, object]:
        """Leave the usual paper out, so that policies of before there was a choice keep their digests."""
        written: dict[str, object] = write(self)
        return {name: value for name, value in written.items() if (name, value) != ("paper", "a4")}


class Champion(Record):
    """Comparison with the released model: non-inferiority margins by requirement. Read by promotion, not by checks."""

    not_inferior: dict[str, Margin] = Field(min_length=1)


class Monitoring(Record):
    """What is watched after release. Read by the monitor, not by checks.

    ``window_cases`` is how many cases are looked at together, ``requirements`` what is judged in each window,
    ``max_score_psi`` the population stability index of the scores that raises an alarm.
    """

    window_cases: int = Field(ge=1, le=1_000_000)
    requirements: tuple[str, ...] = ()
    max_score_psi: float | None = Field(default=None, gt=0.0, le=10.0)
    basis: Basis | None = None


class Waiver(Record):
    """Leave to release although one requirement is not met, until a day (inclusive, UTC). The finding still shows."""

    requirement: str
    reason: Text
    by: Text
    expires: Day
