"""What a signature can be checked with later: the timestamp in it, revocation lists, a timestamp over the document."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from gatekeeper.errors import Code, IntegrityError
from gatekeeper.trust import _certificates as certificates
from gatekeeper.trust.anchors import AUTHORITY, Trust

if TYPE_CHECKING:
    from cryptography.x509 import Certificate
    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.sign.validation import EmbeddedPdfSignature
    from pyhanko_certvalidator import ValidationContext

AHEAD = timedelta(minutes=10)  # how far a signer's clock may run before the authority's


@dataclass(frozen=True)
class Timestamp:
    """A time that an authority gave, whose token's signature is still to be checked with ``context``.

    ``token`` is its DER as it stands in the container.
    """

    at: datetime
    token: bytes


def timestamp_of(signature: EmbeddedPdfSignature) -> Timestamp | None:
    """Return the timestamp in a signature's container. Raises ValueError for any other unsigned attribute."""
    unsigned = signature.signer_info["unsigned_attrs"]
    if not unsigned:
        return None
    if [attribute["type"].native for attribute in unsigned] != ["signature_time_stamp_token"]:
        raise ValueError("a signature has an unsigned attribute that is no timestamp")
    values = unsigned[0]["values"]
    if len(values) != 1:
        raise ValueError("a signature has more than one timestamp")
    information = values[0]["content"]["encap_content_info"]["content"].parsed
    return Timestamp(information["gen_time"].native.astimezone(UTC), values[0].dump())


def require_authority(trust: Trust, where: str) -> Certificate:
    """Return the root of the authority that is trusted with time; raise IntegrityError when none was named."""
    root = trust.roots.get(AUTHORITY)
    if root is None:
        raise IntegrityError(
            Code.UNTRUSTED_KEY,
            "the dossier claims a trusted time, and no timestamping authority is trusted",
            where=where,
            why="its root certificate is not known here",
            mend=f"name the authority's root certificate: --trust {AUTHORITY}=ROOT.pem",
        )
    return root


def lists_of(reader: PdfFileReader) -> tuple[bytes, ...]:
    """Return the revocation lists (DER) of the document's security store; none where there is no store.

    Raises ValueError for a store with what is never written here: OCSP answers or entries for single signatures.
    """
    if "/DSS" not in reader.root:
        return ()
    store = reader.root["/DSS"]
    if "/OCSPs" in store or "/VRI" in store:
        raise ValueError("its security store holds what no dossier has")
    if "/CRLs" not in store:
        return ()
    listed = store["/CRLs"]  # only [] looks an indirect object up
    return tuple(bytes(listed[index].data) for index in range(len(listed)))


def context(root: Certificate, at: datetime, lists: tuple[bytes, ...]) -> ValidationContext:
    """Return what pyHanko judges a path by: one root, one moment, and the revocation lists, which then must tell."""
    from pyhanko.keys import load_certs_from_pemder_data
    from pyhanko_certvalidator import ValidationContext

    return ValidationContext(
        trust_roots=list(load_certs_from_pemder_data(certificates.der(root))),
        moment=at,
        crls=lists,
        allow_fetching=False,
        revocation_mode="require" if lists else "soft-fail",
        retroactive_revinfo=True,
    )


def archived_at(archive: EmbeddedPdfSignature, root: Certificate, lists: tuple[bytes, ...]) -> datetime | None:
    """Return the time of a timestamp over the whole document; None when it does not hold."""
    from pyhanko.sign.validation import validate_pdf_timestamp

    claimed = archive.signed_data["encap_content_info"]["content"].parsed["gen_time"].native.astimezone(UTC)
    status = validate_pdf_timestamp(archive, context(root, claimed, lists), skip_diff=True)
    holds = status.valid and status.intact and status.trusted and status.timestamp == claimed
    at: datetime = claimed
    return at if holds else None
