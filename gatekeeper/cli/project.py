"""The record of ``gatekeeper.yaml``; apart from those who read it, since records take a tenth of a second to import."""

from __future__ import annotations

from gatekeeper.evidence import Record


class Project(Record):
    """``gatekeeper.yaml``: what ``gatekeeper check`` works on when its options are left out."""

    policy: str | None = None
    candidate: str | None = None
    testset: str | None = None
    approval: str | None = None
    root: str | None = None
    out: str = "reports"
