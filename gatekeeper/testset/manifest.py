"""What a lock signs: every case with its patient (as HMAC), label, attributes, file and digest."""

from __future__ import annotations

from functools import cached_property
from typing import Literal

from pydantic import Field, model_validator

from gatekeeper.canonical import canonical_json, digest_json
from gatekeeper.evidence import Record
from gatekeeper.testset.merkle import merkle_root

Task = Literal["classification"]


class LockedCase(Record):
    """One leaf: patient, role, path and bytes bound together, with label, subject and attributes.

    ``patient`` is the HMAC-SHA256 of the patient id under the set's secret; ``sha256`` and ``size`` are those of the
    file at ``path``, relative to the set's root.
    """

    case_id: str
    patient: str
    role: Literal["image"] = "image"
    path: str
    sha256: str = Field(pattern=r"^sha256:[0-9a-f]{64}$")
    size: int = Field(ge=0)
    label: int = Field(ge=0, le=1)
    subject: str
    attributes: dict[str, str]


class Manifest(Record):
    """A locked test set. Two manifests with the same digest are the same test set."""

    format: Literal["gatekeeper/lock/v1"] = "gatekeeper/lock/v1"
    name: str
    task: Task
    cases: tuple[LockedCase, ...] = Field(min_length=1)
    root: str

    @classmethod
    def of(cls, name: str, cases: tuple[LockedCase, ...], task: Task = "classification") -> Manifest:
        """Make the manifest of these cases, in their order."""
        return cls(name=name, task=task, cases=cases, root=_root(cases))

    @model_validator(mode="after")
    def _root_holds(self) -> Manifest:
        if self.root != _root(self.cases):
            raise ValueError("the Merkle root does not fit the cases")
        return self

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the manifest in canonical JSON."""
        return digest_json(self.to_json())

    @property
    def patients(self) -> int:
        """How many patients the set has."""
        return len({case.patient for case in self.cases})


def _root(cases: tuple[LockedCase, ...]) -> str:
    return merkle_root([canonical_json(case.to_json()) for case in cases])
