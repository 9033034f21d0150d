"""Screening of a test set for what could identify a patient: where it stands, never what it says."""

from gatekeeper.testset.screening.file import screen_file
from gatekeeper.testset.screening.trace import RULES, Trace, report, unallowed

__all__ = ["RULES", "Trace", "report", "screen_file", "unallowed"]
