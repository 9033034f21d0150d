"""Whom a verification trusts: one root for all, a root of a role's own, or one pinned certificate of a role."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gatekeeper.errors import Code, IntegrityError
from gatekeeper.trust import _certificates as certificates

if TYPE_CHECKING:
    from datetime import datetime

    from cryptography.x509 import Certificate

AUTHORITY = "tsa"  # who gives timestamps, as ``Trust.roots`` names it


@dataclass(frozen=True)
class Trust:
    """``root`` for whoever has no other in ``roots`` (role, or ``tsa``, to root); ``pins``: role to fingerprint.

    There is no other trust store: a certificate is trusted when its role's root itself issued it and, where the role
    is pinned, when it is that very certificate.
    """

    root: Certificate
    roots: Mapping[str, Certificate] = field(default_factory=dict)
    pins: Mapping[str, str] = field(default_factory=dict)

    def root_of(self, role: str) -> Certificate:
        """Return the root that a role's certificate must come from."""
        return self.roots.get(role, self.root)

    def require(self, certificate: Certificate, role: str, *, where: str, at: datetime | None = None) -> None:
        """Raise IntegrityError UNTRUSTED_KEY unless this certificate may sign in this role (at an aware time)."""
        certificates.require_issued_by(certificate, self.root_of(role), where=where, at=at)
        pinned, found = self.pins.get(role), certificates.fingerprint(certificate)
        if pinned is not None and pinned != found:
            raise IntegrityError(
                Code.UNTRUSTED_KEY,
                f"the key of the {role} is not the one that is pinned",
                where=where,
                why=f"it was signed with {found}, and {pinned} is pinned",
                mend="ask whoever signed which certificate is theirs; pin that one only if you believe them",
            )
