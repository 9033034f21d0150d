"""``gatekeeper lock create``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from gatekeeper.errors import Code, UsageError, printable

if TYPE_CHECKING:
    from gatekeeper.testset.dicomweb import Archive


def register(lock: typer.Typer) -> None:
    """Add the command."""
    lock.command("create")(create)


def create(
    table: Annotated[Path, typer.Option(help="CSV or Parquet with case_id, patient_id, image, label, …")],
    out: Annotated[Path, typer.Option(help="The lock to write.")],
    task: Annotated[
        Literal["classification", "segmentation", "detection"],
        typer.Option(help="What the reference is: the column label, mask or boxes."),
    ] = "classification",
    root: Annotated[Path | None, typer.Option(help="Folder of the images, if not the table's own.")] = None,
    secret: Annotated[Path | None, typer.Option(help="File with the secret that hides patient ids.")] = None,
    allow: Annotated[
        list[str] | None, typer.Option(metavar="TAG", help="Let an identifier pass; --because says why. Repeatable.")
    ] = None,
    because: Annotated[list[str] | None, typer.Option(metavar="REASON", help="Why, one for each --allow.")] = None,
    report: Annotated[Path | None, typer.Option(help="Write what screening found, as JSON and without values.")] = None,
    dicomweb: Annotated[
        str | None, typer.Option(metavar="URL", help="Retrieve series from here; image is then STUDY/SERIES.")
    ] = None,
    query: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help="Only studies that match, such as Modality=CT.")
    ] = None,
    decode: Annotated[bool, typer.Option(help="Read all pixels, to refuse what cannot be decoded.")] = True,
    insecure: Annotated[bool, typer.Option("--insecure", help="Let the archive's address be plain http.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print name, counts and digest as JSON.")] = False,
) -> int:
    """Lock a test set: hash, screen and sign all that it is made of.

    Every file is bound by its hash to its patient and its reference. Files that could identify a patient are refused by
    tag and count, never by value; what must stay is let pass with a reason. Every image and mask is decoded. Patient
    ids leave the table only as keyed hashes: without --secret a new key is made and kept beside the lock.

    \b
    Exit codes: 0 locked; 2 usage, or the table or a file does not hold
    Reads:      the table and its files; $GATEKEEPER_HOME/keys (made if missing)
    See also:   lock verify, lock show, lock overlap, init

    \b
    Example:
      gatekeeper lock create --table cases.csv --out lvo.lock
    """
    from gatekeeper.canonical import JSON, pretty_json
    from gatekeeper.cli.inputs import home
    from gatekeeper.cli.progress import shown_progress
    from gatekeeper.locking import lock_testset

    with shown_progress() as progress:
        locked = lock_testset(
            table,
            out,
            home(),
            task=task,
            root=root,
            secret_file=secret,
            allowed=_answered(allow or [], because or []),
            report=report,
            archive=_archive(dicomweb, query or [], insecure=insecure),
            decode=decode,
            progress=progress,
        )
    counts = f"{len(locked.cases):,} cases of {locked.patients:,} patients, {locked.files:,} files"
    if as_json:
        facts: dict[str, JSON] = {
            "lock": str(out),
            "cases": len(locked.cases),
            "patients": locked.patients,
            "files": locked.files,
        }
        typer.echo(pretty_json({**facts, "digest": locked.digest}), nl=False)
    else:
        typer.echo(printable(f"{out}: {counts}, {locked.digest}"))
    return 0


def _archive(url: str | None, query: list[str], *, insecure: bool) -> Archive | None:
    from gatekeeper.testset.dicomweb import Archive

    if url is None and not query:
        return None
    pairs = [pair.partition("=") for pair in query]
    if url is None or not all(key and equals and value for key, equals, value in pairs):
        raise UsageError(
            Code.BAD_VALUE,
            "a query is KEY=VALUE, to an archive",
            mend="write --dicomweb URL --query ModalitiesInStudy=CT",
        )
    return Archive(url, tuple((key, value) for key, _, value in pairs), insecure)


def _answered(allow: list[str], because: list[str]) -> dict[str, str]:
    if len(allow) != len(because):
        raise UsageError(
            Code.MISSING_KEY,
            f"{len(allow)} tags are allowed, and {len(because)} reasons are given",
            mend='write --because "..." after each --allow',
        )
    return dict(zip(allow, because, strict=True))
