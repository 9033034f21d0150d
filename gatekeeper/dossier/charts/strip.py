"""The value of every case on one line, with quartiles, mean, interval and threshold."""

from __future__ import annotations

import math
from collections.abc import Sequence

from gatekeeper.dossier import numerals
from gatekeeper.dossier.charts import svg
from gatekeeper.dossier.charts.svg import ACCENT, HAIR, INK, PAPER, QUIET, Data, Drawing, Scale
from gatekeeper.dossier.material import StructureValue
from gatekeeper.dossier.wording import shortened

WIDTH = 222.0
_HEIGHT = 92.0
_LEFT, _RIGHT = 6.0, 6.0
_BASE = 56.0  # where the lowest row of cases stands
_CEILING = 26.0
_RADIUS = 1.7
_FEWEST_FOR_QUARTILES = 5


def strip_chart(value: StructureValue, answered: Sequence[bool], threshold: float | None = None) -> Drawing:
    """Draw the cases as rings, a cross for one without an answer; the mean with its interval stands below them.

    The box holds the middle half of the cases where there are five or more; the dashed line is ``threshold``.
    """
    cases = sorted((number, ok) for number, ok in zip(value.values, answered, strict=True) if math.isfinite(number))
    scale = _scale([number for number, _ in cases], value, threshold)
    parts = [
        svg.text((0.0, 8.0), shortened(value.title, 44), size=8.0, weight=600),
        svg.text((0.0, 17.0), _summary(value, [number for number, _ in cases]), size=6.8, colour=QUIET),
        *_axis(scale, value.unit),
        *_box([number for number, _ in cases], scale),
        *_cases(cases, scale),
        *_mean(value, scale),
    ]
    if threshold is not None:
        at = scale(threshold)
        parts.append(svg.line((at, _CEILING - 3.0), (at, _BASE + 15.0), width=0.7, colour=INK, dashes="3 2"))
    return svg.drawing(WIDTH, _HEIGHT, _words(value, cases, threshold), parts, _data(value, cases))


def _scale(numbers: Sequence[float], value: StructureValue, threshold: float | None) -> Scale:
    shown = [*numbers, *([threshold] if threshold is not None else []), *([value.estimate] if value.estimate else [])]
    low, high = min(shown, default=0.0), max(shown, default=1.0)
    room = max(0.06 * (high - low), 0.01 * abs(high), 1e-6)
    low, high = max(0.0, low - room) if low >= 0.0 else low - room, high + room
    if value.unit == "1" and value.higher_is_better:
        high = min(1.0, high)
    return Scale(low, high, _LEFT, WIDTH - _RIGHT)


def _summary(value: StructureValue, numbers: Sequence[float]) -> str:
    if not numbers:
        return "no case has a value"
    middle, worst = (
        _number(number, value) for number in (median(numbers), numbers[0 if value.higher_is_better else -1])
    )
    return f"{numerals.counted(len(numbers), 'case')}, median {middle}, worst {worst}{_unit(value.unit)}"


def median(ordered: Sequence[float]) -> float:
    """Return the middle of sorted numbers."""
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2.0


def _axis(scale: Scale, unit: str) -> list[str]:
    base = _BASE + 17.0
    ticks = svg.round_steps(scale.low, scale.high, 4)
    marks = [((scale(tick), base), (scale(tick), base + 2.0)) for tick in ticks]
    labels = [
        svg.text((scale(tick), base + 9.5), f"{tick:g}", size=6.2, anchor="middle", colour=QUIET) for tick in ticks
    ]
    ends = [svg.text((WIDTH, base + 18.0), unit, size=6.2, anchor="end", colour=QUIET)] if unit != "1" else []
    return [svg.lines([((scale.start, base), (scale.end, base)), *marks], colour=HAIR), *labels, *ends]


def _box(ordered: Sequence[float], scale: Scale) -> list[str]:
    if len(ordered) < _FEWEST_FOR_QUARTILES:
        return []
    half = len(ordered) // 2
    low, high = scale(median(ordered[:half])), scale(median(ordered[-half:]))
    corners = [(low, _CEILING), (high, _CEILING), (high, _BASE + 3.5), (low, _BASE + 3.5)]
    middle = scale(median(ordered))
    return [
        svg.shape(corners, fill="#f0f0f0", stroke=HAIR, width=0.4),
        svg.line((middle, _CEILING), (middle, _BASE + 3.5), width=0.6, colour=QUIET),
    ]


def _cases(cases: Sequence[tuple[float, bool]], scale: Scale) -> list[str]:
    """Put cases that would cover each other on top of each other, closer together the more there are."""
    rows: list[float] = []
    places = []
    for number, ok in cases:
        x = scale(number)
        row = next((row for row, last in enumerate(rows) if x - last >= 2.0 * _RADIUS + 0.2), len(rows))
        if row == len(rows):
            rows.append(x)
        rows[row] = x
        places.append((x, row, ok))
    step = min(2.0 * _RADIUS + 0.2, (_BASE - _CEILING - 2.0 * _RADIUS) / max(1, len(rows) - 1))
    answered = [(x, _BASE - row * step) for x, row, ok in places if ok]
    lost = [(x, _BASE - row * step) for x, row, ok in places if not ok]
    return [
        *([svg.rings(answered, _RADIUS, colour=ACCENT)] if answered else []),
        *(svg.cross(at, 1.6, width=1.0) for at in lost),
    ]


def _mean(value: StructureValue, scale: Scale) -> list[str]:
    if value.estimate is None:
        return []
    y = _BASE + 10.0
    parts = []
    if value.interval is not None:
        low, high = (scale(end) for end in value.interval)
        ends = [((at, y - 2.2), (at, y + 2.2)) for at in (low, high)]
        inside = [
            edge for edge, end in zip(ends, value.interval, strict=True) if scale.low <= end <= scale.high
        ]  # an end beyond the scale has no stroke
        parts += [svg.line((low, y), (high, y), width=1.4, colour=ACCENT), svg.lines(inside, width=0.9, colour=ACCENT)]
    return [*parts, svg.circle((scale(value.estimate), y), 2.4, fill=PAPER, stroke=ACCENT, width=1.2)]


def _number(number: float, value: StructureValue) -> str:
    return numerals.number(number, numerals.Style.SHARE) if value.unit == "1" else numerals.length(number)


def _unit(unit: str) -> str:
    return "" if unit == "1" else f" {unit}"


def _data(value: StructureValue, cases: Sequence[tuple[float, bool]]) -> Data:
    rows = [(number, "yes" if ok else "no, at its cost") for number, ok in cases]
    return svg.data_of((f"{value.title}{_in(value.unit)}", "Answered"), rows)


def _in(unit: str) -> str:
    return "" if unit == "1" else f", {unit}"


def _words(value: StructureValue, cases: Sequence[tuple[float, bool]], threshold: float | None) -> str:
    style = numerals.style_of(value.metric, value.unit)
    mean = "no mean" if value.estimate is None else f"mean {_number(value.estimate, value)}{_unit(value.unit)}"
    wanted = f"; threshold {numerals.bound(threshold, style)}" if threshold is not None else ""
    lost = sum(not ok for _, ok in cases)
    return f"{value.title} of {numerals.counted(len(cases), 'case')}, {lost} without an answer: {mean}{wanted}"
