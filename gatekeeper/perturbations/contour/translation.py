"""The object lies elsewhere in its image: shifted by a distance, in a direction drawn for each case."""

from __future__ import annotations

import math

import numpy as np

from gatekeeper.perturbations.specification import Image, Perturbation, Spacing, draw_unit, image_by_image


def _translate(image: Image, spacing: Spacing, magnitude: float, seed: int) -> Image:
    angle = 2 * math.pi * draw_unit(seed)
    direction = np.array([math.sin(angle), math.cos(angle)])
    return shift_mask(image, magnitude * direction / spacing)


def shift_mask(image: Image, pixels: Spacing) -> Image:
    """Shift a mask by (rows, columns), which need not be whole; what leaves the image is lost.

    A pixel of the result is inside when the shifted mask covers half of it or more: linear interpolation of a mask
    gives the covered share exactly.
    """
    from scipy.ndimage import shift

    covered = shift((image >= 0.5).astype(np.float64), pixels, order=1, mode="constant", cval=0.0, prefilter=False)
    return np.asarray(covered >= 0.5 - 1e-9, dtype=np.float32)


CONTOUR_TRANSLATION = Perturbation(
    name="contour_translation",
    family="contour",
    unit="mm",
    lowest=0.0,
    highest=20.0,
    description=(
        "the mask is shifted by this distance in a direction drawn for each case; a pixel is inside when the shifted "
        "mask covers half of it or more"
    ),
    source="image translation in Zwanenburg et al., Sci Rep 2019;9:614",
    alter=image_by_image(_translate),
    axes=frozenset({2}),
)
