"""What the gate signs: one statement inside the dossier, over its records; one beside it, over the finished PDF."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gatekeeper import __version__
from gatekeeper.canonical import JSON, digest_bytes
from gatekeeper.errors import Code, IntegrityError
from gatekeeper.run_records import DOSSIER, FILES, RunRecords
from gatekeeper.trust import (
    PAYLOAD_TYPE,
    PREDICATE_TYPE,
    Signer,
    open_envelope,
    parse_statement,
    sign_envelope,
    statement,
)

if TYPE_CHECKING:
    from cryptography.x509 import Certificate


@dataclass(frozen=True)
class OpenedAttestation:
    """A statement whose signature holds: SHA-256 digests by the name of what they belong to."""

    subjects: Mapping[str, str]

    def hold(self, files: Mapping[str, bytes], where: str) -> None:
        """Raise IntegrityError unless each of these files is one that the statement names, with the same digest."""
        for name in sorted(files):
            if digest_bytes(files[name]) != self.subjects.get(name):
                raise IntegrityError(
                    Code.DIGEST_MISMATCH,
                    f"{name} is not the one that was attested",
                    where=where,
                    why="its SHA-256 differs from the signed one",
                    mend="use the original file; a run that must change is made again with `gatekeeper check`",
                )


def state(records: RunRecords, files: Mapping[str, bytes], signer: Signer, *, development: bool) -> bytes:
    """Sign the statement that goes inside the dossier: records, candidate and lock, by digest."""
    subjects = {name: digest_bytes(files[name]) for name in FILES}
    subjects |= {f"candidate/{name}": digest for name, digest in records.candidate.files.items()}
    payload = statement(subjects, PREDICATE_TYPE, _predicate(records, development))
    return sign_envelope(payload, PAYLOAD_TYPE, signer)


def attest(pdf: bytes, records: RunRecords, files: Mapping[str, bytes], signer: Signer, *, development: bool) -> bytes:
    """Sign the detached statement: the finished, signed PDF with everything that the inner statement covers."""
    subjects = {DOSSIER: digest_bytes(pdf)} | {name: digest_bytes(files[name]) for name in FILES}
    subjects |= {f"candidate/{name}": digest for name, digest in records.candidate.files.items()}
    payload = statement(subjects, PREDICATE_TYPE, _predicate(records, development))
    return sign_envelope(payload, PAYLOAD_TYPE, signer)


def open_attestation(source: Path | bytes | None, root: Certificate, where: str | None = None) -> OpenedAttestation:
    """Open an envelope against a trusted root. Raises IntegrityError when it is missing or does not hold."""
    place = where or str(source)
    if isinstance(source, Path):
        source = source.read_bytes() if source.is_file() else None
    if source is None:
        raise IntegrityError(Code.BAD_SIGNATURE, "the attestation is missing", where=place)
    opened = open_envelope(source, PAYLOAD_TYPE, root, where=place)
    return OpenedAttestation(parse_statement(opened.payload, where=place).subjects)


def _predicate(records: RunRecords, development: bool) -> dict[str, JSON]:
    verdict = records.verdict
    return {
        "verdict": verdict.verdict.value,
        "exploratory": verdict.exploratory,
        "development": development,
        "policy": {"id": verdict.policy_id, "version": verdict.policy_version, "digest": verdict.digests.policy},
        "candidate": {"name": verdict.candidate, "digest": verdict.digests.candidate},
        "testset": {"name": verdict.testset, "digest": verdict.digests.lock},
        "run": verdict.run.to_json(),
        "gatekeeper": __version__,
    }
