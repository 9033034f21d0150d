"""The records that everything passes on: conditions, rows of evidence, environment, findings, verdict."""

from gatekeeper.evidence.conditions import BASELINE, Condition, Plan
from gatekeeper.evidence.environment import Clock, Environment
from gatekeeper.evidence.findings import Digests, Finding, RunStamp, Threshold, Verdict, Waived, reproducible_digest
from gatekeeper.evidence.outcomes import CaseOutcome, Outcome, Reason, VerdictWord
from gatekeeper.evidence.record import STRICT, Record
from gatekeeper.evidence.table import Evidence, Rows, read_evidence

__all__ = [
    "BASELINE",
    "STRICT",
    "CaseOutcome",
    "Clock",
    "Condition",
    "Digests",
    "Environment",
    "Evidence",
    "Finding",
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
