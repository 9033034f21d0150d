"""``gatekeeper verify``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gatekeeper.cli.inputs import Trusted
from gatekeeper.cli.reports import NoColour
from gatekeeper.errors import Code, ExitCode, UsageError, printable

if TYPE_CHECKING:
    from gatekeeper.verification import Verification


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("verify")(verify)


def verify(
    dossier: Annotated[Path, typer.Argument(help="A dossier (PDF), or the folder of a run.")],
    trust: Trusted = None,
    require_role: Annotated[
        list[str] | None, typer.Option(help="Exit 3 unless this role has signed: engineer or qa.")
    ] = None,
    require_pass: Annotated[
        bool, typer.Option("--require-pass", help="Exit 0 only for an authentic PASS that is not exploratory.")
    ] = False,
    require_releasable: Annotated[
        bool, typer.Option("--require-releasable", help="Exit 0 only for a PASS that nothing bars from release.")
    ] = False,
    html: Annotated[
        Path | None, typer.Option(help="Write the dossier as a page for browsers to this file, once it holds.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was checked as JSON.")] = False,
    no_color: NoColour = False,
) -> int:
    """Check a dossier, and recompute every number in it.

    The verdict and every number are computed anew from what the dossier carries, offline and without the model. What
    was not checked is listed as well. A dossier that holds ends with 0 whatever its verdict says, unless a --require
    option asks for more.

    \b
    Exit codes: 0 it holds; 2 usage; 3 it does not hold, or a required role is
                missing; with --require-pass those of the verdict
    Reads:      the dossier; $GATEKEEPER_HOME/keys/root.pem, unless --trust is
                given
    See also:   sign, evaluate, ledger verify

    \b
    Example:
      gatekeeper verify dossier.pdf --trust their-root.pem --require-role qa
    """
    from gatekeeper.cli.inputs import known_role, trusted
    from gatekeeper.cli.output import exit_code, release_code
    from gatekeeper.reporters import release_lines
    from gatekeeper.verification import verify as verify_dossier

    required = tuple(known_role(role) for role in require_role or ())
    verification = verify_dossier(dossier, trusted(trust))
    verification.require_roles(required, str(dossier))
    if html is not None:
        _write_page(verification, html)
    verdict = verification.verdict
    if as_json:
        from dataclasses import asdict

        from gatekeeper.canonical import pretty_json

        typer.echo(
            pretty_json(
                {
                    "verdict": verdict.verdict.value,
                    "development": verification.development,
                    "exploratory": verdict.exploratory,
                    "releasable": not verification.bars,
                    "bars": [bar.reason.value for bar in verification.bars],
                    "signatures": [asdict(fact) for fact in verification.signatures],
                    "checked": list(verification.checked),
                    "not_checked": list(verification.not_checked),
                    "digests": verdict.digests.to_json(),
                }
            ),
            nl=False,
        )
    else:
        _print(verification.checked, verification.not_checked)
        if verification.development:
            typer.echo("\nDEVELOPMENT: signed with a development key; this dossier cannot release anything.")
        typer.echo("\n" + "\n".join(release_lines(verification.bars)))
    if require_releasable:
        return release_code(verdict.verdict.value, verification.bars)
    if not require_pass:
        return 0
    if verdict.exploratory and verdict.verdict.value == "PASS":
        typer.echo("EXPLORATORY: the policy was changed for this run; it cannot release.", err=True)
        return int(ExitCode.FAIL)
    return exit_code(verdict.verdict.value)


def _write_page(verification: Verification, target: Path) -> None:
    from gatekeeper.rewriting import page_of

    try:
        target.write_text(page_of(verification), encoding="utf-8")
    except OSError as error:
        raise UsageError(
            Code.CANNOT_WRITE,
            "the page cannot be written",
            where=str(target),
            why=error.strerror,
            mend="give --html a file in a folder that is there and can be written",
        ) from error


def _print(checked: tuple[str, ...], not_checked: tuple[str, ...]) -> None:
    for head, mark, sentences in (("Checked", "✓", checked), ("Not checked", "!", not_checked)):
        for number, sentence in enumerate(sentences):
            typer.echo(printable(f"{head if number == 0 else '':13}{mark} {sentence}"))
