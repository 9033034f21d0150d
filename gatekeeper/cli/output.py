"""Where commands print a verdict, and which exit code says it."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from gatekeeper.errors import ExitCode

if TYPE_CHECKING:
    from rich.console import Console

    from gatekeeper.verdict import ReleaseBar

_WIDTH_WITHOUT_TERMINAL = 140
_CODES = {
    "PASS": ExitCode.PASS,
    "FAIL": ExitCode.FAIL,
    "INCONCLUSIVE": ExitCode.INCONCLUSIVE,
    "INVALID": ExitCode.INVALID,
}


def console(*, no_color: bool = False) -> Console:
    """Return the console of stdout; wide enough for a table where there is no terminal.

    Without colour there is no bold either: nothing but letters.
    """
    from rich.console import Console

    colours = None if no_color or os.environ.get("NO_COLOR") else "auto"
    width = None if sys.stdout.isatty() else _WIDTH_WITHOUT_TERMINAL
    return Console(width=width, color_system=colours)  # type: ignore[arg-type]


def release_code(verdict: str, bars: tuple[ReleaseBar, ...]) -> int:
    """Return the exit code that asks for a release: the verdict's, or that of FAIL where a PASS is barred."""
    code = exit_code(verdict)
    return int(ExitCode.FAIL) if code == ExitCode.PASS and bars else code


def exit_code(verdict: str) -> int:
    """Return the exit code of a verdict."""
    return int(_CODES[verdict])
