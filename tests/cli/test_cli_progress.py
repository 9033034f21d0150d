"""Progress as a pipeline's log shows it: whole lines, no bar, wherever stderr goes."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

import pytest

PROGRAM = """
import gatekeeper.cli.progress as progress
progress._QUIET_SECONDS = 0.0
with progress.shown_progress() as show:
    show("reading", 0, 4)
    show("reading", 2, 4)
"""


def told(**variables: str) -> str:
    """Return what a terminal gets."""
    ours, theirs = pty.openpty()
    environment = {**{key: value for key, value in os.environ.items() if key != "CI"}, "TERM": "xterm"} | variables
    done = subprocess.Popen([sys.executable, "-c", PROGRAM], stderr=theirs, env=environment)
    os.close(theirs)
    text = b""
    try:
        while piece := os.read(ours, 1 << 16):
            text += piece
    except OSError:  # the other end was closed
        pass
    os.close(ours)
    assert done.wait(30) == 0
    return text.decode()


@pytest.mark.parametrize("variables", [{"CI": "true"}, {"TERM": "dumb"}], ids=["pipeline", "dumb"])
def test_a_terminal_that_nobody_sits_at_gets_plain_lines(variables: dict[str, str]) -> None:
    assert told(**variables).replace("\r", "") == "reading: 0 of 4 (0 %)\n"


def test_a_person_gets_a_bar() -> None:
    assert "\x1b[" in told()
