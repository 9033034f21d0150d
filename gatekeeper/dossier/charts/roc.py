"""The ROC curve with its band, and the point at which the candidate works."""

from __future__ import annotations

from gatekeeper.dossier import numerals
from gatekeeper.dossier.charts import square, svg
from gatekeeper.dossier.charts.svg import Drawing
from gatekeeper.dossier.curves import RocCurve

_NAMES = ("1 − specificity", "sensitivity")


def roc_chart(curve: RocCurve) -> Drawing:
    """Draw sensitivity against 1 - specificity; the ring is the operating point, its bars the limits of both rates."""
    x, y = curve.operating_point
    up, kept_out = square.limits_of(curve.sensitivity), square.limits_of(curve.specificity)
    across = (1.0 - kept_out[1], 1.0 - kept_out[0]) if kept_out else None
    told = (f"sensitivity {numerals.estimated(y, up)}", f"specificity {numerals.estimated(1.0 - x, kept_out)}")
    parts = [
        *square.shade(curve.band),
        square.diagonal(),
        *square.axes(*_NAMES),
        square.curve(curve.false_positive_rate, curve.true_positive_rate),
        *square.operating_point((x, y), across, up),
        *square.heading("ROC curve", told),
    ]
    words = f"ROC curve; at the operating point {' and '.join(told)}"
    corners = zip(curve.false_positive_rate, curve.true_positive_rate, strict=True)
    return svg.drawing(square.WIDTH, square.HEIGHT, words, parts, square.data(_NAMES, corners, curve.band))
