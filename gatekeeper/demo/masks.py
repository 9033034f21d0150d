"""A radiologist's contour as a binary mask.

Convention: a contour of LIDC-IDRI joins the first pixels *outside* the nodule. The mask holds the pixels whose centres
lie inside the polygon through the centres of the marked pixels, so it is wider than the nodule by up to half a pixel of
the scan all around. All readings are drawn alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

MASK_PIXELS = 64
PIXEL_MM = 0.75
FIELD_OF_VIEW_MM = MASK_PIXELS * PIXEL_MM


@dataclass(frozen=True, eq=False)
class Outline:
    """The contours of one reading in one slice, each of shape (points, 2): (row, column) in mm.

    ``drawn`` enclose nodule, ``cut_out`` enclose what is not nodule within it.
    """

    drawn: Sequence[NDArray[np.float64]]
    cut_out: Sequence[NDArray[np.float64]] = ()

    @cached_property
    def area(self) -> float:
        """Area in mm², what is cut out subtracted; 0 for a single point or a line."""
        return sum(_moments(one)[0] for one in self.drawn) - sum(_moments(one)[0] for one in self.cut_out)

    @cached_property
    def centre(self) -> NDArray[np.float64]:
        """Centroid (row, column) in mm of the area that is drawn; the mean point where that area is 0."""
        moments = [_moments(one) for one in self.drawn]
        total = sum(area for area, _ in moments)
        if total == 0:
            return np.asarray(np.concatenate(self.drawn).mean(axis=0))
        return np.asarray(sum(area * centre for area, centre in moments) / total, dtype=np.float64)

    @property
    def fits(self) -> bool:
        """Whether all of it lies in the field of view of a mask centred on it."""
        offsets = np.concatenate(self.drawn) - self.centre
        return bool((np.abs(offsets) < FIELD_OF_VIEW_MM / 2).all())


def draw_mask(outline: Outline) -> NDArray[np.uint8]:
    """Return the mask of an outline, centred on it: 0 or 1, shape (64, 64), pixels of 0.75 mm."""
    mask = np.zeros((MASK_PIXELS, MASK_PIXELS), dtype=np.bool_)
    centre = outline.centre
    for polygon in outline.drawn:
        mask |= _inside(polygon - centre)
    for polygon in outline.cut_out:
        mask &= ~_inside(polygon - centre)
    return mask.astype(np.uint8)


def _moments(polygon: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
    """Return the area and the centroid of a polygon without self-crossings (shoelace formula)."""
    origin = polygon.mean(axis=0)
    here = polygon - origin
    there = np.roll(here, -1, axis=0)
    cross = here[:, 0] * there[:, 1] - there[:, 0] * here[:, 1]
    twice = float(cross.sum())
    if twice == 0:
        return 0.0, origin
    return abs(twice) / 2, origin + (cross[:, None] * (here + there)).sum(axis=0) / (3 * twice)


def _inside(polygon: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which pixel centres lie inside a polygon given in mm from the centre of the mask (even-odd rule).

    Each row of pixels is crossed by the edges that begin on one side of it and end on the other; a pixel is inside when
    an odd number of crossings lie to its left.
    """
    points = polygon / PIXEL_MM + (MASK_PIXELS - 1) / 2
    ends = np.roll(points, -1, axis=0)
    rows = np.arange(MASK_PIXELS)[:, None]
    crossed = (points[:, 0] <= rows) != (ends[:, 0] <= rows)
    row, edge = np.nonzero(crossed)
    share = (row - points[edge, 0]) / (ends[edge, 0] - points[edge, 0])
    column = points[edge, 1] + share * (ends[edge, 1] - points[edge, 1])
    first = np.clip(np.ceil(column), 0, MASK_PIXELS).astype(np.int64)
    flips = np.zeros((MASK_PIXELS, MASK_PIXELS + 1), dtype=np.int64)
    np.add.at(flips, (row, first), 1)
    return np.asarray(np.cumsum(flips, axis=1)[:, :MASK_PIXELS] % 2 == 1)
