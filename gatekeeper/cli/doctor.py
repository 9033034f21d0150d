"""``gatekeeper doctor``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gatekeeper.errors import ExitCode, printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gatekeeper.doctor import Examination


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("doctor")(doctor)


def doctor(
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON for a report, without names of people, machine and home.")
    ] = False,
) -> int:
    """Tell what works on this machine, and how to mend the rest.

    Everything is tried for real: walls are put up, pixels decoded, a line printed to PDF, numbers multiplied on each
    device, the ledger verified. Nothing is changed: no key is made, no private key read. What is optional and missing
    is marked !, what a check needs and does not work ✗.

    \b
    Exit codes: 0 all that check needs works; 2 something that it needs does not
    Reads:      gatekeeper.yaml (out); $GATEKEEPER_HOME, $TMPDIR
    See also:   keys show, ledger verify, candidate inspect

    \b
    Example:
      gatekeeper doctor
    """
    from gatekeeper.cli.inputs import home, read_project
    from gatekeeper.cli.progress import shown_progress
    from gatekeeper.doctor import examine

    out = Path(read_project().out)
    with shown_progress() as progress:
        found = examine(home(), out, progress)
    if as_json:
        from gatekeeper.canonical import pretty_json

        typer.echo(pretty_json(found.to_json(home())), nl=False)
    else:
        for line in _lines(found):
            typer.echo(printable(line))
    return 0 if found.able else int(ExitCode.USAGE)


def _lines(found: Examination) -> Iterator[str]:
    from gatekeeper.doctor.finding import MARKS

    width = max(len(finding.what) for finding in found.findings)
    area = ""
    for finding in found.findings:
        if finding.area != area:
            yield from ([] if not area else [""])
            yield finding.area
            area = finding.area
        yield f"  {MARKS[finding.state]} {finding.what:{width}}  {finding.value}"
        if finding.mend is not None:
            yield f"    {'':{width}}  → {finding.mend}"
    yield ""
    yield (
        "`gatekeeper check` works here." if found.able else "`gatekeeper check` does not work here: mend what has a ✗."
    )
