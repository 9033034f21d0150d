"""The FROC curve: share of lesions found against false positives a case, on a scale of octaves."""

from __future__ import annotations

import math

from gatekeeper.dossier import numerals
from gatekeeper.dossier.charts import square, svg
from gatekeeper.dossier.charts.svg import ACCENT, INK, PAPER, QUIET, Data, Drawing, Point, Scale
from gatekeeper.dossier.curves import FrocCurve

_WIDTH, _HEIGHT = 330.0, 196.0
_X = Scale(-3.0, 3.0, 40.0, 318.0)  # logarithms to base 2 of 1/8 to 8
_Y = Scale(0.0, 1.0, 162.0, 40.0)
_LEAST, _MOST = 2.0**-3, 2.0**3
_RATES = ("1/8", "1/4", "1/2", "1", "2", "4", "8")
_SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)


def froc_chart(curve: FrocCurve) -> Drawing:
    """Draw the curve from 1/8 to 8 false positives a case; discs are the seven points of the score, with limits.

    The ring is the operating point, with limits of both numbers; beyond the scale it stands at its end.
    """
    steps = [(rate, share) for rate, share in zip(curve.false_positives_per_case, curve.sensitivity, strict=True)]
    parts = [*_axes(), svg.path(square.told_apart(_steps(steps)), width=1.3, colour=ACCENT)]
    bars = [((_x(rate), _Y(end[0])), (_x(rate), _Y(end[1]))) for rate, point in curve.points if (end := point.limits)]
    parts.append(svg.lines(bars, width=0.7, colour=QUIET))
    parts += [
        svg.circle((_x(rate), _Y(point.rounded)), 1.9, fill=ACCENT, stroke=PAPER, width=0.5)
        for rate, point in curve.points
        if point.rounded is not None
    ]
    parts += _operating_point(curve)
    told = _told(curve)
    parts.append(svg.text((0.0, 8.0), "FROC curve", size=8.0, weight=600))
    parts.append(svg.circle((3.4, 15.6), 2.8, fill=PAPER, stroke=INK, width=1.2))
    parts.append(svg.text((9.0, 18.0), told[0], size=6.8))
    parts.append(svg.text((9.0, 26.6), told[1], size=6.8))
    words = f"FROC curve; at the operating point {told[0]}; {told[1]}"
    return svg.drawing(_WIDTH, _HEIGHT, words, parts, _data(curve))


def _x(rate: float) -> float:
    return _X(math.log2(max(rate, _LEAST)))


def _steps(corners: list[tuple[float, float]]) -> list[Point]:
    """Return the curve as the best sensitivity at each rate: level up to the next corner, then straight up.

    It begins at the left end of the scale with what is reached there, and ends at the right one.
    """
    points = [(_X.start, _Y(max((share for rate, share in corners if rate <= _LEAST), default=0.0)))]
    for rate, share in corners:
        if _LEAST < rate <= _MOST:
            points += [(_x(rate), points[-1][1]), (_x(rate), _Y(share))]
    return [*points, (_X.end, points[-1][1])]


def _operating_point(curve: FrocCurve) -> list[str]:
    rate, share = curve.at_false_positives.rounded, curve.at_sensitivity.rounded
    if rate is None or share is None:
        return []
    at = (_x(rate), _Y(share))
    bars: list[tuple[Point, Point]] = []
    if curve.at_false_positives.limits:
        low, high = (_x(end) for end in curve.at_false_positives.limits)
        bars.append(((low, at[1]), (high, at[1])))
    if curve.at_sensitivity.limits:
        low, high = (_Y(end) for end in curve.at_sensitivity.limits)
        bars.append(((at[0], low), (at[0], high)))
    return [svg.lines(bars, width=0.8), svg.circle(at, 3.0, fill=PAPER, stroke=INK, width=1.3)]


def _told(curve: FrocCurve) -> tuple[str, str]:
    share, rate = curve.at_sensitivity.rounded, curve.at_false_positives.rounded
    found = "no lesion" if share is None else numerals.estimated(share, curve.at_sensitivity.limits)
    return f"sensitivity {found}", f"false positives a case {_rate(rate, curve.at_false_positives.limits)}"


def _rate(value: float | None, ends: tuple[float, float] | None) -> str:
    if value is None:
        return "undefined"
    return numerals.estimated(value, ends, numerals.Style.PLAIN)


def _axes() -> list[str]:
    low, left = _Y(0.0) + 4.0, _X.start - 4.0
    across = [(_X(place - 3.0), name) for place, name in enumerate(_RATES)]
    ticks = [((at, low), (at, low + 3.0)) for at, _ in across]
    ticks += [((left - 3.0, _Y(tick)), (left, _Y(tick))) for tick in _SHARES]
    return [
        svg.lines([((_X.start, low), (_X.end, low)), ((left, _Y(0.0)), (left, _Y(1.0))), *ticks], width=0.5),
        *(svg.text((at, low + 11.0), name, size=6.5, anchor="middle", colour=QUIET) for at, name in across),
        *(
            svg.text((left - 5.5, _Y(tick) + 2.3), f"{tick:g}", size=6.5, anchor="end", colour=QUIET)
            for tick in _SHARES
        ),
        svg.text(((_X.start + _X.end) / 2.0, _HEIGHT - 5.0), "false positives a case", size=7.0, anchor="middle"),
        f'<g transform="rotate(-90 9 {_Y(0.5):g})">'
        + svg.text((9.0, _Y(0.5)), "lesions found", size=7.0, anchor="middle")
        + "</g>",
    ]


def _data(curve: FrocCurve) -> Data:
    rows = [(rate, point.rounded, *(point.limits or (None, None))) for rate, point in curve.points]
    return Data(("false positives a case", "sensitivity", "lower limit", "upper limit"), tuple(rows))
