"""``gatekeeper policy list``."""

from __future__ import annotations

from typing import Annotated

import typer


def register(policy: typer.Typer) -> None:
    """Add the command."""
    policy.command("list")(list_)


def list_(
    as_json: Annotated[bool, typer.Option("--json", help="Print the list as JSON.")] = False,
) -> int:
    """List the policies that can be asked for by name: your own in ./policies, then the shipped ones.

    \b
    Example:
      gatekeeper policy list
    """
    from gatekeeper.canonical import JSON, pretty_json
    from gatekeeper.policy import load_policy, policy_names

    policies = [(name, load_policy(name).policy) for name in policy_names()]
    if as_json:
        listed: list[JSON] = [
            {
                "name": name,
                "id": policy.id,
                "version": policy.version,
                "title": policy.title,
                "modality": policy.context.modality,
                "task": policy.context.task,
                "requirements": len(policy.requirements),
                "digest": policy.digest,
            }
            for name, policy in policies
        ]
        typer.echo(pretty_json({"policies": listed}), nl=False)
        return 0
    for name, policy in policies:
        context, count = policy.context, len(policy.requirements)
        typer.echo(f"{name:36}{context.modality:5}{context.task:26}{count:3} requirement{'' if count == 1 else 's'}")
    return 0
