"""The content model as HTML that is printed to PDF, and the templates, which the page for browsers shares.

Templates run in a sandbox, all text is escaped; only drawings, and style and script of this room, are not.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from gatekeeper.dossier import geometry, numerals
from gatekeeper.dossier.blocks import Content, Table
from gatekeeper.dossier.charts import Drawing
from gatekeeper.dossier.wording import unbroken, visible

if TYPE_CHECKING:
    from jinja2.sandbox import SandboxedEnvironment
    from markupsafe import Markup

_TEMPLATES = Path(__file__).parent / "templates"
_WIDTHS = (21.0, 79.0, 4.0, 11.0, 29.0, 56.0)  # of the columns of facts, and of the requirements on page one


@dataclass(frozen=True)
class _Page:
    paper: geometry.Paper
    top: float = geometry.MARGIN_TOP
    side: float = geometry.MARGIN_SIDE
    bottom: float = geometry.MARGIN_BOTTOM
    label: float = geometry.LABEL_HEIGHT


@dataclass(frozen=True)
class Source:
    """Style or script of this room: besides drawings all that may stand in a document unescaped."""

    text: str


def render_html(content: Content, paper: geometry.Paper = geometry.PAPERS["a4"]) -> str:
    """Render the dossier as one HTML document that refers to nothing outside itself but its fonts."""
    style = Source(f"{template_text('style.css')}\n{width_rules(content)}")
    template = environment().get_template("dossier.html.j2")
    return template.render(
        content=content,
        contents=_halves(contents_of(content)),
        page=_Page(paper),
        frames=geometry.frames(paper),
        style=style,
    )


def template_text(name: str) -> str:
    """Return a style or script among the templates as it is."""
    return (_TEMPLATES / name).read_text(encoding="utf-8")


def width_rules(content: Content) -> str:
    """Return the rules for the widths of all columns: a page that allows no style in an attribute needs classes."""
    tables = [block for section in content.sections for block in section.blocks if isinstance(block, Table)]
    widths = {*_WIDTHS, *(column.width for table in tables for column in table.columns)}
    return "\n".join(f".{_width_class(width)} {{ width: {width:g}%; }}" for width in sorted(widths))


_Entries = tuple[tuple[int, str, str], ...]


def contents_of(content: Content) -> _Entries:
    """Return number, anchor and title of every section."""
    return ((1, "section-1", "Verdict"), *((part.number, part.anchor, part.title) for part in content.sections))


def _halves(entries: _Entries) -> tuple[_Entries, _Entries]:
    half = (len(entries) + 1) // 2
    return entries[:half], entries[half:]


@lru_cache(maxsize=1)
def environment() -> SandboxedEnvironment:
    """Return the sandbox in which templates run."""
    from jinja2 import FileSystemLoader, StrictUndefined
    from jinja2.sandbox import SandboxedEnvironment

    environment = SandboxedEnvironment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined, finalize=_finalize
    )
    environment.filters["drawing"] = _trusted_drawing
    environment.filters["source"] = _trusted_source
    environment.filters["width"] = _width_class
    environment.filters["shown"] = numerals.shown
    return environment


def _width_class(width: float) -> str:
    return f"w{width:g}".replace(".", "-")


def _finalize(value: object) -> object:
    return unbroken(visible(value)) if type(value) is str else value


def _trusted_drawing(drawing: Drawing) -> Markup:
    from markupsafe import Markup

    if not isinstance(drawing, Drawing):
        raise TypeError("only drawings may stand in a page unescaped")
    return Markup(drawing.svg)


def _trusted_source(source: Source) -> Markup:
    from markupsafe import Markup

    if not isinstance(source, Source):
        raise TypeError("only style and script of this room may stand in a page unescaped")
    return Markup(source.text)
