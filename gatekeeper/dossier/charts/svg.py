"""The few SVG elements that charts are made of. Lengths are in points, y grows downwards, text is escaped here.

Nothing depends on a clock or on chance, and no meaning rests on colour: shapes and line styles carry it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from gatekeeper.dossier.wording import visible

FAMILY = "Dossier Sans"
INK = "#1a1a1a"
QUIET = "#666666"
HAIR = "#b5b5b5"
BAND = "#e3e3e3"
ACCENT = "#1f3a68"
PAPER = "#ffffff"
MOST_ROWS = 400  # of the numbers behind a chart
PICTURE = "data:image/png;base64,"  # the one kind of address that a drawing may name

Point = tuple[float, float]


@dataclass(frozen=True)
class Data:
    """The numbers behind a chart: headings, and rows of as many texts or numbers (None where there is none).

    ``note`` says what the rows do not, such as which were left out.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str | float | None, ...], ...]
    note: str = ""


@dataclass(frozen=True)
class Drawing:
    """A finished chart: SVG source, what it shows in words, and its numbers, if it has any to show apart.

    The one kind of value that templates do not escape.
    """

    svg: str
    words: str
    data: Data | None = None


def data_of(columns: Sequence[str], rows: Sequence[Sequence[str | float | None]]) -> Data:
    """Return the numbers behind a chart, evenly thinned, but for the last, where there are more than anybody reads."""
    step = -(-len(rows) // MOST_ROWS) or 1
    note = f"One row in {step} is listed, of {len(rows):,}" if step > 1 else ""
    kept = rows[::step] if (len(rows) - 1) % step == 0 else [*rows[::step], rows[-1]]
    return Data(tuple(columns), tuple(tuple(row) for row in kept), note)


def drawing(width: float, height: float, words: str, parts: Iterable[str], data: Data | None = None) -> Drawing:
    """Put parts into an SVG of this size; ``words`` is what a reader hears who cannot see it."""
    said = visible(words)
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_n(width)}pt" height="{_n(height)}pt" '
        f'viewBox="0 0 {_n(width)} {_n(height)}" role="img" aria-label={quoteattr(said)}>'
        f"<title>{escape(said)}</title>{''.join(parts)}</svg>"
    )
    return Drawing(svg, said, data)


def line(start: Point, end: Point, *, width: float = 0.5, colour: str = INK, dashes: str | None = None) -> str:
    """Return a straight line."""
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    (x1, y1), (x2, y2) = start, end
    return (
        f'<line x1="{_n(x1)}" y1="{_n(y1)}" x2="{_n(x2)}" y2="{_n(y2)}" '
        f'stroke="{colour}" stroke-width="{_n(width)}"{dashed}/>'
    )


def path(points: Sequence[Point], *, width: float = 1.0, colour: str = INK) -> str:
    """Return a line through points."""
    steps = " ".join(f"{'L' if index else 'M'}{_n(x)} {_n(y)}" for index, (x, y) in enumerate(points))
    return f'<path d="{steps}" fill="none" stroke="{colour}" stroke-width="{_n(width)}" stroke-linejoin="round"/>'


def lines(segments: Iterable[tuple[Point, Point]], *, width: float = 0.5, colour: str = INK) -> str:
    """Return separate straight lines of one style, as one element."""
    steps = "".join(f"M{_n(x1)} {_n(y1)}L{_n(x2)} {_n(y2)}" for (x1, y1), (x2, y2) in segments)
    return f'<path d="{steps}" fill="none" stroke="{colour}" stroke-width="{_n(width)}"/>'


def loops(loops: Iterable[Sequence[Point]], *, width: float = 0.5, colour: str = INK, dashes: str | None = None) -> str:
    """Return closed lines of one style, as one element."""
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    steps = "".join(
        "".join(f"{'L' if index else 'M'}{_n(x)} {_n(y)}" for index, (x, y) in enumerate(loop)) + "Z" for loop in loops
    )
    return (
        f'<path d="{steps}" fill="none" stroke="{colour}" stroke-width="{_n(width)}" stroke-linejoin="round"{dashed}/>'
    )


def picture(at: Point, size: tuple[float, float], png: str) -> str:
    """Return a picture in a rectangle, its corner ``at``; ``png`` is a grey PNG in base 64.

    Pixels stay as they are: PDF/A forbids smoothing by the reader.
    """
    return (
        f'<image x="{_n(at[0])}" y="{_n(at[1])}" width="{_n(size[0])}" height="{_n(size[1])}" '
        f'preserveAspectRatio="none" image-rendering="pixelated" href="{PICTURE}{png}"/>'
    )


def rings(centres: Iterable[Point], radius: float, *, width: float = 0.6, colour: str = INK) -> str:
    """Return empty circles of one style, as one element."""
    r = _n(radius)
    turn = f"a{r} {r} 0 1 0 {_n(2 * radius)} 0a{r} {r} 0 1 0 {_n(-2 * radius)} 0"
    steps = "".join(f"M{_n(x - radius)} {_n(y)}{turn}" for x, y in centres)
    return f'<path d="{steps}" fill="none" stroke="{colour}" stroke-width="{_n(width)}"/>'


def shape(points: Sequence[Point], *, fill: str = INK, stroke: str = "none", width: float = 0.0) -> str:
    """Return a closed polygon."""
    corners = " ".join(f"{_n(x)},{_n(y)}" for x, y in points)
    return f'<polygon points="{corners}" fill="{fill}" stroke="{stroke}" stroke-width="{_n(width)}"/>'


def circle(centre: Point, radius: float, *, fill: str = INK, stroke: str = "none", width: float = 0.0) -> str:
    """Return a circle."""
    return (
        f'<circle cx="{_n(centre[0])}" cy="{_n(centre[1])}" r="{_n(radius)}" '
        f'fill="{fill}" stroke="{stroke}" stroke-width="{_n(width)}"/>'
    )


def cross(centre: Point, reach: float, *, width: float = 1.0, colour: str = INK) -> str:
    """Return a diagonal cross."""
    x, y = centre
    strokes = (((x - reach, y - reach), (x + reach, y + reach)), ((x - reach, y + reach), (x + reach, y - reach)))
    return lines(strokes, width=width, colour=colour)


def text(
    at: Point, content: str, *, size: float = 7.0, anchor: str = "start", colour: str = INK, weight: int = 400
) -> str:
    """Return one line of text; ``anchor`` is start, middle or end, ``at`` its point on the baseline."""
    return (
        f'<text x="{_n(at[0])}" y="{_n(at[1])}" font-family="{FAMILY}" font-size="{_n(size)}" '
        f'font-weight="{weight}" text-anchor="{anchor}" fill="{colour}">{escape(visible(content))}</text>'
    )


@dataclass(frozen=True)
class Scale:
    """A linear map from data to points; values outside the data range are put on its nearer end."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Return the place of a value."""
        span = self.high - self.low
        share = 0.5 if span <= 0 else (value - self.low) / span
        return self.start + min(1.0, max(0.0, share)) * (self.end - self.start)


def round_steps(low: float, high: float, wanted: int = 4) -> tuple[float, ...]:
    """Return multiples of 1, 2 or 5 times a power of ten inside [low, high], about ``wanted`` of them."""
    span = high - low
    if not span > 0.0:
        return (low,)
    rough = span / max(1, wanted)
    power = 10.0 ** _floor_log10(rough)
    step = min((power * factor for factor in (1.0, 2.0, 5.0, 10.0)), key=lambda size: abs(span / size - wanted))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return tuple(float(f"{index * step:.12g}") for index in range(first, last + 1))


def _floor_log10(value: float) -> int:
    return int(f"{value:e}".partition("e")[2])


def _n(value: float) -> str:
    written = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if written in ("", "-0") else written
