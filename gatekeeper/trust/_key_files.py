"""Certificates and private keys from files: PEM and PKCS#12, locked by a passphrase or not."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gatekeeper.errors import Code, GatekeeperError, UsageError
from gatekeeper.trust._passphrase import passphrase

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.x509 import Certificate

PKCS12_SUFFIXES = (".p12", ".pfx")
_LARGEST_BYTES = 1 << 20
_MEND = "restore the set from its backup, or move the folder away: a development set is made where there is none"


def read_certificate(path: Path) -> Certificate:
    """Read one PEM certificate. Raises UsageError: FILE_NOT_FOUND, or BAD_VALUE for anything else."""
    from cryptography import x509

    data = _read(path)
    try:
        found = x509.load_pem_x509_certificates(data)
        for certificate in found:
            _ = certificate.extensions, certificate.public_key()
    except Exception as error:  # hostile or damaged DER can fail in the parser in any way
        raise broken(path, "this is not a PEM certificate", None) from error
    if len(found) != 1:
        raise broken(path, f"one certificate is wanted, and there are {len(found)}", None)
    return found[0]


def read_private_key(path: Path, role: str) -> EllipticCurvePrivateKey:
    """Read a PEM private key on an elliptic curve; a locked one with the passphrase of its role.

    Raises UsageError: FILE_NOT_FOUND, MISSING_KEY without a passphrase, or BAD_VALUE for anything else.
    """
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    data = _read(path)
    try:
        try:
            key: object = load_pem_private_key(data, password=None)
        except TypeError:  # it is locked
            key = load_pem_private_key(data, password=passphrase(role, str(path)).encode("utf-8"))
    except UsageError:
        raise
    except ValueError as error:
        if b"ENCRYPTED" in data:
            raise _wrong_passphrase(path, role) from error
        raise broken(path, "this is not a PEM private key", None) from error
    except Exception as error:  # hostile or damaged DER can fail in the parser in any way
        raise broken(path, "this is not a PEM private key", None) from error
    return _on_a_curve(key, path)


def read_pkcs12(path: Path, role: str) -> tuple[Certificate, EllipticCurvePrivateKey]:
    """Read certificate and private key from a PKCS#12 file (RFC 7292); errors are those of ``read_private_key``."""
    from cryptography.hazmat.primitives.serialization import pkcs12

    data = _read(path)
    try:
        try:
            key, certificate, _ = pkcs12.load_key_and_certificates(data, None)
        except ValueError:
            given = passphrase(role, str(path)).encode("utf-8")
            key, certificate, _ = pkcs12.load_key_and_certificates(data, given)
    except UsageError:
        raise
    except Exception as error:
        raise _wrong_passphrase(path, role) from error
    if key is None or certificate is None:
        raise broken(path, "the PKCS#12 file does not hold one key with its certificate", None)
    return certificate, _on_a_curve(key, path)


def broken(path: Path, what: str, why: str | None) -> GatekeeperError:
    """Return the error of a key set that is not whole."""
    return UsageError(Code.BAD_VALUE, what, where=str(path), why=why, mend=_MEND)


def _on_a_curve(key: object, path: Path) -> EllipticCurvePrivateKey:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

    if not isinstance(key, EllipticCurvePrivateKey):
        raise broken(path, "the private key is not one on an elliptic curve", None)
    return key


def _wrong_passphrase(path: Path, role: str) -> UsageError:
    return UsageError(
        Code.BAD_VALUE,
        "the key cannot be unlocked",
        where=str(path),
        why="the passphrase is another one, or the file is damaged",
        mend=f"give the passphrase of the {role}'s key in GATEKEEPER_PASSPHRASE_{role.upper()}, or on the terminal",
    )


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(_LARGEST_BYTES)
    except FileNotFoundError as error:
        raise UsageError(Code.FILE_NOT_FOUND, "there is no such certificate or key", where=str(path)) from error
    except OSError as error:
        raise broken(path, "the file cannot be read", error.strerror) from error
