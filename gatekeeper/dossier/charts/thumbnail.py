"""One image of a case, or its middle slice, as small as it can still be recognised."""

from __future__ import annotations

from gatekeeper.dossier.charts import svg
from gatekeeper.dossier.charts.pixels import png
from gatekeeper.dossier.charts.svg import Drawing
from gatekeeper.dossier.curves import Thumbnail
from gatekeeper.dossier.wording import shortened

_WIDTH, _TALLEST, _HEAD = 104.0, 124.0, 22.0


def thumbnail_picture(shown: Thumbnail) -> Drawing:
    """Draw an image to scale, its case above it."""
    rows, columns = shown.grey.shape
    height_mm, width_mm = rows * shown.pixel_mm[0], columns * shown.pixel_mm[1]
    scale = min(_WIDTH / width_mm, _TALLEST / height_mm)
    parts = [
        svg.text((0.0, 7.5), shortened(shown.case_id, 24), size=7.0, weight=600),
        svg.text((0.0, 16.5), shortened(shown.caption, 34), size=6.4),
        svg.picture((0.0, _HEAD), (width_mm * scale, height_mm * scale), png(shown.grey)),
    ]
    words = f"{shown.plane} of {shown.case_id}; {shown.caption}"
    return svg.drawing(_WIDTH, _HEAD + height_mm * scale, words, parts)
