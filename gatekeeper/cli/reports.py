"""The option ``--report``, and what a command's reports are told."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gatekeeper.cli.inputs import PROJECT_FILE

if TYPE_CHECKING:
    from gatekeeper.canonical import JSON
    from gatekeeper.evaluation import Evaluation
    from gatekeeper.gate import CheckResult
    from gatekeeper.reporters import Asked, Judged
    from gatekeeper.reporters.delivery import Reports

ReportOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="KIND:PATH",
        help="Write a report: text, json, junit, sarif, markdown, html or github (there without PATH). Repeatable.",
    ),
]
NoColour = Annotated[bool, typer.Option("--no-color", help="Print without colour; so does NO_COLOR=1.")]


FENCE = "GATEKEEPER_FENCE"


@contextmanager
def reported(
    given: list[str] | None, policy: str | None, candidate: str | None, *inputs: str | None, with_run: bool = True
) -> Iterator[Reports]:
    """Give the reports of a command; ``inputs`` are other files that it reads."""
    from gatekeeper.reporters import Asked
    from gatekeeper.reporters.delivery import reporting

    anchors = tuple(Path(name) for name in (policy, PROJECT_FILE, candidate) if name)
    asked = Asked(_workspace(), policy or "", candidate or "", anchors)
    read = [file for anchor in anchors for file in inputs_of(anchor)]
    read += [Path(name) for name in inputs if name]
    with reporting(given or [], asked, os.environ, _warn, _to_runner, inputs=read, with_run=with_run) as reports:
        yield reports


def judged_of(result: CheckResult, asked: Asked, *, with_self_test: bool = False) -> Judged:
    """Return what reports tell of a finished run."""
    from gatekeeper.reporters import FinishedRun, Judged
    from gatekeeper.run_records import ATTESTATION, DOSSIER, PAGE

    run = FinishedRun(
        folder=result.folder,
        dossier=result.folder / DOSSIER,
        page=result.folder / PAGE,
        attestation=result.folder / ATTESTATION,
        bars=result.bars,
        development=result.development,
        exposures=result.exposures,
        self_test=result.self_test,
        with_self_test=with_self_test,
    )
    loaded = result.loaded
    return Judged(asked, result.verdict, loaded.policy, run, loaded.written_at, loaded.layers)


def judged_again(evaluation: Evaluation, asked: Asked) -> Judged:
    """Return what reports tell of stored evidence that was judged again."""
    from gatekeeper.reporters import Judged

    loaded = evaluation.loaded
    if loaded is None:
        return Judged(asked, evaluation.verdict, evaluation.policy)
    return Judged(asked, evaluation.verdict, evaluation.policy, None, loaded.written_at, loaded.layers)


def inputs_of(path: Path) -> list[Path]:
    """Return a file and those that it names, if it is YAML: weights, a lock, another YAML file.

    What is wrong with the file is no matter here: whoever reads it in earnest will say so.
    """
    from gatekeeper.errors import GatekeeperError
    from gatekeeper.strict_yaml import read_yaml

    if path.suffix not in (".yaml", ".yml"):
        return [path]
    try:
        document = read_yaml(path)
    except GatekeeperError:
        return [path]
    named = (path.parent / text for text in _texts(document.data) if 0 < len(text) < 1000 and "\0" not in text)
    return [path, *(file for file in named if os.path.isfile(file))]


def _texts(data: JSON) -> Iterator[str]:
    if isinstance(data, str):
        yield data
    elif isinstance(data, dict | list):
        for value in data.values() if isinstance(data, dict) else data:
            yield from _texts(value)


def _workspace() -> Path:
    """Return the root of the repository on a runner, as long as the working folder lies in it; else that folder."""
    here, given = Path.cwd(), os.environ.get("GITHUB_WORKSPACE")
    return Path(given) if given and here.is_relative_to(os.path.realpath(given)) else here


def _warn(sentence: str) -> None:
    from gatekeeper.errors import printable

    typer.echo(printable(sentence), err=True)


def _to_runner(command: str) -> None:
    """Write a workflow command to stderr: a runner reads both streams, and stdout holds the result alone.

    Where the runner was told to take no commands until it reads a certain word, so that nothing else that is printed
    can be one, ``GATEKEEPER_FENCE`` is that word: the command is let through, and the fence closed behind it.
    """
    fence = os.environ.get(FENCE, "")
    fenced = f"::{fence}::\n{command}\n::stop-commands::{fence}" if fence.isalnum() else command
    typer.echo(fenced, err=True)
