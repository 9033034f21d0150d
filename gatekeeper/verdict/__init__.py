"""Requirement and evidence to finding; findings to verdict."""

from gatekeeper.verdict.conclude import conclude, decide
from gatekeeper.verdict.decidable import Reach, Shortfall, shortfalls, told
from gatekeeper.verdict.judge import judge
from gatekeeper.verdict.recompute import recompute

__all__ = ["Reach", "Shortfall", "conclude", "decide", "judge", "recompute", "shortfalls", "told"]
