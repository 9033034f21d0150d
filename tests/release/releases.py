"""What the tests of releases share: a run that may be released, statements of it changed and signed again, a store."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from gatekeeper.canonical import JSON, canonical_json
from gatekeeper.release.admission import Admission, admit
from gatekeeper.release.attested import moment
from gatekeeper.release.reasons import Terms, Why
from gatekeeper.release.stores import Alias, NewRecord, Store, StoredRecord, StoredRevocation
from gatekeeper.run_records import ATTESTATION, DOSSIER
from gatekeeper.trust import PAYLOAD_TYPE, Signer, Trust, load_signer, own_trust, sign_envelope

CONTEXT = "made_up_discs"
OTHER = "sha256:" + "9" * 64


@dataclass(frozen=True)
class Released:
    """A home with keys for release, and a run that nothing bars; ``folders`` by who signed last."""

    home: Path
    folders: dict[str, Path]
    candidate_file: Path

    @property
    def trust(self) -> Trust:
        return own_trust(self.home)

    def signer(self, role: str = "tool") -> Signer:
        return load_signer(self.home, role)

    def attestation(self, role: str = "tool") -> bytes:
        return (self.folders[role] / ATTESTATION).read_bytes()

    def dossier(self, role: str = "tool") -> bytes:
        return (self.folders[role] / DOSSIER).read_bytes()

    @property
    def statement(self) -> dict[str, JSON]:
        return payload_of(self.attestation())

    @property
    def statement_files(self) -> dict[str, str]:
        """The candidate's files as attested: path to digest."""
        listed: list[dict[str, object]] = self.statement["subject"]  # type: ignore[assignment]
        digests = {str(entry["name"]): entry["digest"] for entry in listed}
        return {
            name.removeprefix("candidate/"): f"sha256:{digest['sha256']}"  # type: ignore[index]
            for name, digest in digests.items()
            if name.startswith("candidate/")
        }

    @property
    def candidate(self) -> str:
        return str(self.statement["predicate"]["candidate"]["digest"])  # type: ignore[call-overload,index]

    @property
    def finished(self) -> datetime:
        return moment(self.statement["predicate"]["run"]["finished"])  # type: ignore[call-overload,index]

    @property
    def now(self) -> datetime:
        return self.finished + timedelta(hours=1)

    def changed(
        self, changes: dict[str, JSON] | None = None, signer: Signer | None = None, role: str = "tool"
    ) -> bytes:
        """Return the attestation of a role with places of its predicate changed, under a signature that holds."""
        stated: dict[str, JSON] = deepcopy(payload_of(self.attestation(role)))
        for place, new in (changes or {}).items():
            holder: JSON = stated["predicate"]
            *before, last = place.split(".")
            for name in before:
                holder = holder[name]  # type: ignore[index,call-overload]
            holder[last] = new  # type: ignore[index,call-overload]
        return sign_envelope(canonical_json(stated), PAYLOAD_TYPE, signer or self.signer())

    def failed(self, hours: float, **changes: JSON) -> bytes:
        """Return the attestation of a FAIL whose run ended some hours after the PASS."""
        told: dict[str, JSON] = {"verdict": "FAIL", "bars": ["NOT_PASSED"], "releasable": False, **self.run_at(hours)}
        return self.changed(told | changes)

    def run_at(self, hours: float) -> dict[str, JSON]:
        at = self.finished + timedelta(hours=hours)
        return {"run.id": f"run{hours:+g}", "run.finished": f"{at:%Y-%m-%dT%H:%M:%SZ}"}

    def ask(self, store: Store, terms: Terms | None = None, **other: object) -> Admission:
        told = {"context": CONTEXT, "trust": self.trust, "now": self.now, "candidate": self.candidate, **other}
        return admit(
            str(told["candidate"]),
            str(told["context"]),
            store,
            told["trust"],
            terms or Terms(),
            told["now"],  # type: ignore[arg-type]
        )


@dataclass
class MemoryStore:
    """A store of what it was given, in its order; a third implementation of the protocol."""

    stored: list[StoredRecord] = field(default_factory=list)
    revoked: list[StoredRevocation] = field(default_factory=list)
    aliases: dict[str, Alias] = field(default_factory=dict)
    where: str = "memory"

    def records(self, candidate: str) -> Iterator[StoredRecord]:
        yield from self.stored

    def candidates_of(self, artefact: str) -> tuple[str, ...]:
        return ()

    def revocations(self, candidate: str) -> Iterator[StoredRevocation]:
        yield from self.revoked

    def publish(self, record: NewRecord) -> str:
        raise NotImplementedError

    def revoke(self, candidate: str, envelope: bytes) -> str:
        raise NotImplementedError

    def alias(self, name: str) -> Alias:
        return self.aliases.get(name, Alias())

    @contextmanager
    def switching(self, name: str) -> Iterator[None]:
        yield

    def point(self, name: str, alias: Alias) -> None:
        self.aliases[name] = alias


def holding(*envelopes: bytes, revoked: tuple[bytes, ...] = ()) -> MemoryStore:
    return MemoryStore(
        [StoredRecord(f"record {number}", envelope) for number, envelope in enumerate(envelopes)],
        [StoredRevocation(f"revocation {number}", envelope) for number, envelope in enumerate(revoked)],
    )


def payload_of(envelope: bytes) -> dict[str, JSON]:
    payload: dict[str, JSON] = json.loads(base64.b64decode(json.loads(envelope)["payload"]))
    return payload


def reasons(answer: Admission) -> set[Why]:
    assert answer.admitted is None
    return {refusal.why for refusal in answer.refusals}


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
