"""Evidence too large to be attached: its digest stands for it in the dossier, and the file lies beside the PDF."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from pydantic import Field, ValidationError

from gatekeeper.canonical import digest_bytes, pretty_json
from gatekeeper.errors import Code, IntegrityError, UsageError
from gatekeeper.evidence.record import Record

EVIDENCE = "cases.parquet"
EVIDENCE_DIGEST = "evidence_digest.json"
# A PDF of more than about 25 MB is refused by many mail servers, and base64 in mail adds a third to what is attached.
LARGEST_ATTACHED = 16 << 20
# Where the evidence is looked for, from the folder that holds the PDF: as in a run's folder, then right beside it.
_PLACES = (f"evidence/{EVIDENCE}", EVIDENCE)


class Detached(Record):
    """A file that belongs to a dossier and is not in it: ``size`` in bytes, ``sha256`` as ``sha256:<hex>``."""

    name: str
    size: int = Field(ge=1)
    sha256: str = Field(pattern="^sha256:[0-9a-f]{64}$")


def evidence_digest(data: bytes, largest: int = LARGEST_ATTACHED) -> bytes | None:
    """Return what is attached in place of evidence of more than ``largest`` bytes; None where it is attached itself."""
    if len(data) <= largest:
        return None
    told = Detached(name=EVIDENCE, size=len(data), sha256=digest_bytes(data))
    return pretty_json(told.to_json()).encode()


def attachable(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the files of a run that go into the dossier: all, or all but the evidence where its digest does."""
    return {name: data for name, data in files.items() if name != EVIDENCE or EVIDENCE_DIGEST not in files}


def detached_in(files: Mapping[str, bytes], where: str) -> Detached | None:
    """Read what stands for the evidence among attached files; None where the evidence is attached itself.

    Raises IntegrityError when it does not hold, or stands beside what it stands for.
    """
    if EVIDENCE_DIGEST not in files:
        return None
    try:
        told = Detached.model_validate_json(files[EVIDENCE_DIGEST])
    except ValidationError as error:
        raise IntegrityError(Code.ALTERED_DOSSIER, f"{EVIDENCE_DIGEST} does not hold", where=where) from error
    if told.name != EVIDENCE or EVIDENCE in files:
        raise IntegrityError(Code.ALTERED_DOSSIER, f"{EVIDENCE_DIGEST} stands for no evidence of its own", where=where)
    return told


def read_detached(told: Detached, folder: Path) -> bytes:
    """Read the evidence of a dossier from beside it; ``folder`` holds the PDF.

    Raises UsageError where it is not there, IntegrityError where it is another file. Nothing longer than it should be
    is read into memory.
    """
    found = next((folder / place for place in _PLACES if os.path.isfile(folder / place)), None)
    if found is None:
        raise UsageError(
            Code.FILE_NOT_FOUND,
            f"the evidence of this dossier is not beside it: {told.name} ({told.size:,} bytes)",
            where=str(folder),
            why="it is too large to be attached, so the dossier holds its digest alone",
            mend=f"put {told.name} from the run's folder beside the PDF, or into a folder evidence/ beside it",
        )
    data = found.read_bytes() if found.stat().st_size == told.size else b""
    if digest_bytes(data) != told.sha256:
        raise IntegrityError(
            Code.DIGEST_MISMATCH,
            f"{told.name} beside the dossier is not the evidence that was attested",
            where=str(found),
            why="its size or its SHA-256 differs from the one that the dossier holds",
            mend="use the file that the run wrote; a run that must change is made again with `gatekeeper check`",
        )
    return data
