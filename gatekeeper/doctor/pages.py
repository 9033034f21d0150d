"""The PDF: the system's libraries and the bundled fonts, tried by printing a line."""

from __future__ import annotations

from collections.abc import Iterator

from gatekeeper.doctor.finding import Finding, broken, works
from gatekeeper.errors import GatekeeperError

_AREA = "dossier"
_LINE = (
    '<html lang="en"><head><title>doctor</title><style>'
    '@font-face { font-family: "Face"; src: url("dossier-font:regular"); } body { font-family: "Face"; }'
    "</style></head><body><p>A line of a dossier: 0.95 ≥ 0.9</p></body></html>"
)


def examine_pages() -> Iterator[Finding]:
    """Print a line to PDF as a dossier is printed. `check` needs it: a run without a dossier is none."""
    from gatekeeper.dossier.pdf import print_html

    try:
        pdf = print_html(_LINE, (), "2026-01-01T00:00:00Z")
    except GatekeeperError as error:
        problem = error.problems[0]
        yield broken(_AREA, "PDF", problem.why or problem.what, problem.mend or "reinstall weasyprint")
        return
    except Exception as error:  # a font or a library that is damaged may raise anything
        mend = "pip install --force-reinstall weasyprint font-source-sans-pro"
        yield broken(_AREA, "PDF", f"a line cannot be printed: {type(error).__name__}", mend)
        return
    yield works(_AREA, "PDF", f"a line was printed with the bundled font ({len(pdf):,} bytes)")


def examine_fonts() -> Iterator[Finding]:
    """Tell whether every bundled face is there."""
    from gatekeeper.dossier.faces import FACES, face

    try:
        found = [style for style in FACES if face(style)[:4] in (b"\0\1\0\0", b"OTTO", b"true")]
    except OSError as error:
        yield broken(_AREA, "fonts", type(error).__name__, "pip install --force-reinstall font-source-sans-pro")
        return
    if len(found) == len(FACES):
        yield works(_AREA, "fonts", f"Source Sans, {len(found)} faces")
    else:
        lost = ", ".join(sorted(set(FACES) - set(found)))
        yield broken(_AREA, "fonts", f"no font: {lost}", "pip install --force-reinstall font-source-sans-pro")
