"""The tags by which a version of a registered model says that it holds a record. They find it, and prove nothing."""

from __future__ import annotations

from collections.abc import Mapping

from gatekeeper.canonical import digest_bytes
from gatekeeper.mlflow_server import PREFIX
from gatekeeper.release.stores import NewRecord

CANDIDATE, RUN = f"{PREFIX}candidate", f"{PREFIX}run"
ATTESTED, DOSSIER_DIGEST = f"{PREFIX}attestation", f"{PREFIX}dossier"
_FILES = f"{PREFIX}files"
# A tag of a version holds up to 100,000 characters, a digest and a space are 72.
_MOST_IN_A_TAG = 1_000


def record_tags(record: NewRecord) -> dict[str, str]:
    """Return the tags of a record: its candidate, its run, the digests of what is stored, and of the model's files."""
    told = {CANDIDATE: record.candidate, RUN: record.run}
    for name, data in ((ATTESTED, record.attestation), (DOSSIER_DIGEST, record.dossier)):
        if data is not None:
            told[name] = digest_bytes(data)
    for at in range(0, len(record.artefacts), _MOST_IN_A_TAG):
        told[f"{_FILES}.{at // _MOST_IN_A_TAG}"] = " ".join(record.artefacts[at : at + _MOST_IN_A_TAG])
    return told


def files_of(tags: Mapping[str, str]) -> frozenset[str]:
    """Return the digests of files that the tags of a version list."""
    listed = (str(value) for name, value in tags.items() if name.startswith(f"{_FILES}."))
    return frozenset(digest for value in listed for digest in value.split())
