"""``gatekeeper policy explain``."""

from __future__ import annotations

from typing import Annotated

import typer

from gatekeeper.errors import printable


def register(policy: typer.Typer) -> None:
    """Add the command."""
    policy.command("explain")(explain)


def explain(
    name: Annotated[str, typer.Argument(metavar="POLICY", help="A name, or a YAML file.")],
    requirement: Annotated[str | None, typer.Argument(help="Which requirement; all, in short, if left out.")] = None,
    truths: Annotated[
        list[str] | None,
        typer.Option("--truth", metavar="VALUE", help="A true value to plan for, such as '90 %'; may be repeated."),
    ] = None,
    powers: Annotated[
        list[str] | None,
        typer.Option("--power", metavar="SHARE", help="Wanted probability to meet it; 80 % and 90 % if left out."),
    ] = None,
    confidence: Annotated[
        str | None, typer.Option(metavar="SHARE", help="Plan for another confidence than the policy's.")
    ] = None,
    ratio: Annotated[float, typer.Option(help="Positive cases for each negative one.")] = 1.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the explanation as JSON.")] = False,
) -> int:
    """Explain in plain English what a policy requires.

    Each requirement: its statistics, its source, what met, not met and not decided mean, and the cases
    that would decide it for a true value that is planned for.

    \b
    Exit codes: 0 explained; 2 usage
    Reads:      policies/ here, then the shipped ones
    See also:   policy show, policy metrics

    \b
    Example:
      gatekeeper policy explain chest_ct/nodule_malignancy sensitivity \\
          --truth '65 %'
    """
    from shutil import get_terminal_size

    from gatekeeper.canonical import pretty_json
    from gatekeeper.policy import load_policy
    from gatekeeper.policy.explain import explain_policy, explain_requirement, read_plan
    from gatekeeper.policy.explain_text import explanation_text, overview_text

    loaded, width = load_policy(name).policy, get_terminal_size().columns
    plan = read_plan(loaded, requirement, truths or (), powers or (), confidence, ratio)
    if requirement is None:
        explanations = explain_policy(loaded, plan)
        told = overview_text(explanations, loaded, width)
    else:
        explanations = (explain_requirement(loaded, requirement, plan),)
        told = explanation_text(explanations[0], loaded, width)
    if as_json:
        listed = [explanation.to_json() for explanation in explanations]
        told = pretty_json({"policy": loaded.id, "digest": loaded.digest, "requirements": [*listed]})
    else:
        told = "\n".join(printable(line) for line in told.split("\n"))
    typer.echo(told, nl=False)
    return 0
