"""The use case: a person signs a dossier that holds, in a role and with a meaning."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from gatekeeper.attestation import attest, attest_result
from gatekeeper.canonical import JSON, digest_bytes
from gatekeeper.errors import Code, IntegrityError, UsageError
from gatekeeper.run_records import ATTESTATION, DOSSIER, TEST_RESULT
from gatekeeper.trust import ROLES, Ledger, Trust, countersign_pdf, load_baseline, load_signer, own_trust
from gatekeeper.trust.settings import load_settings
from gatekeeper.verification import Verification, verify

PEOPLE = ROLES[1:]


@dataclass(frozen=True)
class Countersigned:
    """A dossier that was just signed: where it is, who signed and with what meaning, and what it holds."""

    path: Path
    role: str
    common_name: str
    meaning: str
    development: bool
    verification: Verification


def countersign(
    dossier: Path, role: str, home: Path, *, trust: Trust | None = None, meaning: str | None = None
) -> Countersigned:
    """Fill the signature field of a role, and attest the file as it then is, beside it. All are written in place.

    The whole dossier is verified first, as ``trust`` (or this machine) has it: nobody signs what does not hold. The
    engineer signs before QA, each once. The ledger of this machine gets a line. Raises UsageError, IntegrityError, or
    InvalidRunError where a timestamp is wanted and not to be had; then nothing was written.
    """
    if role not in PEOPLE:
        mend = f"--role {' or --role '.join(PEOPLE)}"
        raise UsageError(Code.UNKNOWN_NAME, f'nobody signs a dossier in the role "{role}"', mend=mend)
    path = dossier / DOSSIER if os.path.isdir(dossier) else dossier
    signer = load_signer(home, role)
    mine = own_trust(home)
    verification = verify(path, trust or mine)
    _require_turn(verification.signed, role, str(path))
    said = meaning or load_settings(home / "keys").meaning(role)
    try:
        signed = countersign_pdf(
            path.read_bytes(),
            signer,
            mine.root_of(role),
            meaning=said,
            signing_time=datetime.now(UTC).replace(microsecond=0),
            baseline=load_baseline(home / "keys"),
        )
    except ValueError as error:
        raise UsageError(Code.BAD_VALUE, "the dossier cannot be signed so", where=str(path), why=str(error)) from error
    told = (signed, verification.records, verification.files, signer, verification.standing)
    _write(path.with_name(ATTESTATION), attest(*told))
    _write(path.with_name(TEST_RESULT), attest_result(*told))
    _write(path, signed)
    with Ledger(home / "ledger.sqlite") as ledger:
        body: dict[str, JSON] = {"dossier": digest_bytes(signed), "role": role, "meaning": said}
        ledger.append("dossier.signed", {**body, "key": signer.fingerprint}, f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}")
    return Countersigned(path, role, signer.common_name, said, signer.development, verification)


def _require_turn(signed: tuple[str, ...], role: str, where: str) -> None:
    if role in signed:
        mend = "each role signs once; nothing to do"
        raise UsageError(Code.DUPLICATE, f"the {role} has signed this dossier", where=where, mend=mend)
    before = ROLES[len(signed)]
    if role != before:
        raise IntegrityError(
            Code.FORBIDDEN,
            f"the {role} does not sign before the {before}",
            where=where,
            mend=f"have the {before} sign first: gatekeeper sign {where} --role {before}",
        )


def _write(path: Path, data: bytes) -> None:
    """Replace a file at once or not at all."""
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".sign-", delete=False) as draft:
            draft.write(data)
            draft.flush()
            os.fsync(draft.fileno())
        os.chmod(draft.name, path.stat().st_mode & 0o777 if path.exists() else 0o644)
        os.replace(draft.name, path)
    except OSError as error:
        raise UsageError(
            Code.CANNOT_WRITE, "the signed dossier cannot be written", where=str(path), why=error.strerror
        ) from error
