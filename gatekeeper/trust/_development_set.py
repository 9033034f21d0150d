"""A development set on disk: made whole or not at all, and further keys issued into it."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from gatekeeper.errors import Code, UsageError
from gatekeeper.trust import _certificates as certificates

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.x509 import Certificate

DEVELOPMENT_ROOT = "development-root.pem"


def make_development_set(home: Path, folder: Path, now: datetime) -> None:
    """Make ``folder`` within ``home`` with a root and the tool's key, all at once. Raises UsageError CANNOT_WRITE."""
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


def make_development_tool(home: Path, folder: Path, trusted: Certificate, now: datetime) -> None:
    """Make ``folder`` with a tool's key of a development root that nobody keeps, beside another root to be trusted.

    Raises UsageError CANNOT_WRITE.
    """
    from gatekeeper.trust import _development as development

    root, root_key = development.make_root(now)
    tool, tool_key = development.issue("tool", root, root_key, now)
    files = {
        "root.pem": certificates.pem(trusted).encode("ascii"),
        DEVELOPMENT_ROOT: certificates.pem(root).encode("ascii"),
        "tool.pem": certificates.pem(tool).encode("ascii"),
        "tool.key.pem": development.private_pem(tool_key),
        "signing.yaml": f"roles: {{tool: {{root: {DEVELOPMENT_ROOT}}}}}\n".encode("ascii"),
    }
    try:
        home.mkdir(parents=True, exist_ok=True)
        _write_folder(home, folder, files)
    except OSError as error:
        raise _unwritable(folder, error) from error


def issue_development_key(
    role: str, folder: Path, root: Certificate, root_key: EllipticCurvePrivateKey, now: datetime
) -> None:
    """Issue a key of a role into a set, unless somebody else just did. Raises UsageError CANNOT_WRITE."""
    from gatekeeper.trust import _development as development

    certificate, key = development.issue(role, root, root_key, now)
    try:
        # The key first: a certificate whose key is still to come would be taken for a broken set.
        _write_once(folder / f"{role}.key.pem", development.private_pem(key))
        _write_once(folder / f"{role}.pem", certificates.pem(certificate).encode("ascii"))
    except FileExistsError:
        return  # somebody else issued it just now
    except OSError as error:
        raise _unwritable(folder, error) from error


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
