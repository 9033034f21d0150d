"""``gatekeeper policy perturbations``."""

from __future__ import annotations

from typing import Annotated

import typer


def register(policy: typer.Typer) -> None:
    """Add the command."""
    policy.command("perturbations")(perturbations)


def perturbations(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="PERTURBATION", help="Names or aliases; all perturbations if left out."),
    ] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print a page in Markdown.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the entries as JSON.")] = False,
) -> int:
    """Say what a perturbation does, to which images, how far.

    In which unit and range, and whose definition it is. Without a name all perturbations are listed, one a line.

    \b
    Exit codes: 0 told; 2 usage, such as an unknown name
    Reads:      no file
    See also:   policy metrics, policy explain

    \b
    Example:
      gatekeeper policy perturbations gaussian_noise
    """
    from gatekeeper.canonical import JSON, pretty_json
    from gatekeeper.perturbations import PERTURBATIONS
    from gatekeeper.perturbations.page import (
        axes_of,
        facts_of,
        modalities_of,
        perturbation_text,
        perturbations_markdown,
        range_of,
    )

    chosen = [PERTURBATIONS.get(name) for name in names] if names else list(PERTURBATIONS)
    if as_json:
        listed: list[JSON] = [{"perturbation": one.name, "family": one.family, **dict(facts_of(one))} for one in chosen]
        typer.echo(pretty_json(listed), nl=False)
    elif markdown:
        typer.echo(perturbations_markdown(chosen), nl=False)
    elif names:
        typer.echo("\n".join(perturbation_text(one) for one in chosen), nl=False)
    else:
        width = max(len(one.name) for one in chosen)
        for one in chosen:
            typer.echo(f"{one.name.ljust(width)}  {axes_of(one).ljust(11)}  {range_of(one)}  ({modalities_of(one)})")
    return 0
