"""From each element of one surface the distance to the nearest element of another, exact.

Near elements are found by columns: how far the nearest target lies within each column of the volume is counted once,
then columns around an origin are looked up in order of their distance until the next one is farther away than the best
target so far. What is farther than that pays is found in a k-d tree. Both give the length of whole steps between
voxels, so the value does not depend, but for rounding, on the way it was found.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import groupby, pairwise, product

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]
Places = NDArray[np.intp]

_REACH = 15  # voxels: how far columns are looked up
_NONE = 255  # voxels: no target in the column, or too far to count in a byte
# A query of the tree costs as much as this many look-ups, a look-up for all origins as much as for so many more of
# them, building the tree as much as so many for each target.
_QUERY, _CALL, _BUILD = 300, 1_500, 20
_SPARSE = 400  # voxels of the box for each origin: from here on counting within columns costs more than the tree


def nearest(origins: Mask, targets: Mask, spacing: tuple[float, ...]) -> Floats:
    """Return from each origin the distance to the nearest target in mm, in the order of the array.

    ``origins`` and ``targets`` are of one shape, with two or three axes; there is at least one target. Fastest where
    the first axis is the one with the smallest voxels.
    """
    begin = np.flatnonzero(origins)
    if len(begin) == 0:
        return np.empty(0)
    if origins.size > _SPARSE * len(begin):
        return np.sqrt(_by_tree(begin, targets, spacing))
    margin = [(0, 0)] + [(_REACH, _REACH)] * (origins.ndim - 1)
    columns = np.pad(_steps_within_columns(targets), margin, constant_values=_NONE)
    axes = np.unravel_index(begin, origins.shape)
    places = np.ravel_multi_index((axes[0], *(axis + _REACH for axis in axes[1:])), columns.shape)
    squares, left = _by_columns(places, columns, spacing, int(np.count_nonzero(targets)))
    if len(left):
        squares[left] = _by_tree(begin[left], targets, spacing)
    return np.sqrt(squares)


def _steps_within_columns(targets: Mask) -> NDArray[np.uint8]:
    """Return for each voxel how many steps along the first axis the nearest target is away; 255 for 255 or more."""
    steps = np.where(targets, np.uint8(0), np.uint8(_NONE))
    for rows in (steps, steps[::-1]):
        farther = np.empty(rows.shape[1:], dtype=np.uint8)
        for before, row in pairwise(rows):
            np.minimum(before, _NONE - 1, out=farther)
            np.add(farther, 1, out=farther)
            np.minimum(row, farther, out=row)
    return steps


def _by_columns(
    places: Places, columns: NDArray[np.uint8], spacing: tuple[float, ...], targets: int
) -> tuple[Floats, Places]:
    """Return the squared distances, and which of them are not known to be the least."""
    flat = columns.ravel()
    strides = np.array([np.prod(columns.shape[axis + 1 :], dtype=np.int64) for axis in range(1, columns.ndim)])
    square_of = (np.arange(_NONE + 1) * spacing[0]) ** 2
    square_of[_NONE] = np.inf
    squares = np.empty(len(places))
    left, best, tried = np.arange(len(places)), square_of[flat[places]], 0
    for square, offsets in _around(spacing[1:]):
        closed = best <= square
        dear = tried * (len(left) + _CALL) > _QUERY * len(left) + _BUILD * targets
        last = dear or len(offsets) == 0
        # Looking up what is closed already does no harm; sorting it out at every length costs more.
        if last or 8 * np.count_nonzero(closed) > len(left):
            squares[left[closed]] = best[closed]
            still = ~closed
            left, places, best = left[still], places[still], best[still]
        if last or len(left) == 0:
            break
        steps = offsets @ strides
        least = flat[places + steps[0]]
        for step in steps[1:]:
            np.minimum(least, flat[places + step], out=least)
        np.minimum(best, square_of[least] + square, out=best)
        tried += len(offsets)
    return squares, left


@lru_cache(maxsize=32)
def _around(spacing: tuple[float, ...]) -> tuple[tuple[float, NDArray[np.int64]], ...]:
    """Return the offsets within the reach and the square of their length, shortest first; the last without offsets."""
    end = ((_REACH + 1) * min(spacing)) ** 2
    squares = {
        offset: sum((count * step) ** 2 for count, step in zip(offset, spacing, strict=True))
        for offset in product(range(-_REACH, _REACH + 1), repeat=len(spacing))
    }
    inside = sorted((square, offset) for offset, square in squares.items() if 0.0 < square < end)
    shells = [
        (square, np.array([offset for _, offset in group])) for square, group in groupby(inside, lambda at: at[0])
    ]
    return (*shells, (end, np.empty((0, len(spacing)), dtype=np.int64)))


def _by_tree(places: Places, targets: Mask, spacing: tuple[float, ...]) -> Floats:
    from scipy.spatial import cKDTree

    scale = np.array(spacing)
    begins = np.stack(np.unravel_index(places, targets.shape), axis=1)
    ends = np.stack(np.unravel_index(np.flatnonzero(targets), targets.shape), axis=1)
    tree = cKDTree(ends * scale, leafsize=32, balanced_tree=False, compact_nodes=False)
    _, found = tree.query(begins * scale)
    steps = ((begins - ends[found]) * scale) ** 2
    # Summed as the columns are: the axes across first.
    return np.asarray(steps[:, 0] + steps[:, 1:].sum(axis=1))
