"""A store that is an OCI image layout: records, revocations and aliases are artefacts that any OCI tool can copy.

A candidate is a manifest without content, made from its digest alone, so that everybody makes the same. What is known
of it refers to it by ``subject``, as signatures refer to images:

- ``application/vnd.gatekeeper.record.v1``: layers ``attestation.dsse.json`` and ``dossier.pdf``
- ``application/vnd.gatekeeper.revocation.v1``: one layer, the envelope
- ``application/vnd.gatekeeper.alias.v1``: one layer, where it points and pointed; tagged with its name

Annotations of the index find things quickly and are believed in nothing else. The index is replaced at once, by one
writer at a time, after the blobs that it names.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from gatekeeper.errors import Code, IntegrityError, UsageError
from gatekeeper.release.aliases import alias_to, locked, parse_alias
from gatekeeper.release.layout_blobs import (
    EMPTY,
    EMPTY_TYPE,
    INDEX,
    MANIFEST_TYPE,
    REF_NAME,
    Descriptor,
    Manifest,
    described,
    index_bytes,
    make_layout,
    read_blob,
    read_index,
    read_manifest,
    write_blob,
)
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
from gatekeeper.whole_files import in_short, write_whole

CANDIDATE = "application/vnd.gatekeeper.candidate.v1"
RECORD = "application/vnd.gatekeeper.record.v1"
REVOCATION = "application/vnd.gatekeeper.revocation.v1"
ALIAS = "application/vnd.gatekeeper.alias.v1"
_ENVELOPE_TYPE = "application/vnd.dsse.envelope.v1+json"
_PDF_TYPE = "application/pdf"
_ALIAS_TYPE = "application/json"
_OF, _FILES, _RUN = "dev.gatekeeper.candidate", "dev.gatekeeper.files", "dev.gatekeeper.run"
_LARGEST_ALIAS = 4 << 20
_LOCK = ".gatekeeper.lock"


@dataclass(frozen=True)
class LayoutStore:
    """See the module; ``path`` need not be a layout before something is published."""

    path: Path

    @property
    def where(self) -> str:
        """The folder."""
        return str(self.path)

    def records(self, candidate: str) -> Iterator[StoredRecord]:
        """Give the records that refer to the candidate."""
        for where, manifest, problem in self._referring(candidate, RECORD):
            yield self._record(where, manifest) if manifest else StoredRecord(where, problem=problem)

    def candidates_of(self, artefact: str) -> tuple[str, ...]:
        """Return the candidates whose records are annotated with the file's digest."""
        hexadecimal(artefact)
        found = (entry.annotations for entry in self._index() if entry.artifact_type == RECORD)
        return tuple(sorted({told[_OF] for told in found if _OF in told and artefact in told.get(_FILES, "").split()}))

    def revocations(self, candidate: str) -> Iterator[StoredRevocation]:
        """Give the revocations that refer to the candidate."""
        for where, manifest, problem in self._referring(candidate, REVOCATION):
            if manifest is None or len(manifest.layers) != 1:
                yield StoredRevocation(where, problem=problem or "it is not one envelope")
                continue
            try:
                yield StoredRevocation(where, read_blob(self.path, manifest.layers[0], LARGEST_ENVELOPE))
            except (OSError, ValueError) as error:
                yield StoredRevocation(where, problem=in_short(error))

    def publish(self, record: NewRecord) -> str:
        """Add the blobs, then the record to the index."""
        titled = ((ATTESTATION, _ENVELOPE_TYPE, record.attestation), (DOSSIER, _PDF_TYPE, record.dossier))
        blobs = [(described(data, kind, name), data) for name, kind, data in titled if data is not None]
        marks = {_OF: record.candidate, _RUN: plain_name(record.run, "a run"), _FILES: " ".join(record.artefacts)}
        return self._add(record.candidate, RECORD, blobs, marks)

    def revoke(self, candidate: str, envelope: bytes) -> str:
        """Add the envelope, then the revocation to the index."""
        blobs = [(described(envelope, _ENVELOPE_TYPE, "revocation.dsse.json"), envelope)]
        return self._add(candidate, REVOCATION, blobs, {_OF: candidate})

    def alias(self, name: str) -> Alias:
        """Return what the manifest with this tag holds."""
        plain_name(name, "an alias")
        tagged = [entry for entry in self._index(missing=()) if _names(entry, name)]
        if not tagged:
            return Alias()
        try:
            if len(tagged) > 1:
                raise ValueError("two manifests have this tag")
            (layer,) = read_manifest(self.path, tagged[0]).layers
            return parse_alias(read_blob(self.path, layer, _LARGEST_ALIAS))
        except (OSError, ValueError) as error:
            mend = "the ledger tells what it pointed to (`gatekeeper ledger show`); untag it, and promote that"
            raise IntegrityError(
                Code.MISMATCH,
                "the alias is not one that `gatekeeper promote` wrote",
                where=f"{self.path}:{name}",
                why=in_short(error),
                mend=mend,
            ) from error

    @contextmanager
    def switching(self, name: str) -> Iterator[None]:
        """Hold the layout's lock of aliases."""
        plain_name(name, "an alias")
        self._make()
        with locked(self.path / f"{_LOCK}.alias"):
            yield

    def point(self, name: str, alias: Alias) -> None:
        """Tag a new manifest and take the tag from the old one, in one replacement of the index."""
        content = alias_to(alias)
        layer = described(content, _ALIAS_TYPE, f"{plain_name(name, 'an alias')}.json")
        manifest = Manifest(ALIAS, (layer,)).to_bytes()
        for blob in (content, manifest):
            write_blob(self.path, blob)
        entry = replace(described(manifest, MANIFEST_TYPE), artifact_type=ALIAS, annotations={REF_NAME: name})
        with locked(self.path / _LOCK):
            kept = [old for old in self._index() if not _names(old, name)]
            self._write((*kept, entry))

    def _referring(self, candidate: str, kind: str) -> Iterator[tuple[str, Manifest | None, str | None]]:
        """Give each artefact of a kind that refers to a candidate: where it is, and it, or why it cannot be read."""
        subject = _subject(candidate)
        for entry in self._index():
            # Tools that copy may leave out the type and the annotations; the manifest has them too.
            if entry.artifact_type not in (kind, None) or entry.annotations.get(_OF, candidate) != candidate:
                continue
            where = f"{self.path}@{entry.digest}"
            try:
                manifest = read_manifest(self.path, entry)
                if entry.artifact_type is None and manifest.artifact_type != kind:
                    continue
                if manifest.artifact_type != kind:
                    raise ValueError("it is not of the type that the index says")
            except (OSError, ValueError) as error:
                if entry.artifact_type == kind:
                    yield where, None, in_short(error)
                continue
            if manifest.subject is not None and manifest.subject.digest == subject.digest:
                yield where, manifest, None
            elif _OF in entry.annotations:
                yield where, None, "it refers to another candidate than the index says"

    def _record(self, where: str, manifest: Manifest) -> StoredRecord:
        layers = {layer.media_type: layer for layer in manifest.layers}
        if len(layers) != len(manifest.layers) or not set(layers) & {_ENVELOPE_TYPE, _PDF_TYPE}:
            return StoredRecord(where, problem="it holds neither an attestation nor a dossier, or one twice")
        dossier = layers.get(_PDF_TYPE)
        read = None if dossier is None else partial(read_blob, self.path, dossier, LARGEST_DOSSIER)
        if _ENVELOPE_TYPE not in layers:
            return StoredRecord(where, dossier=read)
        try:
            return StoredRecord(where, read_blob(self.path, layers[_ENVELOPE_TYPE], LARGEST_ENVELOPE), read)
        except (OSError, ValueError) as error:
            return StoredRecord(where, problem=in_short(error))

    def _add(self, candidate: str, kind: str, blobs: list[tuple[Descriptor, bytes]], marks: dict[str, str]) -> str:
        self._make()
        subject = _subject(candidate)
        manifest = Manifest(kind, tuple(layer for layer, _ in blobs), subject, marks).to_bytes()
        for data in (*(data for _, data in blobs), _candidate(candidate), manifest):
            write_blob(self.path, data)
        entry = replace(described(manifest, MANIFEST_TYPE), artifact_type=kind, annotations=marks)
        with locked(self.path / _LOCK):
            index = self._index()
            new = [one for one in (subject, entry) if one.digest not in {old.digest for old in index}]
            if new:
                self._write((*index, *new))
        return f"{self.path}@{entry.digest}"

    def _make(self) -> None:
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            with locked(self.path / _LOCK):
                if not (self.path / INDEX).exists():
                    make_layout(self.path)
        except OSError as error:
            mend = "make the folder writable, or name another one"
            raise UsageError(
                Code.CANNOT_WRITE, "the store cannot be made", where=self.where, why=error.strerror, mend=mend
            ) from error

    def _index(self, missing: tuple[Descriptor, ...] | None = None) -> tuple[Descriptor, ...]:
        try:
            return read_index(self.path)
        except FileNotFoundError as error:
            if missing is not None:
                return missing
            raise _damaged(self.path, "index.json or oci-layout is missing") from error
        except (OSError, ValueError) as error:
            raise _damaged(self.path, in_short(error)) from error

    def _write(self, entries: tuple[Descriptor, ...]) -> None:
        write_whole(self.path / INDEX, index_bytes(entries))


def _candidate(candidate: str) -> bytes:
    """Return the manifest that stands for a candidate."""
    hexadecimal(candidate)
    return Manifest(CANDIDATE, (described(EMPTY, EMPTY_TYPE),), annotations={_OF: candidate}).to_bytes()


def _subject(candidate: str) -> Descriptor:
    return replace(described(_candidate(candidate), MANIFEST_TYPE), artifact_type=CANDIDATE)


def _names(entry: Descriptor, alias: str) -> bool:
    return entry.artifact_type == ALIAS and entry.annotations.get(REF_NAME) == alias


def _damaged(path: Path, why: str) -> IntegrityError:
    mend = "restore the layout, or name another store"
    return IntegrityError(
        Code.MISMATCH, "the store is not an OCI layout that holds", where=str(path), why=why, mend=mend
    )
