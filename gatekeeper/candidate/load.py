"""Reading a candidate's files and naming it by digest. Nothing of it is run or deserialised here."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from gatekeeper.candidate.architectures import ARCHITECTURES
from gatekeeper.candidate.contract import MASKS, Contract
from gatekeeper.candidate.contract import Architecture as Declared
from gatekeeper.canonical import JSON, digest_bytes, digest_file, digest_json
from gatekeeper.catalogue import nearest
from gatekeeper.errors import Code, IntegrityError, Problem, UsageError
from gatekeeper.evidence import Record
from gatekeeper.strict_yaml import Document, read_yaml
from gatekeeper.validation import find_place, validate

MOST_FILES = 100_000
_ONE_FILE = ("safetensors", "onnx", "torchscript", "export", "predictions")
_FOLDERS = ("monai_bundle", "predictions of masks")


class CandidateRecord(Record):
    """What evidence and dossier keep of a candidate. ``files`` maps relative paths to SHA-256 digests.

    ``plugin`` is the distribution and version that a python plug-in comes from.
    """

    name: str
    digest: str
    contract: Contract
    files: dict[str, str]
    plugin: str | None = None

    @property
    def recomputed(self) -> str:
        """The digest of contract, files and plug-in: what names the candidate, whatever it is called."""
        content: dict[str, JSON] = {"contract": self.contract.to_json(), "files": dict(self.files)}
        return digest_json(content if self.plugin is None else {**content, "plugin": self.plugin})


@dataclass(frozen=True)
class Candidate:
    """A candidate on disk: its folder, and its record."""

    folder: Path
    record: CandidateRecord

    @property
    def artefact(self) -> Path:
        """The weights, the table of predictions, or the folder of either. Raises ValueError where there is none."""
        if self.record.contract.artefact is None:
            raise ValueError("a candidate without an artefact")
        return self.folder / self.record.contract.artefact

    def read(self, name: str) -> bytes:
        """Return the bytes of one of its files. Raises IntegrityError when it changed since it was digested."""
        data = (self.folder / name).read_bytes()
        if digest_bytes(data) != self.record.files[name]:
            raise self.changed(name)
        return data

    def changed(self, name: str) -> IntegrityError:
        """Return the error of a file that is no longer the one that was digested."""
        return IntegrityError(
            Code.DIGEST_MISMATCH,
            f'the file "{name}" of the candidate changed while it was being checked',
            where=str(self.folder / name),
            mend="leave the candidate's files alone during a check",
        )


def load_candidate(path: Path) -> Candidate:
    """Read a candidate's YAML and digest its files.

    Raises UsageError when the YAML does not hold, or a file is missing, outside the folder or a link.
    """
    document = read_yaml(path)
    contract = validate(Contract, document)
    if contract.architecture is not None:
        _check_architecture(contract.architecture, document)
    named = ([contract.artefact] if contract.artefact else []) + list(contract.files)
    _check_kind_of_artefact(path, contract)
    files = {name: digest_file(path.parent / name) for name in sorted({*named_files(path, named)})}
    plugin = _plugin(contract, path.parent)
    record = CandidateRecord(name=path.stem, digest="", contract=contract, files=files, plugin=plugin)
    return Candidate(path.parent, record.model_copy(update={"digest": record.recomputed}))


def _check_architecture(declared: Declared, document: Document) -> None:
    if declared.name not in ARCHITECTURES:
        near = nearest(declared.name, ARCHITECTURES.names())
        raise UsageError(
            Code.UNKNOWN_NAME,
            f'unknown architecture "{declared.name}"',
            where=find_place(document, ("architecture", "name")),
            mend=f'did you mean "{near}"?' if near else f"known: {', '.join(ARCHITECTURES.names())}",
        )
    found = ARCHITECTURES.get(declared.name)
    problems = [
        replace(problem, where=find_place(document, ("architecture", "arguments", name)))
        for name, value in declared.arguments.items()
        if (problem := found.problem(name, value)) is not None
    ]
    problems += [
        Problem(
            Code.MISSING_KEY,
            f'the architecture "{declared.name}" needs the argument "{name}"',
            find_place(document, ("architecture",)),
            mend=f"give {found.arguments[name].in_words}",
        )
        for name in found.missing(declared.arguments)
    ]
    if problems:
        raise UsageError.of(problems)


def _plugin(contract: Contract, folder: Path) -> str | None:
    if contract.plugin is None:
        return None
    from gatekeeper.candidate.adapters.plugin import plugin_distribution

    own = None if contract.artefact is None else folder / contract.artefact
    return " ".join(plugin_distribution(contract.plugin, own))


def _check_kind_of_artefact(path: Path, contract: Contract) -> None:
    """A folder is taken where the format is one, a file where it is one; what is neither is told of elsewhere."""
    if contract.artefact is None or not os.path.lexists(path.parent / contract.artefact):
        return
    is_folder = os.path.isdir(path.parent / contract.artefact)
    of_masks = contract.format == "predictions" and contract.output.kind in MASKS
    form = f"{contract.format} of masks" if of_masks else contract.format
    if (form in _ONE_FILE and is_folder) or (form in _FOLDERS and not is_folder):
        found, wanted = ("folder", "file") if is_folder else ("file", "folder")
        raise UsageError(
            Code.MISMATCH,
            f"the artefact is a {found}, and the format {form} is a {wanted}",
            where=str(path),
            mend=f"name the {wanted} itself",
        )


def named_files(path: Path, named: Iterable[str]) -> Iterator[str]:
    """Give the relative paths of all files that are named beside ``path``, those within folders one by one.

    Raises UsageError for what is missing, a link or lies elsewhere, also within a folder.
    """
    for name in named:
        relative = PurePosixPath(name)
        # Every folder on the way counts: a linked one leads elsewhere as well.
        links = [part for part in (relative, *relative.parents) if os.path.islink(path.parent / part) and part.name]
        if relative.is_absolute() or ".." in relative.parts or links:
            raise UsageError(
                Code.FORBIDDEN,
                "the artefact is a link or lies outside the candidate's folder",
                where=str(path),
                mend="put the file itself beside the candidate's YAML",
            )
        place = path.parent / relative
        if os.path.isfile(place):
            yield relative.as_posix()
        elif os.path.isdir(place):
            yield from _within(path, relative)
        else:
            raise UsageError(
                Code.FILE_NOT_FOUND,
                f'the artefact "{name}" is not there',
                where=str(path),
                mend="put it beside the candidate's YAML, or mend the path in it",
            )


def _within(path: Path, folder: PurePosixPath) -> Iterator[str]:
    count = 0
    for base, folders, names in os.walk(path.parent / folder):
        for name in sorted((*folders, *names)):
            mode = os.lstat(os.path.join(base, name)).st_mode
            count += 1
            if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)) or count > MOST_FILES:
                raise UsageError(
                    Code.FORBIDDEN,
                    "a folder of the candidate holds a link, or what is no file, or too many of them",
                    where=str(path),
                    mend=f"keep regular files alone in it, at most {MOST_FILES:,}",
                )
            if stat.S_ISREG(mode):
                yield (Path(base) / name).relative_to(path.parent).as_posix()
