"""What the gate signs: one statement inside the dossier, over its records; one beside it, over the finished PDF."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gatekeeper import __version__
from gatekeeper.canonical import JSON, digest_bytes
from gatekeeper.errors import Code, IntegrityError
from gatekeeper.run_records import ATTESTATION, DOSSIER, RunRecords
from gatekeeper.trust import (
    PAYLOAD_TYPE,
    PREDICATE_TYPE,
    Checkpoint,
    Signer,
    open_envelope,
    parse_statement,
    sign_envelope,
    statement,
)

if TYPE_CHECKING:
    from cryptography.x509 import Certificate


@dataclass(frozen=True)
class Standing:
    """What is attested besides the records: the keys, the use of the test set, and what bars a release (its reasons).

    ``exposures`` is how often the test set had been used when the run began, this use included; ``ledger`` is the
    ledger's size and head then.
    """

    development: bool
    exposures: int
    ledger: tuple[int, str]
    bars: tuple[str, ...]


@dataclass(frozen=True)
class OpenedAttestation:
    """A statement whose signature holds: SHA-256 digests by the name of what they belong to, and what it says."""

    subjects: Mapping[str, str]
    predicate: Mapping[str, JSON]

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

    @property
    def exposures(self) -> int:
        """How often the test set had been used, this run included; 0 when the statement does not say."""
        ledger = self.predicate.get("ledger")
        exposures = ledger.get("exposures") if isinstance(ledger, dict) else None
        return exposures if isinstance(exposures, int) else 0

    def checkpoint(self, where: str) -> Checkpoint:
        """Return the ledger's checkpoint that was signed. Raises IntegrityError where there is none."""
        ledger = self.predicate.get("ledger")
        size, head = (ledger.get("size"), ledger.get("head")) if isinstance(ledger, dict) else (None, None)
        if not isinstance(size, int) or not isinstance(head, str):
            raise IntegrityError(Code.BAD_SIGNATURE, "the attestation has no checkpoint of the ledger", where=where)
        return Checkpoint(size, head)


def state(records: RunRecords, files: Mapping[str, bytes], signer: Signer, standing: Standing) -> bytes:
    """Sign the statement that goes inside the dossier: records, candidate and lock, by digest."""
    subjects = {name: digest_bytes(data) for name, data in files.items()}
    subjects |= {f"candidate/{name}": digest for name, digest in records.candidate.files.items()}
    payload = statement(subjects, PREDICATE_TYPE, _predicate(records, standing))
    return sign_envelope(payload, PAYLOAD_TYPE, signer)


def attest(pdf: bytes, records: RunRecords, files: Mapping[str, bytes], signer: Signer, standing: Standing) -> bytes:
    """Sign the detached statement: the finished, signed PDF with everything that the inner statement covers."""
    return state(records, {DOSSIER: pdf, **files}, signer, standing)


def open_attestation(source: Path | bytes | None, root: Certificate, where: str | None = None) -> OpenedAttestation:
    """Open an envelope against a trusted root. Raises IntegrityError when it is missing or does not hold."""
    place = where or str(source)
    if isinstance(source, Path):
        source = source.read_bytes() if source.is_file() else None
    if source is None:
        raise IntegrityError(Code.BAD_SIGNATURE, "the attestation is missing", where=place)
    opened = open_envelope(source, PAYLOAD_TYPE, root, where=place)
    told = parse_statement(opened.payload, where=place)
    return OpenedAttestation(told.subjects, told.predicate)


def checkpoint_of(source: Path, root: Certificate) -> Checkpoint:
    """Return the checkpoint of the ledger that a run's attestation signed; ``source`` is it, or the run's folder.

    Raises IntegrityError when the attestation is missing, does not hold, or has none.
    """
    path = source / ATTESTATION if source.is_dir() else source
    return open_attestation(path, root).checkpoint(str(path))


def _predicate(records: RunRecords, standing: Standing) -> dict[str, JSON]:
    verdict = records.verdict
    size, head = standing.ledger
    return {
        "verdict": verdict.verdict.value,
        "releasable": not standing.bars,
        "bars": [*standing.bars],
        "exploratory": verdict.exploratory,
        "development": standing.development,
        "ledger": {"size": size, "head": head, "exposures": standing.exposures},
        "policy": {"id": verdict.policy_id, "version": verdict.policy_version, "digest": verdict.digests.policy},
        "candidate": {"name": verdict.candidate, "digest": verdict.digests.candidate},
        "testset": {"name": verdict.testset, "digest": verdict.digests.lock},
        "run": verdict.run.to_json(),
        "gatekeeper": __version__,
    }
