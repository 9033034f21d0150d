"""Promotion and its reverse: a run is published, an alias is switched to its candidate, and switched back.

Both ask ``admit`` first, under the alias's lock, so that what is switched to is admitted at that moment. The ledger's
line is on disk before the switch and says from what to what: a switch without a line cannot be, a line whose switch was
cut off can, and the next line, which starts where that one did, shows it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path

from gatekeeper.canonical import JSON, digest_bytes
from gatekeeper.errors import Code, IntegrityError, UsageError
from gatekeeper.release.admission import Admission, Admitted, admit
from gatekeeper.release.attested import written
from gatekeeper.release.reasons import Terms
from gatekeeper.release.stores import ATTESTATION, DOSSIER, STATEMENT, Alias, NewRecord, Pointer, Store
from gatekeeper.trust import ROLES, Ledger, Trust

# An alias remembers so many of what it pointed to; the ledger remembers all.
_KEPT = 1_000


@dataclass(frozen=True)
class Published:
    """A run that was put into a store: of which candidate, for which context, and where it lies."""

    candidate: str
    name: str
    context: str
    run: str
    where: str


@dataclass(frozen=True)
class Switched:
    """An alias that was asked to be switched; ``after`` is None where admission refused, and nothing was changed.

    ``passed_over`` are earlier candidates that a rollback went past, each with its refusal.
    """

    admission: Admission
    before: Pointer | None
    after: Pointer | None
    passed_over: tuple[Admission, ...] = ()


def publish(run: Path, store: Store, trust: Trust, home: Path, now: datetime) -> Published:
    """Verify a run, every number of it, and put its dossier and attestation into a store, whatever its verdict says.

    A FAIL that is published keeps an older PASS of the same candidate from being admitted. Raises what ``verify``
    raises; then nothing is published.
    """
    from gatekeeper.verification import verify

    verification = verify(run, trust)
    path = run / DOSSIER if run.is_dir() else run
    dossier, beside = path.read_bytes(), path.with_name(ATTESTATION)
    if digest_bytes(dossier) != verification.digest:
        raise IntegrityError(Code.DIGEST_MISMATCH, "the dossier changed while it was being published", where=str(path))
    verdict = verification.verdict
    artefacts = tuple(sorted(set(verification.records.candidate.files.values())))
    attestation = beside.read_bytes() if beside.is_file() else None
    record = NewRecord(verdict.digests.candidate, artefacts, verdict.run.id, attestation, dossier)
    body: dict[str, JSON] = {"run": record.run, "candidate": record.candidate, "dossier": verification.digest}
    _write_down(home, "release.published", {**body, "store": store.where}, now)
    where = store.publish(record)
    if verification.signed != ROLES[:1]:
        # A person signed the attestation. The tool's own statement answers without the dossier, and so at once.
        store.publish(replace(record, attestation=verification.attached[STATEMENT], dossier=None))
    return Published(record.candidate, verdict.candidate, verdict.policy_id, record.run, where)


def promote(
    published: Published, alias: str, store: Store, trust: Trust, terms: Terms, home: Path, now: datetime
) -> Switched:
    """Point an alias to the candidate of a run, if it is admitted. Raises UsageError when the alias cannot be set."""
    with store.switching(alias):
        before = store.alias(alias)
        admission = admit(published.candidate, published.context, store, trust, terms, now)
        if admission.admitted is None:
            return Switched(admission, before.current, None)
        after = _pointer(admission, admission.admitted, now)
        if before.current is not None and replace(before.current, since=after.since) == after:
            return Switched(admission, before.current, before.current)
        _write_down(home, "release.promoted", _line(store, alias, before.current, after, admission.admitted), now)
        store.point(alias, Alias((*before.history[1 - _KEPT :], after)))
    return Switched(admission, before.current, after)


def roll_back(
    alias: str, store: Store, trust: Trust, terms: Terms, home: Path, now: datetime, *, past_refused: bool
) -> Switched:
    """Point an alias to what it pointed to before, if that is still admitted.

    Where it is not, nothing is changed; with ``past_refused`` the one before that is asked, and so on. Raises
    UsageError when there is nothing before.
    """
    with store.switching(alias):
        history = store.alias(alias).history
        if len(history) < 2:
            found = "it points to the first one that it was ever set to" if history else "it was never set"
            raise UsageError(
                Code.NOTHING_TO_JUDGE,
                f'"{alias}" cannot be set back',
                where=store.where,
                why=found,
                mend="promote another candidate with `gatekeeper promote`",
            )
        refused: list[Admission] = []
        for at in range(len(history) - 2, -1, -1):
            earlier = history[at]
            admission = admit(earlier.candidate, earlier.context, store, trust, terms, now)
            if admission.admitted is not None:
                after = _pointer(admission, admission.admitted, now)
                line = _line(store, alias, history[-1], after, admission.admitted)
                _write_down(home, "release.rolled_back", line, now)
                store.point(alias, Alias((*history[:at], after)))
                return Switched(admission, history[-1], after, tuple(refused))
            refused.append(admission)
            if not past_refused:
                break
    return Switched(refused[-1], history[-1], None, tuple(refused[:-1]))


def _pointer(admission: Admission, admitted: Admitted, now: datetime) -> Pointer:
    return Pointer(admission.candidate, admitted.record.said.run, admission.context, written(now))


def _line(store: Store, alias: str, before: Pointer | None, after: Pointer, admitted: Admitted) -> dict[str, JSON]:
    signers: list[JSON] = list(admitted.record.signers)
    return {
        "store": store.where,
        "alias": alias,
        "from": None if before is None else asdict(before),
        "to": asdict(after),
        "signers": signers,
    }


def _write_down(home: Path, kind: str, body: dict[str, JSON], now: datetime) -> None:
    with Ledger(home / "ledger.sqlite") as ledger:
        ledger.append(kind, body, written(now))
