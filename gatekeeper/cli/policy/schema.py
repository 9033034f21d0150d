"""``gatekeeper policy schema``."""

from __future__ import annotations

import typer


def register(policy: typer.Typer) -> None:
    """Add the command."""
    policy.command("schema")(schema)


def schema() -> int:
    """Print the JSON Schema of a resolved policy.

    Editors complete and check policies with it.

    \b
    Exit codes: 0 printed
    Reads:      no file
    See also:   policy show, policy lint

    \b
    Example:
      gatekeeper policy schema > policy.schema.json
    """
    from gatekeeper.canonical import pretty_json
    from gatekeeper.policy import Policy

    typer.echo(pretty_json(Policy.model_json_schema()), nl=False)
    return 0
