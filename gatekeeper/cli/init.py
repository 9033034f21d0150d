"""``gatekeeper init``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gatekeeper.errors import printable

if TYPE_CHECKING:
    from gatekeeper.starting import Started


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("init")(init)


def init(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where the project is to lie.")] = Path("."),
    context: Annotated[
        str | None, typer.Option(metavar="POLICY", help="The shipped policy to build on, such as neuro/ich_triage.")
    ] = None,
    modality: Annotated[str | None, typer.Option(metavar="CODE", help="Or by CT, MR, DX, MG, OP, …")] = None,
    body_part: Annotated[str | None, typer.Option(metavar="CODE", help="With --modality: HEAD, CHEST, …")] = None,
    task: Annotated[
        str | None, typer.Option(metavar="TASK", help="With --modality: classification, segmentation, detection, …")
    ] = None,
    id_: Annotated[str | None, typer.Option("--id", metavar="ID", help="The id of your policy.")] = None,
    form: Annotated[str | None, typer.Option("--format", metavar="FORMAT", help="Of the candidate: onnx, …")] = None,
    artefact: Annotated[
        Path | None, typer.Option(metavar="PATH", help="A model below FOLDER, from which the candidate is filled.")
    ] = None,
    workflow: Annotated[bool | None, typer.Option(help="Write a workflow for GitHub Actions.")] = None,
    action: Annotated[
        str | None, typer.Option(metavar="OWNER/REPO@COMMIT", help="Where the workflow finds the action.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing: take what would be proposed.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was written as JSON.")] = False,
) -> int:
    """Begin a project: policy, candidate, test set and workflow.

    The policy lies upon the shipped one that --context names, or the nearest of a modality, body part and task. What an
    artefact tells of itself (size, channels, answers) is filled in; CHECK marks what no file can say. On a terminal
    what is not given is asked for. Nothing is replaced without --force, and nothing is written unless all can be.

    \b
    Exit codes: 0 written; 2 usage, or a file is in the way
    Writes:     gatekeeper.yaml, policies/, model/, testset/ and
                .github/workflows/model-release.yml in FOLDER
    See also:   policy list, candidate inspect, lock create, check

    \b
    Example:
      gatekeeper init --context chest_ct/nodule_malignancy \\
          --id our_site.nodules --format onnx
    """
    from gatekeeper.starting import Wishes, begin, default_id, missing_wishes, nearest_policy, shipped_policies

    asking = sys.stdin.isatty() and sys.stderr.isatty() and not yes
    if context is None and modality is not None and task is not None:
        context = nearest_policy(shipped_policies(), modality, body_part, task).name
    if context is None and asking:
        context = _ask_context()
    if not asking:
        needed = [("--context", context)]
        if not yes:
            needed += [("--id", id_), ("--format", form or (str(artefact) if artefact else None))]
        if any(value is None for _, value in needed):
            raise missing_wishes(needed)
    assert context is not None
    if asking:
        id_ = id_ if id_ is not None else _ask("Id of your policy", default_id(context))
        form = form or (None if artefact else _ask("Format of the candidate", "onnx"))
        workflow = workflow if workflow is not None else typer.confirm("Write a workflow?", default=True, err=True)
    wishes = Wishes(
        context=context,
        id=default_id(context) if id_ is None else id_,
        format=form,  # type: ignore[arg-type]
        artefact=artefact,
        task=task,
        workflow=workflow is not False,
        **({"action": action} if action else {}),
    )
    started = begin(folder, wishes, force=force)
    if as_json:
        from gatekeeper.canonical import pretty_json

        typer.echo(pretty_json(started.to_json()), nl=False)
    else:
        _print(started)
    return 0


def _ask(what: str, proposed: str) -> str:
    return str(typer.prompt(what, default=proposed, err=True)).strip()


def _ask_context() -> str:
    from gatekeeper.starting import shipped_policies

    known = shipped_policies()
    typer.echo("The shipped policies:", err=True)
    width = max(len(one.name) for one in known)
    for number, one in enumerate(known, start=1):
        context = one.policy.context
        typer.echo(f"  {number:>2}  {one.name:{width}}  {context.modality}  {context.task.replace('_', ' ')}", err=True)
    answer = str(typer.prompt("Which is nearest to yours (number or name)", err=True)).strip()
    if answer.isascii() and answer.isdigit() and 0 < int(answer) <= len(known):
        return known[int(answer) - 1].name
    return answer


def _print(started: Started) -> None:
    import shlex

    width = max(len(str(path)) for path, _ in started.files)
    for path, what in started.files:
        typer.echo(printable(f"{path!s:{width}}   {what}"))
    typer.echo("\nnext, once the lines marked CHECK are yours and the table has its rows:")
    if started.folder != Path("."):
        typer.echo(printable(f"  cd {shlex.quote(str(started.folder))}"))
    for command in started.next:
        typer.echo(f"  {command}")
    if started.off_root:
        typer.echo("\nThis folder is not the root of its repository: move .github there, and mend the paths in it.")
    if started.unnamed_action:
        typer.echo("\nThe workflow needs the action's owner and commit: OWNER and SHA in it, or init --action.")
