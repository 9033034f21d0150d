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
from typing import TYPE_CHECKING

from gatekeeper.canonical import digest_bytes
from gatekeeper.errors import Code, GatekeeperError, UsageError
from gatekeeper.policy.schema import Policy
from gatekeeper.strict_yaml import unseen_character
from gatekeeper.trust import PAYLOAD_TYPE, Ledger, Trust, load_signer, own_trust, sign_envelope, statement
from gatekeeper.trust.approval import (
    APPROVAL_TYPE,
    APPROVERS,
    SUBJECT,
    TIME,
    Approval,
    SignedApproval,
    open_approval,
    read_approval,
)

if TYPE_CHECKING:
    from gatekeeper.trust import Signer

__all__ = [
    "APPROVAL_TYPE",
    "ROLES",
    "SUBJECT",
    "Approval",
    "FoundApproval",
    "approve",
    "find_approval",
    "open_approval",
    "sign_approval",
]

ROLES = APPROVERS
MEANING = "approved for release checks"
_LONGEST = 200


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
    said = SignedApproval(
        policy_id=policy.id,
        policy_version=policy.version,
        by=by,
        role=signer.role,
        meaning=meaning,
        approved=f"{at.astimezone(UTC):{TIME}}",
    )
    payload = statement({SUBJECT: policy.digest}, APPROVAL_TYPE, said.to_json())
    return sign_envelope(payload, PAYLOAD_TYPE, signer)


def find_approval(
    policy: Policy, started: str, trust: Trust, home: Path, beside: Path, given: Path | None
) -> FoundApproval:
    """Return the approval that is given, else one that fits from beside the policy's file or of this machine.

    ``started`` is the time of the run, ``beside`` the policy's file. Where none fits, one that does not is returned,
    so that it can be said why. Raises UsageError or IntegrityError only for an approval that was given.
    """
    if given is not None:
        envelope = read_approval(given)
        return FoundApproval(open_approval(envelope, trust, where=str(given)), envelope)
    unfit = FoundApproval()
    for path in _places(policy, home, beside):
        try:
            envelope = read_approval(path)
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


def _write(path: Path, data: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    except OSError as error:
        what, mend = "the approval cannot be written", "choose another file with --out"
        raise UsageError(Code.CANNOT_WRITE, what, where=str(path), why=error.strerror, mend=mend) from error
