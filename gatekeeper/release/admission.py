"""Admission: whether a model may be started, as signed records say. Nothing is run, recomputed or fetched.

A candidate is admitted when one record of it holds, is a PASS that nothing bars under the context's policy, has not
expired, was neither revoked nor contradicted by a later FAIL, and has every signature that is asked for. One good
record is enough: a broken one beside it changes nothing. A revocation that cannot be believed does: see ``_revoked``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from gatekeeper.errors import ExitCode, GatekeeperError
from gatekeeper.release.opening import OpenedRecord, open_record, with_digest, with_dossier
from gatekeeper.release.reasons import (
    Refusal,
    Terms,
    Why,
    contradicts,
    expiry,
    in_words,
    missing_roles,
    reasons_against,
)
from gatekeeper.release.revocation import Revocation, open_revocation
from gatekeeper.release.stores import Store
from gatekeeper.trust import Trust

_ELSEWHERE = {Why.NO_RECORD, Why.OTHER_CONTEXT}
NOT_CHECKED = (
    "whether the store hides a revocation, or a later FAIL: a store cannot prove that nothing is missing",
    "whether it was set back to an older state",
    "the numbers of the record (`gatekeeper verify` recomputes them), and this machine's clock",
)


@dataclass(frozen=True)
class Admitted:
    """The record that admits: by which run, whose signatures, and until when, with what ends it."""

    record: OpenedRecord
    expires: datetime
    ends_with: str


@dataclass(frozen=True)
class Admission:
    """The answer. ``refusals`` are all reasons why not; beside an ``admitted`` record, what was passed over."""

    candidate: str
    context: str
    admitted: Admitted | None
    refusals: tuple[Refusal, ...]

    @property
    def code(self) -> ExitCode:
        """0 when admitted; 3 when something does not hold and nothing was revoked for certain; else 1."""
        if self.admitted is not None:
            return ExitCode.PASS
        found = {refusal.why for refusal in self.refusals}
        broken = found & {Why.BROKEN, Why.REVOCATION_BROKEN} and Why.REVOKED not in found
        return ExitCode.INTEGRITY if broken else ExitCode.FAIL


def admit(candidate: str, context: str, store: Store, trust: Trust, terms: Terms, now: datetime) -> Admission:
    """Look for a record that admits a candidate, by its digest, for a context (a policy's id), at an aware time.

    Raises UsageError where the store cannot be reached, and for a candidate that is no digest.
    """
    refusals: list[Refusal] = []
    revocations, stopped = _revoked(candidate, store, trust)
    stopped += _not_pointed_to(candidate, context, store, terms)
    opened = []
    for stored in store.records(candidate):
        try:
            record = open_record(stored, trust)
        except GatekeeperError as error:
            refusals.append(_broken(stored.where, error))
            continue
        if record.said.candidate == candidate:
            opened.append(record)
        elif record.filed:
            words = f"it is of another candidate ({record.said.candidate}) than the one it is filed under"
            refusals.append(Refusal(Why.BROKEN, stored.where, words))
    opened.sort(key=lambda record: (record.said.finished, record.by_tool), reverse=True)
    failed = next((record for record in opened if contradicts(record, context)), None)
    admitted = None
    for record in opened:
        reasons = list(reasons_against(record, context, terms, now, revocations, failed))
        if not reasons and not stopped:
            settled = _settled(record, terms, trust)
            if isinstance(settled, Admitted):
                admitted = settled
                break
            reasons = settled
        refusals += reasons
    refusals = _once([*stopped, *refusals])
    if admitted is not None:
        refusals = [refusal for refusal in refusals if refusal.why is Why.BROKEN]
    elif not refusals:
        refusals = [Refusal(Why.NO_RECORD, store.where, "it has no record of this candidate")]
    return Admission(candidate, context, admitted, tuple(refusals))


def _once(refusals: list[Refusal]) -> list[Refusal]:
    """Leave out what is said of a run twice: several of its signatures may be stored."""
    first: dict[tuple[Why, str], Refusal] = {}
    for refusal in refusals:
        first.setdefault((refusal.why, refusal.line), refusal)
    return list(first.values())


def admit_file(artefact: str, context: str, store: Store, trust: Trust, terms: Terms, now: datetime) -> Admission:
    """Look whether a file may be started, whichever candidate it is meant as: the first answer that refuses, or any.

    Every candidate of which the store has a record for the context, and that holds the file, must be admitted, since
    nobody can tell which of them is started: the same weights with another operating point may be a FAIL.
    """
    alone = replace(terms, artefact=artefact)
    answers = [admit(candidate, context, store, trust, alone, now) for candidate in store.candidates_of(artefact)]
    about = [
        answer for answer in answers if {refusal.why for refusal in answer.refusals} - _ELSEWHERE or answer.admitted
    ]
    if not about:
        words = "it has no record of a candidate that holds this file for the context"
        return Admission(artefact, context, None, (Refusal(Why.NO_RECORD, store.where, words),))
    return next((answer for answer in about if answer.admitted is None), about[0])


def _revoked(candidate: str, store: Store, trust: Trust) -> tuple[list[Revocation], list[Refusal]]:
    """Return the revocations that hold, and what stops every record of the candidate.

    What lies among a candidate's revocations and cannot be believed stops it too, until a person has looked: it may be
    a revocation that was damaged, or of a signer whom nobody told this machine to trust. Whoever can put it there can
    remove a good record as well, so that nothing is lost; ignoring it could start a model that was revoked.
    """
    found, stopped = [], []
    for stored in store.revocations(candidate):
        if stored.envelope is None:
            words = f"a revocation is filed here that cannot be read: {stored.problem}"
            stopped.append(Refusal(Why.REVOCATION_BROKEN, stored.where, words))
            continue
        try:
            revocation = open_revocation(stored.envelope, candidate, trust, stored.where)
        except GatekeeperError as error:
            words = f"a revocation is filed here that does not hold: {_in_words(error)}"
            stopped.append(Refusal(Why.REVOCATION_BROKEN, stored.where, words))
            continue
        found.append(revocation)
        if revocation.run is None:
            stopped.append(Refusal(Why.REVOKED, stored.where, f"the candidate was revoked {in_words(revocation)}"))
    return found, stopped


def _not_pointed_to(candidate: str, context: str, store: Store, terms: Terms) -> list[Refusal]:
    """Return that the alias which is asked for points elsewhere, if it does."""
    if terms.alias is None:
        return []
    current = store.alias(terms.alias).current
    if current is not None and (current.candidate, current.context) == (candidate, context):
        return []
    to = "nothing" if current is None else f"{current.candidate} for {current.context}"
    return [Refusal(Why.NOT_POINTED_TO, store.where, f'the alias "{terms.alias}" points to {to}')]


def _settled(record: OpenedRecord, terms: Terms, trust: Trust) -> Admitted | list[Refusal]:
    """Look at the dossier where it is needed: for signatures of people, and for the tool's where a person signed last.

    A person's key signs the attestation when the dossier is countersigned. Alone, it could attest anything.
    """
    needs = [f"the signature of the {role}" for role in terms.roles]
    if not needs and not record.by_tool:
        needs = [f"the signature of the tool (the {record.signer.role} signed the attestation)"]
    if needs and not record.has_dossier:
        words = f"its dossier is not here, and {needs[0]} is in it"
        return [Refusal(Why.ROLE_MISSING, record.where, words, record.said.run)]
    try:
        held = with_dossier(record, trust) if needs else with_digest(record)
    except GatekeeperError as error:
        return [_broken(record.where, error)]
    missing = list(missing_roles(held, terms))
    return missing or Admitted(held, *expiry(held, terms))


def _broken(where: str, error: GatekeeperError) -> Refusal:
    return Refusal(Why.BROKEN, where, _in_words(error))


def _in_words(error: GatekeeperError) -> str:
    problem = error.problems[0]
    return problem.what + (f" ({problem.why})" if problem.why else "")
