"""The predicate ``model-validation/v1``: what an attestation says of a run. Its JSON Schema is made from these records.

Every field but the ledger's follows from the records that a dossier carries, so that ``verify`` holds each of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from pydantic import ConfigDict, Field, model_validator
from pydantic.config import JsonDict

from gatekeeper.canonical import JSON
from gatekeeper.evidence import Digest, FindingInShort, Record, RunStamp, VerdictWord
from gatekeeper.trust import PREDICATE_TYPE
from gatekeeper.verdict import Bar

if TYPE_CHECKING:
    from gatekeeper.run_records import RunRecords
    from gatekeeper.verdict import ReleaseBar

SCHEMA = "model-validation-v1.schema.json"
_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_BARRED_OR_NOT: JsonDict = {
    "if": {"properties": {"releasable": {"const": True}}},
    "then": {"properties": {"bars": {"maxItems": 0}, "verdict": {"const": "PASS"}}},
    "else": {"properties": {"bars": {"minItems": 1}}},
}


class LedgerState(Record):
    """The ledger when the test set had been opened for this run: what only the signer's word stands for."""

    size: int = Field(ge=1, description="entries in the ledger")
    head: Digest = Field(description="digest of the last entry, which holds that of the one before")
    exposures: int = Field(ge=1, description="how often the test set had been used, this run included")


class AttestedPolicy(Record):
    """The policy, by the digest of its resolved, canonical form."""

    id: str
    version: str
    digest: Digest


class AttestedCandidate(Record):
    """The candidate, by the digest of its contract and its files."""

    name: str
    digest: Digest


class AttestedTestSet(Record):
    """The locked test set, by the digest of its manifest, and how large it is."""

    name: str
    digest: Digest
    cases: int = Field(ge=1)
    patients: int = Field(ge=1)


class AttestedPlan(Record):
    """The list of what was to be run, by its digest; it follows from the policy alone."""

    digest: Digest


class ModelValidation(Record):
    """What one run of the gate found out about one candidate, and whether the candidate may be released."""

    model_config = ConfigDict(json_schema_extra=_BARRED_OR_NOT)

    verdict: VerdictWord
    without_waivers: VerdictWord | None = Field(
        description="the verdict if no waiver were in force; null when no finding is waived"
    )
    releasable: bool = Field(description="whether the candidate may be released: true when `bars` is empty")
    bars: tuple[Bar, ...] = Field(description="all that bars a release")
    exploratory: bool = Field(
        description="whether the policy was changed on the command line; then nothing is released"
    )
    development: bool = Field(description="whether a development key signed, which anyone could have made")
    policy: AttestedPolicy
    candidate: AttestedCandidate
    testset: AttestedTestSet
    plan: AttestedPlan
    run: RunStamp
    findings: tuple[FindingInShort, ...] = Field(min_length=1)
    ledger: LedgerState
    reproducible: Digest = Field(
        description="digest of what two runs on the same inputs share: all findings, but for measured durations"
    )
    gatekeeper: str = Field(description="version of gatekeeper that made the run")

    @model_validator(mode="after")
    def _releases_a_pass_that_nothing_bars(self) -> Self:
        if self.releasable is bool(self.bars) or (self.releasable and self.verdict is not VerdictWord.PASS):
            raise ValueError("`releasable` is true for a PASS with no `bars`, and only then")
        return self


@dataclass(frozen=True)
class Standing:
    """What is attested besides the records: the keys, the ledger when the run began, and all that bars a release.

    ``bars`` are those that the dossier carries: see ``carried``.
    """

    development: bool
    ledger: LedgerState
    bars: tuple[ReleaseBar, ...]


def model_validation(records: RunRecords, standing: Standing) -> ModelValidation:
    """Return what an attestation of these records says."""
    verdict = records.verdict
    digests = verdict.digests
    return ModelValidation(
        verdict=verdict.verdict,
        without_waivers=verdict.without_waivers,
        releasable=not standing.bars,
        bars=tuple(bar.reason for bar in standing.bars),
        exploratory=verdict.exploratory,
        development=standing.development,
        policy=AttestedPolicy(id=verdict.policy_id, version=verdict.policy_version, digest=digests.policy),
        candidate=AttestedCandidate(name=verdict.candidate, digest=digests.candidate),
        testset=AttestedTestSet(
            name=verdict.testset, digest=digests.lock, cases=verdict.cases, patients=verdict.patients
        ),
        plan=AttestedPlan(digest=digests.plan),
        run=verdict.run,
        findings=tuple(finding.in_short for finding in verdict.findings),
        ledger=standing.ledger,
        reproducible=verdict.reproducible,
        gatekeeper=records.environment.gatekeeper,
    )


def json_schema() -> dict[str, JSON]:
    """Return the JSON Schema (draft 2020-12) of the predicate."""
    return {"$schema": _DRAFT, "$id": PREDICATE_TYPE, **ModelValidation.model_json_schema(mode="serialization")}
