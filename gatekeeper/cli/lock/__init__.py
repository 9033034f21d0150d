"""``gatekeeper lock``: one file a command."""

from __future__ import annotations

import typer

from gatekeeper.cli.lock import create, overlap, show, verify

lock = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Lock a test set by content, and check a lock.")


def register(app: typer.Typer) -> None:
    """Add the commands, in the order of ``--help``."""
    for command in (create, verify, show, overlap):
        command.register(lock)
    app.add_typer(lock, name="lock")
