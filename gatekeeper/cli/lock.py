"""``gatekeeper lock``: create, verify, show."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

lock = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Lock a test set by content, and check a lock.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(lock, name="lock")


@lock.command("create")
def create(
    table: Annotated[Path, typer.Option(help="CSV or Parquet with case_id, patient_id, image, label, …")],
    out: Annotated[Path, typer.Option(help="The lock to write.")],
    task: Annotated[Literal["classification"], typer.Option(help="What the labels are for.")] = "classification",
    root: Annotated[Path | None, typer.Option(help="Folder of the images, if not the table's own.")] = None,
    secret: Annotated[Path | None, typer.Option(help="File with the secret that hides patient ids.")] = None,
) -> int:
    """Hash every file, bind it to patient and label, and sign.

    \b
    Without --secret a new one is made and kept beside the lock. Example:
      gatekeeper lock create --table cases.csv --out lvo.lock
    """
    from gatekeeper.cli.inputs import home
    from gatekeeper.cli.progress import shown_progress
    from gatekeeper.locking import lock_testset

    with shown_progress() as progress:
        locked = lock_testset(table, out, home(), task=task, root=root, secret_file=secret, progress=progress)
    typer.echo(f"{out}: {len(locked.cases):,} cases of {locked.patients:,} patients, {locked.digest}")
    return 0


@lock.command("verify")
def verify(
    path: Annotated[Path, typer.Argument(metavar="LOCK")],
    root: Annotated[Path | None, typer.Option(help="Folder of the images, if not the lock's own.")] = None,
) -> int:
    """Check a lock's signature and hash every file that it names.

    \b
    Example:
      gatekeeper lock verify lvo.lock
    """
    from gatekeeper.cli.inputs import home
    from gatekeeper.cli.progress import shown_progress
    from gatekeeper.locking import verify_lock

    with shown_progress() as progress:
        testset = verify_lock(path, home(), root=root, progress=progress)
    typer.echo(f"{path}: all {len(testset.manifest.cases):,} files are those that were locked")
    return 0


@lock.command("show")
def show(
    path: Annotated[Path, typer.Argument(metavar="LOCK")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the manifest.")] = False,
) -> int:
    """Show what a lock holds: cases, patients, positives, attributes.

    \b
    Example:
      gatekeeper lock show lvo.lock
    """
    from collections import Counter

    from gatekeeper.canonical import pretty_json
    from gatekeeper.cli.inputs import home
    from gatekeeper.locking import read_lock

    manifest = read_lock(path, home()).manifest
    if as_json:
        typer.echo(pretty_json(manifest.to_json()), nl=False)
        return 0
    subjects = [case for case in manifest.cases if case.case_id == case.subject]
    typer.echo(f"{manifest.name}   {manifest.digest}")
    typer.echo(f"  {len(manifest.cases):,} cases, {len(subjects):,} subjects, {manifest.patients:,} patients")
    typer.echo(f"  {sum(case.label for case in subjects):,} of {len(subjects):,} subjects positive")
    for name in sorted({name for case in subjects for name in case.attributes}):
        counts = Counter(case.attributes.get(name, "") for case in subjects)
        typer.echo(f"  {name}: " + ", ".join(f"{value} {count:,}" for value, count in sorted(counts.items())))
    return 0
