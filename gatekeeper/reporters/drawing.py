"""Intervals drawn with characters, for wherever all letters are equally wide."""

from __future__ import annotations

from gatekeeper.evidence import Finding

_TRACK = 10
_CELLS = 21


def track(finding: Finding) -> str:
    """Draw an interval from end to end, the estimate as a dot at its place between them: ``─────●────``."""
    if finding.interval is None or finding.estimate is None:
        return ""
    lower, upper = finding.interval
    width = upper - lower
    place = 0.5 if width <= 0 else min(1.0, max(0.0, (finding.estimate - lower) / width))
    dot = round(place * (_TRACK - 1))
    return "─" * dot + "●" + "─" * (_TRACK - 1 - dot)


def plot(finding: Finding) -> str:
    """Draw an interval and the threshold on one scale, 21 characters wide: ``··┃··········├───●┤··``.

    Where estimate and threshold fall together they are ``╋``. Empty without an interval. The scale is the finding's
    own: it shows on which side of the threshold the interval lies, not how wide it is.
    """
    if finding.interval is None or finding.estimate is None:
        return ""
    lower, upper = finding.interval
    ends = (lower, upper, finding.estimate, finding.threshold.value)
    low, high = min(ends), max(ends)
    span = (high - low) or 1.0
    low, span = low - 0.15 * span, 1.3 * span

    def cell(value: float) -> int:
        return min(_CELLS - 1, max(0, round((value - low) / span * (_CELLS - 1))))

    drawn = ["·"] * _CELLS
    drawn[cell(lower) : cell(upper) + 1] = "─" * (cell(upper) + 1 - cell(lower))
    drawn[cell(lower)], drawn[cell(upper)] = "├", "┤"
    drawn[cell(finding.estimate)] = "●"
    held = cell(finding.threshold.value)
    drawn[held] = "╋" if drawn[held] == "●" else "┃"
    return "".join(drawn)
