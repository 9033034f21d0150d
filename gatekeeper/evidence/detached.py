"""Records too large to be attached: their digests stand for them in the dossier, the files lie beside the PDF."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from pydantic import Field, ValidationError

from gatekeeper.canonical import digest_bytes, pretty_json
from gatekeeper.errors import Code, IntegrityError, UsageError
from gatekeeper.evidence.record import Record

DETACHED = "detached.json"
# Many mail servers refuse more than 25 MB, and base64 adds a third to what is attached; readers of PDF slow down, too.
LARGEST_ATTACHED = 16 << 20


class DetachedFile(Record):
    """A file that belongs to a dossier and is not in it: ``size`` in bytes, ``sha256`` as ``sha256:<hex>``."""

    name: str
    size: int = Field(ge=1)
    sha256: str = Field(pattern="^sha256:[0-9a-f]{64}$")


class Detached(Record):
    """All files of one dossier that lie beside it."""

    files: tuple[DetachedFile, ...] = Field(min_length=1)


def detach(files: Mapping[str, bytes], largest: int = LARGEST_ATTACHED) -> bytes | None:
    """Return what is attached in place of files of more than ``largest`` bytes each; None where there is none."""
    large = [name for name in sorted(files) if len(files[name]) > largest]
    if not large:
        return None
    told = Detached(
        files=tuple(DetachedFile(name=name, size=len(files[name]), sha256=digest_bytes(files[name])) for name in large)
    )
    return pretty_json(told.to_json()).encode()


def attachable(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the files of a run that go into the dossier: all but those for which digests stand."""
    large = {file.name for file in detached_in(files)}
    return {name: data for name, data in files.items() if name not in large}


def detached_in(files: Mapping[str, bytes]) -> tuple[DetachedFile, ...]:
    """Return what stands for files that are not attached. Raises ValueError when it does not hold."""
    return Detached.model_validate_json(files[DETACHED]).files if DETACHED in files else ()


def read_detached(
    attached: Mapping[str, bytes], folder: Path, places: Mapping[str, str], where: str
) -> dict[str, bytes]:
    """Read the files of a dossier that lie beside it; none where all are attached.

    ``folder`` holds the PDF; ``places`` maps the names that a file may have to its place in a run's folder, where it is
    looked for before it is right beside the PDF. Raises UsageError where a file is not there, IntegrityError where it
    is another one. Nothing longer than it should be is read into memory.
    """
    try:
        told = detached_in(attached)
    except ValidationError as error:
        raise IntegrityError(Code.ALTERED_DOSSIER, f"{DETACHED} does not hold", where=where) from error
    for file in told:
        if file.name not in places or file.name in attached:
            why = "it names a file that is attached itself, or is no record of a run"
            raise IntegrityError(Code.ALTERED_DOSSIER, f"{DETACHED} does not hold", where=where, why=why)
    return {file.name: _read(file, folder, places[file.name]) for file in told}


def _read(file: DetachedFile, folder: Path, place: str) -> bytes:
    found = next((path for path in (folder / place, folder / file.name) if os.path.isfile(path)), None)
    if found is None:
        raise UsageError(
            Code.FILE_NOT_FOUND,
            f"a file of this dossier is not beside it: {file.name} ({file.size:,} bytes)",
            where=str(folder),
            why="it is too large to be attached, so the dossier holds its digest alone",
            mend=f"put {place} from the run's folder beside the PDF, under the same name or as {file.name}",
        )
    data = found.read_bytes() if found.stat().st_size == file.size else b""
    if digest_bytes(data) != file.sha256:
        raise IntegrityError(
            Code.DIGEST_MISMATCH,
            f"{file.name} beside the dossier is not the one that was attested",
            where=str(found),
            why="its size or its SHA-256 differs from the one that the dossier holds",
            mend="use the file that the run wrote; a run that must change is made again with `gatekeeper check`",
        )
    return data
