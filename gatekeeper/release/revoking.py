"""The use case: a candidate, or one run of it, is revoked in a store."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from gatekeeper.canonical import digest_bytes
from gatekeeper.errors import Code, UsageError
from gatekeeper.release.attested import written
from gatekeeper.release.opening import OpenedRecord, open_record
from gatekeeper.release.revocation import Revocation, open_revocation, sign_revocation
from gatekeeper.release.stores import ATTESTATION, DOSSIER, LARGEST_DOSSIER, LARGEST_ENVELOPE, Store, StoredRecord
from gatekeeper.trust import Ledger, Trust, load_signer
from gatekeeper.whole_files import read_whole


@dataclass(frozen=True)
class Revoked:
    """A revocation that was just made, and where it lies."""

    revocation: Revocation
    where: str


def revoke(
    candidate: str, run: str | None, because: str, role: str, store: Store, trust: Trust, home: Path, now: datetime
) -> Revoked:
    """Sign a revocation with the key of a role in ``home`` and put it into a store; the ledger gets its line first.

    With ``run`` (an id) that run alone is revoked. Raises UsageError, and IntegrityError where ``trust`` would not
    believe the revocation: those who admit would then be stopped by one that they cannot read.
    """
    signer = load_signer(home, role)
    envelope = sign_revocation(candidate, run, because, signer, now)
    revocation = open_revocation(envelope, candidate, trust, "the revocation")
    with Ledger(home / "ledger.sqlite") as ledger:
        body = {"candidate": candidate, "run": run, "because": because, "role": role, "key": signer.fingerprint}
        line = {**body, "revocation": digest_bytes(envelope), "store": store.where}
        ledger.append("release.revoked", {**line}, written(now))
    return Revoked(revocation, store.revoke(candidate, envelope))


def open_run(path: Path, trust: Trust) -> OpenedRecord:
    """Open a run's folder, its dossier or its attestation. Raises UsageError where it is none that can be read."""
    attestation = path / ATTESTATION if path.is_dir() else path
    dossier = path / DOSSIER if path.is_dir() else path
    if not attestation.is_file() and not dossier.is_file():
        mend = "name the folder of a run, its dossier or its attestation"
        raise UsageError(Code.FILE_NOT_FOUND, "the run cannot be read", where=str(path), mend=mend)
    if dossier.suffix == ".pdf" and not (path.is_dir() and attestation.is_file()):
        return open_record(StoredRecord(str(dossier), dossier=partial(read_whole, dossier, LARGEST_DOSSIER)), trust)
    try:
        return open_record(StoredRecord(str(attestation), read_whole(attestation, LARGEST_ENVELOPE)), trust)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        mend = "name the folder of a run, its dossier or its attestation"
        raise UsageError(Code.FILE_NOT_FOUND, "the run cannot be read", where=str(path), why=why, mend=mend) from error
