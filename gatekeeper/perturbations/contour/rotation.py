"""The object is turned in its image: by an angle about its centroid, to a side drawn for each case."""

from __future__ import annotations

import math

import numpy as np

from gatekeeper.perturbations.specification import Image, Perturbation, Spacing, draw_unit, image_by_image


def _rotate(image: Image, spacing: Spacing, magnitude: float, seed: int) -> Image:
    from scipy.ndimage import affine_transform

    mask = image >= 0.5
    if not mask.any() or magnitude == 0:
        return mask.astype(np.float32)
    angle = math.radians(magnitude if draw_unit(seed) < 0.5 else -magnitude)
    cosine, sine = math.cos(angle), math.sin(angle)
    # From a pixel of the result to where it came from: pixels to mm, turned back, mm to pixels.
    back = np.array([[cosine, -sine], [sine, cosine]]) * spacing[np.newaxis, :] / spacing[:, np.newaxis]
    centroid = np.argwhere(mask).mean(axis=0)
    turned = affine_transform(
        mask.astype(np.float64), back, centroid - back @ centroid, order=1, mode="constant", cval=0.0, prefilter=False
    )
    return np.asarray(turned >= 0.5 - 1e-9, dtype=np.float32)


CONTOUR_ROTATION = Perturbation(
    name="contour_rotation",
    family="contour",
    unit="degree",
    lowest=0.0,
    highest=180.0,
    description=(
        "the mask is turned by this angle about its centroid, to a side drawn for each case; linear interpolation, "
        "inside from 0.5"
    ),
    source="image rotation in Zwanenburg et al., Sci Rep 2019;9:614",
    alter=image_by_image(_rotate),
    axes=frozenset({2}),
)
