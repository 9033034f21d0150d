"""A candidate over cases under conditions."""

from gatekeeper.engine.inputs import Kind
from gatekeeper.engine.run import RunResult, run_plan
from gatekeeper.engine.settings import EngineSettings

__all__ = ["EngineSettings", "Kind", "RunResult", "run_plan"]
