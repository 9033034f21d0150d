"""Verifying a dossier: what holds, what cannot be checked, and whether the run may be released."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gatekeeper.attestation import OpenedAttestation, open_attestation
from gatekeeper.canonical import digest_bytes
from gatekeeper.errors import Code, IntegrityError, UsageError
from gatekeeper.evidence import Verdict
from gatekeeper.policy.approval import FoundApproval, open_approval
from gatekeeper.run_records import APPROVAL, ATTESTATION, DOSSIER, STATEMENT, RunRecords, read_records, read_run_files
from gatekeeper.trust import verify_pdf
from gatekeeper.verdict import ReleaseBar, recompute, recompute_self_test, release_bars

if TYPE_CHECKING:
    from cryptography.x509 import Certificate


@dataclass(frozen=True)
class Verification:
    """What a verification found to hold, and what it could not check, both as sentences; and what bars a release.

    ``records`` and ``approval`` are what was ``attached``, read; ``statement`` is the tool's, among the attachments;
    ``digest`` is that of the PDF.
    """

    verdict: Verdict
    checked: tuple[str, ...]
    not_checked: tuple[str, ...]
    development: bool
    bars: tuple[ReleaseBar, ...]
    records: RunRecords
    approval: FoundApproval
    statement: OpenedAttestation
    attached: Mapping[str, bytes]
    digest: str


def verify(dossier: Path, root: Certificate) -> Verification:
    """Check a dossier, or the folder of a run, without model, images or network.

    Signatures and digests first; then every finding and the verdict are recomputed from the attached policy and
    evidence. Raises IntegrityError with a sentence that says what does not hold.
    """
    pdf_path = dossier / DOSSIER if os.path.isdir(dossier) else dossier
    where = str(pdf_path)
    try:
        pdf = pdf_path.read_bytes()
    except OSError as error:
        raise UsageError(
            Code.FILE_NOT_FOUND, "the dossier cannot be read", where=where, why=error.strerror, mend="check the path"
        ) from error
    document = verify_pdf(pdf, root, where=where)
    development = any(fact.development for fact in document.fields)
    checked = [f"signature of the {fact.role}: {fact.common_name}, {fact.signed_at}" for fact in document.fields]
    checked.append("no byte after the last signature")
    attached = dict(document.attachments)
    statement = open_attestation(attached.pop(STATEMENT, None), root, where=where)
    statement.hold(attached, where)
    checked.append(f"{len(attached)} attachments are those that were attested")
    detached = pdf_path.with_name(ATTESTATION)
    not_checked = [*document.not_checked, "the model was not run again", "test-set images are not here"]
    if detached.is_file():
        open_attestation(detached, root).hold({DOSSIER: pdf}, str(detached))
        checked.append("the detached attestation names this very file")
    else:
        not_checked.append(f"the detached attestation ({ATTESTATION}) is not beside the dossier")
    if os.path.isdir(dossier):
        statement.hold(read_run_files(dossier), str(dossier))
        checked.append("the files of the run's folder are those that were attested")
    records = read_records(attached, where)
    numbers = recompute(
        records.policy,
        records.plan,
        records.candidate,
        records.manifest,
        records.environment,
        records.evidence,
        records.verdict,
    )
    checked.append(f"{numbers} of {numbers} numbers recomputed")
    checked.append(f"verdict recomputed: {records.verdict.verdict.value}")
    if records.self_test is None:
        not_checked.append("what the gate can see: this dossier holds no self-test")
    else:
        planted = recompute_self_test(
            records.policy,
            records.candidate,
            records.environment,
            records.evidence,
            records.verdict.run.started,
            records.self_test,
        )
        checked.append(f"self-test made again: {planted} of {planted} planted defects judged as stated")
    found = _approval(records, root, where)
    if found.approval is not None:
        approval = found.approval
        checked.append(f"approval of the policy by {approval.by} ({approval.role}), {approval.approved}")
    not_checked.append("how often the test set was used is what the tool signed; its ledger is not here")
    bars = release_bars(records.verdict, records.policy, found, development=development, exposures=statement.exposures)
    _hold_release(statement, bars, where)
    return Verification(
        records.verdict,
        tuple(checked),
        tuple(not_checked),
        development,
        bars,
        records,
        found,
        statement,
        document.attachments,
        digest_bytes(pdf),
    )


def _approval(records: RunRecords, root: Certificate, where: str) -> FoundApproval:
    if records.approval is None:
        return FoundApproval()
    return FoundApproval(open_approval(records.approval, root, f"{where}: {APPROVAL}"), records.approval)


def _hold_release(statement: OpenedAttestation, bars: tuple[ReleaseBar, ...], where: str) -> None:
    """Raise IntegrityError when the statement says that the run may be released, and it may not, or not, and it may."""
    if statement.predicate.get("releasable") is not (not bars):
        raise IntegrityError(
            Code.NOT_RECOMPUTED,
            "whether the run may be released was stated otherwise than it is",
            where=where,
            why="; ".join(bar.words for bar in bars) or "nothing bars it",
            mend="do not rely on this dossier; make the run again with `gatekeeper check`",
        )
