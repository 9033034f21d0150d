"""``gatekeeper policy sources``."""

from __future__ import annotations

from typing import Annotated

import typer


def register(policy: typer.Typer) -> None:
    """Add the command."""
    policy.command("sources")(sources)


def sources(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="POLICY", help="Names, or YAML files; all policies if left out.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the values as JSON.")] = False,
) -> int:
    """Print which value of a policy comes from where.

    A Markdown table: each value with its source, how far that can be trusted, and a note.

    \b
    Exit codes: 0 printed; 2 usage, or a policy does not load
    Reads:      policies/ here, then the shipped ones
    See also:   policy explain, policy lint

    \b
    Example:
      gatekeeper policy sources chest_ct/nodule_malignancy
    """
    from gatekeeper.canonical import JSON, pretty_json
    from gatekeeper.policy import load_policy, policy_names
    from gatekeeper.policy.sources import sourced_values, sources_markdown

    policies = [load_policy(name).policy for name in names or policy_names()]
    if not as_json:
        typer.echo(sources_markdown(policies), nl=False)
        return 0
    listed: list[JSON] = [
        {
            "policy": policy.id,
            "what": value.what,
            "value": value.value,
            "weight": value.weight,
            "basis": value.basis.to_json() if value.basis else None,
        }
        for policy in policies
        for value in sourced_values(policy)
    ]
    typer.echo(pretty_json(listed), nl=False)
    return 0
