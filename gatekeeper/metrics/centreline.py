"""Centrelines of tubes by thinning, and the Dice coefficient of centrelines.

Thinning after Lee, Kashyap & Chu (CVGIP 1994;56:462): from six sides in turn, voxels that are simple and no end go,
those of one side one after the other in the order of the array, each only if its neighbours still hang together. A
voxel is simple when its absence changes no component, tunnel or cavity (26 neighbours inside, 6 outside); an end has
one neighbour. The lines are those of scikit-image's ``skeletonize(method="lee")``, voxel for voxel, but that no
component vanishes here: there a block of 2 x 2 x 2 does. In two dimensions thinning is from four sides; there the code
of Shit et al. thins after Zhang & Suen (Commun ACM 1984;27:236), whose lines differ here and there by a pixel.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

from gatekeeper.metrics.specification import FEW_PATIENTS, MEAN_OVER_CASES, Metric, Suite
from gatekeeper.metrics.surface import Mask, bounding_box

Codes = NDArray[np.uint32]

# A neighbourhood of 27 voxels as bits: bit 9 i + 3 j + k for the offset (i - 1, j - 1, k - 1), 13 the voxel itself.
_PLACES = list(product((0, 1, 2), repeat=3))
_CENTRE = 13
# Sides in the order in which they are thinned: axis and step to the neighbour that is outside.
_SIDES = ((1, -1), (1, 1), (2, 1), (2, -1), (0, 1), (0, -1))


def _bits(places: list[tuple[int, ...]]) -> int:
    return sum(1 << (9 * i + 3 * j + k) for i, j, k in places)


_INSIDE = np.uint32(_bits(_PLACES) ^ 1 << _CENTRE)
_FACES = np.uint32(_bits([place for place in _PLACES if sum(at != 1 for at in place) == 1]))
_FACES_AND_EDGES = np.uint32(_bits([place for place in _PLACES if sum(at != 1 for at in place) in (1, 2)]))
_STEPS = [
    (np.uint32(shift), *(np.uint32(_bits([place for place in _PLACES if place[axis] != end])) for end in (0, 2)))
    for axis, shift in enumerate((9, 3, 1))
]
_NEIGHBOURS = [
    _bits(
        [
            place
            for place in _PLACES
            if place != centre and max(abs(a - b) for a, b in zip(place, centre, strict=True)) == 1
        ]
    )
    for centre in _PLACES
]


def cl_dice(reference: Mask, prediction: Mask) -> float:
    """Return the harmonic mean of how much of either mask's centreline lies in the other mask, in [0, 1].

    Of two masks of one shape, in two or three dimensions; on the grid, whatever the size of a voxel. 1 where both are
    empty, 0 where one is.
    """
    box = bounding_box(reference | prediction)
    if box is None:
        return 1.0
    first, second = reference[box], prediction[box]
    if not (first.any() and second.any()):
        return 0.0
    of_first, of_second = centreline(first), centreline(second)
    sensitivity = np.count_nonzero(of_first & second) / np.count_nonzero(of_first)
    precision = np.count_nonzero(of_second & first) / np.count_nonzero(of_second)
    both = sensitivity + precision
    return float(2.0 * sensitivity * precision / both) if both else 0.0


def centreline(mask: Mask) -> Mask:
    """Return a mask's centreline: as many components as it has, and no voxel that could go but ends.

    Of a mask in two or three dimensions. What lies beyond the volume counts as outside.
    """
    if mask.ndim == 2:
        return np.asarray(_thinned(mask[np.newaxis], _SIDES[:4])[0])
    return _thinned(mask, _SIDES)


def _thinned(mask: Mask, sides: tuple[tuple[int, int], ...]) -> Mask:
    padded = np.pad(mask, 1)
    flat, sizes = padded.ravel(), padded.shape
    strides = (sizes[1] * sizes[2], sizes[2], 1)
    offsets = [sum((at - 1) * stride for at, stride in zip(place, strides, strict=True)) for place in _PLACES]
    left, at_rest = np.flatnonzero(flat), 0
    while at_rest < len(sides):
        at_rest = 0
        for axis, step in sides:
            places = left[~flat[left + step * strides[axis]]]
            codes = _codes(flat, places, offsets)
            kinds, which = np.unique(codes, return_inverse=True)
            first = (is_simple(kinds) & ~_is_end(kinds))[which]
            gone = _one_by_one(places[first].tolist(), codes[first].tolist(), offsets)
            flat[gone] = False
            left = left[flat[left]]
            at_rest += len(gone) == 0
    return np.asarray(flat.reshape(sizes)[1:-1, 1:-1, 1:-1])


def _one_by_one(places: list[int], codes: list[int], offsets: list[int]) -> list[int]:
    """Return which voxels go when each goes only if its neighbours, without those gone before, hang together."""
    index = {place: number for number, place in enumerate(places)}
    # Those that come later, and what is left of their neighbourhood without this one.
    later = [(offset, ~(1 << (26 - bit))) for bit, offset in enumerate(offsets) if offset > 0]
    gone = []
    for number, place in enumerate(places):
        if not _hang_together(codes[number]):
            continue
        gone.append(place)
        for offset, without in later:
            other = index.get(place + offset)
            if other is not None:
                codes[other] &= without
    return gone


@lru_cache(maxsize=1 << 16)
def _hang_together(code: int) -> bool:
    """Return whether a voxel has neighbours and they are one component."""
    inside = code & ~(1 << _CENTRE)
    new = found = inside & -inside
    while new:
        near = 0
        while new:
            lowest = new & -new
            near |= _NEIGHBOURS[lowest.bit_length() - 1]
            new ^= lowest
        new = near & inside & ~found
        found |= new
    return found == inside != 0


def _codes(flat: Mask, places: NDArray[np.intp], offsets: list[int]) -> Codes:
    codes = np.zeros(len(places), dtype=np.uint32)
    for bit, offset in enumerate(offsets):
        codes |= flat[places + offset].astype(np.uint32) << np.uint32(bit)
    return codes


def _is_end(codes: Codes) -> NDArray[np.bool_]:
    others = codes & _INSIDE
    return np.asarray((others & (others - np.uint32(1))) == 0)


def is_simple(codes: Codes) -> NDArray[np.bool_]:
    """Return for neighbourhoods as bits whether the voxel in the middle is simple.

    It is when its neighbours inside hang together, one at least, and so do those outside that share a face with it, by
    way of those that share a face or an edge.
    """
    inside = codes & _INSIDE
    one_inside = (inside != 0) & (_flooded(inside & (~inside + np.uint32(1)), inside, corners=True) == inside)
    outside = ~codes & _FACES_AND_EDGES
    faces = outside & _FACES
    one_outside = (faces != 0) & (faces & ~_flooded(faces & (~faces + np.uint32(1)), outside, corners=False) == 0)
    return np.asarray(one_inside & one_outside)


def _flooded(seeds: Codes, within: Codes, *, corners: bool) -> Codes:
    """Return what hangs together with the seeds: over corners too, or over faces only."""
    while True:
        wider = seeds
        for shift, not_low, not_high in _STEPS:
            start = wider if corners else seeds
            wider = wider | ((start << shift) & not_low) | ((start >> shift) & not_high)
        wider = wider & within
        if np.array_equal(wider, seeds):
            return seeds
        seeds = wider


CL_DICE = Metric(
    name="cl_dice",
    aliases=("cldice", "centreline_dice"),
    title="Centreline Dice coefficient",
    suite=Suite.PERFORMANCE,
    definition="harmonic mean of the share of the reference's centreline in the predicted mask and of the predicted "
    "centreline in the reference mask, mean over cases",
    convention="centrelines by thinning after Lee, Kashyap & Chu (CVGIP 1994;56:462) on the grid, in two dimensions "
    "too; 1 where both masks are empty, 0 where one is",
    source="Shit et al., CVPR 2021, doi 10.1109/CVPR46437.2021.01629; Metrics Reloaded (Maier-Hein et al., Nat Methods "
    "2024, doi 10.1038/s41592-023-02151-z)",
    undefined="no case has a reference mask",
    n_of="cases",
    interval=MEAN_OVER_CASES,
    caution=FEW_PATIENTS,
    options=frozenset({"structure"}),
    tasks=frozenset({"segmentation"}),
)
