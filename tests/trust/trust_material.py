"""What the tests of the room share: key sets made in memory, boxes, an attachment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from gatekeeper.trust._development import issue, make_root
from gatekeeper.trust.keys import KeyRing, Signer

ATTACHED = b'{"verdict":"PASS","sensitivity":0.931}' + b" " * 100
SIGNED_AT = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
MEANING = "Made by gatekeeper from the attached evidence & policy"


@dataclass(frozen=True)
class Rectangle:
    page: int
    x1: float
    y1: float
    x2: float
    y2: float


BOXES = {
    role: Rectangle(0, 50.0 + 165.5 * index, 50.0, 194.5 + 165.5 * index, 110.0)
    for index, role in enumerate(("tool", "engineer", "qa"))
}


@dataclass(frozen=True)
class Trio:
    """A root and one signer for each role."""

    ring: KeyRing
    engineer: Signer
    qa: Signer


def make_trio() -> Trio:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    root, root_key = make_root(now)
    tool, engineer, qa = (Signer(role, *issue(role, root, root_key, now)) for role in ("tool", "engineer", "qa"))
    return Trio(KeyRing(Path("nowhere"), root, tool), engineer, qa)
