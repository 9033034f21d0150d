"""A candidate over cases under conditions."""

from gatekeeper.engine.kept_masks import MOST_CASES
from gatekeeper.engine.reading import Kind
from gatekeeper.engine.request import RunRequest
from gatekeeper.engine.run import RunResult, run_plan
from gatekeeper.engine.settings import EngineSettings
from gatekeeper.engine.unanswered import why_unanswered, without_reference

__all__ = [
    "MOST_CASES",
    "EngineSettings",
    "Kind",
    "RunRequest",
    "RunResult",
    "run_plan",
    "why_unanswered",
    "without_reference",
]
