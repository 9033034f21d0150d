"""Python, processor and memory."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterator
from pathlib import Path

from gatekeeper.doctor.finding import Finding, broken, missing, works
from gatekeeper.engine.environment import processor

_AREA = "machine"
_OLDEST, _NEWEST = (3, 11), (3, 13)
_LEAST_MEMORY = 4 << 30


def examine_machine() -> Iterator[Finding]:
    """Tell of Python, system, cores (those that this process may use) and memory (within a container: its limit)."""
    version = platform.python_version()
    if _OLDEST <= sys.version_info[:2] <= _NEWEST:
        yield works(_AREA, "Python", version)
    elif sys.version_info[:2] < _OLDEST:
        yield broken(_AREA, "Python", version, "make a virtual environment with Python 3.11 to 3.13")
    else:
        yield missing(_AREA, "Python", f"{version}, on which nothing was tried", "use Python 3.11 to 3.13")
    system = f"{platform.system()} {platform.release()} {platform.machine()}"
    if sys.platform != "linux":
        yield broken(_AREA, "system", system, "candidates run behind walls that Linux alone has: use Linux")
        return
    yield works(_AREA, "system", system)
    yield works(_AREA, "processor", f"{processor()}, {len(os.sched_getaffinity(0))} cores")
    memory = _memory()
    told = f"{memory / (1 << 30):.1f} GiB"
    if memory >= _LEAST_MEMORY:
        yield works(_AREA, "memory", told)
    else:
        mend = "give the machine 4 GiB or more, or set engine.memory=256 engine.candidate_memory=1024"
        yield missing(_AREA, "memory", told, mend)


def _memory() -> int:
    """Return the memory in bytes: the machine's, or what a control group (version 2) leaves of it."""
    whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        limit = Path("/sys/fs/cgroup/memory.max").read_text().strip()
    except OSError:
        return whole
    return min(whole, int(limit)) if limit.isdigit() else whole
