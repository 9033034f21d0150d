"""Distance from pixel centres to the contour of a mask, in mm."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gatekeeper.perturbations.specification import Image, Spacing

INSIDE_FROM = np.float32(0.5)
# Distances are square roots of sums of squares: what is equal on paper may differ in the last bit.
_TOLERANCE_MM = 1e-9


def within(region: NDArray[np.bool_], spacing: Spacing, distance_mm: float) -> NDArray[np.bool_]:
    """Return which pixel centres lie in ``region`` or at most ``distance_mm`` from it.

    The region is a union of whole pixels, rectangles of ``spacing`` mm, so the edge between two pixels is half a pixel
    from their centres. The point of a rectangle nearest to another pixel's centre is a corner or the middle of a side:
    points of a grid of half the spacing, on which a Euclidean distance transform is therefore exact. Nothing is assumed
    beyond the image.
    """
    from scipy.ndimage import distance_transform_edt

    if not region.any():
        return region.copy()
    rows, columns = region.shape
    outside = np.ones((2 * rows + 1, 2 * columns + 1), dtype=np.bool_)
    for row in range(3):
        for column in range(3):
            outside[row : row + 2 * rows : 2, column : column + 2 * columns : 2] &= ~region
    distances = distance_transform_edt(outside, sampling=spacing / 2)[1::2, 1::2]
    return np.asarray(distances <= distance_mm + _TOLERANCE_MM)


def as_mask(image: Image) -> NDArray[np.bool_]:
    """Return which pixels are inside the contour: those of 0.5 and more."""
    return np.asarray(image >= INSIDE_FROM)
