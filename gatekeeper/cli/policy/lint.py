"""``gatekeeper policy lint``."""

from __future__ import annotations

from typing import Annotated

import typer

from gatekeeper.errors import ExitCode


def register(policy: typer.Typer) -> None:
    """Add the command."""
    policy.command("lint")(lint)


def lint(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME|FILE]...", help="All policies, if left out.")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 2 for warnings as well.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was found as JSON.")] = False,
) -> int:
    """Tell what is wrong with policies (exit 2), and what a reviewer should look at.

    \b
    Example:
      gatekeeper policy lint my_policy.yaml
    """
    from gatekeeper.canonical import pretty_json
    from gatekeeper.policy import policy_names
    from gatekeeper.policy.review import review

    reviews = [review(name) for name in names or policy_names()]
    errors = sum(len(found.errors) for found in reviews)
    warnings = sum(len(found.warnings) for found in reviews)
    if as_json:
        typer.echo(pretty_json({"policies": [found.to_json() for found in reviews]}), nl=False)
    else:
        for found in reviews:
            typer.echo("\n".join(found.lines(notes=bool(names))))
        policies = _counted(len(reviews), "policy", "policies")
        typer.echo(f"\n{policies}: {_counted(errors, 'error')}, {_counted(warnings, 'warning')}")
    return int(ExitCode.USAGE) if errors or (strict and warnings) else 0


def _counted(number: int, one: str, many: str | None = None) -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"
