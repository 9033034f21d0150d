"""Layouts as others read them: by the rules of the specification alone, and by skopeo."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from pathlib import Path

import pytest
from releases import Released

from gatekeeper.release.layout import LayoutStore
from gatekeeper.release.revocation import sign_revocation
from gatekeeper.release.stores import Alias, NewRecord, Pointer

INDEX_TYPE = "application/vnd.oci.image.index.v1+json"
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"


@pytest.fixture
def layout(released: Released, tmp_path: Path) -> Path:
    store = LayoutStore(tmp_path / "layout")
    for role in ("tool", "qa"):
        attestation, dossier = released.attestation(role), released.dossier(role)
        store.publish(NewRecord(released.candidate, (), "run-1", attestation, dossier))
    store.revoke(released.candidate, sign_revocation(released.candidate, "x", "y", released.signer(), released.now))
    with store.switching("production"):
        store.point("production", Alias((Pointer(released.candidate, "run-1", "c", "2026-01-01T00:00:00Z"),)))
    return store.path


def blob(layout: Path, descriptor: dict[str, object]) -> bytes:
    """Read what a descriptor points to, as the specification has it: algorithm, hex digits, size."""
    algorithm, _, digits = str(descriptor["digest"]).partition(":")
    data = (layout / "blobs" / algorithm / digits).read_bytes()
    assert hashlib.new(algorithm, data).hexdigest() == digits
    assert len(data) == descriptor["size"]
    return data


def test_the_layout_is_one_by_the_rules_of_the_specification(layout: Path, released: Released) -> None:
    assert json.loads((layout / "oci-layout").read_text()) == {"imageLayoutVersion": "1.0.0"}
    index = json.loads((layout / "index.json").read_text())
    assert (index["schemaVersion"], index["mediaType"]) == (2, INDEX_TYPE)
    reached, referrers = set(), []
    for entry in index["manifests"]:
        manifest = json.loads(blob(layout, entry))
        assert (manifest["schemaVersion"], manifest["mediaType"], entry["mediaType"]) == (
            2,
            MANIFEST_TYPE,
            MANIFEST_TYPE,
        )
        assert manifest["artifactType"] == entry["artifactType"]
        assert manifest["config"]["mediaType"] == "application/vnd.oci.empty.v1+json"
        assert manifest["layers"]
        for part in (entry, manifest["config"], *manifest["layers"]):
            blob(layout, part)
            reached.add(part["digest"])
        if "subject" in manifest:
            referrers.append((manifest["subject"]["digest"], manifest))
    listed = {entry["digest"] for entry in index["manifests"]}
    assert len(listed) == len(index["manifests"]) == 5
    assert {subject for subject, _ in referrers} <= listed
    assert sorted(str(manifest["artifactType"]).split(".")[-2] for _, manifest in referrers) == [
        "record",
        "record",
        "revocation",
    ]
    written = {f"sha256:{path.name}" for path in (layout / "blobs" / "sha256").iterdir()}
    assert written == reached
    dossiers = [blob(layout, manifest["layers"][1]) for _, manifest in referrers if len(manifest["layers"]) == 2]
    assert dossiers == [released.dossier("tool"), released.dossier("qa")]


@pytest.mark.skipif(shutil.which("skopeo") is None, reason="needs skopeo")
def test_skopeo_reads_what_an_alias_is_tagged_with(layout: Path, released: Released) -> None:
    asked = ["skopeo", "inspect", "--raw", f"oci:{layout}:production"]
    done = subprocess.run(asked, capture_output=True, text=True, check=True)
    manifest = json.loads(done.stdout)
    assert manifest["artifactType"] == "application/vnd.gatekeeper.alias.v1"
    assert json.loads(blob(layout, manifest["layers"][0]))["current"]["candidate"] == released.candidate
