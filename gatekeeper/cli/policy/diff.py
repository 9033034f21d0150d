"""``gatekeeper policy diff``."""

from __future__ import annotations

from typing import Annotated

import typer


def register(policy: typer.Typer) -> None:
    """Add the command."""
    policy.command("diff")(diff)


def diff(
    before: Annotated[str, typer.Argument(metavar="A", help="A name, or a YAML file.")],
    after: Annotated[str, typer.Argument(metavar="B", help="A name, or a YAML file.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the differences as JSON.")] = False,
) -> int:
    """Tell what is stricter or looser in policy B than in A.

    In words, requirement by requirement. Both are compared as they are resolved, layers merged.

    \b
    Exit codes: 0 compared, whatever was found; 2 usage
    Reads:      policies/ here, then the shipped ones
    See also:   policy show, policy lint

    \b
    Example:
      gatekeeper policy diff neuro/lvo_triage our_site.yaml
    """
    from gatekeeper.canonical import JSON, pretty_json
    from gatekeeper.errors import printable
    from gatekeeper.policy import load_policy
    from gatekeeper.policy.diff import ORDER
    from gatekeeper.policy.diff import diff as diff_policies

    old, new = load_policy(before).policy, load_policy(after).policy
    found = diff_policies(old, new)
    if as_json:
        listed: list[JSON] = [
            {"direction": change.direction.value, "key": ".".join(map(str, change.path)), "words": change.words}
            for change in found
        ]
        typer.echo(pretty_json({"before": old.digest, "after": new.digest, "changes": listed}), nl=False)
        return 0
    for mark, policy in (("A", old), ("B", new)):
        typer.echo(f"{mark}  {policy.id} {policy.version}  {policy.digest}")
    if not found:
        typer.echo("\nno difference")
    for direction in ORDER:
        chosen = [change for change in found if change.direction is direction]
        if chosen:
            typer.echo(f"\n{direction.value} ({len(chosen)})")
        for change in chosen:
            typer.echo(f"  {printable(change.words)}")
    return 0
