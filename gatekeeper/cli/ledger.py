"""``gatekeeper ledger``: show, verify."""

from __future__ import annotations

import typer

ledger = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="The audit trail of this machine.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(ledger, name="ledger")


@ledger.command("show")
def show() -> int:
    """Print every line of the ledger.

    \b
    Example:
      gatekeeper ledger show
    """
    from gatekeeper.canonical import canonical_json
    from gatekeeper.cli.inputs import home
    from gatekeeper.trust import Ledger

    with Ledger(home() / "ledger.sqlite") as opened:
        for entry in opened.entries():
            typer.echo(f"{entry.sequence:>6}  {entry.at}  {entry.kind:16}{canonical_json(entry.body).decode()}")
    return 0


@ledger.command("verify")
def verify() -> int:
    """Check the chain of the ledger from its first line to its last.

    \b
    Example:
      gatekeeper ledger verify
    """
    from gatekeeper.cli.inputs import home
    from gatekeeper.trust import Ledger

    with Ledger(home() / "ledger.sqlite") as opened:
        opened.verify()
        checkpoint = opened.checkpoint()
    typer.echo(f"{checkpoint.size:,} lines hold; head {checkpoint.head}")
    return 0
