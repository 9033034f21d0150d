"""What commands print of a finished run."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from gatekeeper.gate import CheckResult

_WIDTH_WITHOUT_TERMINAL = 140


def console() -> Console:
    """Return the console of stdout; wide enough for a table where there is no terminal."""
    from rich.console import Console

    return Console() if sys.stdout.isatty() else Console(width=_WIDTH_WITHOUT_TERMINAL)


def print_result(result: CheckResult) -> None:
    """Print the verdict and where the dossier is."""
    from gatekeeper.reporters import print_verdict

    screen = console()
    print_verdict(screen, result.verdict, result.exposures)
    signed = "DEVELOPMENT KEY, not for release" if result.development else "release key"
    screen.print(f"dossier  {result.folder / 'dossier.pdf'}   signed: tool ({signed})", highlight=False, soft_wrap=True)
