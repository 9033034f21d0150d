"""The one form of CMS signature that is accepted, byte for byte.

A PDF signature does not cover its own container, and DER readers forgive much there: padding, other certificates,
unsigned attributes, other spellings. So the container is built again from its parts and compared. Source: RFC 5652,
5754 (SHA-256 with ECDSA) and 8933; ETSI EN 319 142-1 for PAdES, whose only unsigned attribute is a timestamp (B-T).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gatekeeper.trust._certificates import der

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

_SEQUENCE, _SET, _OCTETS, _CONTEXT_0, _CONTEXT_1, _INTEGER = 0x30, 0x31, 0x04, 0xA0, 0xA1, 0x02
_VERSION_1 = bytes.fromhex("020101")
_SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")
_DATA = bytes.fromhex("06092a864886f70d010701")
_SHA256 = bytes.fromhex("300d06096086480165030402010500")
_SIGNATURE_TIMESTAMP = bytes.fromhex("060b2a864886f70d010910020e")
_ECDSA_WITH_SHA256 = bytes.fromhex("300a06082a8648ce3d040302")


def build_cms(
    certificate: Certificate,
    root: Certificate,
    signed_attributes: bytes,
    signature: bytes,
    timestamp: bytes | None = None,
) -> bytes:
    """Return the DER of a detached CMS signature by ECDSA with SHA-256.

    ``signed_attributes`` is their DER as it stands in the container (tag ``[0]``). The container holds the signer's
    certificate and the root's, in DER order, and no unsigned attribute but the token of a ``timestamp`` (in DER).
    """
    serial = certificate.serial_number
    number = serial.to_bytes(serial.bit_length() // 8 + 1, "big", signed=True)
    signer = _encode(_SEQUENCE, certificate.issuer.public_bytes(), _encode(_INTEGER, number))
    info = _encode(
        _SEQUENCE,
        _VERSION_1,
        signer,
        _SHA256,
        signed_attributes,
        _ECDSA_WITH_SHA256,
        _encode(_OCTETS, signature),
        *([_timestamped(timestamp)] if timestamp is not None else []),
    )
    signed_data = _encode(
        _SEQUENCE,
        _VERSION_1,
        _encode(_SET, _SHA256),
        _encode(_SEQUENCE, _DATA),
        _encode(_CONTEXT_0, *sorted((der(certificate), der(root)))),
        _encode(_SET, info),
    )
    return _encode(_SEQUENCE, _SIGNED_DATA, _encode(_CONTEXT_0, signed_data))


def signs(certificate: Certificate, signed_attributes: bytes, signature: bytes) -> bool:
    """Say whether the signature holds over the attributes exactly as they are written (as a SET, RFC 5652, 5.4)."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    key = certificate.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey):
        return False
    try:
        key.verify(signature, bytes([_SET]) + signed_attributes[1:], ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def _timestamped(token: bytes) -> bytes:
    return _encode(_CONTEXT_1, _encode(_SEQUENCE, _SIGNATURE_TIMESTAMP, _encode(_SET, token)))


def _encode(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content
