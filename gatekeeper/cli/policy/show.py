"""``gatekeeper policy show``."""

from __future__ import annotations

from typing import Annotated

import typer


def register(policy: typer.Typer) -> None:
    """Add the command."""
    policy.command("show")(show)


def show(
    name: Annotated[str, typer.Argument(help="A name, or a YAML file.")],
    as_json: Annotated[
        bool, typer.Option("--json", help="Print canonical JSON, the bytes that the digest names.")
    ] = False,
) -> int:
    """Show a policy resolved, as YAML that is itself a policy.

    All layers are merged; the digest that an approval signs is the first line.

    \b
    Exit codes: 0 shown; 2 usage, or the policy does not load
    Reads:      policies/ here, then the shipped ones
    See also:   policy explain, policy diff

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
