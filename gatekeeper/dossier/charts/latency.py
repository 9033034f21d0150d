"""How long calls took: the share of calls that were done by a time."""

from __future__ import annotations

import math
from collections.abc import Sequence

from gatekeeper.dossier import numerals
from gatekeeper.dossier.charts import svg
from gatekeeper.dossier.charts.svg import ACCENT, HAIR, INK, QUIET, Data, Drawing, Scale

_WIDTH, _HEIGHT = 330.0, 146.0
_LEFT, _RIGHT = 34.0, 324.0
_Y = Scale(0.0, 1.0, 110.0, 18.0)
_FAR = 4.0
_LISTED = (*range(5, 100, 5), 97.5, 99, 100)


def percentile(ordered: Sequence[float], percent: float) -> float:
    """Return the order-statistic percentile: the least value that at least ``percent`` % of values do not exceed."""
    return ordered[min(len(ordered), max(1, math.ceil(len(ordered) * percent / 100.0))) - 1]


def latency_chart(seconds: Sequence[float], thresholds: Sequence[float]) -> Drawing:
    """Draw the empirical distribution of calls with p50, p95 and thresholds; calls that failed are infinite.

    The axis ends a little beyond p99 of the answers; calls and thresholds past its end are told in words on the right.
    """
    ordered = sorted(seconds)
    answered = [value for value in ordered if math.isfinite(value)]
    p99 = percentile(answered, 99.0)
    near = [value for value in thresholds if value <= _FAR * p99]
    least = min([ordered[0], *near])
    high = max([p99, *near])
    room = max((high - least) * 0.08, high * 0.002, 1e-12)
    x = Scale(max(0.0, least - room), high + room, _LEFT, _RIGHT)
    parts = [
        *_axes(x, numerals.NARROW + _unit(x.high)[1], _unit(x.high)[0]),
        svg.path(_steps(ordered, x), colour=ACCENT),
    ]
    for percent in (50.0, 95.0):
        if math.isfinite(percentile(ordered, percent)):
            parts += _percentile(ordered, percent, x)
    for value in near:
        parts += _threshold(value, x)
    beyond = [
        f"threshold ≤ {numerals.bound(value, numerals.Style.TIME)} beyond the axis →"
        for value in thresholds
        if value not in near
    ]
    slow = sum(value > x.high for value in answered)
    if slow:
        slowest = numerals.number(answered[-1], numerals.Style.TIME)
        beyond.append(f"{numerals.counted(slow, 'call')} beyond the axis, slowest {slowest} →")
    if len(answered) < len(ordered):
        beyond.append(f"{numerals.counted(len(ordered) - len(answered), 'call')} without an answer →")
    parts.append(svg.text((_RIGHT, _HEIGHT - 4.0), "; ".join(beyond), size=6.5, anchor="end", colour=QUIET))
    p50, p95 = (_told(percentile(ordered, percent)) for percent in (50.0, 95.0))
    words = f"Distribution of {numerals.counted(len(ordered), 'timed call')}: p50 {p50}, p95 {p95}"
    return svg.drawing(_WIDTH, _HEIGHT, words, parts, _data(ordered))


def _data(ordered: Sequence[float]) -> Data:
    rows = [(f"{percent:g}", _told(percentile(ordered, percent))) for percent in _LISTED]
    note = f"Order statistics of {numerals.counted(len(ordered), 'call')}"
    return Data(("Share of calls done, %", "Within"), tuple(rows), note)


def _told(seconds: float) -> str:
    return numerals.number(seconds, numerals.Style.TIME) if math.isfinite(seconds) else "no answer"


def _unit(seconds: float) -> tuple[float, str]:
    return (1e3, "ms") if seconds < 1.0 else (1.0, "s")


def _axes(x: Scale, unit: str, factor: float) -> list[str]:
    base = _Y.start + 4.0
    parts = [
        svg.line((_LEFT, base), (_RIGHT, base), width=0.5),
        svg.line((_LEFT - 4.0, _Y.start), (_LEFT - 4.0, _Y.end), width=0.5),
        svg.text((_LEFT, _HEIGHT - 4.0), f"time of one call,{unit}", size=7.0),
        svg.text((0.0, 8.0), "share of calls done", size=7.0),
    ]
    for tick in svg.round_steps(x.low * factor, x.high * factor, 6):
        at = x(tick / factor)
        parts.append(svg.line((at, base), (at, base + 2.5), width=0.5))
        parts.append(svg.text((at, base + 10.5), f"{tick:g}", size=6.5, anchor="middle", colour=QUIET))
    for share in (0.0, 0.5, 0.95, 1.0):
        parts.append(svg.line((_LEFT - 6.5, _Y(share)), (_LEFT - 4.0, _Y(share)), width=0.5))
        nudge = {0.95: 4.6, 1.0: 0.6}.get(share, 2.2)
        parts.append(svg.text((_LEFT - 9.0, _Y(share) + nudge), f"{share:g}", size=6.5, anchor="end", colour=QUIET))
    return parts


def _steps(ordered: Sequence[float], x: Scale) -> list[svg.Point]:
    points = [(x(ordered[0]), _Y(0.0))]
    for index, value in enumerate(ordered):
        if math.isinf(value):
            break
        at = x(value)
        points.append((at, points[-1][1]))
        points.append((at, _Y((index + 1) / len(ordered))))
        if value > x.high:
            break
    return points


def _percentile(ordered: Sequence[float], percent: float, x: Scale) -> list[str]:
    value = percentile(ordered, percent)
    at, level = x(value), _Y(percent / 100.0)
    label = f"p{percent:g} {numerals.number(value, numerals.Style.TIME)}"
    return [
        svg.line((_LEFT, level), (at, level), width=0.4, colour=HAIR, dashes="1 1.6"),
        svg.line((at, level), (at, _Y(0.0)), width=0.4, colour=HAIR, dashes="1 1.6"),
        svg.circle((at, level), 2.0, fill=INK),
        svg.text((at + 5.0, level + 8.5), label, size=7.0, weight=600),
    ]


def _threshold(value: float, x: Scale) -> list[str]:
    at = x(value)
    return [
        svg.line((at, _Y.end - 6.0), (at, _Y.start + 4.0), width=1.0),
        svg.line((at, _Y.end - 6.0), (at - 5.0, _Y.end - 6.0), width=1.0),
        svg.text(
            (at - 7.0, _Y.end - 3.6),
            f"threshold ≤ {numerals.bound(value, numerals.Style.TIME)}",
            size=7.0,
            anchor="end",
        ),
    ]
