"""The predicate ``test-result/v0.1`` of in-toto: the same run for tools that know no predicate of ours.

Source: https://github.com/in-toto/attestation/blob/main/spec/predicates/test-result.md, version 0.1.0. It knows three
results only, so that everything which does not open the gate is FAILED here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from gatekeeper.canonical import JSON, digest_bytes
from gatekeeper.evidence import FindingInShort, Outcome, Record, VerdictWord

if TYPE_CHECKING:
    from gatekeeper.attestation.predicate import ModelValidation

RESULT_TYPE = "https://in-toto.io/attestation/test-result/v0.1"
# Entries beside the requirements, whose ids have no slash before a subgroup in brackets.
VERDICT, RELEASE = "gatekeeper/verdict", "gatekeeper/release"


class Configuration(Record):
    """A ResourceDescriptor of in-toto: a file by its name, its SHA-256 in hex, and what it is."""

    name: str
    digest: dict[str, str]
    media_type: str = Field(default="application/json", serialization_alias="mediaType")
    annotations: dict[str, str]


class InTotoResult(Record):
    """The predicate, with the names of the specification."""

    result: Literal["PASSED", "WARNED", "FAILED"]
    configuration: tuple[Configuration, ...]
    passed: tuple[str, ...] = Field(serialization_alias="passedTests")
    warned: tuple[str, ...] = Field(serialization_alias="warnedTests")
    failed: tuple[str, ...] = Field(serialization_alias="failedTests")

    def to_json(self) -> dict[str, JSON]:
        """Return the predicate as plain JSON data."""
        content: dict[str, JSON] = self.model_dump(mode="json", by_alias=True)
        return content


def in_toto_result(said: ModelValidation, files: Mapping[str, bytes]) -> InTotoResult:
    """Return the result of a run; ``files`` are its records by name.

    PASSED is a PASS that nothing bars from release, WARNED a PASS that something bars, and FAILED all else. The verdict
    and the release are entries of the lists too: whoever reads one list alone is not deceived by the lack of the other.
    """
    marks = {finding.id: _mark(finding) for finding in said.findings}
    marks[VERDICT] = "PASSED" if said.verdict is VerdictWord.PASS else "FAILED"
    result = marks[VERDICT] if said.releasable or marks[VERDICT] == "FAILED" else "WARNED"
    marks[RELEASE] = result
    policy, testset = said.policy, said.testset
    return InTotoResult(
        result=result,
        configuration=(
            _file("policy.json", files, {"id": policy.id, "version": policy.version, "canonical": policy.digest}),
            _file("testset.json", files, {"name": testset.name, "canonical": testset.digest}),
        ),
        passed=tuple(name for name, mark in marks.items() if mark == "PASSED"),
        warned=tuple(name for name, mark in marks.items() if mark == "WARNED"),
        failed=tuple(name for name, mark in marks.items() if mark == "FAILED"),
    )


def _mark(finding: FindingInShort) -> Literal["PASSED", "WARNED", "FAILED"]:
    """What is met has passed; what is not met or not decided has failed where it counts, else it is a warning."""
    if finding.outcome is Outcome.MET:
        return "PASSED"
    return "FAILED" if finding.blocking and finding.waived is None else "WARNED"


def _file(name: str, files: Mapping[str, bytes], annotations: dict[str, str]) -> Configuration:
    digest = {"sha256": digest_bytes(files[name]).removeprefix("sha256:")}
    return Configuration(name=name, digest=digest, annotations=annotations)
