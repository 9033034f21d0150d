"""What is right of a case whose object a perturbation has moved: outlines and boxes that moved along."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np

from gatekeeper.engine.grid import Floats, Grid
from gatekeeper.engine.measuring import Box, Labels, Reference, box_corners
from gatekeeper.evidence import Condition
from gatekeeper.perturbations import PERTURBATIONS


def moved(
    reference: Reference, condition: Condition, grid: Grid, spacing_mm: tuple[float, ...] | None, seed: int
) -> Reference:
    """Return a reference as a condition leaves it: the same, unless its perturbation moves the object.

    An outline is taken from the nearest pixel of where it was. A box becomes the least that holds the corners of what
    it was, so that it grows when it is turned; its sides stay along the axes. ``spacing_mm`` is that of
    the prepared array.
    """
    if condition.perturbation is None or condition.magnitude is None:
        return reference
    moves = PERTURBATIONS.get(condition.perturbation).moves
    if moves is None or (reference.mask is None and not reference.boxes):
        return reference
    spacing = np.array(spacing_mm or (1.0,) * len(grid.shape))
    back = _on_the_image(moves(grid.shape, spacing, condition.magnitude, seed), grid)
    forth = np.asarray(np.linalg.inv(back), dtype=np.float64)
    boxes = tuple(_moved_box(box_corners(box, grid), forth) for box in reference.boxes)
    mask = None if reference.mask is None else _moved_mask(reference.mask.reshape(grid.kept_shape), back)
    return replace(reference, mask=None if mask is None else mask.reshape(grid.image_shape), boxes=boxes)


def _on_the_image(matrix: Floats, grid: Grid) -> Floats:
    """Return a matrix between indices of the prepared array as one between indices of the image."""
    size = len(grid.shape)
    origin = grid.to_image(np.zeros(size))
    to_image = np.eye(size + 1)
    to_image[:size, size] = origin
    to_image[:size, :size] = (grid.to_image(np.eye(size)) - origin).T
    return np.asarray(to_image @ matrix @ np.linalg.inv(to_image))


def _moved_mask(mask: Labels, back: Floats) -> Labels:
    from scipy.ndimage import affine_transform

    size = mask.ndim
    linear, shift = back[:size, :size], back[:size, size]
    return np.asarray(affine_transform(mask, linear, shift, order=0, mode="grid-constant", cval=0))


def _moved_box(corners: Floats, forth: Floats) -> Box:
    """Move low and high corners, (2, axes) in continuous pixels: pixel i runs from i to i + 1."""
    size = corners.shape[1]
    points = np.array([[*point, 1.0] for point in product(*corners.T)])
    points[:, :size] -= 0.5
    places = (points @ forth.T)[:, :size] + 0.5
    low, high = places.min(axis=0), places.max(axis=0)
    return Box(low=tuple(low[::-1].tolist()), high=tuple(high[::-1].tolist()), unit="pixel")
