"""What a policy may say. The resolved policy is this record in canonical JSON; its digest names it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from gatekeeper.canonical import digest_json
from gatekeeper.catalogue import Catalogue, Entry, nearest
from gatekeeper.evidence import Record, Threshold
from gatekeeper.metrics import METRICS, Metric, Suite
from gatekeeper.perturbations import PERTURBATIONS
from gatekeeper.quantities import parse_quantity

Quantity = str | int | float
Identifier = Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$")


def _known(catalogue: Catalogue[Entry], name: str) -> str:
    if name in catalogue:
        return name
    near = nearest(name, catalogue.names())
    hint = f'did you mean "{near}"?' if near else f"known: {', '.join(sorted(catalogue.names()))}"
    raise PydanticCustomError(
        "unknown_name", 'unknown {kind} "{name}"', {"kind": catalogue.kind, "name": name, "mend": hint}
    )


class Basis(Record):
    """Where a number comes from, and how sure that is."""

    source: str = Field(min_length=1)
    status: Literal["verified", "secondary", "computed", "unverified", "project_choice"]
    note: str | None = None


class Prevalence(Record):
    """The share of positive units in the intended use, with its basis."""

    value: Quantity
    basis: Basis

    @field_validator("value")
    @classmethod
    def _is_a_share(cls, written: Quantity) -> Quantity:
        if not 0.0 < parse_quantity(written, "1") < 1.0:
            raise ValueError("a prevalence lies between 0 and 1")
        return written


class Context(Record):
    """The clinical context that a policy speaks of."""

    modality: Literal["CT", "MR", "CR", "DX", "MG", "US", "OP", "PT", "NM", "SM"]
    body_part: str = Field(min_length=1)
    task: Literal["classification"]
    unit: str = Field(min_length=1)
    positive: str = Field(min_length=1)
    prevalence: Prevalence | None = None
    intended_use: str = Field(min_length=1)


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

    title: str | None = None
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
    hazard: str | None = None

    @field_validator("metric")
    @classmethod
    def _is_known(cls, name: str) -> str:
        return _known(METRICS, name)

    @model_validator(mode="after")
    def _means_something(self) -> Requirement:
        spec = self.spec
        given = {name for name in _OPTIONS if getattr(self, name) is not None}
        for name in sorted(spec.must - given):
            raise ValueError(f"the metric {spec.name} needs {name}")
        for name in sorted(given - spec.options):
            raise ValueError(f"the metric {spec.name} does not take {name}")
        ends = [name for name in ("lower_limit", "upper_limit", "estimate") if getattr(self, name) is not None]
        if len(ends) != 1:
            raise ValueError("give exactly one of lower_limit, upper_limit, estimate")
        if self.lower_limit is not None and self.lower_limit.at_least is None:
            raise ValueError("a lower limit is required to be at_least something")
        if self.upper_limit is not None and self.upper_limit.at_most is None:
            raise ValueError("an upper limit is required to be at_most something")
        threshold = self.threshold
        wanted = threshold.at_least if threshold.at_least is not None else threshold.at_most
        if wanted is None or not spec.lowest <= wanted <= spec.highest:
            raise ValueError(f"the threshold is outside the range of {spec.name}, {spec.lowest:g} to {spec.highest:g}")
        if (threshold.at_least is not None) != spec.higher_is_better:
            side = "at_least" if spec.higher_is_better else "at_most"
            raise ValueError(f"{spec.name} is a metric on which {side} is a demand; the other side demands nothing")
        if self.prevalence is not None and not 0.0 < self.prevalence < 1.0:
            raise ValueError("at_prevalence lies between 0 and 1")
        return self

    @property
    def spec(self) -> Metric:
        """The catalogue's entry of the metric."""
        return METRICS.get(self.metric)

    @property
    def threshold(self) -> Threshold:
        """The threshold in the metric's own unit."""
        unit = self.spec.unit
        for name in ("lower_limit", "upper_limit", "estimate"):
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


_OPTIONS = ("at_prevalence", "level", "percentile", "of", "perturbation", "severity")


class Subgroups(Record):
    """Which requirements are looked at again in each group of an attribute."""

    by: tuple[str, ...] = Field(min_length=1)
    min_cases: int = Field(default=30, ge=1)
    requirements: tuple[str, ...] = Field(min_length=1)
    blocking: bool = False


class LatencyProtocol(Record):
    """How time is measured: batch size 1, cases in turn, unrecorded calls first."""

    warm_up_calls: int = Field(default=20, ge=0)
    timed_calls: int = Field(default=200, ge=1)


class Policy(Record):
    """What one clinical context requires of a model."""

    id: str = Identifier
    version: str = Field(pattern=r"^\d+\.\d+\.\d+$")
    title: str = Field(min_length=1)
    context: Context
    requirements: dict[str, Requirement] = Field(min_length=1)
    robustness: dict[str, tuple[Quantity, ...]] = Field(default_factory=dict)
    subgroups: Subgroups | None = None
    latency: LatencyProtocol = LatencyProtocol()
    order: tuple[str, ...] = Field(min_length=1)
    notes: tuple[str, ...] = ()

    @field_validator("robustness")
    @classmethod
    def _ladders_climb(cls, ladders: dict[str, tuple[Quantity, ...]]) -> dict[str, tuple[Quantity, ...]]:
        for name, steps in ladders.items():
            perturbation = PERTURBATIONS.get(_known(PERTURBATIONS, name))
            values = [parse_quantity(step, perturbation.unit) for step in steps]
            if not values or values != sorted(set(values)):
                raise ValueError(f"{name}: severities are listed from the least to the greatest, none twice")
            if values[0] <= perturbation.lowest or values[-1] > perturbation.highest:
                span = f"{perturbation.lowest:g} to {perturbation.highest:g} {perturbation.unit}"
                raise ValueError(f"{name}: a severity lies outside {span}")
        return ladders

    @model_validator(mode="after")
    def _refers_to_what_is_there(self) -> Policy:
        for id_, requirement in self.requirements.items():
            self._check_stress(id_, requirement)
        blocking = {id_ for id_, requirement in self.requirements.items() if requirement.blocking}
        if not blocking:
            raise ValueError("no requirement is blocking: nothing judged is never a pass")
        if len(set(self.order)) != len(self.order) or set(self.order) != blocking:
            raise ValueError(f"order lists every blocking requirement once: {', '.join(sorted(blocking))}")
        unknown = set(self.subgroups.requirements if self.subgroups else ()) - set(self.requirements)
        if unknown:
            raise ValueError(f"subgroups name a requirement that is not there: {', '.join(sorted(unknown))}")
        for id_ in self.subgroups.requirements if self.subgroups else ():
            if self.requirements[id_].spec.suite is not Suite.PERFORMANCE:
                raise ValueError(f"subgroups can ask for performance requirements; {id_} is none")
        return self

    def _check_stress(self, id_: str, requirement: Requirement) -> None:
        if requirement.spec.suite is not Suite.ROBUSTNESS:
            return
        ladder = self.robustness.get(requirement.perturbation or "")
        if ladder is None:
            raise ValueError(f"{id_}: no ladder of {requirement.perturbation} under robustness")
        if requirement.severity is not None and requirement.severity > len(ladder):
            raise ValueError(f"{id_}: the ladder of {requirement.perturbation} has {len(ladder)} severities")
        measured = self.requirements.get(requirement.of or "")
        if measured is None or measured.spec.suite is not Suite.PERFORMANCE:
            raise ValueError(f"{id_}: of names no performance requirement of this policy")

    @property
    def digest(self) -> str:
        """SHA-256 of the resolved policy in canonical JSON."""
        return digest_json(self.to_json())

    def magnitudes(self, perturbation: str) -> tuple[float, ...]:
        """Return the ladder of a perturbation in its own unit, least severity first."""
        unit = PERTURBATIONS.get(perturbation).unit
        return tuple(parse_quantity(step, unit) for step in self.robustness[perturbation])
