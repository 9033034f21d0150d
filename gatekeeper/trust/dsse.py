"""DSSE v1 envelopes: a payload, its type, and one ECDSA P-256 / SHA-256 signature that names its certificate.

Source: https://github.com/secure-systems-lab/dsse, protocol and envelope, version 1.0.2. The signature entry also
carries the signer's certificate (PEM) in ``cert``, so that the root certificate alone is needed to verify.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gatekeeper.canonical import JSON, canonical_json
from gatekeeper.errors import Code, IntegrityError
from gatekeeper.trust import _certificates as certificates
from gatekeeper.trust._json import read_object

if TYPE_CHECKING:
    from datetime import datetime

    from cryptography.x509 import Certificate

    from gatekeeper.trust.anchors import Trust
    from gatekeeper.trust.keys import Signer

_LARGEST_BYTES = 64 << 20


@dataclass(frozen=True)
class OpenedEnvelope:
    """A payload whose signature holds, and who signed it; ``role`` is the one that the certificate was issued for."""

    payload: bytes
    fingerprint: str
    common_name: str
    role: str | None
    development: bool
    certificate: Certificate

    def require_valid(self, trust: Trust, at: datetime, *, where: str) -> None:
        """Raise IntegrityError UNTRUSTED_KEY unless the certificate, and its root, were valid at an aware time."""
        trust.require(self.certificate, self.role or "tool", where=where, at=at)


def pre_authentication_encoding(payload: bytes, payload_type: str) -> bytes:
    """Return the bytes that are signed (PAE): the type and the payload, each with its length before it."""
    kind = payload_type.encode("utf-8")
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def sign_envelope(payload: bytes, payload_type: str, signer: Signer) -> bytes:
    """Return a signed envelope as canonical JSON.

    Signatures are deterministic (RFC 6979) where OpenSSL is 3.2 or later: then equal payloads give equal envelopes.
    """
    signature = signer.sign(pre_authentication_encoding(payload, payload_type))
    entry: dict[str, JSON] = {
        "keyid": signer.fingerprint,
        "sig": base64.b64encode(signature).decode("ascii"),
        "cert": certificates.pem(signer.certificate),
    }
    return canonical_json(
        {
            "payload": base64.b64encode(payload).decode("ascii"),
            "payloadType": payload_type,
            "signatures": [entry],
        }
    )


def open_envelope(envelope: bytes, payload_type: str, trust: Trust, *, where: str) -> OpenedEnvelope:
    """Return the payload of an envelope that a trusted key signed; ``where`` names the file in errors.

    Raises IntegrityError: UNTRUSTED_KEY when its certificate is not one that ``trust`` has for its role,
    BAD_SIGNATURE when the signature does not hold, the type is another one, or the envelope is malformed. Validity in
    time and revocation are not looked at: an envelope carries no time.
    """
    try:
        payload, signature, certificate = _parsed(envelope, payload_type)
    except ValueError as error:
        raise _bad(where, "this is not a signed envelope of the kind expected", str(error)) from error
    trust.require(certificate, certificates.role_of(certificate) or "tool", where=where)
    if not _holds(certificate, signature, pre_authentication_encoding(payload, payload_type)):
        raise _bad(where, "the signature does not hold", "the payload or the signature was changed after signing")
    return OpenedEnvelope(
        payload,
        certificates.fingerprint(certificate),
        certificates.common_name(certificate),
        certificates.role_of(certificate),
        certificates.is_development(certificate),
        certificate,
    )


def _parsed(envelope: bytes, payload_type: str) -> tuple[bytes, bytes, Certificate]:
    value = read_object(envelope, limit=_LARGEST_BYTES)
    if set(value) != {"payload", "payloadType", "signatures"}:
        raise ValueError("its keys are not payload, payloadType and signatures")
    if value["payloadType"] != payload_type:
        raise ValueError(f"its payload is not of the type {payload_type}")
    entries = value["signatures"]
    if not isinstance(entries, list) or len(entries) != 1:
        raise ValueError("it must have exactly one signature")
    entry = entries[0]
    if not isinstance(entry, dict) or set(entry) != {"keyid", "sig", "cert"}:
        raise ValueError("the keys of its signature are not keyid, sig and cert")
    certificate = _certificate(entry["cert"])
    if entry["keyid"] != certificates.fingerprint(certificate):
        raise ValueError("its keyid is not the fingerprint of its certificate")
    return _decoded(value["payload"], "payload"), _decoded(entry["sig"], "sig"), certificate


def _decoded(value: JSON, name: str) -> bytes:
    try:
        data = base64.b64decode(value, validate=True) if isinstance(value, str) else b""
    except (binascii.Error, ValueError) as error:
        raise ValueError(f"its {name} is not base64") from error
    if base64.b64encode(data).decode("ascii") != value:
        raise ValueError(f"its {name} is not base64 in its one standard spelling")
    return data


def _certificate(value: JSON) -> Certificate:
    from cryptography.x509 import load_pem_x509_certificate

    try:
        certificate = load_pem_x509_certificate(value.encode("ascii") if isinstance(value, str) else b"")
        _ = certificate.extensions, certificate.subject, certificate.issuer
    except Exception as error:  # hostile DER can fail in the parser in any way
        raise ValueError("its cert is not a PEM certificate") from error
    if certificates.pem(certificate) != value:
        raise ValueError("its cert is not one PEM certificate in its standard spelling")
    return certificate


def _holds(certificate: Certificate, signature: bytes, signed: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    key = certificate.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey):
        return False
    try:
        key.verify(signature, signed, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def _bad(where: str, what: str, why: str) -> IntegrityError:
    return IntegrityError(
        Code.BAD_SIGNATURE, what, where=where, why=why, mend="ask whoever made it for the attestation again"
    )
