"""``gatekeeper candidate``: digest, inspect."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gatekeeper.errors import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gatekeeper.candidate.inspection import Inspection

candidate = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="A model that wants to be released.")

# More than these are left to --json.
_SHOWN = 12


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(candidate, name="candidate")


@candidate.callback()
def _candidate() -> None:
    """A model that wants to be released."""


@candidate.command("digest")
def digest(path: Annotated[Path, typer.Argument(metavar="CANDIDATE", help="The candidate's YAML file.")]) -> int:
    """Print the digest that names a candidate.

    It covers artefact, adapter and operating point. Every file that it names follows, each with its SHA-256. Nothing of
    it is run.

    \b
    Exit codes: 0 printed; 2 usage, or the candidate does not hold
    Reads:      the candidate's YAML and its files
    See also:   candidate inspect, check

    \b
    Example:
      gatekeeper candidate digest model.yaml
    """
    from gatekeeper.candidate import load_candidate

    record = load_candidate(path).record
    typer.echo(printable(f"{record.digest}  {record.name}"))
    for name, file_digest in record.files.items():
        typer.echo(printable(f"{file_digest}  {name}"))
    return 0


@candidate.command("inspect")
def inspect(
    path: Annotated[Path, typer.Argument(metavar="CANDIDATE", help="The candidate's YAML file, or its artefact.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> int:
    """Tell what a candidate is made of, and what needs trust.

    Files, digests, parameters, inputs, outputs, operators. Its files are parsed in a walled-in process. What is found
    is advice and changes no verdict.

    \b
    Exit codes: 0 told; 2 usage; 5 no isolation works here
    Reads:      the candidate's YAML and its files, or a bare artefact
    See also:   candidate digest, init --artefact, doctor

    \b
    Example:
      gatekeeper candidate inspect model.onnx
    """
    from gatekeeper.candidate.inspection import inspect as look

    inspection = look(path)
    if as_json:
        from gatekeeper.canonical import pretty_json

        typer.echo(pretty_json(inspection.to_json()), nl=False)
    else:
        for line in _lines(inspection):
            typer.echo(printable(line))
    return 0


def _lines(found: Inspection) -> Iterator[str]:
    anatomy = found.anatomy
    yield f"{found.name}   {found.format}" + (f"   {found.plugin}" if found.plugin else "")
    yield f"digest      {found.digest}"
    for head, file in zip(_heads("files", len(found.files)), found.files[:_SHOWN], strict=False):
        yield f"{head}{file.sha256}  {file.size:>13,} bytes  {file.path}"
    if len(found.files) > _SHOWN:
        yield f"            and {len(found.files) - _SHOWN:,} more: --json lists them"
    if anatomy.parameters is not None:
        yield f"parameters  {anatomy.parameters:,}"
    if anatomy.tensors is not None:
        yield f"tensors     {anatomy.tensors:,}" + (f" ({_counts(anatomy.dtypes)})" if anatomy.dtypes else "")
    for head, ports in (("inputs", anatomy.inputs), ("outputs", anatomy.outputs)):
        for start, port in zip(_heads(head, len(ports)), ports[:_SHOWN], strict=False):
            yield f"{start}{port.name}  {port.dtype}  {port.shape}"
    if anatomy.opsets:
        yield "opsets      " + ", ".join(f"{domain} {version}" for domain, version in anatomy.opsets.items())
    if anatomy.operators:
        yield f"operators   {_counts(anatomy.operators)}"
    if anatomy.external:
        yield f"data from   {', '.join(anatomy.external[:_SHOWN])}"
    if found.needs_trust:
        given = f" (declared: producer: {found.producer})" if found.producer else ""
        yield f"trust       needed: {found.why}{given}"
    else:
        yield "trust       not needed to load it"
    if found.parse_error is not None:
        yield f"not parsed  {found.parse_error}"
    for head, advice in zip(_heads("look at", len(found.advice)), found.advice, strict=False):
        yield f"{head}{advice}"


def _heads(head: str, count: int) -> list[str]:
    return [f"{head:12}", *[" " * 12] * (count - 1)]


def _counts(counts: Mapping[str, int]) -> str:
    shown = [f"{name} {count:,}" for name, count in list(counts.items())[:_SHOWN]]
    return ", ".join(shown) + (f", and {len(counts) - _SHOWN:,} more" if len(counts) > _SHOWN else "")
