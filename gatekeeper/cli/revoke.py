"""``gatekeeper revoke``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gatekeeper.cli.inputs import Trusted
from gatekeeper.cli.releasing import StoreOption
from gatekeeper.errors import Code, UsageError

if TYPE_CHECKING:
    from gatekeeper.release.stores import Store
    from gatekeeper.trust import Trust


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("revoke")(revoke)


def revoke(
    store: StoreOption,
    because: Annotated[str, typer.Option("--because", help="Why, in one line. It is signed and shown.")],
    digest: Annotated[str | None, typer.Option("--digest", help="The candidate's digest, sha256:…")] = None,
    model: Annotated[Path | None, typer.Option("--model", help="The candidate's YAML, or one of its files.")] = None,
    run: Annotated[
        Path | None, typer.Option("--run", help="A run's folder, dossier or attestation: that run alone.")
    ] = None,
    role: Annotated[str, typer.Option("--role", help="Whose key signs: qa, or tool.")] = "qa",
    trust: Trusted = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was revoked as JSON.")] = False,
) -> int:
    """Revoke a candidate, or one run of it, for good.

    A signed statement is put into the store, which `gatekeeper admit` honours. A candidate that is revoked is admitted
    by no run any more.

    \b
    Exit codes: 0 revoked; 2 usage, or no such key; 3 integrity
    Reads:      the store; $GATEKEEPER_HOME/keys
    Writes:     the store; a line of the ledger
    See also:   admit, promote, rollback

    \b
    Example:
      gatekeeper revoke --model model/cnn.yaml \\
          --because "misses calcified nodules, CAPA-17" --store /srv/releases
    """
    from dataclasses import asdict

    from gatekeeper.canonical import pretty_json
    from gatekeeper.cli.inputs import home, trusted
    from gatekeeper.cli.releasing import now, short
    from gatekeeper.errors import printable
    from gatekeeper.release.revoking import revoke as sign_and_file
    from gatekeeper.release.stores import open_store

    if sum(given is not None for given in (digest, model, run)) != 1:
        mend = "give one of --digest, --model and --run"
        raise UsageError(Code.MISSING_KEY, "it must be said what is revoked", mend=mend)
    anchors, opened = trusted(trust), open_store(store)
    revoked = [
        sign_and_file(candidate, only, because, role, opened, anchors, home(), now())
        for candidate, only in _named(digest, model, run, opened, anchors)
    ]
    if as_json:
        typer.echo(pretty_json([{**asdict(one.revocation), "record": one.where} for one in revoked]), nl=False)
        return 0
    for one in revoked:
        told = one.revocation
        of = f"run {told.run} of {short(told.candidate)}" if told.run else f"{short(told.candidate)}, every run"
        typer.echo(printable(f"revoked   {of}, by {told.signer} ({told.role}), {told.revoked}: {told.because}"))
        typer.echo(printable(f"          {one.where}"))
    return 0


def _named(
    digest: str | None, model: Path | None, run: Path | None, store: Store, trust: Trust
) -> list[tuple[str, str | None]]:
    """Return the candidates that are revoked, each with the run where that alone is."""
    if digest is not None:
        from gatekeeper.release.stores import hexadecimal

        return [(f"sha256:{hexadecimal(digest)}", None)]
    if run is not None:
        from gatekeeper.release.revoking import open_run

        said = open_run(run, trust).said
        return [(said.candidate, said.run)]
    from gatekeeper.release.model import digest_model

    assert model is not None
    found = digest_model(model, artefact_only=model.suffix not in (".yaml", ".yml"))
    candidates = store.candidates_of(found.digest) if found.alone else (found.digest,)
    if not candidates:
        raise UsageError(
            Code.FILE_NOT_FOUND,
            "no candidate of this store holds the file",
            where=str(model),
            mend="give the candidate's YAML, or --digest",
        )
    return [(candidate, None) for candidate in candidates]
