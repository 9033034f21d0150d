"""``gatekeeper keys``: show."""

from __future__ import annotations

import typer

keys = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="The keys of this machine.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(keys, name="keys")


@keys.callback()
def _keys() -> None:
    """The keys of this machine."""


@keys.command("init")
def init() -> int:
    """Make a development set of keys where there is none, and show it.

    \b
    Example:
      gatekeeper keys init
    """
    return show()


@keys.command("show")
def show() -> int:
    """Show which keys sign here; a development set is made where there is none.

    \b
    Example:
      gatekeeper keys show
    """
    from gatekeeper.cli.inputs import home
    from gatekeeper.trust import load_keys

    ring = load_keys(home())
    kind = "development keys, not for release" if ring.development else "release keys"
    typer.echo(f"{ring.folder}   {kind}")
    typer.echo(f"  tool   {ring.tool.common_name}   {ring.tool.fingerprint}")
    return 0
