"""Opening a stored record: whose signature holds over what, and that a dossier is the one that was attested."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gatekeeper.canonical import digest_bytes
from gatekeeper.errors import Code, IntegrityError
from gatekeeper.release.attested import Said, read_said
from gatekeeper.release.stores import DOSSIER, STATEMENT, StoredRecord
from gatekeeper.trust import (
    PAYLOAD_TYPE,
    ROLES,
    OpenedEnvelope,
    SignedDocument,
    Statement,
    Trust,
    open_envelope,
    parse_statement,
    verify_pdf,
)

if TYPE_CHECKING:
    from datetime import datetime

_APPROVAL = "approval.dsse.json"
_MEND = "take the record that the run wrote, or publish the run again with `gatekeeper promote`"


@dataclass(frozen=True)
class OpenedRecord:
    """A record whose signature holds. ``signer`` signed the attestation, or the statement within the dossier.

    ``document`` is the dossier, where its signatures were looked at; ``read_dossier`` reads it where they were not.
    ``root_ends`` is when the root ends that the signer's certificate comes from.
    """

    where: str
    said: Said
    stated: Statement
    signer: OpenedEnvelope
    document: SignedDocument | None
    read_dossier: Callable[[], bytes] | None
    filed: bool
    root_ends: datetime

    @property
    def development(self) -> bool:
        """Whether any key that signed is one for development, as far as was looked at."""
        facts = self.document.fields if self.document else ()
        return self.said.development or self.signer.development or any(fact.development for fact in facts)

    @property
    def by_tool(self) -> bool:
        """Whether the tool signed it, and no person."""
        return self.signer.role in (None, "tool")

    @property
    def has_dossier(self) -> bool:
        """Whether its dossier is there, looked at or not."""
        return self.document is not None or self.read_dossier is not None

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles whose signatures in the dossier hold; none where it was not looked at."""
        return tuple(fact.role for fact in self.document.fields) if self.document else ()

    @property
    def signers(self) -> tuple[str, ...]:
        """Who signed, each with the role."""
        if self.document is not None:
            return tuple(f"{fact.common_name} ({fact.role})" for fact in self.document.fields)
        return (f"{self.signer.common_name} ({self.signer.role or 'tool'})",)

    @property
    def certificate_ends(self) -> datetime:
        """When the certificate of whoever signed it ends."""
        return self.signer.certificate.not_valid_after_utc


def open_record(stored: StoredRecord, trust: Trust) -> OpenedRecord:
    """Return a record whose signature holds. Where there is a dossier alone, its signatures are verified.

    A dossier beside an attestation is not looked at: see ``with_digest`` and ``with_dossier``. Raises IntegrityError
    for whatever does not hold.
    """
    if stored.attestation is None:
        document = verify_pdf(_pdf(stored), trust, where=stored.where)
        statement = document.attachments.get(STATEMENT)
        if statement is None:
            raise _unfit(stored.where, "the dossier holds no statement of its run")
        opened = _opened(statement, trust, stored, document=document)
        _hold(opened, document, trust)
        return opened
    return _opened(stored.attestation, trust, stored, document=None)


def with_digest(opened: OpenedRecord) -> OpenedRecord:
    """Return the record once its dossier, where one is there, is the attested one. Raises IntegrityError."""
    if opened.document is None and opened.read_dossier is not None:
        _attested_pdf(opened)
    return opened


def with_dossier(opened: OpenedRecord, trust: Trust) -> OpenedRecord:
    """Return the record with its dossier's signatures verified. Raises IntegrityError where one does not hold.

    The dossier must be the attested one, say the same, and be signed last by whoever signed the attestation.
    """
    if opened.document is not None:
        return opened
    document = verify_pdf(_attested_pdf(opened), trust, where=opened.where)
    if document.fields[-1].fingerprint != opened.signer.fingerprint:
        raise _unfit(opened.where, "the attestation is not by whoever signed the dossier last")
    within = document.attachments.get(STATEMENT)
    if within is None:
        raise _unfit(opened.where, "the dossier holds no statement of its run")
    inner = _opened(within, trust, StoredRecord(opened.where), document=document)
    _hold(inner, document, trust)
    beside = {name: digest for name, digest in opened.stated.subjects.items() if name != DOSSIER}
    if inner.stated.predicate != opened.stated.predicate or inner.stated.subjects != beside:
        raise _unfit(opened.where, "the attestation says something else than the statement in its dossier")
    return replace(opened, document=document)


def _opened(envelope: bytes, trust: Trust, stored: StoredRecord, *, document: SignedDocument | None) -> OpenedRecord:
    signer = open_envelope(envelope, PAYLOAD_TYPE, trust, where=stored.where)
    if (signer.role or "tool") not in ROLES:
        raise _unfit(stored.where, f'whoever signed it has the role "{signer.role}", which signs no run')
    stated = parse_statement(signer.payload, where=stored.where)
    said = read_said(stated, stored.where)
    ends = trust.root_of(signer.role or "tool").not_valid_after_utc
    return OpenedRecord(stored.where, said, stated, signer, document, stored.dossier, stored.filed, ends)


def _hold(inner: OpenedRecord, document: SignedDocument, trust: Trust) -> None:
    """Hold what the dossier carries against the statement in it, and its approval of the policy against ``trust``."""
    if inner.signer.fingerprint != document.fields[0].fingerprint:
        raise _unfit(inner.where, "the statement in the dossier is not by the tool that signed")
    attached = {name: data for name, data in document.attachments.items() if name != STATEMENT}
    for name in sorted(attached):
        if digest_bytes(attached[name]) != inner.stated.subjects.get(name):
            raise _unfit(inner.where, f"{name} in the dossier is not the one that was attested")
    _hold_approval(inner, attached, trust)


def _hold_approval(inner: OpenedRecord, attached: Mapping[str, bytes], trust: Trust) -> None:
    """Whoever admits may trust others than whoever made the run: the approval must hold here as well."""
    if any(bar.startswith("APPROVAL") for bar in inner.said.bars):
        return
    from gatekeeper.trust.approval import open_approval

    if _APPROVAL not in attached:
        raise _unfit(inner.where, "its policy is said to be approved, and no approval is in the dossier")
    approval = open_approval(attached[_APPROVAL], trust, f"{inner.where}: {_APPROVAL}")
    if approval.digest != inner.said.policy or approval.approved > inner.said.started:
        raise _unfit(inner.where, "the approval in the dossier is of another policy, or later than the run")


def _attested_pdf(opened: OpenedRecord) -> bytes:
    pdf = _pdf(StoredRecord(opened.where, dossier=opened.read_dossier))
    if digest_bytes(pdf) != opened.stated.subjects.get(DOSSIER):
        raise _unfit(opened.where, "the dossier beside it is not the one that was attested")
    return pdf


def _pdf(stored: StoredRecord) -> bytes:
    if stored.dossier is None:
        raise _unfit(stored.where, stored.problem or "there is no dossier")
    try:
        return stored.dossier()
    except (OSError, ValueError) as error:
        why = f"the dossier cannot be read: {getattr(error, 'strerror', None) or error}"
        raise _unfit(stored.where, why) from error


def _unfit(where: str, why: str) -> IntegrityError:
    return IntegrityError(Code.DIGEST_MISMATCH, "the record does not hold", where=where, why=why, mend=_MEND)
