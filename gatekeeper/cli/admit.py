"""``gatekeeper admit``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gatekeeper.cli.inputs import Trusted
from gatekeeper.cli.releasing import AllowDevelopment, MaxAge, RequiredRoles, StoreOption


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("admit")(admit)


def admit(
    model: Annotated[Path, typer.Option("--model", help="The candidate's YAML, or with --artefact-only a file.")],
    context: Annotated[str, typer.Option("--context", metavar="ID", help="The id of the policy it must have passed.")],
    store: StoreOption,
    trust: Trusted = None,
    require_role: RequiredRoles = None,
    max_age: MaxAge = None,
    alias: Annotated[str | None, typer.Option("--alias", help="This name must point to it now, as production.")] = None,
    artefact_only: Annotated[
        bool, typer.Option("--artefact-only", help="Look at a file's bytes alone, not at how it is used.")
    ] = False,
    allow_development: AllowDevelopment = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")] = False,
) -> int:
    """Say whether a model may be started, for this context, today.

    It may where signed records in a store release it, and nothing revokes it. Nothing is run, recomputed or fetched. A
    record or a revocation that does not hold is told, where nothing else admits.

    \b
    Exit codes: 0 admitted; 1 no record releases it; 2 usage; 3 integrity
    Reads:      the model's files, the store; $GATEKEEPER_HOME/keys/root.pem,
                unless --trust is given
    See also:   promote, revoke, rollback, verify

    \b
    Example:
      gatekeeper admit --model model/cnn.yaml \\
          --context chest_ct.nodule_malignancy --store releases --trust root.pem
    """
    from dataclasses import replace

    from gatekeeper.canonical import pretty_json
    from gatekeeper.cli.inputs import trusted
    from gatekeeper.cli.releasing import answer, answer_json, now, terms_of
    from gatekeeper.errors import printable
    from gatekeeper.release.admission import admit as look
    from gatekeeper.release.admission import admit_file
    from gatekeeper.release.model import digest_model
    from gatekeeper.release.stores import open_store

    terms = replace(terms_of(require_role, max_age, allow_development), alias=alias)
    anchors, opened = trusted(trust), open_store(store)
    found = digest_model(model, artefact_only=artefact_only)
    ask = admit_file if found.alone else look
    admission = ask(found.digest, context, opened, anchors, terms, now())
    if as_json:
        typer.echo(pretty_json(answer_json(admission, alone=found.alone)), nl=False)
    else:
        for line in answer(admission, alone=found.alone):
            typer.echo(printable(line))
    return int(admission.code)
