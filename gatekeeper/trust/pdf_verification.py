"""Strict verification of a signed dossier, offline, against one root certificate.

Libraries accept what a dossier must not have: bytes after the last signature, a roll-back to an earlier revision, an
unknown field, an unsigned revision in between. So a dossier has exactly one form: a first revision, then one revision
for each signature, in the order tool, engineer, QA, perhaps one with a timestamp over all of them, and not a byte that
no signature covers.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from typing import TYPE_CHECKING

from gatekeeper.errors import Code, IntegrityError
from gatekeeper.trust import _certificates as certificates
from gatekeeper.trust import _trusted_time as trusted_time
from gatekeeper.trust._pdf_session import ARCHIVE_FIELD
from gatekeeper.trust._quiet import quiet
from gatekeeper.trust._revisions import may_follow
from gatekeeper.trust.anchors import Trust
from gatekeeper.trust.pdf_signature import FIELDS

if TYPE_CHECKING:
    from cryptography.x509 import Certificate
    from pyhanko.pdf_utils.generic import DictionaryObject
    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.sign.validation import EmbeddedPdfSignature

_OF_A_TIMESTAMP = {"/FT", "/T", "/TU", "/Type", "/Subtype", "/F", "/P", "/Rect", "/V"}
_NO_LISTS = "revocation of certificates (offline)"
_LISTS = "revocation of certificates after they signed (offline)"
_NO_TIMESTAMP = "the time of signing, which is the signer's own word (no trusted timestamp)"


@dataclass(frozen=True)
class SignatureFact:
    """One signature that holds.

    ``role`` is ``tool``, ``engineer`` or ``qa``; ``signed_at`` the time (UTC, ISO 8601) that the signer claims, or,
    where ``level`` is not B-B, that the trusted authority gave; ``meaning`` the reason that it states; ``fingerprint``
    the SHA-256 of the certificate. ``level``: PAdES B-B, B-T with a timestamp, B-LT with revocation lists as well.
    """

    field: str
    role: str
    common_name: str
    fingerprint: str
    development: bool
    signed_at: str
    meaning: str
    level: str


@dataclass(frozen=True)
class SignedDocument:
    """A document whose every byte is signed: its signatures in their order, and its attachments.

    ``archived_at``: when an authority put a timestamp over the whole (PAdES B-LTA), if one did.
    """

    fields: tuple[SignatureFact, ...]
    attachments: dict[str, bytes]
    archived_at: str | None = None

    @property
    def not_checked(self) -> tuple[str, ...]:
        """What a verification of this document cannot tell."""
        levels = {fact.level for fact in self.fields}
        told = [_LISTS if levels == {"B-LT"} else _NO_LISTS]
        return (*told, _NO_TIMESTAMP) if "B-B" in levels else tuple(told)


class _Altered(Exception):
    """Why a document is not one that was signed, in one sentence."""


def verify_pdf(pdf: bytes, trust: Trust, *, where: str) -> SignedDocument:
    """Check every signature of a dossier and return what is signed; ``where`` names the file in errors.

    The fields are exactly GatekeeperTool, Engineer and QA, signed in this order, the tool at least; the tool
    certifies (DocMDP P=2). Once QA has signed, GatekeeperArchive may follow: a timestamp over the document. Each
    signature is PAdES by ECDSA P-256 with SHA-256, by a certificate of its own that its role's root itself issued and
    that was valid at the time claimed, which must be the authority's where there is a timestamp. Revocation lists that
    the document brings must cover every certificate. No trust store, network or clock is used.

    Raises IntegrityError: UNTRUSTED_KEY when a certificate is not one that ``trust`` has, BAD_SIGNATURE when a
    signature does not hold over an unchanged document, ALTERED_DOSSIER for everything else.
    """
    with _altered(where):
        if not pdf.startswith(b"%PDF-"):
            raise _Altered("it is empty" if not pdf else "it is not a PDF")
        with quiet():
            return _verified(pdf, trust, where)


@contextmanager
def _altered(where: str) -> Iterator[None]:
    try:
        yield
    except IntegrityError:
        raise
    except _Altered as reason:
        raise _altered_dossier(where, str(reason)) from reason
    except Exception as error:  # parsers of hostile input fail in any way
        raise _altered_dossier(where, f"it is damaged and cannot be read ({type(error).__name__})") from error


def _altered_dossier(where: str, why: str) -> IntegrityError:
    return IntegrityError(
        Code.ALTERED_DOSSIER,
        "this is not a dossier as it was signed",
        where=where,
        why=why,
        mend="ask whoever sent it for the original file",
    )


def _verified(pdf: bytes, trust: Trust, where: str) -> SignedDocument:
    from pyhanko.pdf_utils.reader import PdfFileReader

    reader = PdfFileReader(BytesIO(pdf))
    if reader.encrypted:
        raise _Altered("it is encrypted")
    signatures, archive = _signatures(reader)
    in_order = [*signatures, *([archive] if archive is not None else [])]
    if reader.total_revisions != len(in_order) + 1:
        raise _Altered("it has a revision that is not signed")
    if [signature.signed_revision for signature in in_order] != list(range(1, reader.total_revisions)):
        raise _Altered("its signatures were not made in the order of their fields")
    ends = [_covered_to(pdf, signature) for signature in in_order]
    if ends != sorted(set(ends)) or ends[-1] != len(pdf):
        raise _Altered("there are bytes after the last signature")
    for revision, signature in enumerate(in_order[1:], start=2):
        field = reader.root["/AcroForm"]["/Fields"].raw_get(revision - 1).reference
        if not may_follow(reader, revision, field, adds_field=signature is archive):
            raise _Altered("it was changed in a way that the signature of the tool does not allow")
    lists = _lists(reader)
    facts = tuple(_fact(signature, trust, lists, where) for signature in signatures)
    if len({fact.fingerprint for fact in facts}) != len(facts):
        raise _Altered("one key signed in two roles")
    _check_certification(reader, signatures[0])
    archived = _archived(archive, trust, lists, where) if archive is not None else None
    return SignedDocument(facts, _attachments(pdf, reader, ends), archived)


def _signatures(reader: PdfFileReader) -> tuple[tuple[EmbeddedPdfSignature, ...], EmbeddedPdfSignature | None]:
    """Return the filled fields in their order, and the timestamp over all. Raises when fields are not as they must be.

    They must be neither missing nor added, renamed or out of order.
    """
    from pyhanko.sign.validation import EmbeddedPdfSignature

    if "/AcroForm" not in reader.root or not reader.root["/AcroForm"]["/Fields"]:
        raise _Altered("it is not signed")
    fields: list[DictionaryObject] = [entry.get_object() for entry in reader.root["/AcroForm"]["/Fields"]]
    names = tuple(str(field["/T"]) for field in fields)
    roles = tuple(FIELDS.values())
    if names not in (roles, (*roles, ARCHIVE_FIELD)) or any(f["/FT"] != "/Sig" or "/Kids" in f for f in fields):
        raise _Altered(f"its fields are not exactly {', '.join(roles)}")
    filled = ["/V" in field for field in fields]
    if not filled[0]:
        raise _Altered("the tool has not signed it")
    if filled != sorted(filled, reverse=True):
        raise _Altered("QA has signed it before the engineer")
    if len(fields) > len(roles) and not all(filled):
        raise _Altered("it has a timestamp over all before all have signed")
    if any(not _draws_nothing(field) for field in fields[len(roles) :]):
        raise _Altered("its timestamp over all draws on a page")
    signed = [
        EmbeddedPdfSignature(reader, field, name)
        for field, name, is_filled in zip(fields, names, filled, strict=True)
        if is_filled
    ]
    return tuple(signed[: len(roles)]), signed[len(roles)] if len(fields) > len(roles) else None


def _draws_nothing(field: DictionaryObject) -> bool:
    """Say whether a field has no extent, no appearance and no action: anybody may ask for a timestamp, and add it."""
    return set(field) <= _OF_A_TIMESTAMP and all(float(corner) == 0.0 for corner in field["/Rect"])


def _lists(reader: PdfFileReader) -> tuple[bytes, ...]:
    try:
        return trusted_time.lists_of(reader)
    except ValueError as error:
        raise _Altered(str(error)) from error


def _archived(archive: EmbeddedPdfSignature, trust: Trust, lists: tuple[bytes, ...], where: str) -> str:
    if archive.sig_object["/Type"] != "/DocTimeStamp" or archive.sig_object["/SubFilter"] != "/ETSI.RFC3161":
        raise _Altered("what stands in the place of the timestamp over all is none")
    at = trusted_time.archived_at(archive, trusted_time.require_authority(trust, where), lists)
    if at is None:
        raise _Altered("the timestamp over all does not hold")
    return _iso(at)


def _covered_to(pdf: bytes, signature: EmbeddedPdfSignature) -> int:
    """Return where a signature's coverage ends. Raises unless it covers all from byte 0 but its own hexadecimals."""
    numbers = [int(number) for number in signature.byte_range]
    if len(numbers) != 4:
        raise _Altered("the range of bytes that is signed is malformed")
    start, size, resumed, rest = numbers
    gap = pdf[size:resumed]
    exact = f"<{signature.pkcs7_content.hex().upper()}>".encode("ascii")
    if start != 0 or min(numbers) < 0 or resumed + rest > len(pdf) or gap != exact:
        raise _Altered("a signature leaves bytes of the file uncovered")
    return resumed + rest


def _fact(signature: EmbeddedPdfSignature, trust: Trust, lists: tuple[bytes, ...], where: str) -> SignatureFact:
    from cryptography.x509 import load_der_x509_certificate

    role = next(role for role, name in FIELDS.items() if name == signature.field_name)
    certificate = load_der_x509_certificate(signature.signer_cert.dump())
    signed_at = signature.self_reported_timestamp
    if signed_at is None or signed_at.utcoffset() is None:
        raise _Altered(f"the signature of the {role} does not say when it was made")
    try:
        timestamp = trusted_time.timestamp_of(signature)
    except ValueError as error:
        raise _Altered(str(error)) from error
    if timestamp is not None and signed_at > timestamp.at + trusted_time.AHEAD:
        raise _Altered(f"the signature of the {role} claims a time later than its timestamp")
    at = timestamp.at if timestamp is not None else signed_at
    trust.require(certificate, role, where=where, at=at)
    _check_container(signature, certificate, trust.root_of(role), role, where, timestamp)
    _check_status(signature, role, trust, at, lists if timestamp is not None else (), timestamp is not None, where)
    return SignatureFact(
        field=signature.field_name,
        role=role,
        common_name=certificates.common_name(certificate),
        fingerprint=certificates.fingerprint(certificate),
        development=certificates.is_development(certificate),
        signed_at=_iso(at),
        meaning=str(signature.sig_object["/Reason"]),
        level="B-B" if timestamp is None else "B-LT" if lists else "B-T",
    )


def _iso(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _check_status(
    signature: EmbeddedPdfSignature,
    role: str,
    trust: Trust,
    at: datetime,
    lists: tuple[bytes, ...],
    timestamped: bool,
    where: str,
) -> None:
    """Ask pyHanko: digest, signature, path to the root at that time, timestamp, and changes in later revisions."""
    from pyhanko.sign.validation import validate_pdf_signature

    authority = trusted_time.require_authority(trust, where) if timestamped else None
    status = validate_pdf_signature(
        signature,
        trusted_time.context(trust.root_of(role), at, lists),
        trusted_time.context(authority, at, lists) if authority is not None else None,
        skip_diff=True,  # what later revisions change is held to one form already, by _revisions
    )
    if not status.intact:
        raise _Altered(f"it was changed after the {role} signed it")
    if status.revoked:
        raise _not_trusted(role, "its certificate was revoked when it signed", where)
    if timestamped and not (status.timestamp_validity and status.timestamp_validity.trusted):
        raise _not_trusted(role, "its timestamp is not one of the authority that is trusted", where)
    if not status.valid:
        raise _does_not_hold(role, where)
    if not status.trusted:
        raise _not_trusted(
            role, "its certificate does not lead to the trusted root, or no list says it was valid", where
        )
    if not status.bottom_line:
        raise _Altered(f"it was changed in a way that the signature of the {role} does not allow")


def _not_trusted(role: str, why: str, where: str) -> IntegrityError:
    return IntegrityError(
        Code.UNTRUSTED_KEY,
        f"the signature of the {role} is not trusted",
        where=where,
        why=why,
        mend="ask whoever signed; do not rely on this dossier before that",
    )


def _check_container(
    signature: EmbeddedPdfSignature,
    certificate: Certificate,
    root: Certificate,
    role: str,
    where: str,
    timestamp: trusted_time.Timestamp | None,
) -> None:
    """Raise unless the container is the only one that its certificate, attributes, value and timestamp can have."""
    from gatekeeper.trust._cms import build_cms, signs

    if signature.sig_object["/SubFilter"] != "/ETSI.CAdES.detached":
        raise _Altered(f"the signature of the {role} is not a PAdES signature")
    attributes = signature.signer_info["signed_attrs"].dump()
    value = signature.signer_info["signature"].native
    token = timestamp.token if timestamp is not None else None
    container = build_cms(certificate, root, attributes, value, token)
    if container.ljust(len(signature.pkcs7_content), b"\0") != signature.pkcs7_content:
        raise _Altered(f"the container of the signature of the {role} was changed")
    if not signs(certificate, attributes, value):
        raise _does_not_hold(role, where)


def _does_not_hold(role: str, where: str) -> IntegrityError:
    return IntegrityError(
        Code.BAD_SIGNATURE,
        f"the signature of the {role} does not hold",
        where=where,
        why="its value does not belong to what it signs",
        mend="ask whoever sent it for the original file",
    )


def _check_certification(reader: PdfFileReader, signature: EmbeddedPdfSignature) -> None:
    from pyhanko.sign.fields import MDPPerm

    certifying = signature.sig_field.raw_get("/V").reference
    if (
        "/Perms" not in reader.root
        or reader.root["/Perms"].get_value_as_reference("/DocMDP", optional=True) != certifying
        or signature.docmdp_level != MDPPerm.FILL_FORMS
    ):
        raise _Altered("the signature of the tool does not certify the document")


def _attachments(pdf: bytes, reader: PdfFileReader, ends: list[int]) -> dict[str, bytes]:
    """Return the attachments of the document as the tool certified it; no later signature may have changed them."""
    from pyhanko.pdf_utils.reader import PdfFileReader

    from gatekeeper.trust._attachments import read_attachments

    try:
        found = read_attachments(reader)
        if len(ends) > 1 and read_attachments(PdfFileReader(BytesIO(pdf[: ends[0]]))) != found:
            raise _Altered("its attachments were changed after the tool signed it")
    except ValueError as error:
        raise _Altered(str(error)) from error
    return found
