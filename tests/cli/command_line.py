"""The real command in a process of its own, as tests of the command line call it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

GATEKEEPER = [sys.executable, "-m", "gatekeeper"]


def environment(home: Path, **variables: str) -> dict[str, str]:
    return {**os.environ, "GATEKEEPER_HOME": str(home), "COLUMNS": "100"} | variables


def call(*arguments: object, home: Path, cwd: Path | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; nothing that it says may be a traceback."""
    done = subprocess.run(
        [*GATEKEEPER, *map(str, arguments)],
        env=environment(home, **variables),
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "Traceback" not in done.stderr
    return done
