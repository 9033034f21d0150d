"""``gatekeeper lock show``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gatekeeper.errors import printable


def register(lock: typer.Typer) -> None:
    """Add the command."""
    lock.command("show")(show)


def show(
    path: Annotated[Path, typer.Argument(metavar="LOCK")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the manifest.")] = False,
) -> int:
    """Show what a lock holds: cases, patients, groups, scanners.

    What screening let pass, and for what reason, is shown too. No file of the test set is read.

    \b
    Exit codes: 0 shown; 2 usage; 3 the signature does not hold
    Reads:      the lock; $GATEKEEPER_HOME/keys/root.pem
    See also:   lock verify

    \b
    Example:
      gatekeeper lock show lvo.lock
    """
    from gatekeeper.canonical import pretty_json
    from gatekeeper.cli.inputs import home
    from gatekeeper.locking import read_lock
    from gatekeeper.testset.summary import summary_rows

    manifest = read_lock(path, home()).manifest
    if as_json:
        typer.echo(pretty_json(manifest.to_json()), nl=False)
        return 0
    typer.echo(f"{printable(manifest.name)}   {manifest.digest}")
    told = ""
    for name, value, count in summary_rows(manifest):
        typer.echo(printable(f"  {name if name != told else '':20}{value:40}{count:>12}".rstrip()))
        told = name
    for allowed in manifest.allowed:
        typer.echo(printable(f"  allowed             {allowed.where}: {allowed.because}"))
    return 0
