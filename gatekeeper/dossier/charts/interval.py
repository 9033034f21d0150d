"""One requirement in one row: interval, estimate, threshold and the side of it that is demanded."""

from __future__ import annotations

from gatekeeper.dossier import numerals
from gatekeeper.dossier.charts import svg
from gatekeeper.dossier.charts.svg import ACCENT, HAIR, PAPER, QUIET, Drawing, Scale
from gatekeeper.evidence import Finding, Outcome
from gatekeeper.metrics import METRICS

WIDTH = 116.0
HEIGHT = 25.0
_AXIS = 10.0
_INSET = 6.0


def interval_chart(finding: Finding) -> Drawing | None:
    """Draw a finding against its threshold, on a scale of its own; None where there is no estimate or no extent.

    The marker is a disc when met, a ring when not decided, a cross when not met. The demanded side of the threshold
    is the heavier part of the axis.
    """
    if finding.estimate is None:
        return None
    wanted = finding.threshold.value
    if {wanted, finding.estimate, *(finding.interval or ())} == {0.0}:
        return None
    scale = _scale(finding, wanted)
    parts = [*_axis(finding, scale), *_threshold(finding, wanted, scale)]
    if finding.interval is not None:
        parts += _interval(finding, scale)
    parts.append(_marker(finding.outcome, scale(finding.estimate)))
    return svg.drawing(WIDTH, HEIGHT, _words(finding), parts)


def _scale(finding: Finding, wanted: float) -> Scale:
    values = [wanted, finding.estimate or 0.0, *(finding.interval or ())]
    low, high = min(values), max(values)
    if finding.unit == "severity":
        return Scale(low - 1.0, high + 1.0, _INSET, WIDTH - _INSET)
    room = max((high - low) * 0.15, abs(high) * 0.01)
    low, high = low - room, high + room
    if finding.unit == "1":
        spec = METRICS.get(finding.metric)
        low, high = max(spec.lowest, low), min(spec.highest, high)
    elif finding.unit in ("s", "mm", "mL", "MiB", "cases/s") and METRICS.get(finding.metric).lowest >= 0.0:
        low = max(0.0, low)
    return Scale(low, high, _INSET, WIDTH - _INSET)


def _axis(finding: Finding, scale: Scale) -> list[str]:
    style = numerals.style_of(finding.metric, finding.unit)
    ends = [((at, _AXIS - 1.5), (at, _AXIS + 1.5)) for at in (scale.start, scale.end)]
    return [
        svg.lines([((scale.start, _AXIS), (scale.end, _AXIS)), *ends], width=0.4, colour=HAIR),
        svg.text((scale.start, HEIGHT - 2.0), numerals.number(scale.low, style), size=5.4, colour=QUIET),
        svg.text((scale.end, HEIGHT - 2.0), numerals.number(scale.high, style), size=5.4, anchor="end", colour=QUIET),
    ]


def _threshold(finding: Finding, wanted: float, scale: Scale) -> list[str]:
    at = scale(wanted)
    good = scale.end if finding.threshold.at_least is not None else scale.start
    foot = at + (3.2 if good > at else -3.2)
    return [
        svg.line((at, _AXIS), (good, _AXIS), width=2.0, colour=HAIR),
        svg.lines([((at, 1.0), (at, _AXIS + 6.5)), ((at, 1.4), (foot, 1.4))], width=0.9),
    ]


def _interval(finding: Finding, scale: Scale) -> list[str]:
    low, high = (scale(end) for end in finding.interval or (0.0, 0.0))
    reach = {"lower_limit": (3.4, 1.8), "upper_limit": (1.8, 3.4)}.get(finding.threshold.of, (1.8, 1.8))
    ends = [((at, _AXIS - tall), (at, _AXIS + tall)) for at, tall in zip((low, high), reach, strict=True)]
    return [
        svg.line((low, _AXIS), (high, _AXIS), width=1.5, colour=ACCENT),
        svg.lines(ends, width=0.9, colour=ACCENT),
    ]


def _marker(outcome: Outcome, at: float) -> str:
    if outcome is Outcome.NOT_MET:
        return svg.cross((at, _AXIS), 2.9, width=2.6, colour=PAPER) + svg.cross(
            (at, _AXIS), 2.6, width=1.4, colour=ACCENT
        )
    fill = ACCENT if outcome is Outcome.MET else PAPER
    return svg.circle((at, _AXIS), 2.5, fill=fill, stroke=ACCENT, width=1.0)


def _words(finding: Finding) -> str:
    style = numerals.style_of(finding.metric, finding.unit)
    interval = numerals.interval(finding)
    between = f", interval {interval}" if interval else ""
    wanted = f"{numerals.threshold_end(finding.threshold)} {numerals.threshold(finding.threshold, style)}"
    return f"{finding.title}: {numerals.estimate(finding)}{between}; demanded: {wanted}; {finding.outcome.value}"
