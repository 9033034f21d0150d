"""``gatekeeper reissue``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gatekeeper.cli.inputs import Trusted


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("reissue")(reissue)


def reissue(
    run: Annotated[Path, typer.Argument(help="Folder of a finished run that no person has signed.")],
    out: Annotated[Path, typer.Option(help="Folder in which the new run's folder is made.")],
    trust: Trusted = None,
    approval: Annotated[Path | None, typer.Option(help="The policy's approval, if not the one in the run.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was issued as JSON.")] = False,
    exit_zero: Annotated[bool, typer.Option("--exit-zero", help="Exit 0 whatever the verdict.")] = False,
) -> int:
    """Sign a run's dossier anew, under this machine's keys.

    The dossier is made anew from the run's stored evidence; nothing is run. The run is verified first: --trust names
    whom its signature is held against. So the machine that loads models needs no key for release, and the one that
    signs needs no model.

    \b
    Exit codes: 0 pass; 1 fail; 2 usage; 3 the run does not hold; 4
                inconclusive; 5 invalid
    Reads:      the run; $GATEKEEPER_HOME (else ~/.gatekeeper): keys, ledger
    Writes:     a folder for the run below --out; a line of the ledger
    See also:   check, verify, sign

    \b
    Example:
      gatekeeper reissue reports/2026-11-23-151500-nodules-4f1c \\
          --out signed --trust tool=validate-root.pem
    """
    from gatekeeper.canonical import JSON, pretty_json
    from gatekeeper.cli.inputs import home, trusted
    from gatekeeper.cli.output import exit_code
    from gatekeeper.errors import printable
    from gatekeeper.reissuing import reissue as reissue_run
    from gatekeeper.reporters import release_lines

    issued = reissue_run(run, out, home(), trusted(trust), approval)
    verdict = issued.verdict
    if as_json:
        told: dict[str, JSON] = {
            "verdict": verdict.verdict.value,
            "run": str(issued.folder),
            "development": issued.development,
            "releasable": not issued.bars,
            "bars": [bar.reason.value for bar in issued.bars],
            "signed_before": issued.before,
        }
        typer.echo(pretty_json(told), nl=False)
    else:
        signed = "DEVELOPMENT KEY, not for release" if issued.development else "release key"
        for head, text in (
            ("verdict", verdict.verdict.value),
            ("of", f"{verdict.candidate} under {verdict.policy_id} {verdict.policy_version}"),
            ("before", f"signed by {issued.before}"),
            ("dossier", f"{issued.folder / 'dossier.pdf'}   signed: tool ({signed})"),
        ):
            typer.echo(printable(f"{head:9}{text}"))
        typer.echo("\n".join(release_lines(issued.bars)))
    return 0 if exit_zero else exit_code(verdict.verdict.value)
