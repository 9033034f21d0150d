"""A contour drawn tighter: every point of it moves inwards."""

from __future__ import annotations

import numpy as np

from gatekeeper.perturbations.contour._distance import as_mask, within
from gatekeeper.perturbations.specification import Image, Perturbation, Spacing, image_by_image


def _erode(image: Image, spacing: Spacing, magnitude: float, seed: int) -> Image:
    return (~within(~as_mask(image), spacing, magnitude)).astype(np.float32)


CONTOUR_EROSION = Perturbation(
    name="contour_erosion",
    family="contour",
    unit="mm",
    lowest=0.0,
    highest=20.0,
    description=(
        "the contour moves inwards by this distance: a pixel stays when its centre lies further than that inside the "
        "contour; what is thinner than twice the distance disappears, and a small mask can become empty"
    ),
    source=(
        "erosion by a disc (Serra, Image Analysis and Mathematical Morphology, 1982); a smaller or larger "
        "region as in Zwanenburg et al., Sci Rep 2019;9:614 (there by volume)"
    ),
    alter=image_by_image(_erode),
    axes=frozenset({2}),
)
