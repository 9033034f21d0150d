"""Signs for outcomes and verdicts, told apart by shape alone."""

from __future__ import annotations

from math import cos, pi, sin

from gatekeeper.dossier.charts import svg
from gatekeeper.dossier.charts.svg import INK, PAPER, Drawing, Point
from gatekeeper.evidence import Outcome, VerdictWord


def outcome_mark(outcome: Outcome) -> Drawing:
    """Draw a tick for met, a filled square with a cross for not met, a half-filled circle for not decided."""
    if outcome is Outcome.MET:
        parts = [svg.path([(1.2, 4.6), (3.4, 6.9), (7.2, 1.6)], width=1.3)]
    elif outcome is Outcome.NOT_MET:
        square = [(0.4, 0.4), (8.0, 0.4), (8.0, 8.0), (0.4, 8.0)]
        parts = [svg.shape(square), svg.cross((4.2, 4.2), 2.0, width=1.3, colour=PAPER)]
    else:
        parts = [svg.circle((4.2, 4.2), 3.4, fill=PAPER, stroke=INK, width=0.9), svg.shape(_half_disc((4.2, 4.2), 3.4))]
    return svg.drawing(8.4, 8.4, outcome.value, parts)


def verdict_mark(word: VerdictWord) -> Drawing:
    """Draw the sign of a verdict.

    PASS is a filled circle with a tick, FAIL a filled square with a cross, INCONCLUSIVE a half-filled circle, INVALID
    an empty, broken circle with a stroke through it.
    """
    centre = (22.0, 22.0)
    if word is VerdictWord.PASS:
        parts = [
            svg.circle(centre, 21.0),
            svg.path([(12.5, 23.0), (19.5, 30.0), (32.0, 14.0)], width=4.2, colour=PAPER),
        ]
    elif word is VerdictWord.FAIL:
        square = [(2.0, 2.0), (42.0, 2.0), (42.0, 42.0), (2.0, 42.0)]
        parts = [svg.shape(square), svg.cross(centre, 10.0, width=4.6, colour=PAPER)]
    elif word is VerdictWord.INCONCLUSIVE:
        parts = [svg.circle(centre, 19.8, fill=PAPER, stroke=INK, width=2.4), svg.shape(_half_disc(centre, 19.8))]
    else:
        arcs = [_arc(centre, 19.8, start, start + 30.0) for start in range(0, 360, 45)]
        parts = [svg.path(arc, width=2.4) for arc in arcs]
        parts.append(svg.line((10.0, 34.0), (34.0, 10.0), width=2.4))
    return svg.drawing(44.0, 44.0, f"Verdict: {word.value}", parts)


def _half_disc(centre: Point, radius: float) -> list[Point]:
    return _arc(centre, radius, 90.0, 270.0)


def _arc(centre: Point, radius: float, start: float, end: float) -> list[Point]:
    """Points every 6 degrees or less, counted clockwise from the right."""
    steps = max(1, round(abs(end - start) / 6.0))
    angles = [(start + (end - start) * index / steps) * pi / 180.0 for index in range(steps + 1)]
    return [(centre[0] + radius * cos(angle), centre[1] + radius * sin(angle)) for angle in angles]
