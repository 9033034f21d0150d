"""Strict verification of a signed dossier, offline, against one root certificate.

Libraries accept what a dossier must not have: bytes after the last signature, a roll-back to an earlier revision, an
unknown field, an unsigned revision in between. So a dossier has exactly one form: a first revision, then one revision
for each signature, in the order tool, engineer, QA, and not a byte that no signature covers.
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
from gatekeeper.trust._quiet import quiet
from gatekeeper.trust.pdf_signature import FIELDS

if TYPE_CHECKING:
    from cryptography.x509 import Certificate
    from pyhanko.pdf_utils.generic import DictionaryObject
    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.sign.validation import EmbeddedPdfSignature, PdfSignatureStatus

NOT_CHECKED = (
    "revocation of certificates (offline)",
    "the time of signing, which is the signer's own word (no trusted timestamp)",
)


@dataclass(frozen=True)
class SignatureFact:
    """One signature that holds.

    ``role`` is ``tool``, ``engineer`` or ``qa``; ``signed_at`` the time that the signer claims (UTC, ISO 8601);
    ``meaning`` the reason that it states; ``fingerprint`` the SHA-256 of the certificate.
    """

    field: str
    role: str
    common_name: str
    fingerprint: str
    development: bool
    signed_at: str
    meaning: str


@dataclass(frozen=True)
class SignedDocument:
    """A document whose every byte is signed: its signatures in their order, its attachments, what was not checked."""

    fields: tuple[SignatureFact, ...]
    attachments: dict[str, bytes]
    not_checked: tuple[str, ...] = NOT_CHECKED


class _Altered(Exception):
    """Why a document is not one that was signed, in one sentence."""


def verify_pdf(pdf: bytes, root: Certificate, *, where: str) -> SignedDocument:
    """Check every signature of a dossier and return what is signed; ``where`` names the file in errors.

    The fields are exactly GatekeeperTool, Engineer and QA, signed in this order, the tool at least; the tool
    certifies (DocMDP P=2). Each signature is PAdES B-B by ECDSA P-256 with SHA-256, by a certificate of its own that
    ``root`` itself issued and that was valid at the time claimed. No trust store, network or clock is used.

    Raises IntegrityError: UNTRUSTED_KEY when ``root`` did not issue a signer's certificate, BAD_SIGNATURE when a
    signature does not hold over an unchanged document, ALTERED_DOSSIER for everything else.
    """
    with _altered(where):
        if not pdf.startswith(b"%PDF-"):
            raise _Altered("it is empty" if not pdf else "it is not a PDF")
        with quiet():
            return _verified(pdf, root, where)


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


def _verified(pdf: bytes, root: Certificate, where: str) -> SignedDocument:
    from pyhanko.pdf_utils.reader import PdfFileReader

    reader = PdfFileReader(BytesIO(pdf))
    if reader.encrypted:
        raise _Altered("it is encrypted")
    signatures = _signatures(reader)
    if reader.total_revisions != len(signatures) + 1:
        raise _Altered("it has a revision that is not signed")
    if [signature.signed_revision for signature in signatures] != list(range(1, reader.total_revisions)):
        raise _Altered("its signatures were not made in the order of their fields")
    ends = [_covered_to(pdf, signature) for signature in signatures]
    if ends != sorted(set(ends)) or ends[-1] != len(pdf):
        raise _Altered("there are bytes after the last signature")
    facts = tuple(_fact(signature, root, where) for signature in signatures)
    if len({fact.fingerprint for fact in facts}) != len(facts):
        raise _Altered("one key signed in two roles")
    _check_certification(reader, signatures[0])
    return SignedDocument(facts, _attachments(pdf, reader, ends))


def _signatures(reader: PdfFileReader) -> tuple[EmbeddedPdfSignature, ...]:
    """Return the filled fields in their order. Raises when fields are missing, added, renamed or out of order."""
    from pyhanko.sign.validation import EmbeddedPdfSignature

    if "/AcroForm" not in reader.root or not reader.root["/AcroForm"]["/Fields"]:
        raise _Altered("it is not signed")
    fields: list[DictionaryObject] = [entry.get_object() for entry in reader.root["/AcroForm"]["/Fields"]]
    names = tuple(str(field["/T"]) for field in fields)
    if names != tuple(FIELDS.values()) or any(field["/FT"] != "/Sig" or "/Kids" in field for field in fields):
        raise _Altered(f"its fields are not exactly {', '.join(FIELDS.values())}")
    filled = ["/V" in field for field in fields]
    if not filled[0]:
        raise _Altered("the tool has not signed it")
    if filled != sorted(filled, reverse=True):
        raise _Altered("QA has signed it before the engineer")
    signed = fields[: filled.count(True)]
    return tuple(EmbeddedPdfSignature(reader, field, name) for field, name in zip(signed, names, strict=False))


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


def _fact(signature: EmbeddedPdfSignature, root: Certificate, where: str) -> SignatureFact:
    from cryptography.x509 import load_der_x509_certificate

    role = next(role for role, name in FIELDS.items() if name == signature.field_name)
    certificate = load_der_x509_certificate(signature.signer_cert.dump())
    signed_at = signature.self_reported_timestamp
    if signed_at is None or signed_at.utcoffset() is None:
        raise _Altered(f"the signature of the {role} does not say when it was made")
    certificates.require_issued_by(certificate, root, where=where, at=signed_at)
    _check_container(signature, certificate, root, role, where)
    status = _status(signature, root, signed_at)
    if not status.intact:
        raise _Altered(f"it was changed after the {role} signed it")
    if not status.valid or not status.trusted:
        raise _does_not_hold(role, where)
    if not status.bottom_line:
        raise _Altered(f"it was changed in a way that the signature of the {role} does not allow")
    return SignatureFact(
        field=signature.field_name,
        role=role,
        common_name=certificates.common_name(certificate),
        fingerprint=certificates.fingerprint(certificate),
        development=certificates.is_development(certificate),
        signed_at=f"{signed_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        meaning=str(signature.sig_object["/Reason"]),
    )


def _status(signature: EmbeddedPdfSignature, root: Certificate, at: datetime) -> PdfSignatureStatus:
    """Ask pyHanko: digest, signature, path to the root at the time claimed, and changes in later revisions."""
    from pyhanko.keys import load_certs_from_pemder_data
    from pyhanko.sign.validation import validate_pdf_signature
    from pyhanko_certvalidator import ValidationContext

    trusted = list(load_certs_from_pemder_data(certificates.der(root)))
    context = ValidationContext(trust_roots=trusted, moment=at, allow_fetching=False, revocation_mode="soft-fail")
    return validate_pdf_signature(signature, context)


def _check_container(
    signature: EmbeddedPdfSignature, certificate: Certificate, root: Certificate, role: str, where: str
) -> None:
    """Raise unless the signature's container is the only one that its certificate, attributes and value can have."""
    from gatekeeper.trust._cms import build_cms, signs

    if signature.sig_object["/SubFilter"] != "/ETSI.CAdES.detached":
        raise _Altered(f"the signature of the {role} is not a PAdES signature")
    attributes = signature.signer_info["signed_attrs"].dump()
    value = signature.signer_info["signature"].native
    container = build_cms(certificate, root, attributes, value)
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
