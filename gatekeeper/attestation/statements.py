"""Signing and opening: one statement inside the dossier, over its records; two beside it, over the finished PDF."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from gatekeeper.attestation.difference import first_difference
from gatekeeper.attestation.in_toto_result import RESULT_TYPE, in_toto_result
from gatekeeper.attestation.predicate import ModelValidation, Standing, model_validation
from gatekeeper.canonical import canonical_json, digest_bytes
from gatekeeper.errors import Code, IntegrityError
from gatekeeper.run_records import ATTESTATION, DOSSIER, TEST_RESULT, RunRecords
from gatekeeper.trust import (
    PAYLOAD_TYPE,
    PREDICATE_TYPE,
    Checkpoint,
    Signer,
    Statement,
    Trust,
    open_envelope,
    parse_statement,
    sign_envelope,
    statement,
)


@dataclass(frozen=True)
class OpenedAttestation:
    """A statement whose signature holds: ``stated`` as it was signed, ``said`` what its predicate says.

    ``fingerprint`` is that of the certificate that signed.
    """

    stated: Statement
    said: ModelValidation
    fingerprint: str

    def hold(self, files: Mapping[str, bytes], where: str) -> None:
        """Raise IntegrityError unless each of these files is one that the statement names, with the same digest."""
        for name in sorted(files):
            if digest_bytes(files[name]) != self.stated.subjects.get(name):
                raise IntegrityError(
                    Code.DIGEST_MISMATCH,
                    f"{name} is not the one that was attested",
                    where=where,
                    why="its SHA-256 differs from the signed one",
                    mend="use the original file; a run that must change is made again with `gatekeeper check`",
                )

    def hold_all(self, records: RunRecords, files: Mapping[str, bytes], standing: Standing, where: str) -> None:
        """Raise IntegrityError unless the statement says what these records and this standing give, and no more."""
        found = Statement(_subjects(records, files), PREDICATE_TYPE, model_validation(records, standing).to_json())
        _hold(self.stated, found, where)


def state(records: RunRecords, files: Mapping[str, bytes], signer: Signer, standing: Standing) -> bytes:
    """Sign the statement that goes inside the dossier: records, candidate and lock, by digest."""
    predicate = model_validation(records, standing).to_json()
    return sign_envelope(statement(_subjects(records, files), PREDICATE_TYPE, predicate), PAYLOAD_TYPE, signer)


def attest(pdf: bytes, records: RunRecords, files: Mapping[str, bytes], signer: Signer, standing: Standing) -> bytes:
    """Sign the detached statement: the finished, signed PDF with everything that the inner statement covers."""
    return state(records, {DOSSIER: pdf, **files}, signer, standing)


def attest_result(
    pdf: bytes, records: RunRecords, files: Mapping[str, bytes], signer: Signer, standing: Standing
) -> bytes:
    """Sign the result of the run as in-toto's ``test-result``, over the finished PDF and the candidate."""
    told = _result(pdf, records, files, standing)
    return sign_envelope(statement(told.subjects, RESULT_TYPE, told.predicate), PAYLOAD_TYPE, signer)


def open_attestation(source: Path | bytes | None, trust: Trust, where: str | None = None) -> OpenedAttestation:
    """Open an envelope of a trusted signer. Raises IntegrityError when it is missing or does not hold."""
    place = where or str(source)
    stated, fingerprint = _opened(source, trust, place, PREDICATE_TYPE)
    try:
        said = ModelValidation.model_validate_json(canonical_json(stated.predicate))
    except ValidationError as error:
        first = error.errors()[0]
        raise IntegrityError(
            Code.BAD_SIGNATURE,
            "the attestation does not say what one of this kind says",
            where=place,
            why=f"{'.'.join(str(part) for part in first['loc']) or 'predicate'}: {first['msg']}",
            mend="use the version of gatekeeper that made it",
        ) from error
    return OpenedAttestation(stated, said, fingerprint)


@dataclass(frozen=True)
class Beside:
    """What lies beside a dossier: what of it was found to hold, and what is not there, as sentences."""

    checked: tuple[str, ...]
    not_checked: tuple[str, ...]


def hold_beside(
    folder: Path,
    pdf: bytes,
    records: RunRecords,
    files: Mapping[str, bytes],
    standing: Standing,
    trust: Trust,
    signer: str,
) -> Beside:
    """Hold the statements beside a dossier against it and what was recomputed from ``files``, which it carries.

    ``signer`` is the fingerprint of whoever signed the dossier last, and must have signed these too. Raises
    IntegrityError for one that is there and does not hold. That one is not there is no error: a dossier is sent
    alone as well.
    """
    checked, not_checked = [], []
    attestation, result = folder / ATTESTATION, folder / TEST_RESULT
    if attestation.is_file():
        opened = open_attestation(attestation, trust)
        opened.hold({DOSSIER: pdf}, str(attestation))
        _require_signer(opened.fingerprint, signer, str(attestation))
        opened.hold_all(records, {DOSSIER: pdf, **files}, standing, str(attestation))
        checked.append("the detached attestation names this very file")
    else:
        not_checked.append(f"the detached attestation ({ATTESTATION}) is not beside the dossier")
    if result.is_file():
        stated, fingerprint = _opened(result, trust, str(result), RESULT_TYPE)
        _hold(stated, _result(pdf, records, files, standing), str(result))
        _require_signer(fingerprint, signer, str(result))
        checked.append(f"the result for other tools ({TEST_RESULT}) is that of this dossier")
    return Beside(tuple(checked), tuple(not_checked))


def checkpoint_of(source: Path, trust: Trust) -> Checkpoint:
    """Return the checkpoint of the ledger that a run's attestation signed; ``source`` is it, or the run's folder.

    Raises IntegrityError when the attestation is missing or does not hold.
    """
    ledger = open_attestation(source / ATTESTATION if source.is_dir() else source, trust).said.ledger
    return Checkpoint(ledger.size, ledger.head)


def _opened(source: Path | bytes | None, trust: Trust, where: str, predicate_type: str) -> tuple[Statement, str]:
    if isinstance(source, Path):
        source = source.read_bytes() if source.is_file() else None
    if source is None:
        raise IntegrityError(Code.BAD_SIGNATURE, "the attestation is missing", where=where)
    opened = open_envelope(source, PAYLOAD_TYPE, trust, where=where)
    return parse_statement(opened.payload, where=where, predicate_type=predicate_type), opened.fingerprint


def _require_signer(found: str, wanted: str, where: str) -> None:
    if found != wanted:
        raise IntegrityError(
            Code.BAD_SIGNATURE,
            "the attestation is not by whoever signed the dossier last",
            where=where,
            why=f"it was signed with {found}, the dossier with {wanted}",
            mend="ask whoever sent it for the attestation that belongs to this dossier",
        )


def _subjects(records: RunRecords, files: Mapping[str, bytes]) -> dict[str, str]:
    candidate = {f"candidate/{name}": digest for name, digest in records.candidate.files.items()}
    return {name: digest_bytes(data) for name, data in files.items()} | candidate


def _result(pdf: bytes, records: RunRecords, files: Mapping[str, bytes], standing: Standing) -> Statement:
    predicate = in_toto_result(model_validation(records, standing), files).to_json()
    return Statement(_subjects(records, {DOSSIER: pdf}), RESULT_TYPE, predicate)


def _hold(stated: Statement, found: Statement, where: str) -> None:
    """Raise IntegrityError, with the first place that differs, unless both say the same of the same."""
    differing = first_difference(
        {"subject": dict(stated.subjects), "predicate": stated.predicate},
        {"subject": dict(found.subjects), "predicate": found.predicate},
    )
    if differing is not None:
        raise IntegrityError(
            Code.NOT_RECOMPUTED,
            f"the attestation states another {differing.place} than was recomputed",
            where=where,
            why=f"stated {differing.stated}, recomputed {differing.found}",
            mend="do not rely on this dossier; make the run again with `gatekeeper check`",
        )
