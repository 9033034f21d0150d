"""The content model as HTML. Templates run in a sandbox, all text is escaped; only drawings and the style are not."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from gatekeeper.dossier import geometry
from gatekeeper.dossier.blocks import Content
from gatekeeper.dossier.charts import Drawing
from gatekeeper.dossier.wording import unbroken, visible

if TYPE_CHECKING:
    from jinja2.sandbox import SandboxedEnvironment
    from markupsafe import Markup

_TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class _Page:
    paper: geometry.Paper
    top: float = geometry.MARGIN_TOP
    side: float = geometry.MARGIN_SIDE
    bottom: float = geometry.MARGIN_BOTTOM
    label: float = geometry.LABEL_HEIGHT


@dataclass(frozen=True)
class _Stylesheet:
    source: str


def render_html(content: Content, paper: geometry.Paper = geometry.PAPERS["a4"]) -> str:
    """Render the dossier as one HTML document that refers to nothing outside itself but its fonts."""
    style = _Stylesheet((_TEMPLATES / "style.css").read_text(encoding="utf-8"))
    template = _environment().get_template("dossier.html.j2")
    return template.render(
        content=content, contents=_contents(content), page=_Page(paper), frames=geometry.frames(paper), style=style
    )


def _contents(content: Content) -> tuple[tuple[tuple[int, str, str], ...], ...]:
    """Number, anchor and title of every section, in two columns."""
    entries = ((1, "section-1", "Verdict"), *((part.number, part.anchor, part.title) for part in content.sections))
    half = (len(entries) + 1) // 2
    return entries[:half], entries[half:]


@lru_cache(maxsize=1)
def _environment() -> SandboxedEnvironment:
    from jinja2 import FileSystemLoader, StrictUndefined
    from jinja2.sandbox import SandboxedEnvironment

    environment = SandboxedEnvironment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined, finalize=_finalize
    )
    environment.filters["drawing"] = _trusted_drawing
    environment.filters["stylesheet"] = _trusted_stylesheet
    return environment


def _finalize(value: object) -> object:
    return unbroken(visible(value)) if type(value) is str else value


def _trusted_drawing(drawing: Drawing) -> Markup:
    from markupsafe import Markup

    if not isinstance(drawing, Drawing):
        raise TypeError("only drawings may stand in a page unescaped")
    return Markup(drawing.svg)


def _trusted_stylesheet(sheet: _Stylesheet) -> Markup:
    from markupsafe import Markup

    if not isinstance(sheet, _Stylesheet):
        raise TypeError("only the style sheet of this room may stand in a page unescaped")
    return Markup(sheet.source)
