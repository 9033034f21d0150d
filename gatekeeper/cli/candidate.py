"""``gatekeeper candidate``: digest."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

candidate = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="A model that wants to be released.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(candidate, name="candidate")


@candidate.callback()
def _candidate() -> None:
    """A model that wants to be released."""


@candidate.command("digest")
def digest(path: Annotated[Path, typer.Argument(metavar="CANDIDATE", help="The candidate's YAML file.")]) -> int:
    """Print the digest that names a candidate: artefact, adapter and operating point. Nothing of it is run.

    \b
    Example:
      gatekeeper candidate digest model.yaml
    """
    from gatekeeper.candidate import load_candidate

    record = load_candidate(path).record
    typer.echo(f"{record.digest}  {record.name}")
    for name, file_digest in record.files.items():
        typer.echo(f"{file_digest}  {name}")
    return 0
