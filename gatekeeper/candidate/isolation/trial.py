"""Which walls can be put up on this machine: tried for real, since kernels, containers and hosts forbid them."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Literal

from gatekeeper.candidate.isolation.confinement import Confinement, Level
from gatekeeper.candidate.isolation.drain import Drain
from gatekeeper.candidate.isolation.launch import start
from gatekeeper.candidate.isolation.probe import HELD
from gatekeeper.errors import Code, GatekeeperError, InvalidRunError, UsageError, printable

_SECONDS = 60.0
MENDS = {
    Level.BUBBLEWRAP: "install bubblewrap (sudo apt-get install bubblewrap libseccomp2) and let users make namespaces",
    Level.LANDLOCK: "use Linux 5.13 or later with Landlock, and install libseccomp (sudo apt-get install libseccomp2)",
}


def choose(wanted: Literal["auto", "bubblewrap", "landlock"]) -> Level:
    """Return the wall to use: the one that is wanted, or the first that holds on this machine.

    Raises
    ------
    UsageError
        The one that is wanted does not hold here.
    InvalidRunError
        None holds here: no candidate can be run.
    """
    if wanted != "auto":
        level = Level(wanted)
        if (fault := why_not(level)) is not None:
            raise UsageError(
                Code.MISSING_PACKAGE,
                f"isolation by {level.value} does not work on this machine",
                why=fault,
                mend=f"{MENDS[level]}; or set engine.isolation=auto",
            )
        return level
    for level in Level:
        if why_not(level) is None:
            return level
    raise InvalidRunError(
        Code.MISSING_PACKAGE,
        "no isolation works on this machine, and a candidate is not run without",
        why="; ".join(f"{level.value}: {why_not(level)}" for level in Level),
        mend="; or ".join(MENDS[level] for level in Level),
    )


def usable_levels() -> tuple[Level, ...]:
    """Return the walls that hold on this machine, the stronger one first. Each is tried once in a process's life."""
    return tuple(level for level in Level if why_not(level) is None)


@cache
def why_not(level: Level) -> str | None:
    """Return why a wall cannot be used here, in one line; None when it was tried and held."""
    with tempfile.TemporaryDirectory(prefix="gatekeeper-trial-") as folder:
        canary, read, write = Path(folder, "canary"), Path(folder, "read"), Path(folder, "write")
        canary.write_bytes(b"not to be seen")
        read.mkdir()
        write.mkdir()
        confinement = Confinement(read=(str(read),), write=str(write), memory_bytes=4 << 30, file_bytes=1 << 20)
        arguments = [sys.executable, "-I", "-m", "gatekeeper.candidate.isolation.probe"]
        arguments += [level.value, confinement.model_dump_json(), str(canary)]
        try:
            status, printed = _run(arguments, confinement, level)
        except GatekeeperError as error:
            return error.problems[0].what
        except subprocess.TimeoutExpired:
            return "the trial did not end"
    lines = [line for line in printed.decode(errors="replace").splitlines() if line.strip()]
    if status == 0 and lines[-1:] == [HELD]:
        return None
    return printable(lines[-1])[:200] if lines else f"the trial ended with status {status}"


def _run(arguments: Sequence[str], confinement: Confinement, level: Level) -> tuple[int, bytes]:
    reading, writing = os.pipe()
    with Drain(reading) as printed:
        try:
            process = start(arguments, confinement, level, environment={"LANG": "C.UTF-8"}, output=writing)
        finally:
            os.close(writing)
        try:
            status = process.wait(_SECONDS)
        finally:
            process.kill()
            process.wait()
    return status, printed.text()
