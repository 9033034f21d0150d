"""The PDF: PDF/A-3u, tagged, the same bytes for the same material, with its evidence attached.

Built on WeasyPrint, whose gaps are closed here: nothing but the bundled fonts can be fetched, each attachment is
listed once with its own media type and relationship, and no log line reaches the terminal.
"""

from __future__ import annotations

import gc
import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol, cast

from gatekeeper.canonical import digest_json
from gatekeeper.dossier.attachments import Attached, describe_attachments
from gatekeeper.dossier.content import compose_content
from gatekeeper.dossier.geometry import PAPERS, SignatureBox, signature_boxes
from gatekeeper.dossier.material import DossierMaterial
from gatekeeper.dossier.numerals import instant
from gatekeeper.dossier.pages import render_html
from gatekeeper.errors import Code, UsageError

if TYPE_CHECKING:
    import weasyprint

_APT = "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"
_LOGGERS = ("weasyprint", "weasyprint.progress", "fontTools")


@dataclass(frozen=True)
class RenderedDossier:
    """An unsigned dossier, and the places of page one that are reserved for signatures, by role."""

    pdf: bytes
    boxes: dict[str, SignatureBox]


def render_dossier(material: DossierMaterial, attachments: Mapping[str, bytes]) -> RenderedDossier:
    """Render the dossier with files attached under plain file names.

    Equal arguments give equal bytes on one machine. Raises UsageError where a system library is missing, ValueError
    for an attachment whose name is not a plain file name.
    """
    attached = describe_attachments(attachments)
    paper = PAPERS[material.policy.dossier.paper]
    html = render_html(compose_content(material, attached), paper)
    return RenderedDossier(print_html(html, attached, material.verdict.run.finished), signature_boxes(paper))


def print_html(html: str, attached: tuple[Attached, ...], written: str) -> bytes:
    """Print an HTML document to PDF; ``written`` is the time that the PDF bears, ISO 8601.

    Raises InvalidRunError when the document asks for anything but the bundled fonts.
    """
    identifier = digest_json([html, [[item.name, item.digest] for item in attached]]).removeprefix("sha256:")[:32]

    def finish(_document: object, pdf: _Written) -> None:
        _mend_attachments(pdf, attached)

    with _quiet(), _uncollected():
        printer = _load_weasyprint()
        from gatekeeper.dossier.fonts import font_fetcher

        with font_fetcher() as fetcher:
            pdf: bytes = printer.HTML(string=html, url_fetcher=fetcher).write_pdf(
                pdf_variant="pdf/a-3u",
                pdf_tags=True,
                pdf_identifier=identifier.encode(),
                attachments=[_attachment(printer, item, instant(written)) for item in attached],
                finisher=finish,
            )
        return pdf


def _attachment(printer: weasyprint, item: Attached, moment: datetime) -> weasyprint.Attachment:
    return printer.Attachment(
        string=item.data,
        name=item.name,
        description=item.description,
        created=moment,
        modified=moment,
        relationship=item.relationship,
    )


def _load_weasyprint() -> weasyprint:
    missing: Exception | None = None
    try:
        import weasyprint
        from weasyprint.text import ffi
    except OSError as error:
        missing = error
    else:
        if ffi.harfbuzz_subset is not None:
            return weasyprint
    raise UsageError(
        Code.MISSING_PACKAGE,
        "a system library that writes PDF is missing",
        why=str(missing).partition("\n")[0]
        if missing
        else "without libharfbuzz-subset two equal dossiers would differ",
        mend=f"on Debian and Ubuntu: apt-get install {_APT}",
    ) from missing


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep what WeasyPrint and fontTools log or warn away from the terminal, whatever logging is set up."""
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    before = [logger.propagate for logger in loggers]
    for logger in loggers:
        logger.propagate = False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            yield
    finally:
        for logger, propagated in zip(loggers, before, strict=True):
            logger.propagate = propagated


@contextmanager
def _uncollected() -> Iterator[None]:
    """Hold the garbage collector off: what pages are made of lives to the end, and it takes a quarter of the time."""
    on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if on:
            gc.enable()


class _Embedded(Protocol):
    """A stream as pydyf has it; ``extra`` is its dictionary."""

    extra: dict[str, object]


class _Written(Protocol):
    """The part of pydyf's PDF that is mended: objects by number, and the catalogue."""

    objects: list[object]
    catalog: dict[str, list[bytes]]


def _mend_attachments(pdf: _Written, attached: tuple[Attached, ...]) -> None:
    """List every attachment once in /AF, and give each its own type and relationship.

    WeasyPrint lists them twice, guesses types from a table of the system, and takes the relationship from an MD5 of
    the bytes, which two equal files share. File specifications stand in the order in which they were attached.
    """
    specifications = [part for part in pdf.objects if isinstance(part, dict) and part.get("Type") == "/Filespec"]
    for specification, item in zip(specifications, attached, strict=True):
        embedded = cast("_Embedded", pdf.objects[int(specification["EF"]["F"].split()[0])])
        embedded.extra["Subtype"] = "/" + item.media_type.replace("/", "#2f").replace("+", "#2b")
        specification["AFRelationship"] = f"/{item.relationship}"
    if attached:
        listed = pdf.catalog["AF"]
        listed[:] = list(dict.fromkeys(listed))
