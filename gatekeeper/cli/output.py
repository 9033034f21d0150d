"""What commands print of a finished run."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from gatekeeper.errors import ExitCode, printable

if TYPE_CHECKING:
    from rich.console import Console

    from gatekeeper.canonical import JSON
    from gatekeeper.gate import CheckResult
    from gatekeeper.verdict import ReleaseBar

_WIDTH_WITHOUT_TERMINAL = 140
_CODES = {
    "PASS": ExitCode.PASS,
    "FAIL": ExitCode.FAIL,
    "INCONCLUSIVE": ExitCode.INCONCLUSIVE,
    "INVALID": ExitCode.INVALID,
}


def console() -> Console:
    """Return the console of stdout; wide enough for a table where there is no terminal."""
    from rich.console import Console

    return Console() if sys.stdout.isatty() else Console(width=_WIDTH_WITHOUT_TERMINAL)


def print_result(result: CheckResult, *, self_test: bool = False) -> None:
    """Print the verdict and where the dossier is; what the gate made of planted defects in short, or as a table."""
    from gatekeeper.reporters import print_self_test, print_verdict

    screen = console()
    print_verdict(screen, result.verdict, result.exposures)
    print_self_test(screen, result.self_test, whole=self_test)
    signed = "DEVELOPMENT KEY, not for release" if result.development else "release key"
    screen.print(f"dossier  {result.folder / 'dossier.pdf'}   signed: tool ({signed})", highlight=False, soft_wrap=True)
    screen.print(f"page     {result.folder / 'dossier.html'}   for browsers, unsigned", highlight=False, soft_wrap=True)
    for line in release_lines(result.bars):
        screen.print(line, highlight=False, markup=False, soft_wrap=True)


def result_json(result: CheckResult, *, self_test: bool = False) -> str:
    """Return the content of ``verdict.json``, and under ``release`` what it does not hold: folder, bars, exposures.

    With ``self_test`` the content of ``self_test.json`` as well, under that name.
    """
    from gatekeeper.canonical import pretty_json

    release: dict[str, JSON] = {
        "releasable": not result.bars,
        "bars": [{"reason": bar.reason.value, "words": bar.words, "mend": bar.mend} for bar in result.bars],
        "development": result.development,
        "exposures": result.exposures,
        "folder": str(result.folder),
    }
    tested: dict[str, JSON] = {"self_test": result.self_test.to_json()} if self_test else {}
    return pretty_json({**result.verdict.to_json(), "release": release, **tested})


def release_lines(bars: tuple[ReleaseBar, ...]) -> list[str]:
    """Return what bars the release, a line each."""
    if not bars:
        return ["release  nothing bars it"]
    heads = ["release  barred:", *["                "] * (len(bars) - 1)]
    return [printable(f"{head} {bar.words}") for head, bar in zip(heads, bars, strict=True)]


def release_code(verdict: str, bars: tuple[ReleaseBar, ...]) -> int:
    """Return the exit code that asks for a release: the verdict's, or that of FAIL where a PASS is barred."""
    code = exit_code(verdict)
    return int(ExitCode.FAIL) if code == ExitCode.PASS and bars else code


def exit_code(verdict: str) -> int:
    """Return the exit code of a verdict."""
    return int(_CODES[verdict])
