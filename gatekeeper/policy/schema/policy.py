"""The whole of a policy."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator, model_validator

from gatekeeper.canonical import digest_json
from gatekeeper.evidence import Record
from gatekeeper.evidence.conditions import UnusableKind
from gatekeeper.perturbations import PERTURBATIONS
from gatekeeper.policy._meaning import faults_of_ladder
from gatekeeper.policy._references import faults_of_policy
from gatekeeper.policy.schema.basis import Relaxation
from gatekeeper.policy.schema.context import Context
from gatekeeper.policy.schema.protocols import (
    Champion,
    FailureCosts,
    LatencyProtocol,
    Monitoring,
    Pages,
    RepeatabilityProtocol,
    Subgroups,
    TestSetUse,
    Waiver,
)
from gatekeeper.policy.schema.requirement import Requirement
from gatekeeper.policy.schema.values import Identifier, Quantity, Text
from gatekeeper.quantities import parse_quantity
from gatekeeper.validation import refuse


class Policy(Record):
    """What one clinical context requires of a model.

    ``robustness`` maps a perturbation to its ladder of severities, ``repeatability`` says how cases are run again,
    ``refusals`` lists the unusable inputs that are tried, ``refusal_tries`` how many of each kind are made. ``order``
    names every blocking requirement once, the most important first; with ``multiplicity: serial`` a requirement is
    claimed only when all before it are met, with ``holm`` as Holm's step-down procedure allows. ``relaxes`` excuses
    what a layer takes away outside its requirements.
    """

    id: Identifier
    version: str = Field(pattern=r"^\d+\.\d+\.\d+$")
    title: Text
    context: Context
    requirements: dict[Identifier, Requirement] = Field(min_length=1)
    robustness: dict[str, tuple[Quantity, ...]] = Field(default_factory=dict)
    repeatability: RepeatabilityProtocol = RepeatabilityProtocol()
    refusals: tuple[UnusableKind, ...] = ()
    refusal_tries: int = Field(default=40, ge=1, le=100_000)
    subgroups: Subgroups | None = None
    latency: LatencyProtocol = LatencyProtocol()
    failure_costs: FailureCosts = FailureCosts()
    order: tuple[str, ...] = Field(min_length=1)
    multiplicity: Literal["serial", "holm"] = "serial"
    test_set_use: TestSetUse | None = None
    champion: Champion | None = None
    monitoring: Monitoring | None = None
    dossier: Pages = Pages()
    waivers: tuple[Waiver, ...] = ()
    relaxes: Relaxation | None = None
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

    @property
    def benign_magnitudes(self) -> dict[str, float]:
        """The size of each benign change of level R3, in the unit of its perturbation."""
        sizes = self.repeatability.benign
        return {name: parse_quantity(size, PERTURBATIONS.get(name).unit) for name, size in sizes.items()}
