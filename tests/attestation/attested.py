"""What the tests of attestations share: a finished run as its records, and its statements altered and signed again."""

from __future__ import annotations

import base64
import json
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

from gatekeeper.attestation import Standing, open_attestation
from gatekeeper.canonical import JSON, canonical_json
from gatekeeper.policy.approval import FoundApproval
from gatekeeper.run_records import ATTESTATION, DOSSIER, RunRecords, read_records, read_run_files
from gatekeeper.trust import PAYLOAD_TYPE, KeyRing, load_keys, sign_envelope
from gatekeeper.verdict import release_bars


@dataclass(frozen=True)
class Run:
    """A finished run: its folder, keys, files and records, and its standing as `verify` finds it."""

    folder: Path
    keys: KeyRing
    files: dict[str, bytes]
    records: RunRecords
    standing: Standing

    @property
    def pdf(self) -> bytes:
        return (self.folder / DOSSIER).read_bytes()


def read_run(folder: Path, home: Path) -> Run:
    keys, files = load_keys(home), read_run_files(folder)
    records = read_records(files, str(folder))
    ledger = open_attestation(folder / ATTESTATION, keys.trust).said.ledger
    bars = release_bars(
        records.verdict, records.policy, FoundApproval(), development=keys.development, exposures=ledger.exposures
    )
    return Run(folder, keys, files, records, Standing(keys.development, ledger, bars))


def payload_of(envelope: bytes) -> bytes:
    return base64.b64decode(json.loads(envelope)["payload"])


def predicate_of(envelope: bytes) -> dict[str, JSON]:
    predicate: dict[str, JSON] = json.loads(payload_of(envelope))["predicate"]
    return predicate


def put(value: JSON, place: str, new: JSON) -> JSON:
    """Return a copy of a value with another one at a place, whose keys and numbers are joined by dots."""
    changed = deepcopy(value)
    holder: JSON = changed
    *before, last = place.split(".")
    for name in before:
        holder = holder[int(name)] if isinstance(holder, list) else holder[name]  # type: ignore[index,call-overload]
    holder[int(last) if isinstance(holder, list) else last] = new  # type: ignore[index,call-overload]
    return changed


def signed_again(envelope: bytes, keys: KeyRing, changes: dict[str, JSON]) -> bytes:
    """Return a statement with these places of it changed, under a signature that holds."""
    statement: JSON = json.loads(payload_of(envelope))
    for place, new in changes.items():
        statement = put(statement, place, new)
    return sign_envelope(canonical_json(statement), PAYLOAD_TYPE, keys.tool)
