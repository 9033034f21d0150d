"""Why a record, whose signature holds, does not admit: pure functions of it, of what is asked, and of the time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from gatekeeper.release.attested import written
from gatekeeper.release.opening import OpenedRecord
from gatekeeper.release.revocation import Revocation

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
    NOT_POINTED_TO = "NOT_POINTED_TO"


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
    def line(self) -> str:
        """The sentence with what it is about, as it is printed."""
        if self.run is not None:
            return f"run {self.run}: {self.words}"
        return self.words if self.why is Why.REVOKED else f"{self.where}: {self.words}"


@dataclass(frozen=True)
class Terms:
    """What is asked besides a PASS.

    ``roles`` must have signed the dossier. ``max_age`` is counted from the end of the run. ``allow_development`` lets
    development keys count, for demonstration. ``artefact`` is the digest of the file that was given in place of the
    whole candidate; then it must be the candidate's one file. ``alias`` is the name that must point to it now.
    """

    roles: tuple[str, ...] = ()
    max_age: timedelta | None = None
    allow_development: bool = False
    artefact: str | None = None
    alias: str | None = None


def contradicts(record: OpenedRecord, context: str) -> bool:
    """Say whether a record is a FAIL that contradicts: under the policy as filed, whatever its version or test set."""
    said = record.said
    return said.verdict == "FAIL" and said.context == context and not said.exploratory


def reasons_against(
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
    expires, ends_with = expiry(record, terms)
    if now >= expires:
        yield because(Why.EXPIRED, f"it expired at {written(expires)}, with {ends_with}")
    if said.finished > now + _AHEAD:
        words = f"its run ended at {written(said.finished)}, which is not yet; one of the clocks is wrong"
        yield because(Why.NOT_YET, words)
    elif not record.signer.certificate.not_valid_before_utc <= said.finished:
        yield because(Why.NOT_YET, "its run ended before the certificate of its signer was valid")
    for revocation in revocations:
        if revocation.run == said.run:
            yield because(Why.REVOKED, f"this run was revoked {in_words(revocation)}")
    if failed is not None and failed.said.finished >= said.finished:
        words = (
            f"a later run is a FAIL: {failed.said.run} of {failed.said.context} {failed.said.version} on "
            f"{failed.said.testset}, {written(failed.said.finished)}"
        )
        yield because(Why.CONTRADICTED, words)
    if terms.artefact is not None and list(said.files.values()) != [terms.artefact]:
        words = f"its candidate has {len(said.files):,} files, and the one that was given does not stand for all"
        yield because(Why.NOT_BOUND, words)


def missing_roles(record: OpenedRecord, terms: Terms) -> Iterator[Refusal]:
    """Give what its dossier's signatures, once they were looked at, lack or are."""
    for role in terms.roles:
        if role not in record.roles:
            words = f"its dossier is not signed by the {role}, but by {', '.join(record.signers)}"
            yield Refusal(Why.ROLE_MISSING, record.where, words, record.said.run)
    if record.development and not terms.allow_development:
        yield Refusal(Why.DEVELOPMENT_KEY, record.where, _WORDS[_DEVELOPMENT], record.said.run)


def expiry(record: OpenedRecord, terms: Terms) -> tuple[datetime, str]:
    """Return when a record ends, and what ends it: a certificate, a waiver that the verdict hangs on, or its age."""
    ends = [
        (record.certificate_ends, "the certificate of its signer"),
        (record.root_ends, "the root of its signer's certificate"),
    ]
    if record.said.waived_until is not None:
        ends.append((record.said.waived_until, "a waiver that its verdict hangs on"))
    if terms.max_age is not None:
        ends.append((record.said.finished + terms.max_age, f"its age ({terms.max_age.days:,} days)"))
    return min(ends)


def in_words(revocation: Revocation) -> str:
    """Return when a revocation was made, by whom and why."""
    return f"at {revocation.revoked} by {revocation.signer} ({revocation.role}): {revocation.because}"
