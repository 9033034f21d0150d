"""Dose and response: what one requirement measures as one perturbation grows."""

from __future__ import annotations

from collections.abc import Iterable

from gatekeeper.dossier.charts import svg
from gatekeeper.dossier.charts.svg import ACCENT, HAIR, INK, PAPER, QUIET, Data, Drawing, Scale
from gatekeeper.dossier.material import Ladder, LadderStep
from gatekeeper.dossier.wording import plain_name, shortened

_HEIGHT = 136.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 26.0, 6.0, 30.0, 36.0


def response_range(ladders: Iterable[Ladder]) -> tuple[float, float]:
    """Return one range of the response for charts that stand side by side."""
    values: list[float] = []
    for ladder in ladders:
        values += [ladder.threshold] if ladder.threshold is not None else []
        for step in (ladder.baseline, *ladder.steps):
            values += [value for value in (step.estimate, step.lower, step.upper) if value is not None]
    if not values:
        return (0.0, 1.0)
    low, high = min(values), max(values)
    room = max(0.02, 0.06 * (high - low))
    return (max(0.0, low - room), min(1.0, high + room)) if low >= 0.0 and high <= 1.0 else (low - room, high + room)


def ladder_chart(ladder: Ladder, span: tuple[float, float], width: float = 150.0) -> Drawing:
    """Draw estimates with their intervals against severity, evenly spaced; the baseline stands apart on the left.

    A disc holds, a cross does not; the dashed line is the threshold; the triangle marks the breaking point.
    """
    y = Scale(span[0], span[1], _HEIGHT - _BOTTOM, _TOP)
    places = _places(len(ladder.steps), width)
    parts = [*_heading(ladder), *_response_axis(y), *_severity_axis(ladder, places)]
    if ladder.threshold is not None:
        at = y(ladder.threshold)
        parts.append(svg.line((_LEFT, at), (width - _RIGHT, at), width=0.7, colour=INK, dashes="3 2"))
    parts += _trace(ladder.steps, places[1:], y)
    for step, x in zip((ladder.baseline, *ladder.steps), places, strict=True):
        parts += _step(step, x, y)
    if ladder.breaking_point is not None and ladder.breaking_point < len(places):
        x = places[ladder.breaking_point]
        parts.append(svg.shape([(x - 3.0, _TOP - 7.5), (x + 3.0, _TOP - 7.5), (x, _TOP - 2.5)]))
    return svg.drawing(width, _HEIGHT, _words(ladder), parts, _data(ladder))


def _places(steps: int, width: float) -> list[float]:
    first, last = _LEFT + 9.0, width - _RIGHT - 7.0
    apart = first + 26.0
    stride = (last - apart) / max(1, steps - 1)
    return [first, *(apart + index * stride for index in range(steps))]


def _heading(ladder: Ladder) -> list[str]:
    broken = ladder.breaking_point
    fate = "holds on every step" if broken is None else f"breaks at {broken}" if broken else "not met without stress"
    return [
        svg.text((0.0, 8.0), shortened(plain_name(ladder.perturbation), 30), size=8.0, weight=600),
        svg.text((0.0, 17.0), fate, size=6.8, colour=QUIET),
    ]


def _response_axis(y: Scale) -> list[str]:
    ticks = svg.round_steps(y.low, y.high, 3)
    marks = [((_LEFT - 6.5, y(tick)), (_LEFT - 4.0, y(tick))) for tick in ticks]
    axis = ((_LEFT - 4.0, y.start), (_LEFT - 4.0, y.end))
    labels = [
        svg.text((_LEFT - 8.5, y(tick) + 2.2), f"{tick:g}", size=6.2, anchor="end", colour=QUIET) for tick in ticks
    ]
    return [svg.lines([axis, *marks], colour=HAIR), *labels]


def _severity_axis(ladder: Ladder, places: list[float]) -> list[str]:
    base = _HEIGHT - _BOTTOM + 5.0
    ticks = [((x, base), (x, base + 2.0)) for x in places[1:]]
    parts = [svg.lines([((places[1], base), (places[-1], base)), *ticks], colour=HAIR)] if ticks else []
    parts.append(svg.text((places[0], base + 9.0), "none", size=6.2, anchor="middle", colour=QUIET))
    size = 6.2 if len(places) <= 7 else 4.8
    for step, x in zip(ladder.steps, places[1:], strict=True):
        parts.append(svg.text((x, base + 9.0), str(step.severity), size=size, anchor="middle", weight=600))
        parts.append(svg.text((x, base + 17.0), f"{step.magnitude:.3g}", size=size, anchor="middle", colour=QUIET))
    unit = "" if ladder.unit in ("1", "") else f", {ladder.unit}"
    middle = (places[0] + places[-1]) / 2.0 + 8.0
    parts.append(svg.text((middle, base + 27.0), f"severity, and magnitude{unit}", size=6.2, anchor="middle"))
    return parts


def _trace(steps: tuple[LadderStep, ...], places: list[float], y: Scale) -> list[str]:
    points = [(x, y(step.estimate)) for step, x in zip(steps, places, strict=True) if step.estimate is not None]
    return [svg.path(points, width=0.5, colour=ACCENT)] if len(points) > 1 else []


def _step(step: LadderStep, x: float, y: Scale) -> list[str]:
    if step.estimate is None:
        return [svg.text((x, y.start - 2.0), "–", size=8.0, anchor="middle", colour=QUIET)]
    at = y(step.estimate)
    parts = []
    if step.lower is not None and step.upper is not None:
        low, high = y(step.lower), y(step.upper)
        ends = [((x - 1.8, end), (x + 1.8, end)) for end in (low, high)]
        parts.append(svg.lines([((x, low), (x, high)), *ends], width=0.9, colour=ACCENT))
    if step.holds:
        parts.append(svg.circle((x, at), 2.3, fill=ACCENT))
    else:
        parts.append(svg.cross((x, at), 2.8, width=2.8, colour=PAPER))
        parts.append(svg.cross((x, at), 2.4, width=1.3, colour=ACCENT))
    return parts


def _data(ladder: Ladder) -> Data:
    unit = "" if ladder.unit in ("1", "") else f", {ladder.unit}"
    columns = ("Severity", f"Magnitude{unit}", ladder.requirement, "Lower limit", "Upper limit", "Holds")
    rows = [
        (step.severity or "none", step.magnitude, step.estimate, step.lower, step.upper, "yes" if step.holds else "no")
        for step in (ladder.baseline, *ladder.steps)
    ]
    return svg.data_of(columns, rows)


def _words(ladder: Ladder) -> str:
    broken = ladder.breaking_point
    fate = (
        f"holds on all {len(ladder.steps)} severities"
        if broken is None
        else f"no longer holds from severity {broken}"
        if broken
        else "does not hold without stress"
    )
    return f"{ladder.requirement} under {plain_name(ladder.perturbation)}: {fate}"
