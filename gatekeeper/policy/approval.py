"""Approval of a policy: a person's signature over the digest of the resolved policy.

An approval is a DSSE envelope over an in-toto statement whose one subject is the resolved policy (``policy.json``). It
says who approved, in which role, when, and what the signature means (21 CFR 11.50(a)). The role is that for which the
signer's certificate was issued; the tool's own role cannot approve, since nobody may set the bar and measure as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import StringConstraints, ValidationError

from gatekeeper.canonical import canonical_json, digest_bytes
from gatekeeper.errors import Code, GatekeeperError, IntegrityError, UsageError
from gatekeeper.evidence import Record
from gatekeeper.policy.schema import Policy
from gatekeeper.strict_yaml import unseen_character
from gatekeeper.trust import (
    PAYLOAD_TYPE,
    Ledger,
    Trust,
    load_signer,
    open_envelope,
    own_trust,
    parse_statement,
    sign_envelope,
    statement,
)

if TYPE_CHECKING:
    from gatekeeper.trust import Signer

APPROVAL_TYPE = "https://gatekeeper.dev/policy-approval/v1"
ROLES = ("engineer", "qa")
SUBJECT = "policy.json"
MEANING = "approved for release checks"
_LARGEST_BYTES = 1 << 20
_LONGEST = 200
_TIME = "%Y-%m-%dT%H:%M:%SZ"
_Moment = Annotated[str, StringConstraints(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")]


class _Signed(Record):
    """What the signature covers, besides the digest of the policy."""

    policy_id: str
    policy_version: str
    by: str
    role: str
    meaning: str
    approved: _Moment


class Approval(_Signed):
    """An approval whose signature holds: of which digest, what was signed, and whose key signed it.

    ``approved`` is in UTC and written as runs write theirs, so that the two compare as text.
    """

    digest: str
    signer: str
    fingerprint: str
    development: bool


@dataclass(frozen=True)
class FoundApproval:
    """The approval to go by, with its envelope as signed; without one, why the one that is there does not hold."""

    approval: Approval | None = None
    envelope: bytes | None = None
    problem: str | None = None


def sign_approval(policy: Policy, by: str, meaning: str, signer: Signer, at: datetime) -> bytes:
    """Return the signed envelope of an approval, at an aware time. Raises UsageError for a name that says nothing."""
    for option, text in (("by", by), ("meaning", meaning)):
        if not text.strip() or len(text) > _LONGEST or unseen_character(text) or len(text.splitlines()) > 1:
            what = f"an approval says who approves and what that means, each in a line of up to {_LONGEST} characters"
            raise UsageError(Code.BAD_VALUE, what, mend=f"mend --{option}")
    said = _Signed(
        policy_id=policy.id,
        policy_version=policy.version,
        by=by,
        role=signer.role,
        meaning=meaning,
        approved=f"{at.astimezone(UTC):{_TIME}}",
    )
    payload = statement({SUBJECT: policy.digest}, APPROVAL_TYPE, said.to_json())
    return sign_envelope(payload, PAYLOAD_TYPE, signer)


def open_approval(source: Path | bytes, trust: Trust, where: str | None = None) -> Approval:
    """Open an approval of a trusted signer.

    Raises UsageError when there is no such file, IntegrityError when the signature does not hold, the certificate was
    not valid when it signed, or was issued for another role than the one it signed in.
    """
    place = where or str(source)
    opened = open_envelope(_read(source) if isinstance(source, Path) else source, PAYLOAD_TYPE, trust, where=place)
    told = parse_statement(opened.payload, where=place, predicate_type=APPROVAL_TYPE)
    try:
        said = _Signed.model_validate_json(canonical_json(told.predicate))
        at = datetime.strptime(said.approved, _TIME).replace(tzinfo=UTC)
    except (ValidationError, ValueError) as error:
        raise _unfit(place, "it does not say who approved, when and in which role") from error
    if set(told.subjects) != {SUBJECT}:
        raise _unfit(place, f"it is not about one {SUBJECT}")
    if said.role not in ROLES or said.role != opened.role:
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


def find_approval(
    policy: Policy, started: str, trust: Trust, home: Path, beside: Path, given: Path | None
) -> FoundApproval:
    """Return the approval that is given, else one that fits from beside the policy's file or of this machine.

    ``started`` is the time of the run, ``beside`` the policy's file. Where none fits, one that does not is returned,
    so that it can be said why. Raises UsageError or IntegrityError only for an approval that was given.
    """
    if given is not None:
        envelope = _read(given)
        return FoundApproval(open_approval(envelope, trust, where=str(given)), envelope)
    unfit = FoundApproval()
    for path in _places(policy, home, beside):
        try:
            envelope = _read(path)
            approval = open_approval(envelope, trust, where=str(path))
        except GatekeeperError as error:
            first = error.problems[0]
            unfit = unfit if unfit.approval else FoundApproval(problem=f"{path}: {first.why or first.what}")
            continue
        if approval.digest == policy.digest and approval.approved <= started:
            return FoundApproval(approval, envelope)
        unfit = FoundApproval(approval, envelope)
    return unfit


def approve(
    policy: Policy, by: str, role: str, meaning: str, home: Path, at: datetime, out: Path | None = None
) -> tuple[Approval, Path]:
    """Sign an approval with the key of a role in ``home``; return it, and where it was written.

    It goes to the approvals of this machine and to ``out``; the ledger gets a line. Raises UsageError.
    """
    if role not in ROLES:
        why = "whoever measures does not set the bar" if role == "tool" else None
        mend = f"--role {' or --role '.join(ROLES)}"
        raise UsageError(Code.FORBIDDEN, f'the role "{role}" cannot approve a policy', why=why, mend=mend)
    signer = load_signer(home, role)
    envelope = sign_approval(policy, by, meaning, signer, at)
    approval = open_approval(envelope, own_trust(home), where="the approval")
    kept = _kept(home, policy) / f"{approval.approved.replace(':', '')}-{role}.dsse.json"
    for path in (kept, *([out] if out else [])):
        _write(path, envelope)
    with Ledger(home / "ledger.sqlite") as ledger:
        body = {"policy": policy.digest, "by": by, "role": role, "key": signer.fingerprint}
        ledger.append("policy.approved", {**body, "approval": digest_bytes(envelope)}, approval.approved)
    return approval, out or kept


def _kept(home: Path, policy: Policy) -> Path:
    return home / "approvals" / policy.digest.removeprefix("sha256:")


def _places(policy: Policy, home: Path, beside: Path) -> Iterator[Path]:
    file = beside.with_suffix(".approval.json")
    if file.exists():
        yield file
    folder = _kept(home, policy)
    if folder.is_dir():
        yield from sorted(folder.glob("*.dsse.json"), reverse=True)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(_LARGEST_BYTES)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or type(error).__name__
        what, mend = "the approval cannot be read", "name a file that `gatekeeper policy approve` wrote"
        raise UsageError(Code.FILE_NOT_FOUND, what, where=str(path), why=why, mend=mend) from error


def _write(path: Path, data: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    except OSError as error:
        what, mend = "the approval cannot be written", "choose another file with --out"
        raise UsageError(Code.CANNOT_WRITE, what, where=str(path), why=error.strerror, mend=mend) from error


def _unfit(where: str, why: str) -> IntegrityError:
    mend = "have the policy approved again with `gatekeeper policy approve`"
    return IntegrityError(Code.BAD_SIGNATURE, "this is not an approval", where=where, why=why, mend=mend)
