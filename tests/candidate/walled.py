"""Runs a piece of Python within the walls, as a worker is run, and brings back what it found."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gatekeeper.candidate.isolation import Confinement, Drain, Level, Watch, start

ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}

_BEFORE = """
import json, os, sys
from gatekeeper.candidate.isolation import Confinement, confine
_told = {}
_walls = confine(Confinement.model_validate_json(sys.argv[1]), sys.argv[2])
def attempt(name):
    def run(function):
        try:
            _told[name] = ["done", function()]
        except BaseException as error:
            _told[name] = [type(error).__name__, getattr(error, "errno", None)]
    return run
"""
_AFTER = """
_line = json.dumps({"walls": _walls, "told": _told}, default=str).encode()
while _line:
    _line = _line[os.write(int(sys.argv[3]), _line):]
"""


@dataclass(frozen=True)
class Ended:
    """How a walled process ended: its status, what it told, what it printed, what a watch saw."""

    status: int
    told: dict[str, Any]
    walls: tuple[str, ...]
    printed: bytes
    over: str | None


def confinement(folder: Path, **changes: Any) -> Confinement:
    """Make the private folders of a candidate, and what it is allowed: little."""
    model, work = folder / "model", folder / "work"
    for made in (model, work):
        made.mkdir(exist_ok=True)
    allowed = {"read": (str(model),), "write": str(work), "memory_bytes": 4 << 30, "file_bytes": 64 << 20}
    return Confinement(**allowed | changes)


def with_landlock(abi: int) -> str:
    """Code that makes the kernel's Landlock look older than it is, or (0) not there."""
    return f"""
from py_landlock import LandlockNotAvailableError, landlock, landlock_sys
def get_abi_version():
    if not {abi}:
        raise LandlockNotAvailableError
    return {abi}
landlock.get_abi_version = landlock_sys.get_abi_version = get_abi_version
"""


def run(
    code: str, allowed: Confinement, level: Level, *, seconds: float = 60.0, before: str = "", **more: str
) -> Ended:
    """Run code within the walls, with ``attempt(name)`` at hand; end it when a watch says so, or after some time.

    ``before`` is run before the walls are up, ``more`` are environment variables.
    """
    reading, writing = os.pipe()
    told, telling = os.pipe()
    with Drain(reading) as printed:
        program = [sys.executable, "-I", "-c", before + _BEFORE + code + _AFTER]
        process = start(
            [*program, allowed.model_dump_json(), level.value, str(telling)],
            allowed,
            level,
            pass_fds=(telling,),
            environment=ENVIRONMENT | more,
            output=writing,
        )
        os.close(writing)
        os.close(telling)
        watch, over = Watch(process.pid, allowed), None
        with Drain(told, head=1 << 22) as heard:
            for _ in range(int(seconds / 0.05)):
                if process.poll() is not None or (over := watch.over()):
                    break
                try:
                    process.wait(0.05)
                except subprocess.TimeoutExpired:
                    continue
            if process.poll() is None:
                os.killpg(process.pid, 9)
            status = process.wait()
        said = json.loads(heard.text() or b"{}")
    return Ended(status, said.get("told", {}), tuple(said.get("walls", ())), printed.text(), over)
