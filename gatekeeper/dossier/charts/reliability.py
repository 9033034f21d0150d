"""Calibration by bins: the share of positives against the mean score, above how many cases have such scores."""

from __future__ import annotations

from gatekeeper.dossier import numerals
from gatekeeper.dossier.charts import square, svg
from gatekeeper.dossier.charts.square import X, Y
from gatekeeper.dossier.charts.svg import ACCENT, HAIR, INK, PAPER, QUIET, Data, Drawing, Scale
from gatekeeper.dossier.curves import Reliability

_TALL = 46.0  # points of the histogram below
_GAP = 14.0
_HEIGHT = square.HEIGHT + _TALL + _GAP


def reliability_chart(found: Reliability) -> Drawing:
    """Draw each bin as a disc with the limits of its share; on the diagonal scores are probabilities.

    Below it each bar is a bin: its height all cases, its dark part the positive ones.
    """
    places = [(X(part.mean_score), part) for part in found.bins]
    whiskers = [((at, Y(part.interval.lower)), (at, Y(part.interval.upper))) for at, part in places]
    cases = sum(part.cases for part in found.bins)
    told = f"{cases:,} cases in {len(found.bins):,} of {len(found.edges) - 1:,} bins"
    parts = [
        square.diagonal(),
        *square.axes("mean score of a bin", "share of positive cases"),
        svg.lines(whiskers, width=0.8),
        *(svg.circle((at, Y(part.observed)), 2.2, fill=ACCENT, stroke=PAPER, width=0.5) for at, part in places),
        *square.heading("Reliability", (told,), ring=False),
        *_histogram(found),
    ]
    words = f"Reliability: {told}"
    error = dict(found.measured).get("expected_calibration_error")
    if error is not None and error.rounded is not None:
        words += f"; expected calibration error {numerals.estimated(error.rounded, error.limits)}"
    return svg.drawing(square.WIDTH, _HEIGHT, words, parts, _data(found))


def _histogram(found: Reliability) -> list[str]:
    counts = [positive + negative for positive, negative in zip(found.positives, found.negatives, strict=True)]
    most = max(1, *counts)
    base = _HEIGHT - 12.0
    up = Scale(0.0, float(most), base, base - _TALL)
    parts = [svg.text((X(0.0) - 9.5, base - _TALL + 4.0), f"{most:,}", size=6.5, anchor="end", colour=QUIET)]
    parts.append(svg.text((X(0.0) - 9.5, base), "0", size=6.5, anchor="end", colour=QUIET))
    for place, count in enumerate(counts):
        left, right = X(found.edges[place]) + 0.4, X(found.edges[place + 1]) - 0.4
        for height, fill in ((count, PAPER), (found.positives[place], QUIET)):
            if height:
                top = up(height)
                corners = [(left, base), (left, top), (right, top), (right, base)]
                parts.append(svg.shape(corners, fill=fill, stroke=INK, width=0.4))
    parts.append(svg.line((X(0.0), base), (X(1.0), base), width=0.5, colour=HAIR))
    parts.append(svg.text((X(0.5), _HEIGHT - 3.0), "cases by score; dark: positive", size=6.8, anchor="middle"))
    return parts


def _data(found: Reliability) -> Data:
    columns = (
        "scores above",
        "up to",
        "positive",
        "negative",
        "mean score",
        "share positive",
        "lower limit",
        "upper limit",
    )
    by_edge = {part.up_to: part for part in found.bins}
    rows: list[tuple[str | float | None, ...]] = []
    for place, (low, high) in enumerate(zip(found.edges, found.edges[1:], strict=False)):
        counted = (low, high, found.positives[place], found.negatives[place])
        part = by_edge.get(high)
        shares = (part.mean_score, part.observed, part.interval.lower, part.interval.upper) if part else (None,) * 4
        rows.append((*counted, *shares))
    return Data(columns, tuple(rows))
