"""One slice with two outlines: the reference solid, the candidate's dashed, each white on black."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gatekeeper.dossier.charts import svg
from gatekeeper.dossier.charts.outline import outlines
from gatekeeper.dossier.charts.pixels import png
from gatekeeper.dossier.charts.svg import INK, PAPER, Drawing, Point
from gatekeeper.dossier.material import Overlay
from gatekeeper.dossier.wording import shortened

WIDTH = 144.0
_MOST_HEIGHT = 172.0
_HEAD = 22.0
_DASHES = "3 2.4"


def overlay_picture(overlay: Overlay) -> Drawing:
    """Draw a slice; where both outlines run together only the dashes are seen."""
    rows, columns = overlay.grey.shape
    height_mm, width_mm = rows * overlay.pixel_mm[0], columns * overlay.pixel_mm[1]
    scale = min(WIDTH / width_mm, _MOST_HEIGHT / height_mm)
    step = (overlay.pixel_mm[0] * scale, overlay.pixel_mm[1] * scale)
    width, height = columns * step[1], rows * step[0]
    parts = [
        svg.text((0.0, 7.5), shortened(overlay.case_id, 30), size=7.5, weight=600),
        svg.text((0.0, 16.5), f"{overlay.plane}; {overlay.caption}" if overlay.caption else overlay.plane, size=6.8),
        svg.picture((0.0, _HEAD), (width, height), png(overlay.grey)),
        *_outline(overlay.reference, step, None),
        *_outline(overlay.predicted, step, _DASHES),
    ]
    if not overlay.predicted.any():
        parts.append(svg.text((3.0, _HEAD + height - 4.0), "nothing outlined here", size=6.8, colour=PAPER))
    words = (
        f"{overlay.plane} slice of {overlay.case_id} with the outlines of reference and candidate; {overlay.caption}; "
        f"in this slice {_told(overlay)}"
    )
    return svg.drawing(WIDTH, _HEAD + height, words, parts)


def _told(overlay: Overlay) -> str:
    both = int((overlay.reference & overlay.predicted).sum())
    return (
        f"{both:,} pixels are in both, {int(overlay.reference.sum()) - both:,} in the reference alone, "
        f"{int(overlay.predicted.sum()) - both:,} in the candidate's alone"
    )


def _outline(mask: NDArray[np.bool_], step: tuple[float, float], dashes: str | None) -> list[str]:
    lines = [_points(line, step) for line in outlines(mask)]
    if not lines:
        return []
    return [svg.loops(lines, width=1.7, colour=INK), svg.loops(lines, width=0.8, colour=PAPER, dashes=dashes)]


def _points(line: tuple[tuple[int, int], ...], step: tuple[float, float]) -> list[Point]:
    return [(column * step[1], _HEAD + row * step[0]) for row, column in line]
