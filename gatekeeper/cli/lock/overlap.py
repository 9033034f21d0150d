"""``gatekeeper lock overlap``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gatekeeper.errors import ExitCode, printable

_MOST_SHOWN = 20


def register(lock: typer.Typer) -> None:
    """Add the command."""
    lock.command("overlap")(overlap)


def overlap(
    first: Annotated[Path, typer.Argument(metavar="LOCK_A")],
    second: Annotated[Path, typer.Argument(metavar="LOCK_B")],
    table_a: Annotated[Path | None, typer.Option(help="Table of A; with both tables, patients are compared.")] = None,
    table_b: Annotated[Path | None, typer.Option(help="Table of B.")] = None,
    root_a: Annotated[Path | None, typer.Option(help="Folder of A's images, if not the lock's own.")] = None,
    root_b: Annotated[Path | None, typer.Option(help="Folder of B's images, if not the lock's own.")] = None,
    images: Annotated[bool, typer.Option(help="Also look for near-identical images, which reads all pixels.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print what is shared as JSON.")] = False,
) -> int:
    """Find what two test sets share: patients, files, images.

    Such as a training set and a test set: what is in both makes a verdict worthless. Patients are compared where both
    tables are given, or both locks have one secret.

    \b
    Exit codes: 0 nothing is shared; 1 something is; 2 usage; 3 integrity
    Reads:      both locks, their images and tables;
                $GATEKEEPER_HOME/keys/root.pem
    See also:   lock create, lock show

    \b
    Example:
      gatekeeper lock overlap train.lock test.lock \\
          --table-a train.csv --table-b test.csv
    """
    from gatekeeper.canonical import pretty_json
    from gatekeeper.cli.inputs import home
    from gatekeeper.cli.progress import shown_progress
    from gatekeeper.locking import Side, overlap_of

    sides = Side(first, root_a, table_a), Side(second, root_b, table_b)
    with shown_progress() as progress:
        found, patients = overlap_of(*sides, home(), images=images, progress=progress)
    shared = bool(found.patients or found.file_pairs or found.image_pairs)
    if as_json:
        typer.echo(pretty_json({**found.to_json(), "patients_compared": patients, "images_compared": images}), nl=False)
        return int(ExitCode.FAIL) if shared else 0
    told = f"{len(found.patients):,} shared" if patients else "not compared: give --table-a and --table-b"
    typer.echo(f"patients               {told}")
    typer.echo(f"identical files        {found.file_pairs:,} pairs of cases")
    typer.echo(f"near-identical images  {f'{found.image_pairs:,} more pairs of cases' if images else 'not compared'}")
    for pair in (*found.files, *found.images)[:_MOST_SHOWN]:
        how = "same file" if pair in found.files else f"{pair.distance * 100:.0f} % of the fingerprint differs"
        typer.echo(printable(f"  {pair.first}  =  {pair.second}   {how}"))
    if found.file_pairs + found.image_pairs > _MOST_SHOWN:
        typer.echo(f"  and {found.file_pairs + found.image_pairs - _MOST_SHOWN:,} more: --json lists them")
    if images and found.without_fingerprint:
        typer.echo(f"{found.without_fingerprint:,} images are of one value throughout and could not be compared")
    return int(ExitCode.FAIL) if shared else 0
