"""The records that everything passes on: conditions, rows of evidence, environment, findings, verdict.

The table of rows is imported when it is asked for: numpy takes longer than a command without evidence should.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gatekeeper.evidence.conditions import BASELINE, Condition, Plan
from gatekeeper.evidence.environment import Clock, Environment
from gatekeeper.evidence.findings import (
    Digests,
    Finding,
    FindingInShort,
    RunStamp,
    Threshold,
    Verdict,
    Waived,
    reproducible_digest,
)
from gatekeeper.evidence.outcomes import CaseOutcome, Outcome, Reason, VerdictWord
from gatekeeper.evidence.record import STRICT, Digest, Record

if TYPE_CHECKING:
    from gatekeeper.evidence.table import Evidence, Rows, read_evidence

__all__ = [
    "BASELINE",
    "STRICT",
    "CaseOutcome",
    "Clock",
    "Condition",
    "Digest",
    "Digests",
    "Environment",
    "Evidence",
    "Finding",
    "FindingInShort",
    "Outcome",
    "Plan",
    "Reason",
    "Record",
    "Rows",
    "RunStamp",
    "Threshold",
    "Verdict",
    "VerdictWord",
    "Waived",
    "read_evidence",
    "reproducible_digest",
]


def __getattr__(name: str) -> object:
    if name not in ("Evidence", "Rows", "read_evidence"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from gatekeeper.evidence import table

    return getattr(table, name)
