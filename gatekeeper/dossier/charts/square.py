"""What charts of two shares have in common: equal scales from 0 to 1, a band, a curve, an operating point."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from gatekeeper.dossier.charts import svg
from gatekeeper.dossier.charts.svg import ACCENT, BAND, HAIR, INK, PAPER, QUIET, Data, Point, Scale
from gatekeeper.dossier.curves import Band
from gatekeeper.suites import Measurement

WIDTH, HEIGHT = 222.0, 244.0
X = Scale(0.0, 1.0, 38.0, 214.0)
Y = Scale(0.0, 1.0, 210.0, 34.0)
_TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)
_TITLE, _FIRST_LINE, _LINE = 8.0, 18.0, 8.6
_LEAST_STEP = 0.1  # points; corners nearer than this are one to the eye


def heading(title: str, lines: Sequence[str], *, ring: bool = True) -> list[str]:
    """Return the title, and below it what is told of the operating point, with its sign before it."""
    indent = 9.0 if ring else 0.0
    parts = [svg.text((0.0, _TITLE), title, size=8.0, weight=600)]
    parts += [svg.text((indent, _FIRST_LINE + _LINE * row), told, size=6.8) for row, told in enumerate(lines)]
    return [*parts, svg.circle((3.4, _FIRST_LINE - 2.4), 2.8, fill=PAPER, stroke=INK, width=1.2)] if ring else parts


def axes(across: str, up: str) -> list[str]:
    """Return both axes with their names."""
    low, left = Y(0.0) + 4.0, X(0.0) - 4.0
    ticks = [((X(tick), low), (X(tick), low + 3.0)) for tick in _TICKS]
    ticks += [((left - 3.0, Y(tick)), (left, Y(tick))) for tick in _TICKS]
    return [
        svg.lines([((X(0.0), low), (X(1.0), low)), ((left, Y(0.0)), (left, Y(1.0))), *ticks], width=0.5),
        svg.text((X(0.5), HEIGHT - 5.0), across, size=7.0, anchor="middle"),
        *(svg.text((X(tick), low + 11.0), f"{tick:g}", size=6.5, anchor="middle", colour=QUIET) for tick in _TICKS),
        *(svg.text((left - 5.5, Y(tick) + 2.3), f"{tick:g}", size=6.5, anchor="end", colour=QUIET) for tick in _TICKS),
        f'<g transform="rotate(-90 9 {Y(0.5):g})">' + svg.text((9.0, Y(0.5)), up, size=7.0, anchor="middle") + "</g>",
    ]


def shade(band: Band | None) -> list[str]:
    """Return the band as a grey area between its limits."""
    if band is None or len(band.at) < 2:
        return []
    upper = [(X(at), Y(limit)) for at, limit in zip(band.at, band.upper, strict=True)]
    lower = [(X(at), Y(limit)) for at, limit in zip(band.at, band.lower, strict=True)]
    return [svg.shape([*upper, *reversed(lower)], fill=BAND)]


def curve(across: Sequence[float], up: Sequence[float]) -> str:
    """Return a line through all corners that the eye can tell apart."""
    points = [(X(a), Y(b)) for a, b in zip(across, up, strict=True)]
    return svg.path(told_apart(points), width=1.3, colour=ACCENT)


def told_apart(points: Sequence[Point]) -> list[Point]:
    """Leave out each point that lies within a tenth of a point of the last one that was kept; the last one stays."""
    kept: list[Point] = []
    for point in points:
        if not kept or max(abs(point[0] - kept[-1][0]), abs(point[1] - kept[-1][1])) >= _LEAST_STEP:
            kept.append(point)
    return kept if not points or kept[-1] == points[-1] else [*kept, points[-1]]


def operating_point(at: Point, across: tuple[float, float] | None, up: tuple[float, float] | None) -> list[str]:
    """Return the ring of the operating point, with the limits of both rates as bars."""
    x, y = X(at[0]), Y(at[1])
    bars: list[tuple[Point, Point]] = []
    if across is not None:
        low, high = (X(end) for end in across)
        bars += [((low, y), (high, y)), ((low, y - 2.2), (low, y + 2.2)), ((high, y - 2.2), (high, y + 2.2))]
    if up is not None:
        low, high = (Y(end) for end in up)
        bars += [((x, low), (x, high)), ((x - 2.2, low), (x + 2.2, low)), ((x - 2.2, high), (x + 2.2, high))]
    ring = svg.circle((x, y), 3.0, fill=PAPER, stroke=INK, width=1.3)
    return [svg.lines(bars, width=0.8), ring] if bars else [ring]


def level(share: float) -> str:
    """Return a dashed line across at a share."""
    return svg.line((X(0.0), Y(share)), (X(1.0), Y(share)), width=0.6, colour=QUIET, dashes="2 2")


def diagonal() -> str:
    """Return the dashed diagonal."""
    return svg.line((X(0.0), Y(0.0)), (X(1.0), Y(1.0)), width=0.5, colour=HAIR, dashes="2 2")


def limits_of(measured: Measurement | None) -> tuple[float, float] | None:
    """Return the limits of a measurement, if it has any."""
    return measured.limits if measured else None


def data(names: tuple[str, str], corners: Iterable[tuple[float, float]], band: Band | None) -> Data:
    """Return the corners of a curve, thinned where there are many, then the limits of its band."""
    columns = (*names, f"{names[1]}, lower limit", f"{names[1]}, upper limit")
    told = svg.data_of(columns, [(across, up, None, None) for across, up in corners])
    if band is None:
        return told
    limits = [(at, None, low, high) for at, low, high in zip(band.at, band.lower, band.upper, strict=True)]
    return replace(told, rows=(*told.rows, *limits))
