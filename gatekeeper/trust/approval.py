"""An approval of a policy, opened: whose signature holds over the digest of which resolved policy.

How an approval is made and found is the room ``policy``'s; here nothing of a policy is known but its digest.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from pydantic import StringConstraints, ValidationError

from gatekeeper.canonical import canonical_json
from gatekeeper.errors import Code, IntegrityError, UsageError
from gatekeeper.evidence import Record
from gatekeeper.trust.anchors import Trust
from gatekeeper.trust.dsse import open_envelope
from gatekeeper.trust.statement import PAYLOAD_TYPE, parse_statement

APPROVAL_TYPE = "https://gatekeeper.dev/policy-approval/v1"
APPROVERS = ("engineer", "qa")
SUBJECT = "policy.json"
TIME = "%Y-%m-%dT%H:%M:%SZ"
_LARGEST_BYTES = 1 << 20
_Moment = Annotated[str, StringConstraints(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")]


class SignedApproval(Record):
    """What the signature covers, besides the digest of the policy."""

    policy_id: str
    policy_version: str
    by: str
    role: str
    meaning: str
    approved: _Moment


class Approval(SignedApproval):
    """An approval whose signature holds: of which digest, what was signed, and whose key signed it.

    ``approved`` is in UTC and written as runs write theirs, so that the two compare as text.
    """

    digest: str
    signer: str
    fingerprint: str
    development: bool


def open_approval(source: Path | bytes, trust: Trust, where: str | None = None) -> Approval:
    """Open an approval of a trusted signer.

    Raises UsageError when there is no such file, IntegrityError when the signature does not hold, the certificate was
    not valid when it signed, or was issued for another role than the one it signed in.
    """
    place = where or str(source)
    envelope = read_approval(source) if isinstance(source, Path) else source
    opened = open_envelope(envelope, PAYLOAD_TYPE, trust, where=place)
    told = parse_statement(opened.payload, where=place, predicate_type=APPROVAL_TYPE)
    try:
        said = SignedApproval.model_validate_json(canonical_json(told.predicate))
        at = datetime.strptime(said.approved, TIME).replace(tzinfo=UTC)
    except (ValidationError, ValueError) as error:
        raise _unfit(place, "it does not say who approved, when and in which role") from error
    if set(told.subjects) != {SUBJECT}:
        raise _unfit(place, f"it is not about one {SUBJECT}")
    if said.role not in APPROVERS or said.role != opened.role:
        signed_in = f'the role "{opened.role}"' if opened.role else "no role"
        raise _unfit(place, f'it claims the role "{said.role}", and its key was issued for {signed_in}')
    opened.require_valid(trust, at, where=place)
    return Approval(
        **dict(said),
        digest=told.subjects[SUBJECT],
        signer=opened.common_name,
        fingerprint=opened.fingerprint,
        development=opened.development,
    )


def read_approval(path: Path) -> bytes:
    """Return the bytes of a file, up to a bound. Raises UsageError where it cannot be read."""
    try:
        with path.open("rb") as stream:
            return stream.read(_LARGEST_BYTES)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or type(error).__name__
        what, mend = "the approval cannot be read", "name a file that `gatekeeper policy approve` wrote"
        raise UsageError(Code.FILE_NOT_FOUND, what, where=str(path), why=why, mend=mend) from error


def _unfit(where: str, why: str) -> IntegrityError:
    mend = "have the policy approved again with `gatekeeper policy approve`"
    return IntegrityError(Code.BAD_SIGNATURE, "this is not an approval", where=where, why=why, mend=mend)
