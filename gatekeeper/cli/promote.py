"""``gatekeeper promote``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gatekeeper.cli.inputs import Trusted
from gatekeeper.cli.releasing import AllowDevelopment, MaxAge, RequiredRoles, StoreOption


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("promote")(promote)


def promote(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a run, or its dossier.")],
    store: StoreOption,
    alias: Annotated[
        str | None, typer.Option("--alias", help="Point this name to the candidate, as production.")
    ] = None,
    trust: Trusted = None,
    require_role: RequiredRoles = None,
    max_age: MaxAge = None,
    allow_development: AllowDevelopment = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")] = False,
) -> int:
    """Publish a run in a store, and point an alias to its candidate.

    The alias is pointed only where `gatekeeper admit` would admit the candidate. The dossier is verified first, every
    number of it. A run that is not admitted is published as well: a FAIL keeps an older PASS of the same candidate out.

    \b
    Exit codes: 0 admitted; 1 no record releases it; 2 usage; 3 integrity
    Reads:      the run, the store; $GATEKEEPER_HOME/keys/root.pem, unless
                --trust is given
    Writes:     the store; a line of the ledger
    See also:   admit, rollback, revoke, verify

    \b
    Example:
      gatekeeper promote reports/RUN --store /srv/releases \\
          --alias production --require-role qa
    """
    from dataclasses import asdict

    from gatekeeper.canonical import pretty_json
    from gatekeeper.cli.inputs import home, trusted
    from gatekeeper.cli.releasing import answer, answer_json, now, pointed, switch_json, terms_of
    from gatekeeper.errors import printable
    from gatekeeper.release.admission import admit
    from gatekeeper.release.promotion import promote as switch
    from gatekeeper.release.promotion import publish
    from gatekeeper.release.stores import open_store, plain_name

    terms = terms_of(require_role, max_age, allow_development)
    if alias is not None:
        plain_name(alias, "an alias")
    anchors, opened = trusted(trust), open_store(store, new=True)
    published = publish(run, opened, anchors, home(), now())
    if alias is None:
        admission, switched = admit(published.candidate, published.context, opened, anchors, terms, now()), None
    else:
        switched = switch(published, alias, opened, anchors, terms, home(), now())
        admission = switched.admission
    if as_json:
        told = {"published": asdict(published), **answer_json(admission)}
        moved = None if switched is None or alias is None else switch_json(alias, switched)
        typer.echo(pretty_json({**told, "switched": moved}), nl=False)
        return int(admission.code)
    lines = [f"published {published.where}", *answer(admission)]
    if switched is not None and switched.after is None:
        lines.append(f"unchanged {alias} points to {pointed(switched.before)}")
    elif switched is not None and switched.before == switched.after:
        lines.append(f"unchanged {alias} points to {pointed(switched.after)} already")
    elif switched is not None:
        lines.append(f"promoted  {alias}: from {pointed(switched.before)} to {pointed(switched.after)}")
    for line in lines:
        typer.echo(printable(line))
    return int(admission.code)
