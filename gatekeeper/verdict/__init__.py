"""Requirement and evidence to finding; findings to verdict."""

from gatekeeper.verdict.conclude import conclude, decide
from gatekeeper.verdict.decidable import Reach, Shortfall, shortfalls, told
from gatekeeper.verdict.judge import judge
from gatekeeper.verdict.recompute import recompute
from gatekeeper.verdict.release import Bar, ReleaseBar, approval_bars, release_bars

__all__ = [
    "Bar",
    "Reach",
    "ReleaseBar",
    "Shortfall",
    "approval_bars",
    "conclude",
    "decide",
    "judge",
    "recompute",
    "release_bars",
    "shortfalls",
    "told",
]
