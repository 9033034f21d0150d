"""Verifying a dossier: what holds, what cannot be checked, and whether the run may be released."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from gatekeeper.attestation import OpenedAttestation, Standing, hold_beside, open_attestation
from gatekeeper.canonical import digest_bytes
from gatekeeper.errors import Code, IntegrityError, UsageError
from gatekeeper.evidence import Verdict
from gatekeeper.evidence.detached import read_detached
from gatekeeper.policy.approval import FoundApproval, open_approval
from gatekeeper.run_records import APPROVAL, DOSSIER, FILES, STATEMENT, RunRecords, read_records, read_run_files
from gatekeeper.trust import SignatureFact, SignedDocument, Trust, verify_pdf
from gatekeeper.verdict import ReleaseBar, recompute, recompute_self_test, release_bars


@dataclass(frozen=True)
class Verification:
    """What a verification found to hold, and what it could not check, both as sentences; and what bars a release.

    ``development`` and ``bars`` look at every signature; ``standing`` is what the tool attested. ``attached`` is all
    that the dossier carries; ``files`` are the records among that, and beside it, which ``records`` and ``approval``
    are read from. ``digest`` is that of the PDF.
    """

    verdict: Verdict
    checked: tuple[str, ...]
    not_checked: tuple[str, ...]
    development: bool
    bars: tuple[ReleaseBar, ...]
    signatures: tuple[SignatureFact, ...]
    records: RunRecords
    approval: FoundApproval
    files: Mapping[str, bytes]
    attached: Mapping[str, bytes]
    standing: Standing
    digest: str

    @property
    def signed(self) -> tuple[str, ...]:
        """The roles that signed, in their order."""
        return tuple(fact.role for fact in self.signatures)

    def require_roles(self, roles: tuple[str, ...], where: str) -> None:
        """Raise IntegrityError UNSIGNED unless each of these roles has signed."""
        missing = [role for role in roles if role not in self.signed]
        if missing:
            raise IntegrityError(
                Code.UNSIGNED,
                f"the dossier is not signed by the {' and the '.join(missing)}",
                where=where,
                why=f"it is signed by the {', the '.join(self.signed)}",
                mend=f"gatekeeper sign {where} --role {missing[0]}",
            )


def verify(dossier: Path, trust: Trust) -> Verification:
    """Check a dossier, or the folder of a run, without model, images or network.

    Signatures and digests first; then every finding and the verdict are recomputed from the attached policy and
    evidence, and what the pages and the attestations say is held against them. Raises IntegrityError with a sentence
    that says what does not hold.
    """
    pdf_path = dossier / DOSSIER if os.path.isdir(dossier) else dossier
    where = str(pdf_path)
    pdf = _read(pdf_path)
    document = verify_pdf(pdf, trust, where=where)
    attached = dict(document.attachments)
    statement = open_attestation(attached.pop(STATEMENT, None), trust, where=where)
    if statement.fingerprint != document.fields[0].fingerprint:
        raise IntegrityError(Code.BAD_SIGNATURE, "the attached statement is not by the tool that signed", where=where)
    statement.hold(attached, where)
    checked = [*_signatures(document), f"{len(attached)} attachments are those that were attested"]
    apart = read_detached(attached, pdf_path.parent, FILES, where)
    if apart:
        statement.hold(apart, where)
        checked.append(f"{' and '.join(apart)} beside the dossier: as attested")
    not_checked = [*document.not_checked, "the model was not run again", "test-set images are not here"]
    if os.path.isdir(dossier):
        statement.hold(read_run_files(dossier), str(dossier))
        checked.append("the files of the run's folder are those that were attested")
    files = {**attached, **apart}
    records = read_records(files, where)
    checked += _recomputed(records)
    if records.self_test is None:
        not_checked.append("what the gate can see: this dossier holds no self-test")
    found = _approval(records, trust, where)
    if found.approval is not None:
        approval = found.approval
        checked.append(f"approval of the policy by {approval.by} ({approval.role}), {approval.approved}")
    not_checked.append("how often the test set was used is what the tool signed; its ledger is not here")
    standing = _standing(records, found, statement, development=document.fields[0].development)
    statement.hold_all(records, files, standing, where)
    checked.append("every field of the attestation recomputed, but for the state of the ledger")
    signer = document.fields[-1].fingerprint
    beside = hold_beside(pdf_path.parent, pdf, records, files, standing, trust, signer)
    texts = _check_pages(pdf, records, found, standing, where)
    checked += [*beside.checked, f"{texts} texts of the pages, with the verdict, are those that the evidence gives"]
    not_checked += [*beside.not_checked, "what is drawn on the pages; the texts of the sections after the thresholds"]
    development = any(fact.development for fact in document.fields)
    return Verification(
        verdict=records.verdict,
        checked=tuple(checked),
        not_checked=tuple(not_checked),
        development=development,
        bars=_standing(records, found, statement, development=development).bars,
        signatures=document.fields,
        records=records,
        approval=found,
        files=files,
        attached=document.attachments,
        standing=standing,
        digest=digest_bytes(pdf),
    )


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(
            Code.FILE_NOT_FOUND,
            "the dossier cannot be read",
            where=str(path),
            why=error.strerror,
            mend="check the path",
        ) from error


def _signatures(document: SignedDocument) -> Iterator[str]:
    for fact in document.fields:
        trusted = f", trusted time (PAdES {fact.level})" if fact.level != "B-B" else ""
        yield f"signature of the {fact.role}: {fact.common_name}, {fact.signed_at}{trusted}, “{fact.meaning}”"
    if document.archived_at is not None:
        yield f"trusted timestamp over the whole dossier, {document.archived_at} (PAdES B-LTA)"
    yield "no byte after the last signature"


def _recomputed(records: RunRecords) -> Iterator[str]:
    numbers = recompute(
        records.policy,
        records.plan,
        records.candidate,
        records.manifest,
        records.environment,
        records.evidence,
        records.verdict,
    )
    yield f"{numbers} of {numbers} numbers recomputed"
    yield f"verdict recomputed: {records.verdict.verdict.value}"
    if records.self_test is not None:
        planted = recompute_self_test(
            records.policy,
            records.candidate,
            records.environment,
            records.evidence,
            records.verdict.run.started,
            records.self_test,
        )
        yield f"self-test made again: {planted} of {planted} planted defects judged as stated"


def _approval(records: RunRecords, trust: Trust, where: str) -> FoundApproval:
    if records.approval is None:
        return FoundApproval()
    return FoundApproval(open_approval(records.approval, trust, f"{where}: {APPROVAL}"), records.approval)


def _standing(
    records: RunRecords, found: FoundApproval, statement: OpenedAttestation, *, development: bool
) -> Standing:
    ledger = statement.said.ledger
    exposures = ledger.exposures
    bars = release_bars(records.verdict, records.policy, found, development=development, exposures=exposures)
    return Standing(development, ledger, bars)


def _check_pages(pdf: bytes, records: RunRecords, found: FoundApproval, standing: Standing, where: str) -> int:
    """Hold what the pages say against what they were made from, as far as the dossier carries that."""
    from gatekeeper.dossier import DossierMaterial, LedgerFact
    from gatekeeper.dossier.page_check import check_pages

    ledger = standing.ledger
    material = DossierMaterial(
        verdict=records.verdict,
        policy=records.policy,
        plan=records.plan,
        candidate=records.candidate,
        manifest=records.manifest,
        environment=records.environment,
        roc=None,
        ladders=(),
        repeatability=None,
        latency_seconds=(),
        ledger=LedgerFact(ledger.size, ledger.head, ledger.exposures),
        development=standing.development,
        policy_layers=(),
        notes=(),
        approval=found.approval,
        bars=standing.bars,
        self_test=records.self_test,
    )
    return check_pages(pdf, material, where)
