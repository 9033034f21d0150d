"""Groups of one requirement below one another, on one scale, so that they can be compared."""

from __future__ import annotations

from collections.abc import Sequence

from gatekeeper.dossier import numerals
from gatekeeper.dossier.charts import svg
from gatekeeper.dossier.charts.svg import ACCENT, HAIR, PAPER, QUIET, Drawing, Scale
from gatekeeper.dossier.numerals import Style
from gatekeeper.evidence import Finding, Outcome
from gatekeeper.metrics import METRICS

WIDTH = 116.0
_AXIS = 7.0
_TALL, _WITH_ENDS = 14.0, 21.0
_INSET = 6.0


def common_span(findings: Sequence[Finding]) -> tuple[float, float]:
    """Return the ends of a scale that holds every estimate, interval and threshold, with some room."""
    values = [finding.threshold.value for finding in findings]
    values += [finding.estimate for finding in findings if finding.estimate is not None]
    values += [limit for finding in findings for limit in finding.interval or ()]
    low, high = min(values), max(values)
    room = max((high - low) * 0.08, abs(high) * 0.01)
    spec = METRICS.get(findings[0].metric)
    return max(spec.lowest, low - room), min(spec.highest, high + room)


def group_chart(finding: Finding, span: tuple[float, float], *, strong: bool = False, ends: bool = False) -> Drawing:
    """Draw one group on the scale of its neighbours: interval, estimate, and the threshold of all as an upright line.

    Disc: met. Ring: not decided. Cross: not met. ``strong`` draws the worst group; ``ends`` prints the scale's ends.
    """
    scale = Scale(*span, _INSET, WIDTH - _INSET)
    style = numerals.style_of(finding.metric, finding.unit)
    between = numerals.interval(finding)
    words = f"{finding.full_title}: {numerals.estimate(finding)}{f', interval {between}' if between else ''}"
    parts = _row(scale, finding.estimate, finding.interval, finding.threshold.value, finding.outcome, strong=strong)
    return _drawing(words, parts, scale, style, ends=ends)


def gap_chart(
    words: str,
    estimate: float,
    limits: tuple[float, float] | None,
    style: Style,
    *,
    most: float | None = None,
    outcome: Outcome | None = None,
) -> Drawing:
    """Draw a gap from 0 on, its interval, and the largest that is allowed as an upright line; a tick where any is."""
    high = max(estimate, most or 0.0, *(limits or ())) or 1.0
    scale = Scale(0.0, high * 1.05, _INSET, WIDTH - _INSET)
    return _drawing(words, _row(scale, estimate, limits, most, outcome), scale, style, ends=True)


def _row(
    scale: Scale,
    estimate: float | None,
    limits: tuple[float, float] | None,
    wanted: float | None,
    outcome: Outcome | None,
    *,
    strong: bool = False,
) -> list[str]:
    parts = [svg.line((scale.start, _AXIS), (scale.end, _AXIS), width=0.4, colour=HAIR)]
    if wanted is not None:
        parts.append(svg.line((scale(wanted), 0.0), (scale(wanted), _TALL), width=0.9))
    if limits is not None:
        low, high = (scale(limit) for limit in limits)
        parts.append(svg.line((low, _AXIS), (high, _AXIS), width=2.6 if strong else 1.5, colour=ACCENT))
    if estimate is None:
        return parts
    at = (scale(estimate), _AXIS)
    if outcome is None:
        return [*parts, svg.line((at[0], _AXIS - 3.0), (at[0], _AXIS + 3.0), width=1.4, colour=ACCENT)]
    if outcome is Outcome.NOT_MET:
        strokes = ((2.9, 2.6, PAPER), (2.6, 1.4, ACCENT))
        return [*parts, *(svg.cross(at, reach, width=width, colour=colour) for reach, width, colour in strokes)]
    fill = ACCENT if outcome is Outcome.MET else PAPER
    return [*parts, svg.circle(at, 2.5, fill=fill, stroke=ACCENT, width=1.0)]


def _drawing(words: str, parts: list[str], scale: Scale, style: Style, *, ends: bool) -> Drawing:
    if not ends:
        return svg.drawing(WIDTH, _TALL, words, parts)
    low, high = numerals.number(scale.low, style), numerals.number(scale.high, style)
    labels = [
        svg.text((scale.start, _WITH_ENDS - 1.5), low, size=5.4, colour=QUIET),
        svg.text((scale.end, _WITH_ENDS - 1.5), high, size=5.4, anchor="end", colour=QUIET),
    ]
    return svg.drawing(WIDTH, _WITH_ENDS, words, [*parts, *labels])
