"""What a lock signs: every case with its patient (as HMAC), label, attributes, files and their digests."""

from __future__ import annotations

from functools import cached_property
from typing import Literal, cast

from pydantic import Field, TypeAdapter, model_validator
from pydantic.dataclasses import dataclass

from gatekeeper.canonical import JSON, canonical_json, digest_bytes
from gatekeeper.evidence import STRICT, Digest, Record
from gatekeeper.evidence.conditions import UnusableKind
from gatekeeper.testset.merkle import merkle_root

Task = Literal["classification", "segmentation", "detection"]
Role = Literal["image", "mask"]

# The manifest in canonical JSON begins with its cases: their keys come first in the order of the alphabet.
_BEFORE_CASES, _AFTER_CASES = b'"cases":[', b"],"


# Slots: a set has a hundred thousand of these, and a model takes five times the memory.
@dataclass(config=STRICT, frozen=True, slots=True, kw_only=True)
class LockedFile:
    """One file: what it is to its case, where it lies below the set's root, its SHA-256 and its size in bytes."""

    role: Role
    path: str
    sha256: Digest
    size: int = Field(ge=0)


@dataclass(config=STRICT, frozen=True, slots=True, kw_only=True)
class LockedCase:
    """One leaf: patient, roles, paths and bytes bound together, with label, subject and attributes.

    ``patient`` is the HMAC-SHA256 of the patient id under the set's secret. ``files`` are in the order of their paths,
    images before masks; a DICOM series is many. ``label`` is 1 for a case with the finding. ``boxes`` is the reference
    of a detection, as the table gave it, in canonical JSON.
    """

    case_id: str
    patient: str
    files: tuple[LockedFile, ...] = Field(min_length=1)
    label: int = Field(ge=0, le=1)
    subject: str
    attributes: dict[str, str]
    boxes: str | None = None

    def to_json(self) -> dict[str, JSON]:
        """Return the case as plain JSON data."""
        return cast("dict[str, JSON]", _CASE.dump_python(self, mode="json"))


_CASE = TypeAdapter(LockedCase)


@dataclass(config=STRICT, frozen=True, slots=True, kw_only=True)
class UnusableCase:
    """An input that a candidate must decline, and why; no other suite ever sees it. Its label says nothing."""

    must_refuse: UnusableKind
    case: LockedCase

    def to_json(self) -> dict[str, JSON]:
        """Return the case and its kind as plain JSON data."""
        return {"case": self.case.to_json(), "must_refuse": self.must_refuse}


class Allowed(Record):
    """An identifier that was let pass: the tag or field, and why."""

    where: str
    because: str


class Manifest(Record):
    """A locked test set. Two manifests with the same digest are the same test set.

    ``root`` is the RFC 6962 tree hash over the cases, then over what is ``unusable``; ``labels`` and ``attributes`` are
    digests of the cases alone, as is all that is counted here but ``files``.
    ``folders`` hold locked files and nothing else: a file that is added there shows. ``composition`` counts patients,
    by what (from headers and attributes) and value.
    """

    format: Literal["gatekeeper/lock/v2"] = "gatekeeper/lock/v2"
    name: str
    task: Task
    cases: tuple[LockedCase, ...] = Field(min_length=1)
    folders: tuple[str, ...] = ()
    allowed: tuple[Allowed, ...] = ()
    composition: dict[str, dict[str, int]] = Field(default_factory=dict)
    unusable: tuple[UnusableCase, ...] = ()
    root: str
    labels: str
    attributes: str

    @classmethod
    def of(
        cls,
        name: str,
        cases: tuple[LockedCase, ...],
        task: Task = "classification",
        *,
        folders: tuple[str, ...] = (),
        allowed: tuple[Allowed, ...] = (),
        composition: dict[str, dict[str, int]] | None = None,
        unusable: tuple[UnusableCase, ...] = (),
    ) -> Manifest:
        """Make the manifest of these cases, in their order."""
        return cls(
            name=name,
            task=task,
            cases=cases,
            folders=folders,
            allowed=allowed,
            composition=composition or {},
            unusable=unusable,
            root=merkle_root([*(canonical_json(case.to_json()) for case in cases), *_apart(unusable)]),
            labels=_labels(cases),
            attributes=_attributes(cases),
        )

    @model_validator(mode="after")
    def _digests_hold(self) -> Manifest:
        if self.root != merkle_root([*self._leaves, *_apart(self.unusable)]):
            raise ValueError("the Merkle root does not fit the cases")
        if self.labels != _labels(self.cases) or self.attributes != _attributes(self.cases):
            raise ValueError("the digest of labels or attributes does not fit the cases")
        if len({case.case_id for case in self.inputs}) != len(self.inputs):
            raise ValueError("two cases have the same id")
        return self

    def to_json(self) -> dict[str, JSON]:
        """Return the manifest as plain JSON data; where nothing is unusable, as locks were before, without that key."""
        data = super().to_json()
        if not self.unusable:
            del data["unusable"]
        return data

    @cached_property
    def _leaves(self) -> list[bytes]:
        """Every case in canonical JSON: what the tree is over, and what the digest is made of."""
        return [canonical_json(case.to_json()) for case in self.cases]

    @property
    def canonical(self) -> bytes:
        """The manifest in canonical JSON, put together from its leaves: as plain data it would take ten times that."""
        rest = self.model_copy(update={"cases": ()})
        before, _, after = canonical_json(rest.to_json()).partition(_BEFORE_CASES + _AFTER_CASES)
        return b"".join((before, _BEFORE_CASES, b",".join(self._leaves), _AFTER_CASES, after))

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the manifest in canonical JSON."""
        return digest_bytes(self.canonical)

    @cached_property
    def inputs(self) -> tuple[LockedCase, ...]:
        """All that is locked: the cases, then what must be declined."""
        return (*self.cases, *(one.case for one in self.unusable))

    @property
    def patients(self) -> int:
        """How many patients the set has."""
        return len({case.patient for case in self.cases})

    @property
    def files(self) -> int:
        """How many files the set has, those that must be declined among them."""
        return sum(len(case.files) for case in self.inputs)


def _apart(unusable: tuple[UnusableCase, ...]) -> list[bytes]:
    return [canonical_json(one.to_json()) for one in unusable]


def _labels(cases: tuple[LockedCase, ...]) -> str:
    return digest_bytes(canonical_json([[case.case_id, case.subject, case.label, case.boxes] for case in cases]))


def _attributes(cases: tuple[LockedCase, ...]) -> str:
    return digest_bytes(canonical_json([[case.case_id, dict(case.attributes)] for case in cases]))
