"""``gatekeeper ledger``: show, verify."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gatekeeper.cli.inputs import Trusted
from gatekeeper.errors import printable

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
            body = canonical_json(entry.body).decode()
            typer.echo(printable(f"{entry.sequence:>6}  {entry.at}  {entry.kind:16}{body}"))
    return 0


@ledger.command("verify")
def verify(
    against: Annotated[
        list[Path] | None,
        typer.Option(help="A run's folder, or an attestation: its signed checkpoint must lie on the chain."),
    ] = None,
    trust: Trusted = None,
) -> int:
    """Check the chain of the ledger from its first line to its last, and that it passes through signed checkpoints.

    \b
    A chain cannot show by itself that its end was cut off, or that it was written anew; checkpoints can. Example:
      gatekeeper ledger verify --against reports/2026-11-23-1015-ich_triage-4f1f
    """
    from gatekeeper.attestation import checkpoint_of
    from gatekeeper.cli.inputs import home, trusted
    from gatekeeper.trust import Ledger

    anchors = trusted(trust) if against else None
    checkpoints = [checkpoint_of(path, anchors) for path in against or () if anchors is not None]
    with Ledger(home() / "ledger.sqlite") as opened:
        for checkpoint in checkpoints:
            opened.verify(checkpoint)
        end = opened.verify()
    passed = f", through {len(checkpoints):,} signed checkpoints" if checkpoints else ""
    typer.echo(f"{end.size:,} lines hold{passed}; head {end.head}")
    return 0
