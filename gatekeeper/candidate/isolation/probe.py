"""Run within the walls to see whether they hold: ``python -I -m gatekeeper.candidate.isolation.probe``."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path

from gatekeeper.candidate.isolation.confinement import Confinement
from gatekeeper.candidate.isolation.walls import confine
from gatekeeper.errors import GatekeeperError

HELD = "held"


def main(level: str, confinement: str, canary: str) -> None:
    """Wall in, then try what must not be possible. Prints HELD, or what went wrong, in one line."""
    allowed = Confinement.model_validate_json(confinement)
    try:
        confine(allowed, level)
    except GatekeeperError as error:
        print(error.problems[0].why or error.problems[0].what)
        return
    tries: dict[str, Callable[[], object]] = {
        "read a file outside": lambda: Path(canary).read_bytes(),
        "write a file outside": lambda: Path(f"{canary}.new").write_bytes(b""),
        "write where it may read": lambda: Path(allowed.read[0], "new").write_bytes(b""),
        "open a socket": socket.socket,
        "start a process": _fork,
        "run a program": lambda: os.execv("/bin/true", ["true"]),
    }
    for what, attempt in tries.items():
        if _succeeds(attempt):
            print(f"a process within the walls could {what}")
            return
    Path(allowed.write, "written").write_bytes(b"")
    print(HELD)


def _succeeds(attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except OSError:
        return False
    return True


def _fork() -> None:
    if os.fork() == 0:
        os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
