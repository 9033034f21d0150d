"""The use cases on locks: create, open, verify."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from gatekeeper.errors import Code, UsageError
from gatekeeper.testset import LockedTestSet, Manifest, Task, create_lock, open_lock, verify_files
from gatekeeper.trust import load_keys

Progress = Callable[[str, int, int], None]
_SECRET_BYTES = 32
_LEAST_SECRET_BYTES = 16


def lock_testset(
    table: Path,
    out: Path,
    home: Path,
    *,
    task: Task = "classification",
    root: Path | None = None,
    secret_file: Path | None = None,
    progress: Progress = lambda stage, done, total: None,
) -> Manifest:
    """Lock the test set of a table and write the lock to ``out``; its name is the file's.

    The secret that keys the HMAC of patient ids is read from ``secret_file``; without one, it is read from, or made
    and kept in, ``out`` with ``.secret`` added. Raises UsageError for what cannot be locked or written.
    """
    keys = load_keys(home)
    partial = out.with_name(f".{out.name}.partial")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        secret = _secret(secret_file, out.with_name(f"{out.name}.secret"))
        envelope = create_lock(
            table,
            out.stem,
            keys.tool,
            secret,
            task=task,
            root=root,
            progress=lambda done, total: progress("hashing", done, total),
        )
        partial.write_bytes(envelope)
        partial.replace(out)
    except OSError as error:
        with suppress(OSError):
            partial.unlink()
        raise UsageError(
            Code.CANNOT_WRITE,
            "the lock cannot be written",
            where=str(out),
            why=error.strerror,
            mend="choose another --out",
        ) from error
    # A lock beside its table finds its images; elsewhere `--root` says where they are.
    return open_lock(out, keys.root, root=root or table.parent).manifest


def read_lock(path: Path, home: Path, root: Path | None = None) -> LockedTestSet:
    """Open a lock that this machine's root certificate vouches for."""
    return open_lock(path, load_keys(home).root, root=root)


def verify_lock(
    path: Path, home: Path, root: Path | None = None, progress: Progress = lambda stage, done, total: None
) -> LockedTestSet:
    """Open a lock and hash every file that it names."""
    testset = read_lock(path, home, root)
    verify_files(testset, lambda done, total: progress("hashing", done, total))
    return testset


def _secret(given: Path | None, beside: Path) -> bytes:
    if given is not None or beside.is_file():
        return _read_secret(given or beside)
    secret = secrets.token_hex(_SECRET_BYTES).encode()
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as stream:
        stream.write(secret + b"\n")
    return secret


def _read_secret(path: Path) -> bytes:
    try:
        secret = path.read_bytes().strip()
    except OSError as error:
        raise UsageError(
            Code.FILE_NOT_FOUND,
            "the secret cannot be read",
            where=str(path),
            why=error.strerror,
            mend="check the path given with --secret",
        ) from error
    if len(secret) < _LEAST_SECRET_BYTES:
        raise UsageError(
            Code.BAD_VALUE,
            f"the secret is shorter than {_LEAST_SECRET_BYTES} bytes",
            where=str(path),
            mend="use a longer random one",
        )
    return secret
