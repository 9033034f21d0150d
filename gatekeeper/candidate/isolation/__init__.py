"""The walls around a candidate's process: what it sees, what it may write, call and use up."""

from gatekeeper.candidate.isolation.confinement import Confinement, Level
from gatekeeper.candidate.isolation.drain import Drain
from gatekeeper.candidate.isolation.launch import start
from gatekeeper.candidate.isolation.trial import choose, usable_levels, why_not
from gatekeeper.candidate.isolation.visible import exposed
from gatekeeper.candidate.isolation.walls import confine
from gatekeeper.candidate.isolation.watch import Watch

__all__ = [
    "Confinement",
    "Drain",
    "Level",
    "Watch",
    "choose",
    "confine",
    "exposed",
    "start",
    "usable_levels",
    "why_not",
]
