"""What a certificate says, and whether the one trusted root issued it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from gatekeeper.canonical import digest_bytes
from gatekeeper.errors import Code, IntegrityError

if TYPE_CHECKING:
    from cryptography.x509 import Certificate, Name

DEVELOPMENT = "gatekeeper DEVELOPMENT"


def fingerprint(certificate: Certificate) -> str:
    """Return the SHA-256 of the DER certificate as ``sha256:<hex>``."""
    return digest_bytes(der(certificate))


def der(certificate: Certificate) -> bytes:
    """Return the certificate in DER."""
    from cryptography.hazmat.primitives.serialization import Encoding

    return certificate.public_bytes(Encoding.DER)


def pem(certificate: Certificate) -> str:
    """Return the certificate in PEM, ending with a newline."""
    from cryptography.hazmat.primitives.serialization import Encoding

    return certificate.public_bytes(Encoding.PEM).decode("ascii")


def common_name(certificate: Certificate) -> str:
    """Return the subject's common name, or the whole subject (RFC 4514) when it has none."""
    from cryptography.x509.oid import NameOID

    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if names else certificate.subject.rfc4514_string()


def role_of(certificate: Certificate) -> str | None:
    """Return the role for which the certificate was issued: its one organizational unit; None without exactly one."""
    from cryptography.x509.oid import NameOID

    units = certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATIONAL_UNIT_NAME)
    return str(units[0].value) if len(units) == 1 else None


def is_development(certificate: Certificate) -> bool:
    """Say whether the organisation in subject or issuer marks it as a development certificate."""
    return _of_development(certificate.subject) or _of_development(certificate.issuer)


def _of_development(name: Name) -> bool:
    from cryptography.x509.oid import NameOID

    return any(entry.value == DEVELOPMENT for entry in name.get_attributes_for_oid(NameOID.ORGANIZATION_NAME))


def is_authority(certificate: Certificate) -> bool:
    """Say whether the certificate may issue others (basic constraints CA:true, key usage keyCertSign where stated)."""
    from cryptography.x509 import BasicConstraints, ExtensionNotFound, KeyUsage

    try:
        if not certificate.extensions.get_extension_for_class(BasicConstraints).value.ca:
            return False
        return certificate.extensions.get_extension_for_class(KeyUsage).value.key_cert_sign
    except ExtensionNotFound as error:
        return error.oid == KeyUsage.oid


def has_p256_key(certificate: Certificate) -> bool:
    """Say whether the certificate's public key is one on the curve P-256, the only kind that signs here."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey

    try:
        key = certificate.public_key()
    except (UnsupportedAlgorithm, ValueError):
        return False
    return isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1)


def require_issued_by(certificate: Certificate, root: Certificate, *, where: str, at: datetime | None = None) -> None:
    """Raise IntegrityError UNTRUSTED_KEY unless ``root`` itself issued ``certificate`` for signing.

    No intermediate certificate, no other trust store and no revocation list is looked at. With ``at`` (an aware
    datetime) both certificates must have been valid then.
    """
    reason = _why_not_trusted(certificate, root, at)
    if reason is not None:
        raise IntegrityError(
            Code.UNTRUSTED_KEY,
            f'the key "{common_name(certificate)}" is not trusted',
            where=where,
            why=f"{reason} (certificate {fingerprint(certificate)})",
            mend="verify with the root certificate of whoever made the document, or do not trust it",
        )


def _why_not_trusted(certificate: Certificate, root: Certificate, at: datetime | None) -> str | None:
    if not is_authority(root):
        return "the trusted root is not a certificate authority"
    if is_authority(certificate) or not _may_sign(certificate):
        return "its certificate is not one for signing"
    if not has_p256_key(certificate):
        return "its key is not on the curve P-256"
    if not _issued(certificate, root):
        return f'its certificate was not issued by the trusted root "{common_name(root)}"'
    for one in (certificate, root):
        if at is not None and not one.not_valid_before_utc <= at <= one.not_valid_after_utc:
            return f'the certificate of "{common_name(one)}" was not valid at {at:%Y-%m-%dT%H:%M:%SZ}'
    return None


def _may_sign(certificate: Certificate) -> bool:
    from cryptography.x509 import ExtensionNotFound, KeyUsage

    try:
        usage = certificate.extensions.get_extension_for_class(KeyUsage).value
    except ExtensionNotFound:
        return False
    return usage.digital_signature and usage.content_commitment


def _issued(certificate: Certificate, root: Certificate) -> bool:
    from cryptography.exceptions import InvalidSignature

    try:
        certificate.verify_directly_issued_by(root)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True
