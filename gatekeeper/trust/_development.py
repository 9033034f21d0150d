"""Making a set of development keys: good enough to try everything, marked in every certificate, never for release."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from gatekeeper.trust._certificates import DEVELOPMENT

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey
    from cryptography.x509 import Certificate, CertificateBuilder, KeyUsage, Name

_BACKDATED = timedelta(days=1)
_ROOT = "root"
_VALID = timedelta(days=3652)


def make_root(now: datetime) -> tuple[Certificate, EllipticCurvePrivateKey]:
    """Make a self-signed root (EC P-256, CA:true), valid for ten years from ``now``."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = _name(_ROOT)
    builder = (
        _builder(name, name, key.public_key(), now, now + _VALID)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(authority=True), critical=True)
    )
    return builder.sign(key, hashes.SHA256()), key


def issue(
    role: str, root: Certificate, root_key: EllipticCurvePrivateKey, now: datetime
) -> tuple[Certificate, EllipticCurvePrivateKey]:
    """Issue a signing certificate (EC P-256, digitalSignature and contentCommitment) for ``role``.

    It is valid from ``now`` until the root ends.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    issuer = root.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    builder = (
        _builder(_name(role), root.subject, key.public_key(), now, root.not_valid_after_utc)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(authority=False), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer), critical=False)
    )
    return builder.sign(root_key, hashes.SHA256()), key


def private_pem(key: EllipticCurvePrivateKey) -> bytes:
    """Return the private key as unencrypted PKCS#8 PEM."""
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _name(role: str) -> Name:
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    unit = [x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, role)] if role != _ROOT else []
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, DEVELOPMENT),
            *unit,
            x509.NameAttribute(NameOID.COMMON_NAME, f"{DEVELOPMENT} {role}"),
        ]
    )


def _builder(
    subject: Name, issuer: Name, key: EllipticCurvePublicKey, now: datetime, end: datetime
) -> CertificateBuilder:
    from cryptography import x509

    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(*, authority: bool) -> KeyUsage:
    from cryptography.x509 import KeyUsage

    return KeyUsage(
        digital_signature=not authority,
        content_commitment=not authority,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )
