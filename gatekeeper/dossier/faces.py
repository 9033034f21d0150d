"""The bundled fonts as files, and cut down to what a page for browsers needs, within the page."""

from __future__ import annotations

import base64
import io
from functools import lru_cache
from importlib.resources import files

FACES = {
    "regular": "SourceSansPro-Regular.ttf",
    "italic": "SourceSansPro-It.ttf",
    "semibold": "SourceSansPro-Semibold.ttf",
    "bold": "SourceSansPro-Bold.ttf",
}
_FILES = files("font_source_sans_pro") / "files"
_WEIGHTS = {"regular": 400, "semibold": 600, "bold": 700}
# Latin with accents, Greek, punctuation, arrows, mathematics: what is not in here is left to the fonts of the reader.
_LETTERS = ((0x20, 0x7E), (0xA0, 0x24F), (0x370, 0x3FF), (0x2010, 0x205E), (0x2070, 0x209C), (0x2190, 0x2193))
_SIGNS = (0x2122, 0x2212, 0x221A, 0x221E, 0x2248, 0x2260, 0x2264, 0x2265, 0x25B2, 0x25BC)


def face(style: str) -> bytes:
    """Return a bundled font as TrueType."""
    return _FILES.joinpath(FACES[style]).read_bytes()


@lru_cache(maxsize=1)
def embedded_faces(family: str) -> str:
    """Return ``@font-face`` rules that hold the fonts themselves, as WOFF2 of the letters that are likely to occur.

    About 30 kB a font, where a whole one takes 290 kB; the same bytes each time.
    """
    return "\n".join(
        f'@font-face {{ font-family: "{family}"; font-weight: {weight}; '
        f'src: url("data:font/woff2;base64,{base64.b64encode(_cut(face(style))).decode()}") format("woff2"); }}'
        for style, weight in _WEIGHTS.items()
    )


def _cut(font: bytes) -> bytes:
    from fontTools.subset import Options, Subsetter
    from fontTools.ttLib import TTFont

    options = Options(layout_features=["kern", "lnum", "tnum", "mark", "mkmk", "ccmp"], hinting=False)
    with TTFont(io.BytesIO(font), recalcTimestamp=False) as opened:
        cutter = Subsetter(options)
        cutter.populate(unicodes=[code for low, high in _LETTERS for code in range(low, high + 1)] + list(_SIGNS))
        cutter.subset(opened)
        opened.flavor = "woff2"
        written = io.BytesIO()
        opened.save(written)
    return written.getvalue()
