"""A contour drawn wider: every point of it moves outwards."""

from __future__ import annotations

import numpy as np

from gatekeeper.perturbations.contour._distance import as_mask, within
from gatekeeper.perturbations.specification import Image, Perturbation, Spacing, image_by_image


def _dilate(image: Image, spacing: Spacing, magnitude: float, seed: int) -> Image:
    return within(as_mask(image), spacing, magnitude).astype(np.float32)


CONTOUR_DILATION = Perturbation(
    name="contour_dilation",
    family="contour",
    unit="mm",
    lowest=0.0,
    highest=20.0,
    description=(
        "the contour moves outwards by this distance: a pixel is added when its centre lies at most that far outside "
        "the contour; an empty mask stays empty"
    ),
    source=(
        "dilation by a disc (Serra, Image Analysis and Mathematical Morphology, 1982); a smaller or larger "
        "region as in Zwanenburg et al., Sci Rep 2019;9:614 (there by volume)"
    ),
    alter=image_by_image(_dilate),
    axes=frozenset({2}),
)
