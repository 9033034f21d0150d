"""``gatekeeper lock verify``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gatekeeper.errors import printable


def register(lock: typer.Typer) -> None:
    """Add the command."""
    lock.command("verify")(verify)


def verify(
    path: Annotated[Path, typer.Argument(metavar="LOCK")],
    root: Annotated[Path | None, typer.Option(help="Folder of the images, if not the lock's own.")] = None,
    table: Annotated[Path | None, typer.Option(help="Also hold this table against the lock, row by row.")] = None,
    secret: Annotated[Path | None, typer.Option(help="Secret of the lock, if not beside it; for --table.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print counts and digest as JSON.")] = False,
) -> int:
    """Check a lock's signature and every file that it names.

    Each file that changed, is missing, was renamed or added is named; with --table each row that differs as well.

    \b
    Exit codes: 0 all as locked; 2 usage; 3 something differs
    Reads:      the lock, its files, its secret; $GATEKEEPER_HOME/keys/root.pem
    See also:   lock show, lock create

    \b
    Example:
      gatekeeper lock verify lvo.lock --table cases.csv
    """
    from gatekeeper.canonical import JSON, pretty_json
    from gatekeeper.cli.inputs import home
    from gatekeeper.cli.progress import shown_progress
    from gatekeeper.locking import verify_lock

    with shown_progress() as progress:
        manifest = verify_lock(path, home(), root, table, secret, progress).manifest
    if as_json:
        facts: dict[str, JSON] = {
            "lock": str(path),
            "cases": len(manifest.cases),
            "files": manifest.files,
            "digest": manifest.digest,
        }
        typer.echo(pretty_json(facts), nl=False)
    else:
        rows = " and all rows of the table" if table is not None else ""
        typer.echo(printable(f"{path}: all {manifest.files:,} files{rows} are those that were locked"))
    return 0
