"""Which metrics, and which kinds of interval, the section on performance shows beside those of the findings."""

from __future__ import annotations

from collections.abc import Iterator

from gatekeeper.dossier.curves import RocCurve, Shown
from gatekeeper.suites import Measurement


def metrics_drawn(shown: Shown) -> tuple[str, ...]:
    """Return the names of all metrics that are shown with a number of their own."""
    return tuple(name for name, _ in _measured(shown))


def methods_drawn(roc: RocCurve | None, shown: Shown) -> tuple[str, ...]:
    """Return the methods of all intervals and bands that are drawn."""
    measured = [measured for _, measured in _measured(shown)]
    measured += [one for one in (roc.sensitivity, roc.specificity) if one] if roc else []
    bands = [roc.band if roc else None, *(curve.band for curve in shown.precision_recall)]
    bins = [part.interval.method for part in shown.reliability.bins] if shown.reliability else []
    return (*(one.method for one in measured if one.interval), *(band.method for band in bands if band), *bins)


def _measured(shown: Shown) -> Iterator[tuple[str, Measurement]]:
    for curve in shown.precision_recall:
        yield from (("sensitivity", curve.at_sensitivity), ("precision", curve.at_precision))
    if shown.reliability is not None:
        yield from shown.reliability.measured
    if shown.froc is not None:
        yield "froc_score", shown.froc.score
        yield "lesion_detection_rate", shown.froc.at_sensitivity
        yield "false_positives_per_case", shown.froc.at_false_positives
        yield from (("sensitivity_at_fppi", point) for _, point in shown.froc.points)
    if shown.classes is not None:
        for sensitivity, precision in shown.classes.shares:
            yield from (("class_sensitivity", sensitivity), ("class_precision", precision))
    if shown.unanswered is not None:
        yield "imageability", shown.unanswered.answered
        for one in shown.unanswered.costed:
            yield from ((one.requirement.spec.name, part) for part in (one.answered, one.judged, one.worst))
