"""``gatekeeper check``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gatekeeper.cli.reports import NoColour, ReportOption
from gatekeeper.errors import Code, UsageError, printable


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("check")(check)


def check(
    overrides: Annotated[list[str] | None, typer.Argument(metavar="OVERRIDE", help="engine.… or policy.…")] = None,
    policy: Annotated[str | None, typer.Option(help="Name in the search path, or a YAML file.")] = None,
    candidate: Annotated[str | None, typer.Option(help="The candidate's YAML file.")] = None,
    testset: Annotated[str | None, typer.Option(help="The lock of the test set.")] = None,
    root: Annotated[str | None, typer.Option(help="Folder of the images, if not the lock's own.")] = None,
    out: Annotated[str | None, typer.Option(help="Folder in which the run's folder is made.")] = None,
    approval: Annotated[str | None, typer.Option(help="The policy's approval, if not beside it or kept here.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print what would be run, and stop.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print verdict and release as JSON instead of the table.")
    ] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Finish the newest unfinished run of this check.")] = False,
    self_test: Annotated[
        bool, typer.Option("--self-test", help="Print what the gate made of planted defects; they always are.")
    ] = False,
    require_releasable: Annotated[
        bool, typer.Option("--require-releasable", help="Exit 0 only for a PASS that nothing bars from release.")
    ] = False,
    exit_zero: Annotated[bool, typer.Option("--exit-zero", help="Exit 0 whatever the verdict.")] = False,
    report: ReportOption = None,
    no_color: NoColour = False,
) -> int:
    """Run a candidate over a locked test set, judge it by a policy.

    The plan follows from the policy. The candidate runs behind walls; its answers become evidence, evidence against
    policy the verdict, and the verdict a signed dossier in a new folder below --out. What follows the options are
    settings of the run (engine.…), or changes of the policy (policy.…), which make the run exploratory: it releases
    nothing. What is left out comes from gatekeeper.yaml.

    \b
    Exit codes: 0 pass; 1 fail; 2 usage; 3 integrity; 4 inconclusive; 5 invalid
    Reads:      gatekeeper.yaml; $GATEKEEPER_HOME (else ~/.gatekeeper): keys,
                ledger
    Writes:     a folder for the run below --out (reports, if left out); ledger
    See also:   init, lock create, evaluate, verify, policy explain

    \b
    Example:
      gatekeeper check --policy neuro/lvo_triage --candidate model.yaml \\
          --testset lvo.lock engine.device=cpu
      gatekeeper check --resume
    """
    from gatekeeper.cli.inputs import find_file, home, needed, read_project
    from gatekeeper.cli.output import console, exit_code, release_code
    from gatekeeper.cli.progress import shown_progress
    from gatekeeper.cli.reports import inputs_of, judged_of, reported
    from gatekeeper.gate import CheckRequest
    from gatekeeper.gate import check as check_candidate

    with reported(report, policy, candidate, testset) as reports:
        project = read_project()
        chosen = needed(policy or project.policy, "policy")
        if dry_run:
            _refuse_reports(report)
            locked = testset or project.testset
            return _print_plan(
                chosen, tuple(overrides or ()), find_file(locked, "testset", ".lock") if locked else None, home()
            )
        images, approved = root or project.root, approval or project.approval
        request = CheckRequest(
            policy=chosen,
            candidate=find_file(needed(candidate or project.candidate, "candidate"), "candidate", ".yaml"),
            testset=find_file(needed(testset or project.testset, "testset"), "testset", ".lock"),
            out=Path(out or project.out),
            home=home(),
            root=Path(images) if images else None,
            approval=Path(approved) if approved else None,
            overrides=tuple(overrides or ()),
            resume=resume,
        )
        reports.begin(*inputs_of(request.candidate), Path(chosen), request.testset, *filter(None, [request.approval]))
        with shown_progress() as progress:
            result = check_candidate(request, progress, _warn)
        judged = judged_of(result, reports.asked, with_self_test=self_test)
        reports.tell(judged)
    if as_json:
        from gatekeeper.reporters.json_report import judged_json

        typer.echo(judged_json(judged), nl=False)
    else:
        from gatekeeper.reporters import print_judged

        print_judged(console(no_color=no_color), judged)
    verdict = result.verdict.verdict.value
    if exit_zero:
        return 0
    return release_code(verdict, result.bars) if require_releasable else exit_code(verdict)


def _refuse_reports(report: list[str] | None) -> None:
    if report:
        raise UsageError(
            Code.FORBIDDEN,
            "--dry-run judges nothing, so there is nothing to report",
            where=f"--report {report[0]}",
            mend="leave out one of the two",
        )


def _warn(sentence: str) -> None:
    typer.echo(printable(sentence), err=True)


def _print_plan(policy: str, overrides: tuple[str, ...], testset: Path | None, home: Path) -> int:
    from gatekeeper.gate import rehearse

    plan, shortfalls = rehearse(policy, overrides, testset, home)
    typer.echo(f"{len(plan.conditions)} conditions for every case of the test set:")
    for condition in plan.conditions:
        size = "" if condition.magnitude is None else f"  {condition.magnitude:g} {condition.unit}"
        timed = f"  {condition.timed_calls} timed calls" if condition.timed_calls else ""
        timed += f"  {condition.cold_starts} cold starts" if condition.cold_starts else ""
        fresh = "  in a fresh process" if condition.fresh_process else ""
        typer.echo(f"  {condition.id:28}{condition.suite}{size}{timed}{fresh}")
    for sentence in shortfalls:
        _warn(sentence)
    return 0
