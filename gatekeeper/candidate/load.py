"""Reading a candidate's files and naming it by digest. Nothing of it is run or deserialised here."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from gatekeeper.candidate.architectures import ARCHITECTURES
from gatekeeper.candidate.contract import Contract
from gatekeeper.canonical import digest_file, digest_json
from gatekeeper.catalogue import nearest
from gatekeeper.errors import Code, UsageError
from gatekeeper.evidence import Record
from gatekeeper.strict_yaml import Document, KeyPath, read_yaml
from gatekeeper.validation import find_place, validate


class CandidateRecord(Record):
    """What evidence and dossier keep of a candidate. ``files`` maps relative paths to SHA-256 digests."""

    name: str
    digest: str
    contract: Contract
    files: dict[str, str]


@dataclass(frozen=True)
class Candidate:
    """A candidate on disk: its folder, and its record."""

    folder: Path
    record: CandidateRecord

    @property
    def artefact(self) -> Path:
        """The weights."""
        return self.folder / self.record.contract.artefact


def load_candidate(path: Path) -> Candidate:
    """Read a candidate's YAML and digest its files.

    Raises UsageError when the YAML does not hold, or the artefact is missing, outside the folder or a link.
    """
    document = read_yaml(path)
    contract = validate(Contract, document)
    _check_architecture(contract, document)
    artefact = _checked_artefact(path, contract)
    files = {contract.artefact: digest_file(artefact)}
    digest = digest_json({"contract": contract.to_json(), "files": dict(files)})
    return Candidate(path.parent, CandidateRecord(name=path.stem, digest=digest, contract=contract, files=files))


def _check_architecture(contract: Contract, document: Document) -> None:
    name = contract.architecture.name
    if name not in ARCHITECTURES:
        raise _unknown("architecture", name, ARCHITECTURES.names(), document, ("architecture", "name"))
    known = ARCHITECTURES.get(name).arguments
    for argument in contract.architecture.arguments:
        if argument not in known:
            path = ("architecture", "arguments", argument)
            raise _unknown(f'argument of the architecture "{name}":', argument, known, document, path)


def _unknown(kind: str, name: str, known: Iterable[str], document: Document, path: KeyPath) -> UsageError:
    near = nearest(name, known)
    return UsageError(
        Code.UNKNOWN_NAME,
        f'unknown {kind} "{name}"',
        where=find_place(document, path),
        mend=f'did you mean "{near}"?' if near else f"known: {', '.join(known)}",
    )


def _checked_artefact(path: Path, contract: Contract) -> Path:
    relative = PurePosixPath(contract.artefact)
    artefact = path.parent / relative
    # Every folder on the way counts: a linked one leads elsewhere as well.
    links = [part for part in (relative, *relative.parents) if os.path.islink(path.parent / part) and part.name]
    if relative.is_absolute() or ".." in relative.parts or links:
        raise UsageError(
            Code.FORBIDDEN,
            "the artefact is a link or lies outside the candidate's folder",
            where=str(path),
            mend="put the file itself beside the candidate's YAML",
        )
    if not os.path.isfile(artefact):
        raise UsageError(
            Code.FILE_NOT_FOUND,
            f'the artefact "{contract.artefact}" is not there',
            where=str(path),
            mend="put it beside the candidate's YAML, or mend the path in it",
        )
    return artefact
