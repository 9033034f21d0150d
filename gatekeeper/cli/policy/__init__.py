"""``gatekeeper policy``: one file a command."""

from __future__ import annotations

import typer

from gatekeeper.cli.policy import approve, diff, explain, lint, list_, metrics, perturbations, schema, show, sources

policy = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="What clinical contexts require.")


def register(app: typer.Typer) -> None:
    """Add the commands, in the order of ``--help``."""
    for command in (list_, show, explain, metrics, perturbations, sources, lint, diff, approve, schema):
        command.register(policy)
    app.add_typer(policy, name="policy")
