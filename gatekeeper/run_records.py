"""The records of a run as files: what a run's folder holds, what a dossier attaches, what is verified."""

from __future__ import annotations

import fcntl
import itertools
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from gatekeeper.candidate import CandidateRecord
from gatekeeper.canonical import pretty_json
from gatekeeper.errors import Code, IntegrityError, UsageError
from gatekeeper.evidence import Environment, Evidence, Plan, Record, Verdict, read_evidence
from gatekeeper.evidence.detached import DETACHED, LARGEST_ATTACHED, detach
from gatekeeper.evidence.self_test import SelfTest
from gatekeeper.policy import Policy
from gatekeeper.testset import Manifest

DOSSIER = "dossier.pdf"
PAGE = "dossier.html"  # the same for browsers, unsigned
ATTESTATION = "attestation.dsse.json"
TEST_RESULT = "test-result.dsse.json"
STATEMENT = "statement.dsse.json"
JUNIT = "junit.xml"
EVIDENCE = "cases.parquet"

# name of the attachment -> its place in the run's folder
FILES = {
    "policy.json": "policy.json",
    "plan.json": "plan.json",
    "candidate.json": "candidate.json",
    "testset.json": "testset.json",
    EVIDENCE: f"evidence/{EVIDENCE}",
    "environment.json": "evidence/environment.json",
    "verdict.json": "verdict.json",
}
APPROVAL = "approval.dsse.json"
SELF_TEST = "self_test.json"
SBOM = "sbom.cdx.json"
# of these a run may have none: its policy was not approved, it was made before gates tested themselves or listed their
# packages, or none of its records is too large to be attached
OPTIONAL = (APPROVAL, SELF_TEST, SBOM, DETACHED)

AnyRecord = TypeVar("AnyRecord", bound=Record)


@dataclass(frozen=True)
class RunRecords:
    """Everything from which a verdict can be recomputed, and the verdict.

    Besides, if there are any: the approval, the self-test, and the software bill of materials (CycloneDX, JSON).
    """

    policy: Policy
    plan: Plan
    candidate: CandidateRecord
    manifest: Manifest
    environment: Environment
    evidence: Evidence
    verdict: Verdict
    approval: bytes | None = None
    self_test: SelfTest | None = None
    sbom: bytes | None = None

    def to_files(self, folder: Path, largest: int = LARGEST_ATTACHED) -> dict[str, bytes]:
        """Write the records below ``folder``; return their bytes by the name of the attachment.

        Where some are of more than ``largest`` bytes, there is one file more: what is attached in their place.
        """
        records: dict[str, Record] = {
            "policy.json": self.policy,
            "plan.json": self.plan,
            "candidate.json": self.candidate,
            "testset.json": self.manifest,
            "environment.json": self.environment,
            "verdict.json": self.verdict,
        }
        for name, record in records.items():
            target = folder / FILES[name]
            target.parent.mkdir(exist_ok=True)
            target.write_text(pretty_json(record.to_json()), encoding="utf-8")
        if self.self_test is not None:
            (folder / SELF_TEST).write_text(pretty_json(self.self_test.to_json()), encoding="utf-8")
        self.evidence.write(folder / FILES[EVIDENCE])
        for name, data in ((APPROVAL, self.approval), (SBOM, self.sbom)):
            if data is not None:
                (folder / name).write_bytes(data)
        files = read_run_files(folder)
        large = detach({name: files[name] for name in FILES}, largest)
        if large is None:
            return files
        (folder / DETACHED).write_bytes(large)
        return {**files, DETACHED: large}


def read_records(files: Mapping[str, bytes], where: str) -> RunRecords:
    """Read the records from their bytes. Raises IntegrityError for a record that is missing or does not hold."""
    for name in FILES:
        if name not in files:
            raise IntegrityError(Code.ALTERED_DOSSIER, f"{name} is missing", where=where)
    return RunRecords(
        policy=_record(Policy, files, "policy.json", where),
        plan=_record(Plan, files, "plan.json", where),
        candidate=_record(CandidateRecord, files, "candidate.json", where),
        manifest=_record(Manifest, files, "testset.json", where),
        environment=_record(Environment, files, "environment.json", where),
        evidence=read_evidence(files[EVIDENCE]),
        verdict=_record(Verdict, files, "verdict.json", where),
        approval=files.get(APPROVAL),
        self_test=_record(SelfTest, files, SELF_TEST, where) if SELF_TEST in files else None,
        sbom=files.get(SBOM),
    )


def read_run_files(folder: Path) -> dict[str, bytes]:
    """Read the files of a run's folder by the name of the attachment. Raises UsageError when it is no run."""
    if not (folder / "verdict.json").is_file():
        raise UsageError(
            Code.FILE_NOT_FOUND,
            "not the folder of a finished run",
            where=str(folder),
            mend="give a folder that `gatekeeper check` wrote, with verdict.json in it",
        )
    places = {**FILES, **{name: name for name in OPTIONAL}}
    return {name: (folder / place).read_bytes() for name, place in places.items() if (folder / place).is_file()}


JOURNAL = "journal"
_STAMP = "unfinished.json"


class Unfinished(Record):
    """What names an unfinished run: the digest of all that its evidence depends on, its id, and when it began."""

    key: str
    run_id: str
    started: str


@dataclass(frozen=True)
class NewRun:
    """A run being written: ``partial`` is where its files go, ``final`` where they will stand once it is whole."""

    partial: Path
    final: Path

    @property
    def journal(self) -> Path:
        """The folder in which the engine keeps what it found so far."""
        return self.partial / JOURNAL


@contextmanager
def new_run(out: Path, name: str, unfinished: Unfinished | None = None) -> Iterator[NewRun]:
    """Give a hidden folder that becomes ``out/name`` when all went well.

    The name gets a number when it is taken. When something went wrong the folder is removed, unless it is named by
    ``unfinished`` and holds what ``resumed_run`` can go on with. Raises UsageError when ``out`` cannot be written.
    """
    run = _reserved(out, name)
    if unfinished is not None:
        (run.partial / _STAMP).write_text(unfinished.model_dump_json(), encoding="utf-8")
    with _written(run):
        yield run


@contextmanager
def resumed_run(out: Path, key: str) -> Iterator[tuple[NewRun, Unfinished]]:
    """Give the newest unfinished run of this key, to be finished. Raises UsageError when there is none.

    A run that another process is at is none to go on with.
    """
    for partial, stamp in find_unfinished(out, key):
        run = NewRun(partial, partial.with_name(partial.name.removeprefix(".").removesuffix(".partial")))
        try:
            with _written(run):
                yield run, stamp
        except BlockingIOError:
            continue
        return
    raise UsageError(
        Code.FILE_NOT_FOUND,
        "no unfinished run to go on with: none of this policy, candidate, test set, settings and packages",
        where=str(out),
        mend="start it anew, without --resume",
    )


def find_unfinished(out: Path, key: str) -> list[tuple[Path, Unfinished]]:
    """Return the folders of unfinished runs of this key, the newest first."""
    found = []
    for stamp in out.glob(f".*.partial/{_STAMP}"):
        try:
            unfinished = Unfinished.model_validate_json(stamp.read_bytes())
        except (OSError, ValidationError):
            continue
        if unfinished.key == key and any((stamp.parent / JOURNAL).glob("*.arrow")):
            found.append((stamp.parent, unfinished))
    return sorted(found, key=lambda item: item[1].started, reverse=True)


@contextmanager
def _written(run: NewRun) -> Iterator[None]:
    """Hold a run for this process alone; finish it, or keep what can be resumed, or remove it."""
    held = os.open(run.partial, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(held)
        raise
    done = False
    try:
        (run.partial / "evidence").mkdir(exist_ok=True)
        yield
        shutil.rmtree(run.journal, ignore_errors=True)
        (run.partial / _STAMP).unlink(missing_ok=True)
        run.partial.rename(run.final)
        done = True
    finally:
        resumable = (run.partial / _STAMP).is_file() and any(run.journal.glob("*.arrow"))
        if not done and not resumable:
            shutil.rmtree(run.partial, ignore_errors=True)
        os.close(held)


def _reserved(out: Path, name: str) -> NewRun:
    for number in itertools.count(1):
        final = out / (name if number == 1 else f"{name}-{number}")
        partial = out / f".{final.name}.partial"
        if final.exists():
            continue
        try:
            out.mkdir(parents=True, exist_ok=True)
            partial.mkdir()
        except FileExistsError:
            if out.is_dir():
                continue
            raise _unwritable(out, "a file of that name is in the way") from None
        except OSError as error:
            raise _unwritable(out, error.strerror) from error
        return NewRun(partial, final)
    raise AssertionError("itertools.count ended")


def _unwritable(out: Path, why: str | None) -> UsageError:
    return UsageError(
        Code.CANNOT_WRITE,
        "the run's folder cannot be made",
        where=str(out),
        why=why,
        mend="choose another folder with --out",
    )


def _record(kind: type[AnyRecord], files: Mapping[str, bytes], name: str, where: str) -> AnyRecord:
    try:
        return kind.model_validate_json(files[name])
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise IntegrityError(
            Code.ALTERED_DOSSIER, f"{name} does not hold", where=where, why=f"{place}: {first['msg']}"
        ) from error
