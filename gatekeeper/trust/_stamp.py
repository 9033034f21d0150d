"""The visible mark of a signature, as a small PDF: who, when and with what meaning (21 CFR 11.50)."""

from __future__ import annotations

from datetime import datetime
from html import escape
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from weasyprint import Document

_FONT_SIZES = (9.0, 8.0, 7.0, 6.0, 5.0, 4.5)

_PAGE = """<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Signature</title><style>
@font-face {{ font-family: "Source Sans Pro"; src: url("{font}"); }}
@font-face {{ font-family: "Source Sans Pro"; font-weight: bold; src: url("{bold}"); }}
@page {{ size: {width}pt {height}pt; margin: 3pt; }}
html {{ font: {size}pt/1.2 "Source Sans Pro"; color: #111; overflow-wrap: anywhere; }}
body, p {{ margin: 0; }}
.warning {{ color: #a40000; }}
</style></head><body>{warning}<p><b>{name}</b></p><p>{time}</p><p>{meaning}</p></body></html>"""


def render_stamp(
    name: str, meaning: str, signing_time: datetime, *, development: bool, width: float, height: float
) -> bytes:
    """Render the mark as a PDF of one page, ``width`` x ``height`` points.

    The type is as large as fits, 9 pt at most. Raises ValueError when not even 4.5 pt fits: nothing is cut off.
    """
    fonts = files("font_source_sans_pro") / "files"
    with (
        as_file(fonts / "SourceSansPro-Regular.ttf") as regular,
        as_file(fonts / "SourceSansPro-Bold.ttf") as bold,
    ):
        for size in _FONT_SIZES:
            page = _PAGE.format(
                font=_address(regular),
                bold=_address(bold),
                width=width,
                height=height,
                size=size,
                warning='<p class="warning"><b>DEVELOPMENT key, not for release</b></p>' if development else "",
                name=escape(name),
                time=f"{signing_time:%Y-%m-%d %H:%M:%S} UTC",
                meaning=escape(meaning),
            )
            document = _laid_out(page)
            if len(document.pages) == 1:
                pdf: bytes = document.write_pdf()
                return pdf
    raise ValueError(f"a stamp of {width:g} x {height:g} pt has no room for its name, time and meaning")


def _laid_out(page: str) -> Document:
    from weasyprint import HTML

    return HTML(string=page).render()


def _address(font: Path) -> str:
    return escape(font.resolve().as_uri())
