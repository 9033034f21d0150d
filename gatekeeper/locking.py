"""The use cases on locks: create, open, verify, compare."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gatekeeper.canonical import JSON, pretty_json
from gatekeeper.errors import Code, IntegrityError, UsageError
from gatekeeper.testset import LockedCase, LockedTestSet, Manifest, Task, create_lock, open_lock, verify_files
from gatekeeper.testset.dicomweb import Archive, pull
from gatekeeper.testset.inspection import Inspection
from gatekeeper.testset.lock import pseudonym
from gatekeeper.testset.overlap import Item, Overlap, fingerprint, shared
from gatekeeper.testset.readers import read_image
from gatekeeper.testset.table import Case, read_table
from gatekeeper.testset.verification import faults_of_table
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
    allowed: Mapping[str, str] | None = None,
    report: Path | None = None,
    archive: Archive | None = None,
    decode: bool = True,
    progress: Progress = lambda stage, done, total: None,
) -> Manifest:
    """Lock the test set of a table and write the lock to ``out``; its name is the file's.

    Files with what could identify a patient are refused, but for the places in ``allowed``, each with its reason, which
    the lock keeps. ``report`` gets all that was found, as JSON and without values. With ``archive``, the table names
    series by their UIDs, which are retrieved into ``root`` first. Without ``decode`` no pixels are read: what cannot be
    decoded then shows in a check.

    The secret that keys the HMAC of patient ids is read from ``secret_file``; without one, it is read from, or made and
    kept in, ``out`` with ``.secret`` added. Raises UsageError for what cannot be locked or written.
    """
    keys, inspection = load_keys(home), Inspection()
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
            inspect=inspection.look,
            decode=inspection.decode if decode else None,
            pull=_puller(archive, root or table.parent, secret, progress),
            describe=inspection.composition,
            allowed=allowed,
            progress=lambda done, total: progress("hashing", done, total),
        )
        if report is not None:
            traces: list[JSON] = [trace.to_json() for trace in inspection.traces]
            report.write_text(pretty_json(traces), encoding="utf-8")
        inspection.require_clean(allowed or {})
        inspection.require_readable()
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


def _puller(
    archive: Archive | None, folder: Path, secret: bytes, progress: Progress
) -> Callable[[Sequence[Case]], Sequence[Case]]:
    if archive is None:
        return lambda cases: cases
    return lambda cases: pull(
        archive, cases, folder, secret, lambda done, total: progress("retrieving series", done, total)
    )


def read_lock(path: Path, home: Path, root: Path | None = None) -> LockedTestSet:
    """Open a lock that this machine's root certificate vouches for."""
    return open_lock(path, load_keys(home).root, root=root)


def verify_lock(
    path: Path,
    home: Path,
    root: Path | None = None,
    table: Path | None = None,
    secret_file: Path | None = None,
    progress: Progress = lambda stage, done, total: None,
) -> LockedTestSet:
    """Open a lock and hash every file that it names; with a table, hold its rows against the lock as well."""
    testset = read_lock(path, home, root)
    verify_files(testset, lambda done, total: progress("hashing", done, total))
    if table is not None:
        secret = _read_secret(secret_file or path.with_name(f"{path.name}.secret"))
        cases = read_table(table, testset.manifest.task)
        names = {case.patient_id: pseudonym(case.patient_id, secret) for case in cases}
        faults = list(faults_of_table(testset.manifest, cases, names))
        if faults:
            raise IntegrityError.of(faults)
    return testset


@dataclass(frozen=True)
class Side:
    """One of two sets to compare: its lock, the folder of its files if not the lock's own, and its table, if any."""

    lock: Path
    root: Path | None = None
    table: Path | None = None


def overlap_of(
    first: Side,
    second: Side,
    home: Path,
    *,
    images: bool = True,
    progress: Progress = lambda stage, done, total: None,
) -> tuple[Overlap, bool]:
    """Compare two locked sets; return what they share, and whether patients could be compared.

    Patients are compared by the ids of both tables, or by their HMACs where one secret keyed both locks. ``images``
    False leaves the pixels alone: then likeness is not looked for.
    """
    sides = (first, second)
    sets = [read_lock(side.lock, home, side.root) for side in sides]
    by_table = all(side.table is not None for side in sides)
    key = secrets.token_bytes(_SECRET_BYTES)
    patients = [
        _named(side.table, locked.manifest.task, key) if by_table else {}
        for side, locked in zip(sides, sets, strict=True)
    ]
    same = by_table or _one_secret(first.lock, second.lock)
    items = [
        _items(locked, names, images, lambda done, total: progress("comparing images", done, total))
        for locked, names in zip(sets, patients, strict=True)
    ]
    return shared(*items, same_secret=same), same


def _named(table: Path | None, task: Task, key: bytes) -> dict[str, str]:
    """Give each case of a table its patient, under a key of the moment."""
    cases = read_table(table, task) if table is not None else ()
    return {case.case_id: pseudonym(case.patient_id, key) for case in cases}


def _items(
    testset: LockedTestSet, patients: Mapping[str, str], images: bool, progress: Callable[[int, int], None]
) -> list[Item]:
    items = []
    cases = testset.manifest.cases
    for number, case in enumerate(cases, start=1):
        looks = fingerprint(_grey(testset, case)) if images else ""
        items.append(
            Item(
                case_id=case.case_id,
                patient=patients.get(case.case_id, case.patient),
                digests=tuple(file.sha256 for file in case.files if file.role == "image"),
                fingerprint=looks,
            )
        )
        progress(number, len(cases))
    return items


def _grey(testset: LockedTestSet, case: LockedCase) -> NDArray[np.float32]:
    image = read_image(testset.read(case), case.case_id)
    return image.pixels.mean(axis=-1) if image.colour else image.pixels


def _one_secret(first: Path, second: Path) -> bool:
    beside = [path.with_name(f"{path.name}.secret") for path in (first, second)]
    return all(path.is_file() for path in beside) and len({path.read_bytes().strip() for path in beside}) == 1


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
