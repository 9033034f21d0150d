"""Requirement and evidence to finding; findings to verdict."""

from gatekeeper.verdict.blind_spots import blind_spots
from gatekeeper.verdict.conclude import conclude, decide
from gatekeeper.verdict.decidable import Reach, Shortfall, shortfalls, told
from gatekeeper.verdict.judge import judge
from gatekeeper.verdict.recompute import recompute, recompute_self_test
from gatekeeper.verdict.release import Bar, ReleaseBar, approval_bars, carried, release_bars
from gatekeeper.verdict.self_test import run_self_test

__all__ = [
    "Bar",
    "Reach",
    "ReleaseBar",
    "Shortfall",
    "approval_bars",
    "blind_spots",
    "carried",
    "conclude",
    "decide",
    "judge",
    "recompute",
    "recompute_self_test",
    "release_bars",
    "run_self_test",
    "shortfalls",
    "told",
]
