"""The ROC curve with the point at which the candidate works."""

from __future__ import annotations

from gatekeeper.dossier.charts import svg
from gatekeeper.dossier.charts.svg import ACCENT, HAIR, INK, PAPER, QUIET, Drawing, Scale
from gatekeeper.dossier.material import RocCurve

_WIDTH, _HEIGHT = 236.0, 226.0
_X = Scale(0.0, 1.0, 40.0, 224.0)
_Y = Scale(0.0, 1.0, 192.0, 8.0)
_KEY = 158.0
_TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)


def roc_chart(curve: RocCurve) -> Drawing:
    """Draw sensitivity against 1 - specificity on equal scales; the ring is the operating point."""
    x, y = curve.operating_point
    points = [(_X(a), _Y(b)) for a, b in zip(curve.false_positive_rate, curve.true_positive_rate, strict=True)]
    parts = [
        svg.line((_X(0.0), _Y(0.0)), (_X(1.0), _Y(1.0)), width=0.5, colour=HAIR, dashes="2 2"),
        *_axes(),
        svg.path(points, width=1.3, colour=ACCENT),
        svg.line((_X(x), _Y(y)), (_X(x), _Y(0.0)), width=0.4, colour=QUIET, dashes="1 1.6"),
        svg.line((_X(0.0), _Y(y)), (_X(x), _Y(y)), width=0.4, colour=QUIET, dashes="1 1.6"),
        svg.circle((_X(x), _Y(y)), 3.2, fill=PAPER, stroke=INK, width=1.3),
    ]
    for row, told in enumerate((f"sensitivity {y:.3f}", f"specificity {1.0 - x:.3f}")):
        parts.append(svg.text((_KEY, _Y(0.0) - 18.0 + 9.0 * row), told, size=7.0))
    parts.append(svg.circle((_KEY - 8.0, _Y(0.0) - 29.4), 3.2, fill=PAPER, stroke=INK, width=1.3))
    parts.append(svg.text((_KEY, _Y(0.0) - 27.0), "operating point", size=7.0, weight=600))
    words = f"ROC curve; at the operating point sensitivity is {y:.3f} and specificity {1.0 - x:.3f}"
    return svg.drawing(_WIDTH, _HEIGHT, words, parts)


def _axes() -> list[str]:
    parts = [
        svg.line((_X(0.0), _Y(0.0) + 4.0), (_X(1.0), _Y(0.0) + 4.0), width=0.5),
        svg.line((_X(0.0) - 4.0, _Y(0.0)), (_X(0.0) - 4.0, _Y(1.0)), width=0.5),
        svg.text((_X(0.5), _HEIGHT - 5.0), "1 − specificity", size=7.0, anchor="middle"),
    ]
    for tick in _TICKS:
        label = f"{tick:g}"
        parts.append(svg.line((_X(tick), _Y(0.0) + 4.0), (_X(tick), _Y(0.0) + 7.0), width=0.5))
        parts.append(svg.text((_X(tick), _Y(0.0) + 15.0), label, size=6.5, anchor="middle", colour=QUIET))
        parts.append(svg.line((_X(0.0) - 7.0, _Y(tick)), (_X(0.0) - 4.0, _Y(tick)), width=0.5))
        parts.append(svg.text((_X(0.0) - 9.5, _Y(tick) + 2.3), label, size=6.5, anchor="end", colour=QUIET))
    parts.append(
        f'<g transform="rotate(-90 9 {_Y(0.5):g})">'
        + svg.text((9.0, _Y(0.5)), "sensitivity", size=7.0, anchor="middle")
        + "</g>"
    )
    return parts
