"""Where a run was made."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
from pathlib import Path

from gatekeeper import __version__
from gatekeeper.candidate.worker import Report
from gatekeeper.engine.settings import EngineSettings
from gatekeeper.engine.workers import ISOLATION
from gatekeeper.evidence import Environment

_PACKAGES = ("numpy", "scipy", "pyarrow", "pydicom", "pydantic", "safetensors", "hydra-core", "weasyprint", "pyhanko")


def describe_environment(report: Report, settings: EngineSettings) -> Environment:
    """Record where a run was made, from the worker's own report and what this process sees."""
    return Environment(
        gatekeeper=__version__,
        python=platform.python_version(),
        platform=f"{sys.platform} {platform.release()} {platform.machine()}",
        processor=_processor(),
        cores=len(os.sched_getaffinity(0)),
        device=report.device,
        device_name=report.device_name,
        numeric_format="fp32",
        batch_size=settings.batch_size,
        threads=settings.thread_count,
        deterministic=report.deterministic,
        isolation=ISOLATION,
        packages={"torch": report.torch, **{name: importlib.metadata.version(name) for name in _PACKAGES}},
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "unknown"
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or "unknown")
