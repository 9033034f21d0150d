"""Keys that never leave their token: PKCS#11, named by a URI (RFC 7512)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, cast
from urllib.parse import unquote

from gatekeeper.errors import Code, UsageError
from gatekeeper.trust._passphrase import passphrase

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
    from cryptography.x509 import Certificate
    from pkcs11 import Session, SignMixin

SCHEME = "pkcs11:"
_KNOWN = {"token", "object", "module-path"}


@dataclass(frozen=True)
class TokenKey:
    """A private key on P-256 in a token; signs as cryptography's own keys do."""

    certificate: Certificate
    handle: SignMixin

    def public_key(self) -> EllipticCurvePublicKey:
        """Return the public key, as the certificate beside it has it."""
        from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

        key = self.certificate.public_key()
        if not isinstance(key, EllipticCurvePublicKey):
            raise _unusable(SCHEME, "the certificate in the token is not one of a key on an elliptic curve")
        return key

    def sign(self, data: bytes, _algorithm: ECDSA) -> bytes:
        """Return the signature of SHA-256 of the data, in DER (RFC 3279, 2.2.3)."""
        from hashlib import sha256

        from pkcs11 import Mechanism
        from pkcs11.util.ec import encode_ecdsa_signature

        raw = self.handle.sign(sha256(data).digest(), mechanism=Mechanism.ECDSA)
        signature: bytes = encode_ecdsa_signature(raw)
        return signature


def open_token_key(uri: str, role: str) -> TokenKey:
    """Open the key that a URI names: ``pkcs11:token=LABEL;object=LABEL?module-path=/usr/lib/…/module.so``.

    Its certificate stands in the token under the same label. The PIN is the passphrase of the role. Raises UsageError:
    BAD_SYNTAX for another form of URI, MISSING_PACKAGE without python-pkcs11, BAD_VALUE where the token does not open.
    """
    named = _parsed(uri)
    try:
        import pkcs11
        from pkcs11 import Attribute, KeyType, ObjectClass
    except ImportError as error:
        raise UsageError(
            Code.MISSING_PACKAGE,
            "keys in a token need the package python-pkcs11",
            where=uri,
            mend='pip install "gatekeeper-imaging[pkcs11]"',
        ) from error
    from cryptography.x509 import load_der_x509_certificate

    try:
        session = _session(named["module-path"], named["token"], passphrase(role, uri))
        handle = session.get_key(object_class=ObjectClass.PRIVATE_KEY, key_type=KeyType.EC, label=named["object"])
        wanted = {Attribute.CLASS: ObjectClass.CERTIFICATE, Attribute.LABEL: named["object"]}
        found = [entry[Attribute.VALUE] for entry in session.get_objects(wanted)]
    except pkcs11.PKCS11Error as error:
        raise _unusable(uri, f"{type(error).__name__}: {error}".rstrip(": ")) from error
    except RuntimeError as error:  # the module cannot be loaded
        raise _unusable(uri, str(error)) from error
    if len(found) != 1:
        raise _unusable(uri, f"there are {len(found)} certificates of that label in the token, and one is wanted")
    return TokenKey(load_der_x509_certificate(found[0]), cast("SignMixin", handle))


@lru_cache
def _session(module: str, label: str, pin: str) -> Session:
    # A process is logged in to a token once, for all its sessions: one session serves all keys there.
    import pkcs11

    return pkcs11.lib(module).get_token(token_label=label).open(user_pin=pin)


def _parsed(uri: str) -> dict[str, str]:
    path, _, query = uri.removeprefix(SCHEME).partition("?")
    pairs = [part.partition("=") for part in [*path.split(";"), *query.split("&")] if part]
    named = {name: unquote(value) for name, _, value in pairs}
    if set(named) != _KNOWN or len(pairs) != len(_KNOWN) or not all(named.values()):
        raise UsageError(
            Code.BAD_SYNTAX,
            "this does not name a key in a token",
            where=uri.partition("pin-")[0],
            mend='write "pkcs11:token=LABEL;object=LABEL?module-path=/path/to/module.so"; the PIN is never part of it',
        )
    return named


def _unusable(uri: str, why: str) -> UsageError:
    return UsageError(
        Code.BAD_VALUE,
        "the key in the token cannot be used",
        where=uri,
        why=why,
        mend="compare labels and module with `pkcs11-tool --list-objects`, and see that the PIN is right",
    )
