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
    """Print every line of the ledger, this machine's audit trail.

    A line has its number, its time in UTC, its kind, and what happened as JSON.

    \b
    Exit codes: 0 printed; 2 it cannot be opened; 3 it is damaged
    Reads:      $GATEKEEPER_HOME/ledger.sqlite (else ~/.gatekeeper)
    See also:   ledger verify

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
    """Check the chain of the ledger, from first line to last.

    A chain cannot show by itself that its end was cut off, or that it was written anew; the signed checkpoints of runs,
    given with --against, can: the chain must pass through them.

    \b
    Exit codes: 0 it holds; 2 usage; 3 it does not
    Reads:      $GATEKEEPER_HOME/ledger.sqlite (else ~/.gatekeeper)
    See also:   ledger show, verify

    \b
    Example:
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
