"""Files inside the PDF: what each is, its media type, and how it relates to the pages (ISO 32000-2, 7.11.3)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from gatekeeper.canonical import digest_bytes

CYCLONEDX = "application/vnd.cyclonedx+json"
_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]*$")

# By the end of a name, the longest first. RFC 8259, RFC 9512, RFC 4180, RFC 8555; Parquet, CycloneDX: IANA.
_MEDIA_TYPES = {
    "json": "application/json",
    "cdx.json": CYCLONEDX,
    "jsonl": "application/jsonl",
    "yaml": "application/yaml",
    "yml": "application/yaml",
    "parquet": "application/vnd.apache.parquet",
    "csv": "text/csv",
    "txt": "text/plain",
    "xml": "application/xml",
    "pem": "application/x-pem-file",
    "lock": "application/json",
}

# First word of the name -> relationship, what it is. Source: made before the run; Data: the pages are drawn from it.
_KNOWN = {
    "policy": ("Source", "the resolved policy"),
    "approval": ("Source", "the signed approval of the policy"),
    "candidate": ("Source", "what the candidate declares, and its digests"),
    "lock": ("Source", "the signed manifest of the test set"),
    "testset": ("Source", "the manifest of the test set, as locked"),
    "plan": ("Source", "the conditions that were run"),
    "cases": ("Data", "evidence: one row per case, condition and repeat"),
    "evidence": ("Data", "evidence: one row per case, condition and repeat"),
    "environment": ("Data", "machine, versions and settings of the run"),
    "verdict": ("Data", "verdict and findings for machines"),
    "self_test": ("Data", "defects planted in the evidence, and what the gate made of them"),
    "detached": ("Data", "size and digest of what is too large to be attached and lies beside this PDF"),
    "sbom": ("Supplement", "software bill of materials: CycloneDX 1.6, every package that the run could import"),
    "statement": ("Supplement", "signed statement on candidate, lock and policy"),
}


@dataclass(frozen=True)
class Attached:
    """One file to attach, with all that the PDF says of it."""

    name: str
    data: bytes
    media_type: str
    relationship: str
    description: str
    digest: str


def describe_attachments(files: Mapping[str, bytes]) -> tuple[Attached, ...]:
    """Describe files by their names, sorted. Raises ValueError for a name that is not a plain file name."""
    return tuple(_describe(name, files[name]) for name in sorted(files))


def _describe(name: str, data: bytes) -> Attached:
    if not _NAME.match(name):
        raise ValueError(f"not a plain file name: {name!r}")
    relationship, description = _KNOWN.get(name.partition(".")[0], ("Supplement", "further record of the run"))
    ends = (name.split(".", place)[-1] for place in range(1, name.count(".") + 1))
    media_type = next((_MEDIA_TYPES[end] for end in ends if end in _MEDIA_TYPES), "application/octet-stream")
    return Attached(name, data, media_type, relationship, description, digest_bytes(data))
