"""Locking a test set by content, and opening a lock."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from pydantic import ValidationError

from gatekeeper.canonical import digest_bytes, digest_file
from gatekeeper.errors import Code, IntegrityError, UsageError
from gatekeeper.testset.files import files_at, in_threads, regular_file, visible_names
from gatekeeper.testset.manifest import Allowed, LockedCase, LockedFile, Manifest, Role, Task, UnusableCase
from gatekeeper.testset.table import Case, read_table
from gatekeeper.trust import Signer, Trust, open_envelope, sign_envelope

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

PAYLOAD_TYPE = "application/vnd.gatekeeper.lock+json"
HEAD_BYTES = 32 << 20
Progress = Callable[[int, int], None]
# path, case id and the first HEAD_BYTES of a file
Inspect = Callable[[str, str, bytes], None]
# a case, and what reads one of its files by path
Decode = Callable[[LockedCase, Callable[[str], bytes]], None]


@dataclass(frozen=True)
class LockedTestSet:
    """An opened lock: its manifest, the folder its paths start from, and whether a development key signed it."""

    manifest: Manifest
    root: Path
    development: bool

    def read(self, case: LockedCase, role: Role = "image") -> dict[str, bytes]:
        """Return the bytes of a case's files by path. Raises IntegrityError when they are not the locked ones."""
        return {file.path: self._bytes(case, file) for file in case.files if file.role == role}

    def _bytes(self, case: LockedCase, file: LockedFile) -> bytes:
        path = regular_file(self.root, file.path, case.case_id)
        # A file that grew is not read whole: its size alone says that it changed.
        data = path.read_bytes() if path.stat().st_size == file.size else b""
        if digest_bytes(data) != file.sha256:
            raise changed(case.case_id, file.path)
        return data


@dataclass
class _Work:
    root: Path
    secret: bytes
    inspect: Inspect
    decode: Decode | None


def create_lock(
    table: Path,
    name: str,
    signer: Signer,
    secret: bytes,
    *,
    task: Task = "classification",
    root: Path | None = None,
    inspect: Inspect = lambda path, case_id, head: None,
    decode: Decode | None = None,
    describe: Callable[[Sequence[Case]], dict[str, dict[str, int]]] = lambda cases: {},
    allowed: Mapping[str, str] | None = None,
    pull: Callable[[Sequence[Case]], Sequence[Case]] = lambda cases: cases,
    progress: Progress | None = None,
) -> bytes:
    """Hash, bind and sign a test set; return the lock file's bytes.

    Paths in the table are relative to ``root``, by default the table's folder. ``secret`` keys the HMAC of patient
    ids. ``inspect`` is given the head of every file as it is read, and ``decode`` every case, from several threads;
    ``describe`` the cases when all are read, for the composition. ``allowed`` is what was let pass, and why. ``pull``
    fetches the files of the table's cases first, and says where they are. What must be refused is locked apart, and
    ``describe`` is not given it. Raises UsageError for a table that does not hold, or a file that is missing, a link,
    or unreadable.
    """
    cases = pull(read_table(table, task))
    work = _Work(root or table.parent, secret, inspect, decode)
    locked: list[LockedCase] = []
    for case in in_threads(lambda case: _locked(case, work), cases):
        locked.append(case)
        if progress is not None:
            progress(len(locked), len(cases))
    pairs = list(zip(cases, locked, strict=True))
    manifest = Manifest.of(
        name,
        tuple(found for case, found in pairs if case.must_refuse is None),
        task,
        folders=_closed_folders(work.root, locked),
        allowed=tuple(Allowed(where=where, because=because) for where, because in sorted((allowed or {}).items())),
        composition=describe([case for case in cases if case.must_refuse is None]),
        unusable=tuple(
            UnusableCase(must_refuse=case.must_refuse, case=found) for case, found in pairs if case.must_refuse
        ),
    )
    return sign_envelope(manifest.canonical, PAYLOAD_TYPE, signer)


def open_lock(path: Path, trust_root: Certificate, *, root: Path | None = None) -> LockedTestSet:
    """Check a lock's signature and read its manifest. No image is touched: see ``verify_files``."""
    try:
        envelope = path.read_bytes()
    except OSError as error:
        raise UsageError(
            Code.FILE_NOT_FOUND, "the lock cannot be read", where=str(path), why=error.strerror, mend="check the path"
        ) from error
    opened = open_envelope(envelope, PAYLOAD_TYPE, Trust(trust_root), where=str(path))
    try:
        manifest = Manifest.model_validate_json(opened.payload)
    except ValidationError as error:
        raise IntegrityError(
            Code.DIGEST_MISMATCH,
            "the lock's content does not hold",
            where=str(path),
            why=error.errors()[0]["msg"],
            mend="lock the test set again with `gatekeeper lock create`",
        ) from error
    return LockedTestSet(manifest, root or path.parent, opened.development)


def pseudonym(patient_id: str, secret: bytes) -> str:
    """Return the HMAC-SHA256 of a patient id under a set's secret, in hexadecimal digits."""
    return hmac.new(secret, patient_id.encode(), hashlib.sha256).hexdigest()


def changed(case_id: str, path: str) -> IntegrityError:
    """Return the error of a file that is not the one that was locked."""
    return IntegrityError(
        Code.DIGEST_MISMATCH,
        f'the file of case "{case_id}" changed after the test set was locked',
        where=path,
        mend="restore the file that was locked, or lock the new set under a new name",
    )


def _locked(case: Case, work: _Work) -> LockedCase:
    cells: list[tuple[Role, str]] = [("image", case.image)]
    if case.mask is not None:
        cells.append(("mask", case.mask))
    files: list[LockedFile] = []
    small: dict[str, bytes] = {}
    for role, cell in cells:
        try:
            for path in files_at(work.root, cell, case.case_id):
                file, small[path] = _locked_file(path, role, case.case_id, work)
                files.append(file)
        except (IntegrityError, OSError) as error:
            first = error.problems[0] if isinstance(error, IntegrityError) else None
            raise UsageError(
                Code.FILE_NOT_FOUND,
                f'the {role} of case "{case.case_id}" cannot be locked',
                where=first.where if first else cell,
                why=first.why if first else getattr(error, "strerror", None),
                mend="mend the path in the table, or give --root",
            ) from error
    locked = LockedCase(
        case_id=case.case_id,
        patient=pseudonym(case.patient_id, work.secret),
        files=tuple(files),
        label=case.label,
        subject=case.subject,
        attributes=case.attributes,
        boxes=case.boxes,
    )
    if work.decode is not None:
        work.decode(locked, lambda path: small[path] or regular_file(work.root, path, case.case_id).read_bytes())
    return locked


def _locked_file(path: str, role: Role, case_id: str, work: _Work) -> tuple[LockedFile, bytes]:
    """Hash and inspect a file; return it with its content, empty when it is larger than a head."""
    file = regular_file(work.root, path, case_id)
    size = file.stat().st_size
    content = b""
    if size <= HEAD_BYTES:
        head = content = file.read_bytes()
        digest, size = digest_bytes(head), len(head)
    else:
        digest = digest_file(file)
        with file.open("rb") as stream:
            head = stream.read(HEAD_BYTES)
    work.inspect(path, case_id, head)
    return LockedFile(role=role, path=path, sha256=digest, size=size), content


def _closed_folders(root: Path, cases: Sequence[LockedCase]) -> tuple[str, ...]:
    """Return the folders below the root in which every visible file is locked."""
    names: dict[str, set[str]] = {}
    for case in cases:
        for file in case.files:
            path = PurePosixPath(file.path)
            names.setdefault(path.parent.as_posix(), set()).add(path.name)
    return tuple(
        folder for folder in sorted(names) if folder != "." and set(visible_names(root / folder)) == names[folder]
    )
