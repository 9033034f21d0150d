"""``gatekeeper policy``: list, show, schema."""

from __future__ import annotations

from typing import Annotated

import typer

policy = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="What clinical contexts require.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(policy, name="policy")


@policy.command("list")
def list_() -> int:
    """List the policies that can be asked for by name: your own in ./policies, then the shipped ones.

    \b
    Example:
      gatekeeper policy list
    """
    from gatekeeper.policy import load_policy, policy_names

    for name in policy_names():
        loaded = load_policy(name).policy
        context = loaded.context
        typer.echo(f"{name:36}{context.modality:5}{context.task:16}{len(loaded.requirements)} requirements")
    return 0


@policy.command("show")
def show(
    name: Annotated[str, typer.Argument(help="A name, or a YAML file.")],
    as_json: Annotated[
        bool, typer.Option("--json", help="Print canonical JSON, the bytes that the digest names.")
    ] = False,
) -> int:
    """Show a policy resolved, as YAML that is itself a valid policy.

    \b
    Example:
      gatekeeper policy show chest_ct/nodule_malignancy
    """
    from gatekeeper.canonical import canonical_json
    from gatekeeper.policy import load_policy
    from gatekeeper.policy.notation import policy_yaml

    loaded = load_policy(name).policy
    if as_json:
        typer.echo(canonical_json(loaded.to_json()).decode())
        return 0
    typer.echo(policy_yaml(loaded), nl=False)
    return 0


@policy.command("schema")
def schema() -> int:
    """Print the JSON Schema of a resolved policy, with which editors complete.

    \b
    Example:
      gatekeeper policy schema > policy.schema.json
    """
    from gatekeeper.canonical import pretty_json
    from gatekeeper.policy import Policy

    typer.echo(pretty_json(Policy.model_json_schema()), nl=False)
    return 0
