"""``gatekeeper policy metrics``."""

from __future__ import annotations

from typing import Annotated

import typer


def register(policy: typer.Typer) -> None:
    """Add the command."""
    policy.command("metrics")(metrics)


def metrics(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="METRIC", help="Names or aliases; all metrics if left out.")
    ] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print a page in Markdown.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the entries as JSON.")] = False,
) -> int:
    """Say what a metric means, and how its interval is made.

    Its definition, its range, what it has no value for. Without a name all metrics are listed, one a line.

    \b
    Exit codes: 0 told; 2 usage, such as an unknown name
    Reads:      no file
    See also:   policy perturbations, policy explain

    \b
    Example:
      gatekeeper policy metrics precision
    """
    from gatekeeper.canonical import JSON, pretty_json
    from gatekeeper.metrics import METRICS
    from gatekeeper.metrics.page import direction_of, facts_of, metric_text, metrics_markdown, tasks_of

    chosen = [METRICS.get(name) for name in names] if names else list(METRICS)
    if as_json:
        listed: list[JSON] = [{"metric": spec.name, **dict(facts_of(spec))} for spec in chosen]
        typer.echo(pretty_json(listed), nl=False)
    elif markdown:
        typer.echo(metrics_markdown(chosen), nl=False)
    elif names:
        typer.echo("\n".join(metric_text(spec) for spec in chosen), nl=False)
    else:
        width = max(len(spec.name) for spec in chosen)
        for spec in chosen:
            typer.echo(f"{spec.name.ljust(width)}  {direction_of(spec).ljust(6)}  {spec.title}  ({tasks_of(spec)})")
    return 0
