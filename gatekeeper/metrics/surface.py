"""Distances between the surfaces of two masks, exact, in two conventions of what a surface is.

``voxels``: the voxels of a mask that have a face neighbour outside it (an edge neighbour in two dimensions); what lies
beyond the volume counts as outside. Each counts once. So do MONAI, medpy and Metrics Reloaded.

``area``: the corners between voxels whose 2 x 2 x 2 neighbourhood is cut by the mask, each weighted with the area of
the piece of surface that marching cubes (Lorensen & Cline, SIGGRAPH 1987;21:163) puts there, in two dimensions the
length of the contour. Of a neighbourhood that is more than half full the surface is that of the empty part. So does
DeepMind's surface-distance (Nikolov et al., J Med Internet Res 2021;23:e26151), with equal values.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations, product
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gatekeeper.metrics._nearest import nearest

Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]
Elements = Literal["voxels", "area"]
Corner = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class SurfaceDistances:
    """From each element of one surface to the nearest of the other, in mm, and what each element weighs.

    ``to_prediction`` has one distance for each element of the reference surface, ``to_reference`` one for each of the
    predicted one, in no particular order. Weights are 1 each for ``voxels``, mm² (mm in two dimensions) for ``area``.
    Where one mask is empty both lists of distances are empty; where both are, all four are.
    """

    to_prediction: Floats
    to_reference: Floats
    weight_of_reference: Floats
    weight_of_prediction: Floats
    elements: Elements = "voxels"

    @property
    def defined(self) -> bool:
        """Whether both masks have a surface."""
        return len(self.to_prediction) > 0 and len(self.to_reference) > 0


def surface_distances(
    reference: Mask, prediction: Mask, spacing: Sequence[float], elements: Elements = "voxels"
) -> SurfaceDistances:
    """Return the distances between the surfaces of two masks.

    Parameters
    ----------
    reference, prediction : bool, of one shape, two or three dimensions
    spacing : size of a voxel along each axis, mm, in the order of the axes

    Raises ValueError for masks of another type, or of shapes or spacing that do not fit.
    """
    steps = check_masks(reference, prediction, spacing)
    if elements not in ("voxels", "area"):
        raise ValueError(f"a surface is made of voxels or of area, not of {elements!r}")
    nothing = np.empty(0)
    box = bounding_box(reference | prediction)
    if box is None:
        return SurfaceDistances(nothing, nothing, nothing, nothing, elements)
    # The search is fastest along the axis with the smallest voxels.
    front = int(np.argmin(steps))
    steps = (steps[front], *steps[:front], *steps[front + 1 :])
    first, of_first = _surface(np.moveaxis(reference[box], front, 0), steps, elements)
    second, of_second = _surface(np.moveaxis(prediction[box], front, 0), steps, elements)
    if len(of_first) == 0 or len(of_second) == 0:
        return SurfaceDistances(nothing, nothing, of_first, of_second, elements)
    return SurfaceDistances(nearest(first, second, steps), nearest(second, first, steps), of_first, of_second, elements)


def check_masks(reference: Mask, prediction: Mask, spacing: Sequence[float]) -> tuple[float, ...]:
    """Return the spacing as numbers; raise ValueError for what is no pair of masks of one shape."""
    for name, mask in (("reference", reference), ("prediction", prediction)):
        if mask.dtype != np.bool_:
            raise ValueError(f"the {name} is of type {mask.dtype}, not bool: compare it with the label first")
    return check_grid(reference.shape, prediction.shape, spacing)


def check_grid(
    of_reference: tuple[int, ...], of_prediction: tuple[int, ...], spacing: Sequence[float]
) -> tuple[float, ...]:
    """Return the spacing as numbers; raise ValueError for shapes that differ or that the spacing does not fit."""
    if of_reference != of_prediction:
        raise ValueError(f"the reference is of shape {of_reference}, the prediction of {of_prediction}")
    if len(of_reference) not in (2, 3):
        raise ValueError(f"the masks have {len(of_reference)} axes; masks have two or three")
    if 0 in of_reference:
        raise ValueError(f"masks of shape {of_reference} hold no voxel")
    steps = tuple(float(step) for step in spacing)
    if len(steps) != len(of_reference):
        raise ValueError(f"{len(steps)} voxel sizes for masks of {len(of_reference)} axes")
    if not all(0.0 < step < np.inf for step in steps):
        raise ValueError(f"voxel sizes must be finite and above 0 mm, not {steps}")
    return steps


def bounding_box(mask: Mask) -> tuple[slice, ...] | None:
    """Return the smallest box that holds a mask; None of an empty one."""
    # All but the first axis from the projection along it, so that the volume is read only twice.
    across, box = np.asarray(mask.any(axis=0)), []
    for axis in range(mask.ndim):
        if axis == 0:
            found = np.flatnonzero(mask.reshape(len(mask), -1).any(axis=1))
        else:
            found = np.flatnonzero(np.moveaxis(across, axis - 1, 0).reshape(across.shape[axis - 1], -1).any(axis=1))
        if len(found) == 0:
            return None
        box.append(slice(int(found[0]), int(found[-1]) + 1))
    return tuple(box)


def surface_voxels(mask: Mask) -> Mask:
    """Return the voxels of a mask that have a face neighbour outside it; beyond the volume is outside."""
    padded = np.pad(mask, 1)
    flat = padded.ravel()
    inner = flat.copy()
    for stride in _strides(padded.shape):
        inner[stride:] &= flat[:-stride]
        inner[:-stride] &= flat[stride:]
    inner ^= flat
    return inner.reshape(padded.shape)[(slice(1, -1),) * mask.ndim]


def _surface(mask: Mask, spacing: tuple[float, ...], elements: Elements) -> tuple[Mask, Floats]:
    """Return where the elements are, and their weights in the order of the array."""
    if elements == "voxels":
        found = surface_voxels(mask)
        return found, np.ones(int(np.count_nonzero(found)))
    codes = _codes_of_corners(mask)
    # The code of a full neighbourhood wraps round to 0.
    found = (codes + np.uint8(1)) & np.uint8((1 << (1 << mask.ndim)) - 1) > 1
    return found, _areas(spacing)[codes[found]]


def _codes_of_corners(mask: Mask) -> NDArray[np.uint8]:
    """Return for each corner between voxels which voxels around it are filled: bit i the i-th of ``_corners``."""
    padded = np.pad(mask, 1).view(np.uint8)
    flat, strides = padded.ravel(), _strides(padded.shape)
    codes = flat.copy()
    for bit, corner in enumerate(_corners(mask.ndim)[1:], start=1):
        step = sum(stride for stride, at in zip(strides, corner, strict=True) if at)
        codes[:-step] |= flat[step:] << bit
    return codes.reshape(padded.shape)[(slice(None, -1),) * mask.ndim]


def _strides(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return how far apart neighbours along each axis lie in the flat array."""
    return tuple(int(np.prod(shape[axis + 1 :], dtype=np.int64)) for axis in range(len(shape)))


def _corners(axes: int) -> list[Corner]:
    return list(product((0, 1), repeat=axes))


@lru_cache(maxsize=32)
def _areas(spacing: tuple[float, ...]) -> Floats:
    """Return the area of surface (in two dimensions the length) for each code of filled corners, mm² (mm)."""
    area_of = _length_of_piece if len(spacing) == 2 else _area_of_piece
    corners = _corners(len(spacing))
    areas = []
    for code in range(1 << len(corners)):
        filled = [corner for bit, corner in enumerate(corners) if code >> bit & 1]
        smaller = filled if 2 * len(filled) <= len(corners) else [corner for corner in corners if corner not in filled]
        areas.append(sum(area_of(piece, spacing) for piece in _pieces(smaller)))
    return np.array(areas, dtype=np.float64)


def _pieces(corners: list[Corner]) -> list[list[Corner]]:
    """Return the corners in pieces that hang together along edges of the cell."""
    left, pieces = list(corners), []
    while left:
        piece = [left.pop()]
        for corner in piece:
            near = [other for other in left if _axes_between(corner, other) == 1]
            left = [other for other in left if other not in near]
            piece += near
        pieces.append(piece)
    return pieces


def _axes_between(one: Corner, other: Corner) -> int:
    return sum(a != b for a, b in zip(one, other, strict=True))


def _length_of_piece(piece: list[Corner], spacing: tuple[float, ...]) -> float:
    """Return the length of the line that cuts one corner, or two beside each other, off a rectangle."""
    if len(piece) == 1:
        return math.hypot(*spacing) / 2.0
    along = next(axis for axis in (0, 1) if piece[0][axis] != piece[1][axis])
    return spacing[along]


def _area_of_piece(piece: list[Corner], spacing: tuple[float, ...]) -> float:
    """Return the area of the surface that cuts up to four connected corners off a cell, through the middles of edges.

    The six pieces there are: a corner (a triangle), an edge (a rectangle), three corners (a triangle and a trapezium),
    a face (a rectangle), a corner with its three neighbours (a hexagon), and four along three axes (a hexagon that is
    not flat, folded into four triangles).
    """
    faces = np.array([spacing[1] * spacing[2], spacing[0] * spacing[2], spacing[0] * spacing[1]])

    def flat(normal: Sequence[float]) -> float:
        return float(np.linalg.norm(normal * faces))

    slant = flat((1.0, 1.0, 1.0)) / 8.0  # the triangle that cuts off one corner
    degrees = [sum(_axes_between(corner, other) == 1 for other in piece) for corner in piece]
    shared = [axis for axis in range(3) if len({corner[axis] for corner in piece}) == 1]
    if len(piece) == 1:
        return slant
    if len(piece) == 2:
        return flat([0.5 if axis in shared else 0.0 for axis in range(3)])
    if len(piece) == 3:
        return 3.0 * slant + float(faces[shared[0]]) / 2.0
    if shared:
        return float(faces[shared[0]])
    if 3 in degrees:
        return 6.0 * slant
    ends = [
        next(axis for axis in range(3) if one[axis] != other[axis])
        for one, other in combinations(piece, 2)
        if _axes_between(one, other) == 1 and 1 in (degrees[piece.index(one)], degrees[piece.index(other)])
    ]
    return 4.0 * slant + sum(flat([0.0 if axis == end else 0.25 for axis in range(3)]) for end in ends)
