"""What this machine can do: each part really tried, nothing changed, and how to mend what is missing."""

from gatekeeper.doctor.examination import Examination, examine
from gatekeeper.doctor.finding import Finding, State

__all__ = ["Examination", "Finding", "State", "examine"]
