"""What a policy may say. The resolved policy is this record in canonical JSON; its digest names it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator

from gatekeeper.canonical import digest_json
from gatekeeper.evidence import Record, Threshold
from gatekeeper.metrics import METRICS, Metric
from gatekeeper.perturbations import PERTURBATIONS
from gatekeeper.policy._meaning import (
    ENDS,
    faults_of_ladder,
    faults_of_metric,
    faults_of_policy,
    faults_of_requirement,
    faults_of_share,
)
from gatekeeper.quantities import parse_quantity
from gatekeeper.validation import refuse

# The whole numbers that canonical JSON (RFC 8785) can hold.
_LARGEST_INTEGER = 2**53 - 1


def _is_number_or_text(written: object) -> object:
    """Say in one sentence what pydantic would say once for each type of the union."""
    if isinstance(written, bool) or not isinstance(written, str | int | float):
        raise ValueError("expected a number, or a number with its unit")
    if not isinstance(written, str) and not abs(written) <= _LARGEST_INTEGER:
        raise ValueError("a number too large to compute with")
    return written


def _is_legible(text: str) -> str:
    if any(ord(character) < 32 and character not in "\n\t" for character in text):
        raise ValueError("the text holds control characters")
    return text


Quantity = Annotated[str | int | float, BeforeValidator(_is_number_or_text)]
Text = Annotated[str, Field(min_length=1), AfterValidator(_is_legible)]
Identifier = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$")]


class Basis(Record):
    """Where a number comes from, and how sure that is."""

    source: Text
    status: Literal["verified", "secondary", "computed", "unverified", "project_choice"]
    note: Text | None = None


class Prevalence(Record):
    """The share of positive units in the intended use, with its basis."""

    value: Quantity
    basis: Basis

    @field_validator("value")
    @classmethod
    def _is_a_share(cls, written: Quantity) -> Quantity:
        refuse(faults_of_share(written))
        return written


class Context(Record):
    """The clinical context that a policy speaks of."""

    modality: Literal["CT", "MR", "CR", "DX", "MG", "US", "OP", "PT", "NM", "SM"]
    body_part: Text
    task: Literal["classification"]
    unit: Text
    positive: Text
    prevalence: Prevalence | None = None
    intended_use: Text


class Limit(Record):
    """One side of a threshold."""

    at_least: Quantity | None = None
    at_most: Quantity | None = None

    @model_validator(mode="after")
    def _one_side(self) -> Limit:
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError("give exactly one of at_least, at_most")
        return self


class Requirement(Record):
    """One demand on one metric.

    Exactly one of ``lower_limit``, ``upper_limit`` (ends of the two-sided interval at ``confidence``) and
    ``estimate`` (the point) carries the threshold.
    """

    title: Text | None = None
    metric: str
    lower_limit: Limit | None = None
    upper_limit: Limit | None = None
    estimate: Limit | None = None
    confidence: float = Field(default=0.95, gt=0.5, lt=1.0)
    at_prevalence: Quantity | None = None
    level: Literal["R0", "R4"] | None = None
    percentile: float | None = Field(default=None, gt=0.0, lt=100.0)
    of: str | None = None
    perturbation: str | None = None
    severity: int | None = Field(default=None, ge=1)
    blocking: bool = True
    basis: Basis
    hazard: Text | None = None

    @field_validator("metric")
    @classmethod
    def _is_known(cls, name: str) -> str:
        refuse(faults_of_metric(name))
        return name

    @model_validator(mode="after")
    def _means_something(self) -> Requirement:
        refuse(faults_of_requirement(self))
        return self

    @property
    def spec(self) -> Metric:
        """The catalogue's entry of the metric."""
        return METRICS.get(self.metric)

    @property
    def threshold(self) -> Threshold:
        """The threshold in the metric's own unit."""
        unit = self.spec.unit
        for name in ENDS:
            limit: Limit | None = getattr(self, name)
            if limit is not None:
                return Threshold(
                    of=name,
                    at_least=None if limit.at_least is None else parse_quantity(limit.at_least, unit),
                    at_most=None if limit.at_most is None else parse_quantity(limit.at_most, unit),
                )
        raise ValueError("a requirement without a threshold")

    @property
    def prevalence(self) -> float | None:
        """The prevalence at which a predictive value is required, as a share."""
        return None if self.at_prevalence is None else parse_quantity(self.at_prevalence, "1")


class Subgroups(Record):
    """Which requirements are looked at again in each group of an attribute."""

    by: tuple[Text, ...] = Field(min_length=1)
    min_cases: int = Field(default=30, ge=1, le=1_000_000)
    requirements: tuple[str, ...] = Field(min_length=1)
    blocking: bool = False


class LatencyProtocol(Record):
    """How time is measured: batch size 1, cases in turn, unrecorded calls first."""

    warm_up_calls: int = Field(default=20, ge=0, le=1_000_000)
    timed_calls: int = Field(default=200, ge=1, le=1_000_000)


class Policy(Record):
    """What one clinical context requires of a model."""

    id: Identifier
    version: str = Field(pattern=r"^\d+\.\d+\.\d+$")
    title: Text
    context: Context
    requirements: dict[Identifier, Requirement] = Field(min_length=1)
    robustness: dict[str, tuple[Quantity, ...]] = Field(default_factory=dict)
    subgroups: Subgroups | None = None
    latency: LatencyProtocol = LatencyProtocol()
    order: tuple[str, ...] = Field(min_length=1)
    notes: tuple[Text, ...] = ()

    @field_validator("robustness")
    @classmethod
    def _ladders_climb(cls, ladders: dict[str, tuple[Quantity, ...]]) -> dict[str, tuple[Quantity, ...]]:
        refuse(fault for name, steps in ladders.items() for fault in faults_of_ladder(name, steps))
        return ladders

    @model_validator(mode="after")
    def _refers_to_what_is_there(self) -> Policy:
        refuse(faults_of_policy(self))
        return self

    @property
    def digest(self) -> str:
        """SHA-256 of the resolved policy in canonical JSON."""
        return digest_json(self.to_json())

    def magnitudes(self, perturbation: str) -> tuple[float, ...]:
        """Return the ladder of a perturbation in its own unit, least severity first."""
        unit = PERTURBATIONS.get(perturbation).unit
        return tuple(parse_quantity(step, unit) for step in self.robustness[perturbation])
