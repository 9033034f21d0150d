"""``gatekeeper policy list``."""

from __future__ import annotations

from typing import Annotated

import typer

from gatekeeper.errors import ExitCode, printable


def register(policy: typer.Typer) -> None:
    """Add the command."""
    policy.command("list")(list_)


def list_(
    as_json: Annotated[bool, typer.Option("--json", help="Print the list as JSON.")] = False,
) -> int:
    """List the policies that can be asked for by name.

    Your own in ./policies come first, then the shipped ones. One that does not load is named on stderr.

    \b
    Exit codes: 0 all load; 2 one does not
    Reads:      policies/ here, then the shipped ones
    See also:   policy explain, init

    \b
    Example:
      gatekeeper policy list
    """
    from gatekeeper.canonical import JSON, pretty_json
    from gatekeeper.policy.listing import list_policies

    listed, broken = list_policies()
    if as_json:
        entries: list[JSON] = [
            {
                "name": entry.name,
                "own": entry.own,
                "id": entry.policy.id,
                "version": entry.policy.version,
                "title": entry.policy.title,
                "modality": entry.policy.context.modality,
                "task": entry.policy.context.task,
                "requirements": len(entry.policy.requirements),
                "digest": entry.policy.digest,
            }
            for entry in listed
        ]
        typer.echo(pretty_json({"policies": entries, "broken": [*broken]}), nl=False)
    else:
        rows: list[tuple[str, ...]] = [
            (
                entry.name,
                entry.policy.context.modality,
                entry.policy.context.task.replace("_", " "),
                str(len(entry.policy.requirements)),
                "own" if entry.own else "shipped",
            )
            for entry in listed
        ]
        _print(("policy", "modality", "task", "requirements", ""), rows)
    for name in broken:
        typer.echo(printable(f"{name} does not load: `gatekeeper policy lint {name}` says why"), err=True)
    return int(ExitCode.USAGE) if broken else 0


def _print(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    for row in (head, *rows):
        name, modality, task, count, whose = (
            cell.rjust(width) if index == 3 else cell.ljust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        typer.echo(f"{name}  {modality}  {task}  {count}  {whose}".rstrip())
