"""Holding the files on disk against a lock: what changed, is missing, was renamed, or is new."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

from gatekeeper.canonical import digest_file
from gatekeeper.errors import Code, IntegrityError, Place, Problem
from gatekeeper.testset.files import NO_SUCH_FILE, in_threads, regular_file, visible_names
from gatekeeper.testset.lock import LockedTestSet, changed
from gatekeeper.testset.manifest import LockedFile, Manifest
from gatekeeper.testset.table import Case

Progress = Callable[[int, int], None]
MOST_TOLD = 50


def verify_files(testset: LockedTestSet, progress: Progress | None = None) -> None:
    """Hash every file of a lock.

    Raises IntegrityError that names each file (up to 50) that changed, is missing or was renamed, with its case, and
    each that was added to a folder which held locked files alone.
    """
    held = [(case.case_id, file) for case in testset.manifest.inputs for file in case.files]
    problems: dict[int, Problem] = {}
    for index, problem in enumerate(in_threads(lambda one: _problem_of(testset.root, *one), held)):
        if problem is not None:
            problems[index] = problem
        if progress is not None:
            progress(index + 1, len(held))
    added = _added(testset)
    missing = {index for index, problem in problems.items() if problem.why == NO_SUCH_FILE}
    renamed = _renamed(testset.root, added, [held[index][1] for index in missing])
    told = [_of_missing(*held[index], problem, renamed) for index, problem in problems.items()]
    told += [_of_added(path) for path in added if path not in renamed.values()]
    if told:
        raise IntegrityError.of(_told(told))


def faults_of_table(manifest: Manifest, cases: Sequence[Case], pseudonyms: Mapping[str, str]) -> Iterator[Problem]:
    """Say in what a table differs from the lock: cases, patients, labels, repeats, attributes.

    ``pseudonyms`` maps the table's patient ids to their HMACs.
    """
    locked = {case.case_id: case for case in manifest.inputs}
    kinds = {one.case.case_id: one.must_refuse for one in manifest.unusable}
    mend = "restore the table that was locked, or lock the new set under a new name"
    for case in cases:
        held = locked.pop(case.case_id, None)
        if held is None:
            yield Problem(Code.DIGEST_MISMATCH, f'case "{case.case_id}" of the table is not in the lock', mend=mend)
            continue
        pairs = (
            ("patient", pseudonyms[case.patient_id], held.patient),
            ("label", case.label, held.label),
            ("subject", case.subject, held.subject),
            ("attributes", case.attributes, held.attributes),
            ("boxes", case.boxes, held.boxes),
            ("must_refuse", case.must_refuse, kinds.get(case.case_id)),
        )
        for what in (name for name, now, then in pairs if now != then):
            said = f'the {what} of case "{case.case_id}" is another one than was locked'
            yield Problem(Code.DIGEST_MISMATCH, said, mend=mend)
    for case_id in locked:
        yield Problem(Code.DIGEST_MISMATCH, f'case "{case_id}" of the lock is not in the table', mend=mend)


def _problem_of(root: Path, case_id: str, file: LockedFile) -> Problem | None:
    try:
        path = regular_file(root, file.path, case_id)
        if path.stat().st_size != file.size or digest_file(path) != file.sha256:
            return changed(case_id, file.path).problems[0]
    except IntegrityError as error:
        return error.problems[0]
    except OSError as error:
        return Problem(
            Code.DIGEST_MISMATCH,
            f'the file of case "{case_id}" cannot be read',
            Place(file.path),
            why=error.strerror,
            mend="restore the file that was locked",
        )
    return None


def _added(testset: LockedTestSet) -> list[str]:
    locked = {file.path for case in testset.manifest.inputs for file in case.files}
    found = []
    for folder in testset.manifest.folders:
        if os.path.isdir(testset.root / folder):
            paths = ((PurePosixPath(folder) / name).as_posix() for name in visible_names(testset.root / folder))
            found += [path for path in paths if path not in locked]
    return found


def _renamed(root: Path, added: Sequence[str], missing: Sequence[LockedFile]) -> dict[str, str]:
    """Map the path of each missing file to the added one that has its bytes."""
    wanted = {file.size for file in missing}
    digests: dict[str, str] = {}
    for path in added:
        found = root / path
        if found.is_file() and not found.is_symlink() and found.stat().st_size in wanted:
            digests.setdefault(digest_file(found), path)
    return {file.path: digests[file.sha256] for file in missing if file.sha256 in digests}


def _of_missing(case_id: str, file: LockedFile, problem: Problem, renamed: Mapping[str, str]) -> Problem:
    if file.path not in renamed:
        return problem
    return Problem(
        Code.DIGEST_MISMATCH,
        f'the file of case "{case_id}" was renamed',
        Place(file.path),
        why=f"its bytes are now at {renamed[file.path]}",
        mend="give it its name back",
    )


def _of_added(path: str) -> Problem:
    return Problem(
        Code.DIGEST_MISMATCH,
        "a file was added to a folder of the test set",
        Place(path),
        mend="take it away, or lock the new set under a new name",
    )


def _told(problems: Sequence[Problem]) -> Sequence[Problem]:
    more = len(problems) - MOST_TOLD
    if more <= 0:
        return problems
    last = Problem(Code.DIGEST_MISMATCH, f"and {more:,} more files", mend="mend those above first")
    return [*problems[:MOST_TOLD], last]
