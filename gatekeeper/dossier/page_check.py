"""Whether the pages of a PDF say what evidence and policy give: their text is read back and compared.

Page one must say that and nothing else. Of the sections on requirements and thresholds every text must stand where it
belongs. What is drawn is not compared, nor are texts in scripts that a reader would put into another order.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator

from gatekeeper.dossier.blocks import Block, Facts, FirstPage, Heading, Paragraph, Points, Row, Table
from gatekeeper.dossier.content import bands_of, footer_of
from gatekeeper.dossier.first_page import first_page
from gatekeeper.dossier.geometry import ROLES
from gatekeeper.dossier.material import DossierMaterial
from gatekeeper.dossier.sections import requirements
from gatekeeper.dossier.wording import visible
from gatekeeper.errors import Code, IntegrityError

_SERIES = "gatekeeper release dossier"
_SHOWN = 60


def check_pages(pdf: bytes, material: DossierMaterial, where: str) -> int:
    """Return how many texts of the pages were found as they must be.

    ``pdf`` is a file whose signatures hold; ``material`` is made again from what it carries. Raises IntegrityError
    NOT_RECOMPUTED with the first text that is missing or another one.
    """
    pages = _texts_of_pages(pdf)
    frame = [f"{word} — {meaning}" for word, meaning in bands_of(material)]
    first = list(_of_first_page(first_page(material), frame))
    footer = "".join(_bare(text) for text in [*frame, footer_of(material)])
    found = _without_footer(pages[0], footer, 1, len(pages), where)
    if all(_comparable(text) for text in first):
        _require_equal("".join(_bare(text) for text in first), found, where)
    else:
        _require_in_order(first, found, "page 1", where)
    rest = "".join(
        _without_footer(page, footer, number, len(pages), where) for number, page in enumerate(pages[1:], start=2)
    )
    blocks = (*requirements.requirements(material), *requirements.thresholds(material))
    later = [text for block in blocks for text in _of_block(block)]
    _require_in_order(later, rest, "the sections on requirements and thresholds", where)
    return sum(1 for text in (*first, *later) if _comparable(text))


def _texts_of_pages(pdf: bytes) -> list[str]:
    import pypdfium2

    document = pypdfium2.PdfDocument(pdf)
    try:
        # PDFium gives U+0002 for a hyphen at the end of a line.
        return [_bare(page.get_textpage().get_text_bounded().replace("\x02", "-")) for page in document]
    finally:
        document.close()


def _of_first_page(page: FirstPage, frame: Iterable[str]) -> Iterator[str]:
    yield from frame
    yield _SERIES
    yield from (page.verdict, page.words, *page.reasons)
    for name, value in page.facts:
        yield from (name, value)
    for brief in page.requirements:
        yield from (brief.outcome, brief.title, brief.words)
    yield page.remainder
    yield from ROLES.values()


def _of_block(block: Block) -> Iterator[str]:
    if isinstance(block, Paragraph | Heading):
        yield block.text
    elif isinstance(block, Points | Facts):
        for name, text in block.items:
            yield from (name, text)
    elif isinstance(block, Table):
        for row in block.rows:
            yield from _of_row(row)


def _of_row(row: Row) -> Iterator[str]:
    yield row.group
    for cell in row.cells:
        yield from (cell.text, *cell.below)
    yield row.note


def _without_footer(page: str, footer: str, number: int, pages: int, where: str) -> str:
    """Take the footer off a page. Raises where a page has another one."""
    end = f"{footer}page{number}of{pages}"
    if _comparable(footer) and not page.endswith(end):
        raise _differs(f"the footer of page {number}", end, page[-len(end) :], where)
    return page[: -len(end)]


def _require_equal(wanted: str, found: str, where: str) -> None:
    if wanted != found:
        pairs = enumerate(zip(wanted, found, strict=False))
        differing = next((index for index, (one, other) in pairs if one != other), min(len(wanted), len(found)))
        start = max(0, differing - _SHOWN // 3)
        raise _differs("page 1", wanted[start:], found[start:], where)


def _require_in_order(texts: Iterable[str], found: str, place: str, where: str) -> None:
    at = 0
    for text in texts:
        if not _comparable(text):
            continue
        bare = _bare(text)
        next_at = found.find(bare, at)
        if next_at < 0:
            raise _differs(place, bare, found[at:], where)
        at = next_at + len(bare)


def _differs(place: str, wanted: str, found: str, where: str) -> IntegrityError:
    return IntegrityError(
        Code.NOT_RECOMPUTED,
        f"{place} does not say what the attached evidence gives",
        where=where,
        why=f"“{wanted[:_SHOWN]}” is to be read there (without spaces), and “{found[:_SHOWN]}” stands there",
        mend="do not rely on this dossier; make the run again with `gatekeeper check`",
    )


def _bare(text: str) -> str:
    """Return text as it is compared: as pages show it, compatible forms made one, without white space."""
    return "".join(unicodedata.normalize("NFKC", visible(text)).split())


def _comparable(text: str) -> bool:
    """Say whether text is read back in the order in which it was written, letter for letter: Latin, Greek, symbols."""
    ranges = (("", "\u024f"), ("\u0370", "\u03ff"), ("\u2000", "\u22ff"))
    return all(any(first <= letter <= last for first, last in ranges) for letter in visible(text))
