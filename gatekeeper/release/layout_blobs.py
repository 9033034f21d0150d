"""The files of an OCI image layout, read as somebody else's: descriptors, blobs, the index.

Source: OCI Image Format Specification 1.1 (image-layout.md, descriptor.md, manifest.md, image-index.md). Every blob is
read through a descriptor: a regular file of the very size and SHA-256 that it states, else it is not given out.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from gatekeeper.canonical import JSON, canonical_json, digest_bytes
from gatekeeper.whole_files import read_whole, write_whole

INDEX, MARK, BLOBS = "index.json", "oci-layout", "blobs"
INDEX_TYPE = "application/vnd.oci.image.index.v1+json"
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
EMPTY_TYPE = "application/vnd.oci.empty.v1+json"
EMPTY = b"{}"
REF_NAME = "org.opencontainers.image.ref.name"
TITLE = "org.opencontainers.image.title"
VERSION = "1.0.0"

_LARGEST_INDEX = 64 << 20
_LARGEST_MANIFEST = 4 << 20
_MOST_LAYERS = 16
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True)
class Descriptor:
    """What points to a blob: its media type, digest (``sha256:<hex>``) and size in bytes."""

    media_type: str
    digest: str
    size: int
    artifact_type: str | None = None
    annotations: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, JSON]:
        """Return the descriptor in the specification's names."""
        told: dict[str, JSON] = {"mediaType": self.media_type, "digest": self.digest, "size": self.size}
        if self.artifact_type is not None:
            told["artifactType"] = self.artifact_type
        return told | ({"annotations": dict(self.annotations)} if self.annotations else {})


@dataclass(frozen=True)
class Manifest:
    """An artefact: its type, its blobs, and the manifest that it refers to."""

    artifact_type: str
    layers: tuple[Descriptor, ...]
    subject: Descriptor | None = None
    annotations: dict[str, str] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """Return the manifest as canonical JSON: equal artefacts have equal digests."""
        told: dict[str, JSON] = {
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "artifactType": self.artifact_type,
            "config": described(EMPTY, EMPTY_TYPE).to_json(),
            "layers": [layer.to_json() for layer in self.layers],
        }
        if self.subject is not None:
            told["subject"] = self.subject.to_json()
        return canonical_json(told | ({"annotations": dict(self.annotations)} if self.annotations else {}))


def described(data: bytes, media_type: str, title: str | None = None) -> Descriptor:
    """Return the descriptor of some bytes."""
    return Descriptor(media_type, digest_bytes(data), len(data), annotations={TITLE: title} if title else {})


def read_index(layout: Path) -> tuple[Descriptor, ...]:
    """Return what the index lists. Raises ValueError, in a few words, or OSError.

    An entry that is no descriptor makes the whole index one that cannot be read: what it hides cannot be known.
    """
    mark = _object(read_whole(layout / MARK, _LARGEST_MANIFEST))
    if mark.get("imageLayoutVersion") != VERSION:
        raise ValueError(f"it is not an image layout of version {VERSION}")
    told = _object(read_whole(layout / INDEX, _LARGEST_INDEX))
    if told.get("schemaVersion") != 2:
        raise ValueError("its index is not one of schema version 2")
    return tuple(_descriptor(entry) for entry in _list(told.get("manifests")))


def index_bytes(entries: tuple[Descriptor, ...]) -> bytes:
    """Return the index that lists these."""
    listed: list[JSON] = [entry.to_json() for entry in entries]
    return canonical_json({"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": listed})


def read_manifest(layout: Path, entry: Descriptor) -> Manifest:
    """Return the artefact that an entry of the index points to. Raises ValueError or OSError."""
    if entry.media_type != MANIFEST_TYPE:
        raise ValueError("it is not an image manifest")
    told = _object(read_blob(layout, entry, _LARGEST_MANIFEST))
    layers = _list(told.get("layers"))
    if told.get("schemaVersion") != 2 or told.get("mediaType") != MANIFEST_TYPE or len(layers) > _MOST_LAYERS:
        raise ValueError("it is not a manifest of an artefact")
    kind, subject = told.get("artifactType"), told.get("subject")
    return Manifest(
        artifact_type=kind if isinstance(kind, str) else "",
        layers=tuple(_descriptor(layer) for layer in layers),
        subject=None if subject is None else _descriptor(subject),
        annotations=_annotations(told.get("annotations")),
    )


def read_blob(layout: Path, entry: Descriptor, largest: int) -> bytes:
    """Return a blob that is what its descriptor says. Raises ValueError or OSError."""
    if entry.size > largest:
        raise ValueError(f"its blob is said to be larger than {largest >> 20} MiB")
    for folder in (layout / BLOBS, layout / BLOBS / "sha256"):
        if folder.is_symlink():
            raise ValueError("its folder of blobs is a link")
    data = read_whole(_blob(layout, entry.digest), entry.size)
    if len(data) != entry.size or digest_bytes(data) != entry.digest:
        raise ValueError("its blob is not the one that is described: size or SHA-256 differ")
    return data


def write_blob(layout: Path, data: bytes) -> None:
    """Add a blob unless it is there. Raises UsageError where it cannot be written."""
    path = _blob(layout, digest_bytes(data))
    try:
        if read_whole(path, len(data)) == data:
            return
    except (OSError, ValueError):
        pass
    write_whole(path, data)


def make_layout(layout: Path) -> None:
    """Make an empty layout where there is none. Raises OSError, or UsageError where it cannot be written."""
    (layout / BLOBS / "sha256").mkdir(parents=True, exist_ok=True)
    write_blob(layout, EMPTY)
    if not os.path.lexists(layout / INDEX):
        write_whole(layout / INDEX, index_bytes(()))
    write_whole(layout / MARK, canonical_json({"imageLayoutVersion": VERSION}))


def _blob(layout: Path, digest: str) -> Path:
    """Return a blob's place; a digest is hex digits alone, and so leads nowhere else."""
    if not _DIGEST.fullmatch(digest):
        raise ValueError("its digest is not a SHA-256")
    return layout / BLOBS / "sha256" / digest.removeprefix("sha256:")


def _descriptor(value: JSON) -> Descriptor:
    if not isinstance(value, dict):
        raise ValueError("it holds what is no descriptor")
    kind, digest, size, artifact = (value.get(key) for key in ("mediaType", "digest", "size", "artifactType"))
    if not isinstance(kind, str) or not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
        raise ValueError("it holds a descriptor without media type, or whose digest is not a SHA-256")
    if isinstance(size, bool) or not isinstance(size, int) or size < 0:
        raise ValueError("it holds a descriptor without a size")
    if artifact is not None and not isinstance(artifact, str):
        raise ValueError("it holds a descriptor whose artifactType is no text")
    return Descriptor(kind, digest, size, artifact, _annotations(value.get("annotations")))


def _annotations(value: JSON) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        raise ValueError("it holds annotations that are no texts")
    return {name: str(text) for name, text in value.items()}


def _object(data: bytes) -> dict[str, JSON]:
    try:
        value: JSON = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ValueError("it is not JSON") from error
    if not isinstance(value, dict):
        raise ValueError("it is not a JSON object")
    return value


def _list(value: JSON) -> list[JSON]:
    if not isinstance(value, list):
        raise ValueError("it lacks a list")
    return value
