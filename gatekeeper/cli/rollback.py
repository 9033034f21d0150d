"""``gatekeeper rollback``."""

from __future__ import annotations

from typing import Annotated

import typer

from gatekeeper.cli.inputs import Trusted
from gatekeeper.cli.releasing import AllowDevelopment, MaxAge, RequiredRoles, StoreOption


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("rollback")(rollback)


def rollback(
    store: StoreOption,
    alias: Annotated[str, typer.Option("--alias", help="The name to set back, as production.")],
    trust: Trusted = None,
    require_role: RequiredRoles = None,
    max_age: MaxAge = None,
    past_refused: Annotated[
        bool, typer.Option("--past-refused", help="Go past earlier ones that are no longer admitted.")
    ] = False,
    allow_development: AllowDevelopment = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")] = False,
) -> int:
    """Point an alias to what it pointed to before, if admitted today.

    Else nothing is changed, and the reason is told. With --past-refused earlier ones that are no longer admitted are
    gone past.

    \b
    Exit codes: 0 set back; 1 no record releases it; 2 usage; 3 integrity
    Reads:      the store; $GATEKEEPER_HOME/keys/root.pem, unless --trust is
                given
    Writes:     the store; a line of the ledger
    See also:   promote, admit, revoke

    \b
    Example:
      gatekeeper rollback --store /srv/releases --alias production
    """
    from gatekeeper.canonical import pretty_json
    from gatekeeper.cli.inputs import home, trusted
    from gatekeeper.cli.releasing import answer, answer_json, now, pointed, switch_json, terms_of
    from gatekeeper.errors import printable
    from gatekeeper.release.promotion import roll_back
    from gatekeeper.release.stores import open_store

    terms = terms_of(require_role, max_age, allow_development)
    anchors, opened = trusted(trust), open_store(store)
    switched = roll_back(alias, opened, anchors, terms, home(), now(), past_refused=past_refused)
    if as_json:
        told = {**answer_json(switched.admission), "switched": switch_json(alias, switched)}
        typer.echo(pretty_json(told), nl=False)
        return int(switched.admission.code)
    lines = [line for admission in (*switched.passed_over, switched.admission) for line in answer(admission)]
    if switched.after is None:
        lines.append(f"unchanged {alias} points to {pointed(switched.before)}")
        if not past_refused:
            lines.append("          to go past what is no longer admitted: --past-refused")
    else:
        lines.append(f"set back  {alias}: from {pointed(switched.before)} to {pointed(switched.after)}")
    for line in lines:
        typer.echo(printable(line))
    return int(switched.admission.code)
