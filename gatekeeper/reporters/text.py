"""A verdict as the terminal shows it, in a file: no colour, 120 columns."""

from __future__ import annotations

from io import StringIO

from gatekeeper.reporters.terminal import print_judged
from gatekeeper.reporters.told import Failed, Judged

_WIDTH = 120


def judged_text(judged: Judged) -> str:
    """Return what the terminal prints of a verdict."""
    from rich.console import Console

    stream = StringIO()
    print_judged(Console(file=stream, width=_WIDTH, color_system=None, force_terminal=False), judged)
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines()) + "\n"


def failed_text(failed: Failed) -> str:
    """Return what the terminal prints of an error."""
    told = "\n\n".join(str(problem) for problem in failed.problems)
    return f"{told}\n\nNothing was judged (exit code {failed.exit_code}).\n"
