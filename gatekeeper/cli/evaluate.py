"""``gatekeeper evaluate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gatekeeper.cli.inputs import Trusted
from gatekeeper.cli.reports import NoColour, ReportOption


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("evaluate")(evaluate)


def evaluate(
    run: Annotated[Path, typer.Argument(help="Folder of a finished run.")],
    overrides: Annotated[list[str] | None, typer.Argument(metavar="OVERRIDE", help="policy.…")] = None,
    policy: Annotated[str | None, typer.Option(help="Another policy: a name, or a YAML file.")] = None,
    trust: Trusted = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the verdict as JSON.")] = False,
    exit_zero: Annotated[bool, typer.Option("--exit-zero", help="Exit 0 whatever the verdict.")] = False,
    report: ReportOption = None,
    no_color: NoColour = False,
) -> int:
    """Judge a run's evidence again, or under another policy.

    The stored evidence is judged; nothing is run or written. The run is verified first; then the same code that judged
    it judges its evidence by its own policy, or by the one that is given.

    \b
    Exit codes: 0 pass; 1 fail; 2 usage; 3 integrity; 4 inconclusive; 5 invalid
    Reads:      the run; $GATEKEEPER_HOME/keys/root.pem, unless --trust is given
    See also:   check, verify, policy diff

    \b
    Example:
      gatekeeper evaluate reports/2026-11-23-151500-nodules-4f1c \\
          --policy policies/stricter.yaml
    """
    from gatekeeper.cli.inputs import trusted
    from gatekeeper.cli.output import console, exit_code
    from gatekeeper.cli.reports import judged_again, reported
    from gatekeeper.evaluation import judge_again

    with reported(report, policy, None, with_run=False) as reports:
        reports.begin()
        judged = judged_again(judge_again(run, trusted(trust), policy, tuple(overrides or ())), reports.asked)
        reports.tell(judged)
    if as_json:
        from gatekeeper.reporters.json_report import judged_json

        typer.echo(judged_json(judged), nl=False)
    else:
        from gatekeeper.reporters import print_judged

        print_judged(console(no_color=no_color), judged)
    return 0 if exit_zero else exit_code(judged.verdict.verdict.value)
