"""``gatekeeper policy lint``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gatekeeper.cli.inputs import Trusted
from gatekeeper.errors import Code, ExitCode, UsageError


def register(policy: typer.Typer) -> None:
    """Add the command."""
    policy.command("lint")(lint)


def lint(
    names: Annotated[list[str] | None, typer.Argument(metavar="POLICY", help="All policies, if left out.")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 2 for warnings as well.")] = False,
    against: Annotated[
        Path | None, typer.Option(metavar="RUN", help="Folder of a finished run: which defects in it go unseen.")
    ] = None,
    trust: Trusted = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was found as JSON.")] = False,
) -> int:
    """Tell what is wrong with policies, or needs a second look.

    An error has its file and line; a warning asks for a change or a reason; a note is for the reader. With --against,
    defects are planted in the evidence of a finished run; each that a policy does not see is a warning.

    \b
    Exit codes: 0 no errors (with --strict: nor warnings); 2 there are, or usage
    Reads:      policies/ here, then the shipped ones
    See also:   policy diff, policy explain, init

    \b
    Example:
      gatekeeper policy lint my_policy.yaml
      gatekeeper policy lint my_policy.yaml \\
          --against reports/2026-11-23-151500-nodules-4f1c
    """
    from gatekeeper.canonical import pretty_json
    from gatekeeper.policy import policy_names
    from gatekeeper.policy.review import review

    if against is not None and not names:
        raise UsageError(Code.MISSING_KEY, "--against needs a policy to judge by", mend="name the policy as well")
    reviews = [review(name) for name in names or policy_names()]
    if against is not None:
        from gatekeeper.cli.inputs import trusted
        from gatekeeper.evaluation import lint_against

        blind = lint_against(tuple(found.name for found in reviews if not found.errors), against, trusted(trust))
        reviews = [found.with_remarks(blind.get(found.name, ())) for found in reviews]
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
