"""The command line: every command, in the order of ``--help``."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Annotated

import typer

from gatekeeper.cli import (
    admit,
    candidate,
    check,
    demo,
    doctor,
    evaluate,
    init,
    keys,
    ledger,
    lock,
    policy,
    promote,
    reissue,
    revoke,
    rollback,
    sign,
    track,
    verify,
)
from gatekeeper.errors import ExitCode, printable

app = typer.Typer(
    name="gatekeeper",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from gatekeeper import __version__

        typer.echo(f"gatekeeper {__version__}")
        raise typer.Exit


@app.callback()
def _gatekeeper(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Decide whether a medical-imaging model may be released.

    A policy says what a clinical context requires; the candidate runs over a locked test set; what was seen is
    evidence; evidence against policy is a verdict, in a signed dossier that anyone can verify.

    \b
    Exit codes: 0 pass; 1 fail; 2 wrong usage or configuration; 3 integrity;
                4 inconclusive; 5 invalid run; 130 interrupted
    Reads:      gatekeeper.yaml in the working folder; $GATEKEEPER_HOME (else
                ~/.gatekeeper) for keys and ledger

    \b
    Example:
      gatekeeper init
    """


_A_RUN = (demo, init, check, evaluate, verify, reissue, sign)
_A_RELEASE = (promote, admit, rollback, revoke, track)
_INPUTS = (lock, policy, candidate, ledger, keys, doctor)
for register in (*_A_RUN, *_A_RELEASE, *_INPUTS):
    register.register(app)


def _command(arguments: list[str]) -> Callable[..., int | None]:
    command = typer.main.get_command(app)
    if "_GATEKEEPER_COMPLETE" in os.environ:
        from gatekeeper.cli.completing import attach

        attach(command)
    elif {"-h", "--help"} & set(arguments):
        from gatekeeper.cli.placeholders import name_values

        name_values(command)
    return command


def main(arguments: list[str]) -> int:
    """Run a command; return its exit code. Raises what the command raises, but for wrong usage of the command line."""
    try:
        return int(_command(arguments)(arguments, standalone_mode=False) or 0)
    except typer.Exit as exit_:
        return int(exit_.exit_code)
    except typer.Abort as abort:
        raise KeyboardInterrupt from abort
    except Exception as error:
        # Wrong usage of the command line shows itself; its class is typer's own and has moved between releases.
        show = getattr(error, "show", None)
        if show is None:
            raise
        _tame(error)
        show()
        return ExitCode.USAGE


def _tame(error: Exception) -> None:
    """Take what could steer a terminal or a runner out of words of the command line that an error says again."""
    for name in ("message", "option_name", "param_hint"):
        said = getattr(error, name, None)
        if isinstance(said, str):
            setattr(error, name, printable(said))
