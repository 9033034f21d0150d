"""A revocation: a signed statement that a candidate, or one run of it, must no longer be relied on.

It is a DSSE envelope over an in-toto statement with the candidate's digest as its one subject. It is for good: there is
no statement that takes it back. A candidate that was revoked is admitted by no run, whenever that was made; where one
run was revoked, another run of the same candidate can be admitted.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from gatekeeper.canonical import JSON
from gatekeeper.errors import Code, IntegrityError, UsageError
from gatekeeper.release.attested import moment, written
from gatekeeper.release.stores import hexadecimal
from gatekeeper.strict_yaml import unseen_character
from gatekeeper.trust import PAYLOAD_TYPE, Trust, open_envelope, parse_statement, sign_envelope, statement

if TYPE_CHECKING:
    from gatekeeper.trust import Signer

REVOCATION_TYPE = "https://gatekeeper.dev/revocation/v1"
REVOKERS = ("qa", "tool")
_SUBJECT = "candidate"
_KEYS = {"because", "role", "revoked", "run"}
_LONGEST = 500


@dataclass(frozen=True)
class Revocation:
    """A revocation whose signature holds: of which candidate, or of which run alone, why, when and by whom."""

    candidate: str
    run: str | None
    because: str
    revoked: str
    role: str
    signer: str


def sign_revocation(candidate: str, run: str | None, because: str, signer: Signer, at: datetime) -> bytes:
    """Return the signed envelope. Raises UsageError for a reason that says nothing, or a role that may not revoke."""
    if signer.role not in REVOKERS:
        mend = f"--role {' or --role '.join(REVOKERS)}"
        raise UsageError(Code.FORBIDDEN, f'the role "{signer.role}" cannot revoke', mend=mend)
    if not because.strip() or len(because) > _LONGEST or unseen_character(because) or len(because.splitlines()) > 1:
        what = f"a revocation says why, in one line of up to {_LONGEST} characters"
        raise UsageError(Code.BAD_VALUE, what, mend="mend --because")
    hexadecimal(candidate)
    said: dict[str, JSON] = {"because": because, "role": signer.role, "revoked": written(at), "run": run}
    return sign_envelope(statement({_SUBJECT: candidate}, REVOCATION_TYPE, said), PAYLOAD_TYPE, signer)


def open_revocation(envelope: bytes, candidate: str, trust: Trust, where: str) -> Revocation:
    """Open a revocation that is filed under a candidate. Raises IntegrityError where it does not hold.

    The key must be one of a role that may revoke. That its certificate has ended since does not matter: what was
    revoked stays so.
    """
    opened = open_envelope(envelope, PAYLOAD_TYPE, trust, where=where)
    told = parse_statement(opened.payload, where=where, predicate_type=REVOCATION_TYPE)
    role, said = opened.role or "tool", told.predicate
    if role not in REVOKERS or said.get("role") != role:
        raise _unfit(where, f'its key was issued for the role "{role}", which may not revoke')
    if set(told.subjects) != {_SUBJECT} or told.subjects[_SUBJECT] != candidate:
        raise _unfit(where, "it is of another candidate than the one it is filed under")
    because, revoked, run = said.get("because"), said.get("revoked"), said.get("run")
    try:
        moment(revoked)
    except ValueError as error:
        raise _unfit(where, "it does not say when it was made") from error
    if set(said) != _KEYS or not isinstance(because, str) or not (run is None or isinstance(run, str)):
        raise _unfit(where, "it does not say of what, why and when")
    return Revocation(candidate, run, because, str(revoked), role, opened.common_name)


def _unfit(where: str, why: str) -> IntegrityError:
    mend = "ask whoever revokes; remove the file only if they say that it is none of theirs"
    return IntegrityError(Code.BAD_SIGNATURE, "this is not a revocation that holds", where=where, why=why, mend=mend)
