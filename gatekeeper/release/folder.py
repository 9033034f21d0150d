"""A store that is a plain folder, made for a quick answer: records lie under the digest of their candidate.

::

    sha256/<candidate>/<run>-<16 hex>.dsse.json, .pdf    records; what follows the run is of the content's digest
    artefacts/<file's digest>/<candidate>                empty: which candidates a file belongs to
    revocations/<candidate>/<16 hex>.dsse.json           signed revocations
    aliases/<name>.json                                  where an alias points, and pointed

Runs as `gatekeeper check` writes them are found as well: the folder itself may be one, or hold some. They are read one
by one, so that thousands of them are better published. Links are not followed below the folder itself.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from gatekeeper.canonical import JSON, digest_bytes
from gatekeeper.errors import Code, UsageError
from gatekeeper.release.aliases import alias_from, alias_to, locked
from gatekeeper.release.stores import (
    ATTESTATION,
    DOSSIER,
    LARGEST_DOSSIER,
    LARGEST_ENVELOPE,
    Alias,
    NewRecord,
    StoredRecord,
    StoredRevocation,
    hexadecimal,
    plain_name,
)
from gatekeeper.whole_files import in_short, read_whole, write_whole

_ENVELOPE, _PDF = ".dsse.json", ".pdf"
_OWN = ("sha256", "artefacts", "revocations", "aliases")


@dataclass(frozen=True)
class FolderStore:
    """See the module; ``path`` need not be there before something is published."""

    path: Path

    @property
    def where(self) -> str:
        """The folder."""
        return str(self.path)

    def records(self, candidate: str) -> Iterator[StoredRecord]:
        """Give the records under the candidate's digest, then the runs whose attestation claims to be of it."""
        folder = self._filed("sha256", candidate)
        names = _names(folder)
        stems = {name.removesuffix(suffix) for name in names for suffix in (_ENVELOPE, _PDF) if name.endswith(suffix)}
        for stem in sorted(stems):
            yield _record(folder, f"{stem}{_ENVELOPE}", f"{stem}{_PDF}")
        for run in self._runs():
            claimed = _claim(run)
            if claimed is None or claimed[0] == candidate:
                yield replace(_record(run, ATTESTATION, DOSSIER), filed=claimed is not None)

    def candidates_of(self, artefact: str) -> tuple[str, ...]:
        """Return the candidates that are filed under the file's digest, and those of runs that claim to hold it."""
        filed = [f"sha256:{name}" for name in _names(self._filed("artefacts", artefact))]
        claims = [claimed for run in self._runs() if (claimed := _claim(run)) is not None]
        return tuple(sorted({*filed, *(candidate for candidate, files in claims if artefact in files)}))

    def revocations(self, candidate: str) -> Iterator[StoredRevocation]:
        """Give every file among the revocations of the candidate, whatever its name."""
        folder = self._filed("revocations", candidate)
        for name in _names(folder):
            path = folder / name
            try:
                yield StoredRevocation(str(path), read_whole(path, LARGEST_ENVELOPE))
            except (OSError, ValueError) as error:
                yield StoredRevocation(str(path), problem=in_short(error))

    def publish(self, record: NewRecord) -> str:
        """Write the PDF first and the attestation last: what a reader finds in between is a dossier that holds."""
        folder = self._made("sha256", hexadecimal(record.candidate))
        content = digest_bytes(record.attestation or record.dossier or b"")
        stem = f"{plain_name(record.run, 'a run')}-{hexadecimal(content)[:16]}"
        for suffix, data in ((_PDF, record.dossier), (_ENVELOPE, record.attestation)):
            if data is not None:
                _add(folder / f"{stem}{suffix}", data)
        for artefact in record.artefacts:
            _add(self._made("artefacts", hexadecimal(artefact)) / hexadecimal(record.candidate), b"")
        return str(folder / stem)

    def revoke(self, candidate: str, envelope: bytes) -> str:
        """Write the envelope under the digest of the candidate."""
        name = f"{hexadecimal(digest_bytes(envelope))[:16]}{_ENVELOPE}"
        path = self._made("revocations", hexadecimal(candidate)) / name
        _add(path, envelope)
        return str(path)

    def alias(self, name: str) -> Alias:
        """Read the alias's file, which is only ever replaced as a whole."""
        return alias_from(self._alias_file(name))

    @contextmanager
    def switching(self, name: str) -> Iterator[None]:
        """Hold the alias's lock file."""
        self._made("aliases")
        with locked(self._alias_file(name).with_suffix(".lock")):
            yield

    def point(self, name: str, alias: Alias) -> None:
        """Replace the alias's file."""
        write_whole(self._alias_file(name), alias_to(alias))

    def _alias_file(self, name: str) -> Path:
        return self.path / "aliases" / f"{plain_name(name, 'an alias')}.json"

    def _runs(self) -> Iterator[Path]:
        """Give the folders that hold an attestation or a dossier: this one itself, and those in it."""
        for folder in (self.path, *(self.path / name for name in _names(self.path) if name not in _OWN)):
            if folder != self.path and (folder.is_symlink() or not folder.is_dir()):
                continue
            if any(os.path.lexists(folder / name) for name in (ATTESTATION, DOSSIER)):
                yield folder

    def _filed(self, kind: str, digest: str) -> Path:
        """Return the folder in which something is filed under a digest. Raises UsageError for a link on the way."""
        folder = self.path / kind / hexadecimal(digest)
        for step in (folder.parent, folder):
            if step.is_symlink():
                raise _unusable(step, "it is a link")
        return folder

    def _made(self, *parts: str) -> Path:
        """Return a folder of the store, made where it is missing. Raises UsageError for a link, or without leave."""
        folder = self.path
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for part in parts:
                folder = folder / part
                folder.mkdir(exist_ok=True)
                if folder.is_symlink():
                    raise _unusable(folder, "it is a link")
        except OSError as error:
            raise _unusable(folder, in_short(error)) from error
        return folder


def _record(folder: Path, envelope: str, pdf: str) -> StoredRecord:
    """Return what two files hold; the PDF is read when it is asked for."""
    path, dossier = folder / envelope, folder / pdf
    read = partial(read_whole, dossier, LARGEST_DOSSIER) if os.path.lexists(dossier) else None
    if not os.path.lexists(path):
        return StoredRecord(str(dossier), dossier=read)
    try:
        return StoredRecord(str(path), read_whole(path, LARGEST_ENVELOPE), read)
    except (OSError, ValueError) as error:
        return StoredRecord(str(path), problem=in_short(error))


def _claim(run: Path) -> tuple[str, frozenset[str]] | None:
    """Return which candidate a run claims to be of, and its files' digests; None where only its dossier can tell.

    No signature is looked at: this finds, and proves nothing. What is no attestation at all is of no candidate.
    """
    if not os.path.lexists(run / ATTESTATION):
        return None
    try:
        envelope = json.loads(read_whole(run / ATTESTATION, LARGEST_ENVELOPE))
        stated: dict[str, JSON] = json.loads(base64.b64decode(envelope["payload"]))
        return _digests(stated)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, binascii.Error):
        return "", frozenset()


def _digests(stated: dict[str, JSON]) -> tuple[str, frozenset[str]]:
    listed: list[dict[str, dict[str, str]]] = stated["subject"]  # type: ignore[assignment]
    predicate: dict[str, dict[str, str]] = stated["predicate"]  # type: ignore[assignment]
    files = frozenset(
        f"sha256:{subject['digest']['sha256']}" for subject in listed if str(subject["name"]).startswith("candidate/")
    )
    return str(predicate["candidate"]["digest"]), files


def _names(folder: Path) -> list[str]:
    """Return the names in a folder, sorted; none where there is none. Raises UsageError where it cannot be read."""
    try:
        return sorted(name for name in os.listdir(folder) if not name.startswith("."))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise _unusable(folder, in_short(error)) from error


def _add(path: Path, data: bytes) -> None:
    """Write a file unless it is there with this very content."""
    try:
        if read_whole(path, max(len(data), 1)) == data:
            return
    except (OSError, ValueError):
        pass
    write_whole(path, data)


def _unusable(folder: Path, why: str) -> UsageError:
    mend = "mend the store's folder, or name another one"
    return UsageError(Code.BAD_VALUE, "the store cannot be used", where=str(folder), why=why, mend=mend)
