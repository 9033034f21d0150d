"""Verifying a dossier: what holds, what cannot be checked, and whether the run may be released."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from gatekeeper.attestation import OpenedAttestation, open_attestation
from gatekeeper.errors import Code, IntegrityError, UsageError
from gatekeeper.evidence import Verdict
from gatekeeper.policy.approval import FoundApproval, open_approval
from gatekeeper.run_records import APPROVAL, ATTESTATION, DOSSIER, STATEMENT, RunRecords, read_records, read_run_files
from gatekeeper.trust import SignatureFact, Trust, verify_pdf
from gatekeeper.verdict import (
    UNTRUSTED_APPROVAL,
    Bar,
    ReleaseBar,
    recompute,
    recompute_self_test,
    release_bars,
)


@dataclass(frozen=True)
class Verification:
    """What a verification found to hold, and what it could not check, both as sentences; and what bars a release."""

    verdict: Verdict
    checked: tuple[str, ...]
    not_checked: tuple[str, ...]
    development: bool
    bars: tuple[ReleaseBar, ...]
    signatures: tuple[SignatureFact, ...]
    statement: OpenedAttestation

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
    document = verify_pdf(pdf, trust, where=where)
    development = any(fact.development for fact in document.fields)
    checked = [_signature(fact) for fact in document.fields]
    if document.archived_at is not None:
        checked.append(f"trusted timestamp over the whole dossier, {document.archived_at} (PAdES B-LTA)")
    checked.append("no byte after the last signature")
    attached = dict(document.attachments)
    statement = open_attestation(attached.pop(STATEMENT, None), trust, where=where)
    if statement.fingerprint != document.fields[0].fingerprint:
        raise IntegrityError(Code.BAD_SIGNATURE, "the attached statement is not by the tool that signed", where=where)
    statement.hold(attached, where)
    checked.append(f"{len(attached)} attachments are those that were attested")
    detached = pdf_path.with_name(ATTESTATION)
    not_checked = [*document.not_checked, "the model was not run again", "test-set images are not here"]
    if detached.is_file():
        beside = open_attestation(detached, trust)
        beside.hold({DOSSIER: pdf}, str(detached))
        if beside.fingerprint != document.fields[-1].fingerprint:
            raise IntegrityError(
                Code.BAD_SIGNATURE,
                "the detached attestation is not by whoever signed the dossier last",
                where=str(detached),
                mend="ask whoever sent it for the original attestation",
            )
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
    found = _approval(records, trust, where)
    if found.approval is not None:
        approval = found.approval
        checked.append(f"approval of the policy by {approval.by} ({approval.role}), {approval.approved}")
    not_checked.append("how often the test set was used is what the tool signed; its ledger is not here")
    bars = _bars(records, found, statement, development=document.fields[0].development)
    _hold_release(statement, bars, where)
    texts = _check_pages(pdf, records, found, statement, bars, where)
    checked.append(f"{texts} texts of the pages, with the verdict, are those that the evidence gives")
    not_checked.append("what is drawn on the pages; the texts of the sections after the thresholds")
    return Verification(
        verdict=records.verdict,
        checked=tuple(checked),
        not_checked=tuple(not_checked),
        development=development,
        bars=_bars(records, found, statement, development=development),
        signatures=document.fields,
        statement=statement,
    )


def _bars(
    records: RunRecords, found: FoundApproval, statement: OpenedAttestation, *, development: bool
) -> tuple[ReleaseBar, ...]:
    return release_bars(records.verdict, records.policy, found, development=development, exposures=statement.exposures)


def _check_pages(
    pdf: bytes,
    records: RunRecords,
    found: FoundApproval,
    statement: OpenedAttestation,
    bars: tuple[ReleaseBar, ...],
    where: str,
) -> int:
    """Hold what the pages say against what they were made from, as far as the dossier carries that."""
    from gatekeeper.dossier import DossierMaterial, LedgerFact
    from gatekeeper.dossier.page_check import check_pages

    checkpoint = statement.checkpoint(where)
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
        ledger=LedgerFact(checkpoint.size, checkpoint.head, statement.exposures),
        development=any(bar.reason is Bar.DEVELOPMENT_KEY for bar in bars),
        policy_layers=(),
        notes=(),
        approval=found.approval,
        bars=tuple(_as_stated(bar, statement) for bar in bars),
        self_test=records.self_test,
    )
    return check_pages(pdf, material, where)


def _as_stated(bar: ReleaseBar, statement: OpenedAttestation) -> ReleaseBar:
    """Return a bar as its page tells it: an approval that did not hold when the run was made is not attached."""
    stated = statement.predicate.get("bars")
    untrusted = isinstance(stated, list) and Bar.APPROVAL_NOT_TRUSTED.value in stated
    if bar.reason is Bar.APPROVAL_MISSING and untrusted:
        return ReleaseBar(Bar.APPROVAL_NOT_TRUSTED, UNTRUSTED_APPROVAL, bar.mend)
    return bar


def _signature(fact: SignatureFact) -> str:
    trusted = f", trusted time (PAdES {fact.level})" if fact.level != "B-B" else ""
    return f"signature of the {fact.role}: {fact.common_name}, {fact.signed_at}{trusted}, “{fact.meaning}”"


def _approval(records: RunRecords, trust: Trust, where: str) -> FoundApproval:
    if records.approval is None:
        return FoundApproval()
    return FoundApproval(open_approval(records.approval, trust, f"{where}: {APPROVAL}"), records.approval)


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
