"""Key sets: a root certificate and the keys that sign; a development set is made where there is none.

A set is a folder: ``root.pem``, and for each role that signs here (``tool``, ``engineer``, ``qa``) its certificate and
its key (PKCS#8), ``tool.pem`` and ``tool.key.pem``, or both in ``tool.p12``. ``signing.yaml`` may name other files, or
keys in a token. A locked key is opened with a passphrase (see ``_passphrase``). A person's certificate names the role
as its organizational unit. A development set also has ``root.key.pem``, so that further keys can be issued.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from gatekeeper.errors import Code, IntegrityError, UsageError
from gatekeeper.trust import _certificates as certificates
from gatekeeper.trust._development_set import issue_development_key, make_development_set, make_development_tool
from gatekeeper.trust._key_files import PKCS12_SUFFIXES, broken, read_certificate, read_pkcs12, read_private_key
from gatekeeper.trust._token import SCHEME, TokenKey, open_token_key
from gatekeeper.trust.anchors import AUTHORITY, Trust

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey
    from cryptography.x509 import Certificate

    from gatekeeper.trust.settings import SigningSettings

ROLES = ("tool", "engineer", "qa")


@dataclass(frozen=True)
class Signer:
    """A key that signs in one role (``tool``, ``engineer``, ``qa``), with its certificate. The key is EC P-256."""

    role: str
    certificate: Certificate
    private_key: EllipticCurvePrivateKey | TokenKey = field(repr=False)

    def sign(self, data: bytes) -> bytes:
        """Return the ECDSA signature of the data with SHA-256, in DER.

        Deterministic (RFC 6979) where OpenSSL is 3.2 or later, unless the key lies in a token.
        """
        return self.private_key.sign(data, _algorithm())

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
    """A key set as loaded from its folder: the root that is trusted, and the tool's signer, which it issued.

    ``roots``: other roots that ``signing.yaml`` names, by role, and that of the timestamping authority as ``tsa``.
    """

    folder: Path
    root: Certificate
    tool: Signer
    roots: Mapping[str, Certificate] = field(default_factory=dict)

    @property
    def trust(self) -> Trust:
        """What this machine trusts when nothing else is said."""
        return Trust(self.root, self.roots)

    @property
    def development(self) -> bool:
        """Whether the root or the tool's certificate is marked as one for development."""
        return certificates.is_development(self.root) or self.tool.development


def load_keys(home: Path) -> KeyRing:
    """Load the set in ``home/keys``; where there is none, make a development set there first.

    Raises UsageError BAD_VALUE when the set is incomplete, corrupt, expired or does not belong together, CANNOT_WRITE
    when a set is needed and cannot be written, MISSING_KEY when the tool's key is locked and nobody gives its
    passphrase. Processes that race for the first use end with one and the same set.
    """
    now = datetime.now(UTC)
    folder, root = _open_set(home, now)
    return KeyRing(folder, root, _signer(folder, "tool", root, now), _other_roots(folder))


def develop_under(home: Path, root: Path) -> KeyRing:
    """Make a set in ``home/keys`` that trusts ``root`` and signs with a development key, unless there is one; load it.

    Such a set takes test sets and approvals of an organisation, on a machine that holds none of its keys. Raises
    UsageError FORBIDDEN for a set under another root, and as ``load_trust_root`` and ``load_keys`` do.
    """
    trusted, folder = load_trust_root(root), home / "keys"
    if not folder.is_dir() or not any(folder.iterdir()):
        make_development_tool(home, folder, trusted, datetime.now(UTC))
    ring = load_keys(home)
    if ring.root != trusted:
        raise UsageError(
            Code.FORBIDDEN,
            "this machine has keys under another root",
            where=str(folder),
            mend="choose another home with GATEKEEPER_HOME",
        )
    return ring


def load_signer(home: Path, role: str) -> Signer:
    """Load the key of a role from the set in ``home/keys``; a development set issues one where there is none.

    Raises UsageError FILE_NOT_FOUND when a set for release has no such key, BAD_VALUE when it does not fit: another
    root, another role, expired, or not the key of its certificate; MISSING_KEY as ``load_keys`` does.
    """
    now = datetime.now(UTC)
    folder, root = _open_set(home, now)
    authority = folder / "root.key.pem"
    if certificates.is_development(root) and authority.is_file() and not _has_key(folder, role):
        issue_development_key(role, folder, root, read_private_key(authority, "root"), now)
    if not _has_key(folder, role):
        mend = f"put the certificate ({role}.pem, issued by root.pem, with OU={role}) and its key ({role}.key.pem)"
        raise UsageError(
            Code.FILE_NOT_FOUND,
            f'this machine has no key of the role "{role}"',
            where=str(folder / f"{role}.pem"),
            mend=f"{mend} in that folder, or both as {role}.p12, or name them in signing.yaml",
        )
    signer = _signer(folder, role, root, now)
    if certificates.role_of(signer.certificate) != role:
        raise broken(folder, f'the certificate is not one for the role "{role}"', "its OU is another one")
    return signer


def key_places(home: Path) -> dict[str, str | None]:
    """Return by role where its key lies: a file of the set, or a token's URI; None where it has none. Opens none."""
    folder = home / "keys"
    return {role: _place_of(folder, role) if _has_key(folder, role) else None for role in ROLES}


def own_trust(home: Path) -> Trust:
    """Return what the set in ``home/keys`` trusts, without making one. Raises UsageError when there is none."""
    path = home / "keys" / "root.pem"
    if not path.is_file():
        raise UsageError(
            Code.FILE_NOT_FOUND,
            "this machine has no root certificate of its own",
            where=str(path),
            mend="give the one to trust with --trust ROOT.pem",
        )
    return Trust(load_trust_root(path), _other_roots(path.parent))


def load_trust_root(path: Path) -> Certificate:
    """Read the one PEM root certificate that verification will trust.

    Raises UsageError FILE_NOT_FOUND, or BAD_VALUE when it is not a self-signed certificate of an authority.
    """
    from cryptography.exceptions import InvalidSignature

    root = read_certificate(path)
    try:
        root.verify_directly_issued_by(root)
    except (InvalidSignature, ValueError, TypeError) as error:
        raise broken(path, "the root certificate is not self-signed", None) from error
    if not certificates.is_authority(root):
        raise broken(path, "the root certificate is not one of a certificate authority", None)
    return root


def _open_set(home: Path, now: datetime) -> tuple[Path, Certificate]:
    folder = home / "keys"
    try:
        present = sorted(os.listdir(folder)) if folder.exists() else []
    except OSError as error:
        raise broken(folder, "the key folder cannot be read", type(error).__name__) from error
    if not present:
        make_development_set(home, folder, now)
    if not (folder / "root.pem").is_file():
        raise broken(folder, "the key set is incomplete", "root.pem is missing")
    return folder, load_trust_root(folder / "root.pem")


def _has_key(folder: Path, role: str) -> bool:
    files = (f"{role}.pem", f"{role}.key.pem", f"{role}.p12")
    return _settings(folder).of(role).key is not None or any((folder / name).exists() for name in files)


def _place_of(folder: Path, role: str) -> str:
    named = _settings(folder).of(role).key
    return named or (f"{role}.p12" if (folder / f"{role}.p12").is_file() else f"{role}.key.pem")


def _settings(folder: Path) -> SigningSettings:
    from gatekeeper.trust.settings import load_settings

    return load_settings(folder)


def _other_roots(folder: Path) -> dict[str, Certificate]:
    settings = _settings(folder)
    named = {role: settings.of(role).root for role in ROLES}
    named[AUTHORITY] = settings.timestamps.root if settings.timestamps else None
    return {role: load_trust_root(folder / file) for role, file in named.items() if file is not None}


def _signer(folder: Path, role: str, root: Certificate, now: datetime) -> Signer:
    named = _settings(folder).of(role)
    key = _place_of(folder, role)
    private: EllipticCurvePrivateKey | TokenKey
    if key.startswith(SCHEME):
        private = open_token_key(key, role)
        certificate = private.certificate
    elif key.endswith(PKCS12_SUFFIXES):
        certificate, private = read_pkcs12(folder / key, role)
    else:
        pair = (folder / (named.certificate or f"{role}.pem"), folder / key)
        missing = [path.name for path in pair if not path.is_file()]
        if missing:
            raise broken(folder, "the key set is incomplete", f"{', '.join(missing)} is missing")
        certificate, private = read_certificate(pair[0]), read_private_key(pair[1], role)
    signer = Signer(role, certificate, private)
    _check_signer(signer, load_trust_root(folder / named.root) if named.root else root, folder, now)
    return signer


def _check_signer(signer: Signer, root: Certificate, folder: Path, now: datetime) -> None:
    if signer.certificate.public_key() != signer.private_key.public_key():
        raise broken(folder, f"the key of the {signer.role} is not the key of its certificate", None)
    try:
        certificates.require_issued_by(signer.certificate, root, where=str(folder), at=now)
    except IntegrityError as error:
        raise broken(folder, "the key set cannot sign", error.problems[0].why) from error


def _algorithm() -> ECDSA:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    try:
        return ec.ECDSA(hashes.SHA256(), deterministic_signing=True)
    except UnsupportedAlgorithm:
        return ec.ECDSA(hashes.SHA256())
