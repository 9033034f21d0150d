"""What an engine is asked to run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gatekeeper.candidate import Candidate
from gatekeeper.engine.measuring import Asked
from gatekeeper.engine.reading import Kind
from gatekeeper.engine.settings import EngineSettings
from gatekeeper.evidence import Evidence, Plan
from gatekeeper.testset import LockedTestSet

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class RunRequest:
    """What to run: a plan, a candidate, a test set, of what kind its images are, what evidence must hold, and how.

    ``journal`` is the folder in which the run keeps what it found; ``log`` takes what lost workers printed.
    ``pictured`` is the structure whose masks at baseline are kept there as well, those of cases that are no repeats.
    ``decided`` says of a condition that is run ``until_decided``, by its id and the evidence so far, whether it need
    not be run any more.
    """

    plan: Plan
    candidate: Candidate
    testset: LockedTestSet
    kind: Kind
    asked: Asked
    settings: EngineSettings
    journal: Path
    log: Path
    pictured: str | None = None
    decided: Callable[[str, Evidence], bool] = lambda condition, evidence: False

    @property
    def batch_size(self) -> int:
        """How many cases are asked at once, where a condition does not say."""
        return self.settings.batch_size_for(self.candidate.record.contract)
