"""Admission: whether a model may be started, as signed records say. Nothing is run, recomputed or fetched.

A candidate is admitted when one record of it holds, is a PASS that nothing bars under the context's policy, has not
expired, was neither revoked nor contradicted by a later FAIL, and has every signature that is asked for. One good
record is enough: a broken one beside it changes nothing. A revocation that cannot be believed does: see ``_revoked``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from gatekeeper.errors import ExitCode, GatekeeperError
from gatekeeper.release.attested import written
from gatekeeper.release.opening import OpenedRecord, open_record, with_digest, with_dossier
from gatekeeper.release.revocation import Revocation, open_revocation
from gatekeeper.release.stores import Store
from gatekeeper.trust import Trust

_AHEAD = timedelta(minutes=5)
_DEVELOPMENT = "DEVELOPMENT_KEY"
_WORDS = {
    "EXPLORATORY": "its policy was changed on the command line",
    _DEVELOPMENT: "it is signed with a development key, which anyone could have made",
    "APPROVAL_MISSING": "nobody had approved its policy",
    "APPROVAL_NOT_TRUSTED": "the approval of its policy does not hold",
    "APPROVAL_MISMATCH": "the approval is of another version of its policy",
    "APPROVAL_LATER_THAN_RUN": "its policy was approved after the run began",
    "TEST_SET_WORN": "its test set was used more often than the policy allows",
}
NOT_CHECKED = (
    "whether the store hides a revocation, or a later FAIL: a store cannot prove that nothing is missing",
    "whether it was set back to an older state",
    "the numbers of the record (`gatekeeper verify` recomputes them), and this machine's clock",
)


class Why(StrEnum):
    """Why a record does not admit. The list is closed."""

    NO_RECORD = "NO_RECORD"
    BROKEN = "BROKEN"
    OTHER_CONTEXT = "OTHER_CONTEXT"
    NOT_PASSED = "NOT_PASSED"
    BARRED = "BARRED"
    DEVELOPMENT_KEY = "DEVELOPMENT_KEY"
    EXPIRED = "EXPIRED"
    NOT_YET = "NOT_YET"
    REVOKED = "REVOKED"
    REVOCATION_BROKEN = "REVOCATION_BROKEN"
    CONTRADICTED = "CONTRADICTED"
    ROLE_MISSING = "ROLE_MISSING"
    NOT_BOUND = "NOT_BOUND"


_ELSEWHERE = {Why.NO_RECORD, Why.OTHER_CONTEXT}


@dataclass(frozen=True)
class Refusal:
    """Why one record does not admit: where it is, and a sentence without its full stop.

    ``run`` is the id of its run, where its signature holds.
    """

    why: Why
    where: str
    words: str
    run: str | None = None

    @property
    def of(self) -> str:
        """What it is about, as it is printed."""
        return f"run {self.run}" if self.run is not None else self.where


@dataclass(frozen=True)
class Terms:
    """What is asked besides a PASS.

    ``roles`` must have signed the dossier. ``max_age`` is counted from the end of the run. ``allow_development`` lets
    development keys count, for demonstration. ``artefact`` is the digest of the file that was given in place of the
    whole candidate; then it must be the candidate's one file.
    """

    roles: tuple[str, ...] = ()
    max_age: timedelta | None = None
    allow_development: bool = False
    artefact: str | None = None


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
    failed = next((record for record in opened if _fails(record, context)), None)
    admitted = None
    for record in opened:
        reasons = list(_reasons(record, context, terms, now, revocations, failed))
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
    first: dict[tuple[str, Why, str], Refusal] = {}
    for refusal in refusals:
        first.setdefault((refusal.of, refusal.why, refusal.words), refusal)
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
            stopped.append(Refusal(Why.REVOKED, stored.where, f"the candidate was revoked {_told(revocation)}"))
    return found, stopped


def _fails(record: OpenedRecord, context: str) -> bool:
    """Say whether a record is a FAIL that contradicts: under the policy as filed, whatever its version or test set."""
    said = record.said
    return said.verdict == "FAIL" and said.context == context and not said.exploratory


def _reasons(
    record: OpenedRecord,
    context: str,
    terms: Terms,
    now: datetime,
    revocations: list[Revocation],
    failed: OpenedRecord | None,
) -> Iterator[Refusal]:
    """Give every reason why a record, whose signature holds, does not admit; but for its signatures in the dossier."""
    said = record.said

    def because(why: Why, words: str) -> Refusal:
        return Refusal(why, record.where, words, said.run)

    if said.context != context:
        yield because(Why.OTHER_CONTEXT, f"it is for {said.context} {said.version}")
        return
    if said.verdict != "PASS":
        yield because(Why.NOT_PASSED, f"its verdict is {said.verdict}")
        return
    for bar in said.bars:
        if bar not in ("NOT_PASSED", _DEVELOPMENT):
            yield because(Why.BARRED, _WORDS.get(bar, f"something bars it that is not known here: {bar}"))
    if said.exploratory and "EXPLORATORY" not in said.bars:
        yield because(Why.BARRED, _WORDS["EXPLORATORY"])
    if (record.development or _DEVELOPMENT in said.bars) and not terms.allow_development:
        yield because(Why.DEVELOPMENT_KEY, _WORDS[_DEVELOPMENT])
    expires, ends_with = _expiry(record, terms)
    if now >= expires:
        yield because(Why.EXPIRED, f"it expired at {written(expires)}, with {ends_with}")
    if said.finished > now + _AHEAD:
        words = f"its run ended at {written(said.finished)}, which is not yet; one of the clocks is wrong"
        yield because(Why.NOT_YET, words)
    elif not record.signer.certificate.not_valid_before_utc <= said.finished:
        yield because(Why.NOT_YET, "its run ended before the certificate of its signer was valid")
    for revocation in revocations:
        if revocation.run == said.run:
            yield because(Why.REVOKED, f"this run was revoked {_told(revocation)}")
    if failed is not None and failed.said.finished >= said.finished:
        words = (
            f"a later run is a FAIL: {failed.said.run} of {failed.said.context} {failed.said.version} on "
            f"{failed.said.testset}, {written(failed.said.finished)}"
        )
        yield because(Why.CONTRADICTED, words)
    if terms.artefact is not None and list(said.files.values()) != [terms.artefact]:
        words = f"its candidate has {len(said.files):,} files, and the one that was given does not stand for all"
        yield because(Why.NOT_BOUND, words)


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
    missing = list(_missing(held, terms))
    return missing or Admitted(held, *_expiry(held, terms))


def _missing(record: OpenedRecord, terms: Terms) -> Iterator[Refusal]:
    for role in terms.roles:
        if role not in record.roles:
            words = f"its dossier is not signed by the {role}, but by {', '.join(record.signers)}"
            yield Refusal(Why.ROLE_MISSING, record.where, words, record.said.run)
    if record.development and not terms.allow_development:
        yield Refusal(Why.DEVELOPMENT_KEY, record.where, _WORDS[_DEVELOPMENT], record.said.run)


def _expiry(record: OpenedRecord, terms: Terms) -> tuple[datetime, str]:
    """Return when a record ends, and what ends it: a certificate, a waiver that the verdict hangs on, or its age."""
    ends = [(record.certificate_ends, "the certificate of its signer")]
    if record.said.waived_until is not None:
        ends.append((record.said.waived_until, "a waiver that its verdict hangs on"))
    if terms.max_age is not None:
        ends.append((record.said.finished + terms.max_age, f"its age ({terms.max_age.days:,} days)"))
    return min(ends)


def _broken(where: str, error: GatekeeperError) -> Refusal:
    return Refusal(Why.BROKEN, where, _in_words(error))


def _in_words(error: GatekeeperError) -> str:
    problem = error.problems[0]
    return problem.what + (f" ({problem.why})" if problem.why else "")


def _told(revocation: Revocation) -> str:
    return f"at {revocation.revoked} by {revocation.signer} ({revocation.role}): {revocation.because}"
