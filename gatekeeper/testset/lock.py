"""Locking a test set by content, and opening a lock: signature first, then every file."""

from __future__ import annotations

import hashlib
import hmac
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from pydantic import ValidationError

from gatekeeper.canonical import canonical_json, digest_bytes, digest_file
from gatekeeper.errors import Code, IntegrityError, Place, Problem, UsageError
from gatekeeper.testset.manifest import LockedCase, Manifest, Task
from gatekeeper.testset.table import Case, read_table
from gatekeeper.trust import Signer, open_envelope, sign_envelope

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

PAYLOAD_TYPE = "application/vnd.gatekeeper.lock+json"
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class LockedTestSet:
    """An opened lock: its manifest, the folder its paths start from, and whether a development key signed it."""

    manifest: Manifest
    root: Path
    development: bool

    def read(self, case: LockedCase) -> bytes:
        """Return the bytes of a case's file. Raises IntegrityError when they are not those that were locked."""
        data = _regular_file(self.root, case.path, case.case_id).read_bytes()
        if digest_bytes(data) != case.sha256:
            raise _changed(case)
        return data


def create_lock(
    table: Path,
    name: str,
    signer: Signer,
    secret: bytes,
    *,
    task: Task = "classification",
    root: Path | None = None,
    progress: Progress | None = None,
) -> bytes:
    """Hash, bind and sign a test set; return the lock file's bytes.

    Paths in the table are relative to ``root``, by default the table's folder. ``secret`` keys the HMAC of patient
    ids. Raises UsageError for a table that does not hold, or a file that is missing, a link, or unreadable.
    """
    cases = read_table(table)
    folder = root or table.parent
    locked = []
    for number, case in enumerate(cases, start=1):
        locked.append(_locked(case, folder, secret))
        if progress is not None:
            progress(number, len(cases))
    manifest = Manifest.of(name, tuple(locked), task)
    return sign_envelope(canonical_json(manifest.to_json()), PAYLOAD_TYPE, signer)


def open_lock(path: Path, trust_root: Certificate, *, root: Path | None = None) -> LockedTestSet:
    """Check a lock's signature and read its manifest. No image is touched: see ``verify_files``."""
    try:
        envelope = path.read_bytes()
    except OSError as error:
        raise UsageError(
            Code.FILE_NOT_FOUND, "the lock cannot be read", where=str(path), why=error.strerror, mend="check the path"
        ) from error
    opened = open_envelope(envelope, PAYLOAD_TYPE, trust_root, where=str(path))
    try:
        manifest = Manifest.model_validate_json(opened.payload)
    except ValidationError as error:
        raise IntegrityError(
            Code.DIGEST_MISMATCH, "the lock's content does not hold", where=str(path), why=error.errors()[0]["msg"]
        ) from error
    return LockedTestSet(manifest, root or path.parent, opened.development)


def verify_files(testset: LockedTestSet, progress: Progress | None = None) -> None:
    """Hash every file of a lock. Raises IntegrityError that names each case whose file changed or is missing."""
    problems: list[Problem] = []
    cases = testset.manifest.cases
    for number, case in enumerate(cases, start=1):
        problems.extend(_problems_of(testset.root, case))
        if progress is not None:
            progress(number, len(cases))
    if problems:
        raise IntegrityError.of(problems)


def _problems_of(root: Path, case: LockedCase) -> Iterator[Problem]:
    try:
        file = _regular_file(root, case.path, case.case_id)
        if file.stat().st_size != case.size or digest_file(file) != case.sha256:
            yield from _changed(case).problems
    except IntegrityError as error:
        yield from error.problems
    except OSError as error:
        yield Problem(
            Code.DIGEST_MISMATCH,
            f'the file of case "{case.case_id}" cannot be read',
            Place(case.path),
            why=error.strerror,
            mend="restore the file that was locked",
        )


def _changed(case: LockedCase) -> IntegrityError:
    return IntegrityError(
        Code.DIGEST_MISMATCH,
        f'the file of case "{case.case_id}" changed after the test set was locked',
        where=case.path,
        mend="restore the file that was locked, or lock the new set under a new name",
    )


def _locked(case: Case, root: Path, secret: bytes) -> LockedCase:
    try:
        file = _regular_file(root, case.image, case.case_id)
        size, digest = file.stat().st_size, digest_file(file)
    except (IntegrityError, OSError) as error:
        why = error.problems[0].why if isinstance(error, IntegrityError) else error.strerror
        raise UsageError(
            Code.FILE_NOT_FOUND,
            f'the image of case "{case.case_id}" cannot be locked',
            where=case.image,
            why=why,
            mend="mend the path in the table, or give --root",
        ) from error
    patient = hmac.new(secret, case.patient_id.encode(), hashlib.sha256).hexdigest()
    return LockedCase(
        case_id=case.case_id,
        patient=patient,
        path=case.image,
        sha256=digest,
        size=size,
        label=case.label,
        subject=case.subject,
        attributes=case.attributes,
    )


def _regular_file(root: Path, relative: str, case_id: str) -> Path:
    path = PurePosixPath(relative)
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise _not_there(relative, case_id, "links and paths that leave the folder are refused")
    current, mode = root, 0
    for part in path.parts:
        current = current / part
        try:
            mode = os.lstat(current).st_mode
        except (FileNotFoundError, NotADirectoryError) as error:
            raise _not_there(relative, case_id, "no such file") from error
        if stat.S_ISLNK(mode):
            raise _not_there(relative, case_id, "links and paths that leave the folder are refused")
    if not stat.S_ISREG(mode):
        raise _not_there(relative, case_id, "not a regular file")
    return current


def _not_there(relative: str, case_id: str, why: str) -> IntegrityError:
    return IntegrityError(
        Code.DIGEST_MISMATCH,
        f'the file of case "{case_id}" is not there',
        where=relative,
        why=why,
        mend="restore the file that was locked, or give --root",
    )
