"""``gatekeeper track``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gatekeeper.cli.inputs import Trusted


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("track")(track)


def track(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a run, or its dossier.")],
    tracking_uri: Annotated[
        str | None,
        typer.Option(metavar="URI", help="https://HOST or sqlite:///FILE; left out: mlflow.db in the output folder."),
    ] = None,
    experiment: Annotated[str, typer.Option(metavar="NAME", help="The experiment to log in.")] = "gatekeeper",
    model: Annotated[
        str | None, typer.Option("--register", metavar="MODEL", help="Tag a version of this registered model.")
    ] = None,
    with_evidence: Annotated[
        bool, typer.Option("--with-evidence", help="Store the table of cases as a file of its own, too.")
    ] = False,
    trust: Trusted = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was logged as JSON.")] = False,
) -> int:
    """Log a run to MLflow, once it is found to hold.

    The dossier is verified first, every number of it; what does not hold is not logged. Then its parameters, each
    finding as metrics, the verdict as tags, and dossier and attestation as artefacts are in one run of MLflow, which is
    updated when it is logged again. MLflow is an extra: pip install 'gatekeeper-imaging[mlflow]'.

    \b
    Exit codes: 0 logged, whatever the verdict; 2 usage, or no such server;
                3 the run does not hold
    Reads:      the run; $GATEKEEPER_HOME/keys/root.pem, unless --trust is
                given; MLFLOW_TRACKING_USERNAME, _PASSWORD, _TOKEN
    Writes:     the server or the database; a line of the ledger
    See also:   verify, promote, admit

    \b
    Example:
      gatekeeper track reports/RUN --tracking-uri https://mlflow.example.org \\
          --register nodules
    """
    from dataclasses import asdict

    from gatekeeper.canonical import pretty_json
    from gatekeeper.cli.inputs import home, read_project, trusted
    from gatekeeper.cli.releasing import now
    from gatekeeper.errors import printable
    from gatekeeper.tracking import track as log

    uri = tracking_uri or f"sqlite:///{Path(read_project().out, 'mlflow.db')}"
    tracked = log(run, uri, experiment, trusted(trust), home(), now(), model=model, with_evidence=with_evidence)
    if as_json:
        told = asdict(tracked)
        typer.echo(pretty_json({**told, "artefacts": list(tracked.artefacts)}), nl=False)
        return 0
    head = "updated" if tracked.again else "logged"
    lines = [f"{head:10}{tracked.verdict} of run {tracked.run} as {tracked.mlflow_run}"]
    lines.append(f"{'in':10}experiment {tracked.experiment} of {tracked.where}")
    if tracked.version is not None:
        lines.append(f"{'version':10}{tracked.version} of the registered model {tracked.model}")
    for line in lines:
        typer.echo(printable(line))
    return 0
