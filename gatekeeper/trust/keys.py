"""Key sets: a root certificate and the tool's signing key; a development set is made where there is none.

A set is a folder of PEM files: ``root.pem`` and ``tool.pem`` (certificates), ``tool.key.pem`` (PKCS#8, unencrypted).
A development set also has ``root.key.pem``, so that further development keys can be issued. People sign with keys of
their role, ``qa.pem`` and ``qa.key.pem``, whose certificate names the role as its organizational unit.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from gatekeeper.errors import Code, GatekeeperError, IntegrityError, UsageError
from gatekeeper.trust import _certificates as certificates

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.x509 import Certificate

_NEEDED = ("root.pem", "tool.pem", "tool.key.pem")
_LARGEST_PEM_BYTES = 1 << 20
_MEND = "restore the set from its backup, or move the folder away: a development set is made where there is none"


@dataclass(frozen=True)
class Signer:
    """A key that signs in one role (``tool``, ``engineer``, ``qa``), with its certificate. The key is EC P-256."""

    role: str
    certificate: Certificate
    private_key: EllipticCurvePrivateKey = field(repr=False)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the DER certificate, ``sha256:<hex>``."""
        return certificates.fingerprint(self.certificate)

    @property
    def common_name(self) -> str:
        """The common name of the certificate's subject."""
        return certificates.common_name(self.certificate)

    @property
    def development(self) -> bool:
        """Whether the certificate is marked as one for development."""
        return certificates.is_development(self.certificate)


@dataclass(frozen=True)
class KeyRing:
    """A key set as loaded from its folder: the root that is trusted, and the tool's signer, which it issued."""

    folder: Path
    root: Certificate
    tool: Signer

    @property
    def development(self) -> bool:
        """Whether the root or the tool's certificate is marked as one for development."""
        return certificates.is_development(self.root) or self.tool.development


def load_keys(home: Path) -> KeyRing:
    """Load the set in ``home/keys``; where there is none, make a development set there first.

    Raises UsageError BAD_VALUE when the set is incomplete, corrupt, expired or does not belong together, CANNOT_WRITE
    when a set is needed and cannot be written. Processes that race for the first use end with one and the same set.
    """
    folder = home / "keys"
    now = datetime.now(UTC)
    try:
        present = sorted(os.listdir(folder)) if folder.exists() else []
    except OSError as error:
        raise _broken(folder, "the key folder cannot be read", type(error).__name__) from error
    if not present:
        _make_development_set(home, folder, now)
    missing = [name for name in _NEEDED if not (folder / name).is_file()]
    if missing:
        raise _broken(folder, "the key set is incomplete", f"{', '.join(missing)} is missing")
    root = load_trust_root(folder / "root.pem")
    tool = Signer("tool", _certificate(folder / "tool.pem"), _private_key(folder / "tool.key.pem"))
    _check_signer(tool, root, folder, now)
    return KeyRing(folder, root, tool)


def load_signer(home: Path, role: str) -> Signer:
    """Load the key of a person's role from the set in ``home/keys``; a development set issues one where there is none.

    Raises UsageError FILE_NOT_FOUND when a set for release has no such key, BAD_VALUE when it does not fit: another
    root, another role, expired, or not the key of its certificate.
    """
    keys = load_keys(home)
    certificate, private = keys.folder / f"{role}.pem", keys.folder / f"{role}.key.pem"
    now = datetime.now(UTC)
    authority = keys.folder / "root.key.pem"
    if not certificate.exists() and not private.exists() and keys.development and authority.is_file():
        _issue_development_key(role, keys, _private_key(authority), now)
    for path in (certificate, private):
        if not path.is_file():
            mend = f"put the certificate ({role}.pem, issued by root.pem, with OU={role}) and its key ({role}.key.pem)"
            raise UsageError(
                Code.FILE_NOT_FOUND,
                f'this machine has no key of the role "{role}"',
                where=str(path),
                mend=f"{mend} in that folder",
            )
    signer = Signer(role, _certificate(certificate), _private_key(private))
    _check_signer(signer, keys.root, keys.folder, now)
    if certificates.role_of(signer.certificate) != role:
        raise _broken(certificate, f'the certificate is not one for the role "{role}"', "its OU is another one")
    return signer


def own_root(home: Path) -> Certificate:
    """Return the root of the set in ``home/keys``, without making one. Raises UsageError when there is none."""
    path = home / "keys" / "root.pem"
    if not path.is_file():
        raise UsageError(
            Code.FILE_NOT_FOUND,
            "this machine has no root certificate of its own",
            where=str(path),
            mend="give the one to trust with --trust ROOT.pem",
        )
    return load_trust_root(path)


def load_trust_root(path: Path) -> Certificate:
    """Read the one PEM root certificate that verification will trust.

    Raises UsageError FILE_NOT_FOUND, or BAD_VALUE when it is not a self-signed certificate of an authority.
    """
    from cryptography.exceptions import InvalidSignature

    root = _certificate(path)
    try:
        root.verify_directly_issued_by(root)
    except (InvalidSignature, ValueError, TypeError) as error:
        raise _broken(path, "the root certificate is not self-signed", None) from error
    if not certificates.is_authority(root):
        raise _broken(path, "the root certificate is not one of a certificate authority", None)
    return root


def _check_signer(signer: Signer, root: Certificate, folder: Path, now: datetime) -> None:
    if signer.certificate.public_key() != signer.private_key.public_key():
        raise _broken(folder, f"{signer.role}.key.pem is not the key of {signer.role}.pem", None)
    try:
        certificates.require_issued_by(signer.certificate, root, where=str(folder), at=now)
    except IntegrityError as error:
        raise _broken(folder, "the key set cannot sign", error.problems[0].why) from error


def _certificate(path: Path) -> Certificate:
    from cryptography import x509

    data = _read(path)
    try:
        found = x509.load_pem_x509_certificates(data)
        for certificate in found:
            _ = certificate.extensions, certificate.public_key()
    except Exception as error:  # hostile or damaged DER can fail in the parser in any way
        raise _broken(path, "this is not a PEM certificate", None) from error
    if len(found) != 1:
        raise _broken(path, f"one certificate is wanted, and there are {len(found)}", None)
    return found[0]


def _private_key(path: Path) -> EllipticCurvePrivateKey:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    data = _read(path)
    try:
        key = load_pem_private_key(data, password=None)
    except TypeError as error:
        raise _broken(path, "the private key is encrypted", "keys are read without a password") from error
    except Exception as error:  # hostile or damaged DER can fail in the parser in any way
        raise _broken(path, "this is not a PEM private key", None) from error
    if not isinstance(key, EllipticCurvePrivateKey):
        raise _broken(path, "the private key is not one on an elliptic curve", None)
    return key


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(_LARGEST_PEM_BYTES)
    except FileNotFoundError as error:
        raise UsageError(Code.FILE_NOT_FOUND, "there is no such certificate or key", where=str(path)) from error
    except OSError as error:
        raise _broken(path, "the file cannot be read", error.strerror) from error


def _make_development_set(home: Path, folder: Path, now: datetime) -> None:
    from gatekeeper.trust import _development as development

    root, root_key = development.make_root(now)
    tool, tool_key = development.issue("tool", root, root_key, now)
    files = {
        "root.pem": certificates.pem(root).encode("ascii"),
        "root.key.pem": development.private_pem(root_key),
        "tool.pem": certificates.pem(tool).encode("ascii"),
        "tool.key.pem": development.private_pem(tool_key),
    }
    try:
        home.mkdir(parents=True, exist_ok=True)
        _write_folder(home, folder, files)
    except OSError as error:
        raise _unwritable(folder, error) from error


def _issue_development_key(role: str, keys: KeyRing, root_key: EllipticCurvePrivateKey, now: datetime) -> None:
    from gatekeeper.trust import _development as development

    certificate, key = development.issue(role, keys.root, root_key, now)
    try:
        # The key first: a certificate whose key is still to come would be taken for a broken set.
        _write_once(keys.folder / f"{role}.key.pem", development.private_pem(key))
        _write_once(keys.folder / f"{role}.pem", certificates.pem(certificate).encode("ascii"))
    except FileExistsError:
        return  # somebody else issued it just now
    except OSError as error:
        raise _unwritable(keys.folder, error) from error


def _unwritable(folder: Path, error: OSError) -> UsageError:
    return UsageError(
        Code.CANNOT_WRITE,
        "development keys cannot be written",
        where=str(folder),
        why=error.strerror or type(error).__name__,
        mend="make the folder writable, or choose another home",
    )


def _write_once(path: Path, data: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())


def _write_folder(home: Path, folder: Path, files: dict[str, bytes]) -> None:
    import shutil
    import tempfile

    # A whole folder appears at once by rename; whoever comes second finds it filled and leaves it alone.
    draft = Path(tempfile.mkdtemp(prefix=".keys-", dir=home))
    try:
        for name, data in files.items():
            _write_once(draft / name, data)
        try:
            draft.rename(folder)
        except OSError:
            if not any(folder.glob("*.pem")):
                raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _broken(path: Path, what: str, why: str | None) -> GatekeeperError:
    return UsageError(Code.BAD_VALUE, what, where=str(path), why=why, mend=_MEND)
