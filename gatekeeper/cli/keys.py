"""``gatekeeper keys``: init, show."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

keys = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="The keys of this machine.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(keys, name="keys")


@keys.callback()
def _keys() -> None:
    """The keys of this machine."""


@keys.command("init")
def init(
    trust: Annotated[
        Path | None, typer.Option(metavar="ROOT.pem", help="Take what this root signed; sign with a development key.")
    ] = None,
) -> int:
    """Make development keys of the tool, the engineer and QA.

    Only where there is no set; then the set is shown. Keys for release come from your own authority: put them, or
    signing.yaml that names them, into the folder shown. With --trust only the tool gets a key, of a root that nobody
    keeps: enough for a pipeline to check a candidate on a test set that your organisation has locked.

    \b
    Exit codes: 0 there is a set; 2 it cannot be written, or does not hold
    Writes:     $GATEKEEPER_HOME/keys (else ~/.gatekeeper/keys)
    See also:   keys show, sign, doctor

    \b
    Example:
      gatekeeper keys init
    """
    from gatekeeper.cli.inputs import home
    from gatekeeper.trust import ROLES, develop_under, load_keys, load_signer

    if trust is not None:
        develop_under(home(), trust)
    elif load_keys(home()).development:
        for role in ROLES[1:]:
            load_signer(home(), role)
    return show()


@keys.command("show")
def show() -> int:
    """Show which keys sign here, by role.

    A development set is made where there is none.

    \b
    Exit codes: 0 shown; 2 the set does not hold
    Reads:      $GATEKEEPER_HOME/keys (else ~/.gatekeeper/keys), signing.yaml
    See also:   keys init, sign, doctor

    \b
    Example:
      gatekeeper keys show
    """
    from gatekeeper.cli.inputs import home
    from gatekeeper.errors import printable
    from gatekeeper.trust import key_places, load_keys

    ring = load_keys(home())
    kind = "development keys, not for release" if ring.development else "release keys"
    typer.echo(f"{ring.folder}   {kind}")
    for role, place in key_places(home()).items():
        name = f"   {ring.tool.common_name}   {ring.tool.fingerprint}" if role == "tool" else ""
        typer.echo(printable(f"  {role:10}{place or 'no key here':16}{name}".rstrip()))
    return 0
