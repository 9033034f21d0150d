"""Precision against sensitivity at one prevalence, and the point at which the candidate works."""

from __future__ import annotations

from gatekeeper.dossier import numerals
from gatekeeper.dossier.charts import square, svg
from gatekeeper.dossier.charts.svg import Drawing
from gatekeeper.dossier.curves import PrecisionRecallCurve
from gatekeeper.dossier.numerals import Style

_NAMES = ("sensitivity (recall)", "precision (PPV)")


def precision_recall_chart(curve: PrecisionRecallCurve) -> Drawing:
    """Draw precision against sensitivity; the dashed line is the prevalence, what calls at random would reach.

    Without an alarm at the operating point there is no precision there, and no ring.
    """
    share = numerals.number(curve.prevalence, Style.PERCENT)
    title = f"Precision-recall at {share}{', declared' if curve.declared else ', as in this test set'}"
    sensitivity, precision = curve.at_sensitivity.rounded, curve.at_precision.rounded
    across, up = curve.at_sensitivity.limits, curve.at_precision.limits
    told = ["no alarm at the operating point"]
    point: list[str] = []
    if sensitivity is not None and precision is not None:
        told = [
            f"sensitivity {numerals.estimated(sensitivity, across)}",
            f"precision {numerals.estimated(precision, up)}",
        ]
        point = square.operating_point((sensitivity, precision), across, up)
    parts = [
        *square.shade(curve.band),
        square.level(curve.prevalence),
        *square.axes(*_NAMES),
        square.curve(curve.sensitivity, curve.precision),
        *point,
        *square.heading(title, told, ring=bool(point)),
    ]
    words = f"{title}; " + (f"at the operating point {' and '.join(told)}" if point else told[0])
    corners = zip(curve.sensitivity, curve.precision, strict=True)
    return svg.drawing(square.WIDTH, square.HEIGHT, words, parts, square.data(_NAMES, corners, curve.band))
