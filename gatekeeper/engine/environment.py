"""Where and how a run was made."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
from dataclasses import dataclass, field
from pathlib import Path

from gatekeeper import __version__
from gatekeeper.candidate import Contract
from gatekeeper.candidate.protocol import Ready
from gatekeeper.engine.settings import EngineSettings
from gatekeeper.evidence import Clock, Environment

NOT_RUN = "the model was not run here: its predictions were made elsewhere"
_PACKAGES = ("numpy", "scipy", "pyarrow", "pydicom", "pydantic", "safetensors", "hydra-core", "weasyprint", "pyhanko")


@dataclass
class Circumstances:
    """What became known on the way: what the worker said of itself, how many were replaced, how steady it was."""

    ready: Ready | None = None
    restarts: int = 0
    clocks: dict[str, Clock] = field(default_factory=dict)


def describe_environment(circumstances: Circumstances, settings: EngineSettings, contract: Contract) -> Environment:
    """Record where a run was made, from the worker's own report and what this process sees."""
    ready = circumstances.ready
    of_worker = dict(ready.packages) if ready else {}
    return Environment(
        gatekeeper=__version__,
        python=platform.python_version(),
        platform=f"{sys.platform} {platform.release()} {platform.machine()}",
        processor=processor(),
        cores=len(os.sched_getaffinity(0)),
        device=ready.device if ready else "none",
        device_name=ready.device_name if ready else "none",
        numeric_format=settings.numeric_format,
        batch_size=settings.batch_size_for(contract),
        threads=settings.thread_count,
        deterministic=ready.deterministic if ready else False,
        isolation="; ".join(ready.walls) if ready else NOT_RUN,
        restarts=circumstances.restarts,
        packages={**of_worker, **{name: importlib.metadata.version(name) for name in _PACKAGES}},
        clocks=dict(sorted(circumstances.clocks.items())),
    )


def processor() -> str:
    """Return the name of the processor, as the kernel tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "unknown"
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or "unknown")
