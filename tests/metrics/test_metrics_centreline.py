"""Centrelines against scikit-image and SimpleITK, and by what they must keep, counted independently.

scikit-image is not installed with the tests: what it found is written down here, as digests. The number of components
and the Euler characteristic are those of scipy's labels and of counting cells.
"""

from __future__ import annotations

import hashlib
from itertools import pairwise, product

import networkx as nx
import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up_masks import Mask, made_up_pair, pairs
from scipy.ndimage import binary_dilation, generate_binary_structure, label

from gatekeeper.metrics.centreline import centreline, cl_dice, is_simple

CORNERS = generate_binary_structure(3, 3)


def tube(points: list[tuple[int, ...]], shape: tuple[int, ...], thickness: int) -> Mask:
    """Return a tube around a line through these points, of which neighbours differ along one axis."""
    line = np.zeros(shape, dtype=bool)
    for start, end in pairwise(points):
        line[tuple(slice(min(a, b), max(a, b) + 1) for a, b in zip(start, end, strict=True))] = True
    return np.asarray(binary_dilation(line, generate_binary_structure(len(shape), 1), iterations=thickness))


def vessel(number: int, axes: int) -> Mask:
    """Return branches of changing thickness, made up by whole-number arithmetic: the same everywhere and always."""
    shape, state = (34, 40, 46)[-axes:], 12_345 + number

    def draw(below: int) -> int:
        nonlocal state
        state = (1_103_515_245 * state + 12_345) % (1 << 31)
        return (state >> 16) % below

    mask = np.zeros(shape, dtype=bool)
    grid = np.indices(shape)
    for _ in range(4):
        place, step = [6 + draw(size - 12) for size in shape], [draw(3) - 1 for _ in shape]
        for _ in range(24):
            if draw(3) == 0:
                step[draw(axes)] = draw(3) - 1
            place = [min(max(at + move, 3), size - 4) for at, move, size in zip(place, step, shape, strict=True)]
            squares = sum((line - at) ** 2 for line, at in zip(grid, place, strict=True))
            mask |= squares <= 2 + draw(8)
    return mask


def euler_characteristic(mask: Mask) -> int:
    """Return corners - edges + faces - cubes of the union of closed voxels: 26 neighbours inside, 6 outside."""
    padded = np.pad(mask, 1)
    total = 0
    for open_axes in product((False, True), repeat=3):
        cells = padded
        for axis, is_open in enumerate(open_axes):
            if not is_open:
                before, after = [slice(None)] * 3, [slice(None)] * 3
                before[axis], after[axis] = slice(None, -1), slice(1, None)
                cells = cells[tuple(before)] | cells[tuple(after)]
        total += (-1) ** sum(open_axes) * int(cells.sum())
    return total


def holes(mask: Mask) -> tuple[int, int, int]:
    """Return the numbers of components inside, of components outside, and the Euler characteristic."""
    inside = label(mask, CORNERS)[1]
    outside = label(~np.pad(mask, 1))[1]
    return inside, outside, euler_characteristic(mask)


# Dimensions and number of a vessel: voxels of the mask, voxels of the line by scikit-image 0.26.0,
# skeletonize(method="lee"), and the start of the SHA-256 of the line in packed bits.
OF_SCIKIT_IMAGE = {
    (2, 0): (380, 60, "38050a8a118b9ba4"),
    (2, 1): (337, 35, "4e4e1465b1980098"),
    (2, 2): (339, 44, "24ebf71afbf8dcdc"),
    (2, 3): (457, 76, "e482e28a53333188"),
    (2, 4): (425, 56, "5993fbf5ab05732a"),
    (2, 5): (350, 46, "7419152603481c29"),
    (3, 0): (2836, 92, "e638d7fa14b89070"),
    (3, 1): (2471, 85, "5160da57a0191d66"),
    (3, 2): (2459, 85, "1fd48bc3c7e2223b"),
    (3, 3): (2262, 64, "b3d682dfccd7924a"),
    (3, 4): (2538, 75, "de58b4b36a580351"),
    (3, 5): (2242, 79, "1583f1b076b027bc"),
}


@pytest.mark.parametrize(("axes", "number"), list(OF_SCIKIT_IMAGE))
def test_the_line_is_that_of_scikit_image(axes: int, number: int) -> None:
    voxels, of_line, digest = OF_SCIKIT_IMAGE[axes, number]
    mask = vessel(number, axes)
    line = centreline(mask)
    assert (mask.sum(), line.sum()) == (voxels, of_line)
    assert hashlib.sha256(np.packbits(line).tobytes()).hexdigest()[:16] == digest


@pytest.mark.parametrize("shape", [(2, 2, 2), (2, 2, 3), (1, 1, 1), (2, 2), (1, 2)])
def test_no_component_vanishes(shape: tuple[int, ...]) -> None:
    """Of blocks of 2 x 2 x 2 and 2 x 2 x 3 scikit-image leaves nothing."""
    mask = np.pad(np.ones(shape, dtype=bool), 2)
    assert label(centreline(mask), np.ones((3,) * mask.ndim))[1] == 1
    assert cl_dice(mask, mask) == 1.0


def test_the_count_of_holes_counts_them() -> None:
    ring = np.zeros((3, 3, 1), dtype=bool)
    ring[:, :, 0] = True
    ring[1, 1, 0] = False
    assert holes(ring) == (1, 1, 0)
    shell = np.ones((3, 3, 3), dtype=bool)
    shell[1, 1, 1] = False
    assert holes(shell) == (1, 2, 2)


@pytest.mark.parametrize("seed", range(30))
def test_components_tunnels_and_cavities_stay(seed: int) -> None:
    mask, _ = made_up_pair(seed, 3)
    mask = mask & (np.random.default_rng(seed).random(mask.shape) < 0.97)
    thin = centreline(mask)
    assert not (thin & ~mask).any()
    assert holes(thin) == holes(mask)


@pytest.mark.parametrize("axes", [2, 3])
def test_thinning_again_takes_nothing(axes: int) -> None:
    for mask, _ in pairs(axes):
        thin = centreline(mask)
        np.testing.assert_array_equal(centreline(thin), thin)


def by_graphs(code: int) -> bool:
    """Whether the voxel in the middle is simple, by connected components of graphs."""
    places = list(product((0, 1, 2), repeat=3))
    filled = {place for bit, place in enumerate(places) if code >> bit & 1 and place != (1, 1, 1)}
    steps = {place: sum(at != 1 for at in place) for place in places}
    empty = {place for place in places if place not in filled and steps[place] in (1, 2)}

    def graph(nodes: set[tuple[int, ...]], farthest: int) -> nx.Graph:
        made = nx.Graph()
        made.add_nodes_from(nodes)
        for a, b in product(nodes, nodes):
            apart = [abs(x - y) for x, y in zip(a, b, strict=True)]
            if 0 < sum(apart) <= farthest and max(apart) == 1:
                made.add_edge(a, b)
        return made

    outside = [part for part in nx.connected_components(graph(empty, 1)) if any(steps[place] == 1 for place in part)]
    return nx.number_connected_components(graph(filled, 3)) == 1 and len(outside) == 1


def test_simple_voxels_are_those_found_by_graphs() -> None:
    source = np.random.default_rng(0)
    codes = [
        sum(1 << bit for bit in range(27) if bit == 13 or source.random() < share)
        for share in np.linspace(0.02, 0.98, 400)
    ]
    found = is_simple(np.array(codes, dtype=np.uint32))
    assert found.tolist() == [by_graphs(code) for code in codes]
    assert 50 < found.sum() < 350


def test_a_straight_tube_becomes_its_axis() -> None:
    mask = tube([(8, 8, 3), (8, 8, 30)], (17, 17, 36), 3)
    thin = np.argwhere(centreline(mask))
    assert (np.abs(thin[:, :2] - 8) <= 1).all()
    assert len(set(thin[:, 2])) == len(thin) >= 22


def test_a_ring_stays_a_ring_one_voxel_thick() -> None:
    corners = [(6, 6, 6), (6, 24, 6), (6, 24, 24), (6, 6, 24), (6, 6, 6)]
    thin = centreline(tube(corners, (13, 31, 31), 2))
    padded = np.pad(thin, 1)
    for place in np.argwhere(padded):
        assert padded[tuple(slice(at - 1, at + 2) for at in place)].sum() == 3


def test_in_two_dimensions_the_line_runs_within_a_pixel_or_two_of_that_of_simpleitk() -> None:
    for points in ([(8, 5), (8, 40)], [(8, 5), (30, 5), (30, 40)], [(6, 6), (6, 30), (34, 30), (34, 6), (6, 6)]):
        mask = tube(points, (42, 46), 3)
        ours = centreline(mask)
        theirs = sitk.GetArrayFromImage(sitk.BinaryThinning(sitk.GetImageFromArray(mask.astype(np.uint8)))) > 0
        near = np.ones((5, 5), dtype=bool)
        assert not (ours & ~binary_dilation(theirs, near)).any()
        assert (theirs & ~binary_dilation(ours, near)).sum() <= 6  # their lines may have a spur more
        assert label(ours, np.ones((3, 3)))[1] == label(theirs, np.ones((3, 3)))[1] == 1


def test_the_value_of_lines_is_that_of_their_voxels() -> None:
    """Lines one voxel thin are their own centrelines: of 20 voxels 15 are found, of 18 predicted 15 are right."""
    reference, prediction = np.zeros((3, 30, 3), dtype=bool), np.zeros((3, 30, 3), dtype=bool)
    reference[1, 0:20, 1] = True
    prediction[1, 5:23, 1] = True
    sensitivity, precision = 15 / 20, 15 / 18
    expected = 2 * sensitivity * precision / (sensitivity + precision)
    assert cl_dice(reference, prediction) == pytest.approx(expected)
    assert cl_dice(reference[1], prediction[1]) == pytest.approx(expected)


def test_a_thicker_tube_of_the_same_course_is_all_right() -> None:
    points = [(10, 10, 6), (10, 10, 30), (10, 24, 30)]
    thin, thick = (tube(points, (21, 36, 42), thickness) for thickness in (1, 3))
    assert cl_dice(thin, thick) > 0.9
    broken = thick.copy()
    broken[:, :, 15:20] = False
    assert cl_dice(thick, broken) < cl_dice(thick, thick) == 1.0


@given(seed=st.integers(0, 10_000), axes=st.sampled_from([2, 3]))
@settings(max_examples=20, deadline=None)
def test_what_holds_of_every_pair(seed: int, axes: int) -> None:
    reference, prediction = made_up_pair(seed, axes)
    value = cl_dice(reference, prediction)
    assert 0.0 <= value <= 1.0
    assert cl_dice(prediction, reference) == pytest.approx(value)
    assert cl_dice(reference, reference) == 1.0


def test_empty_masks_and_masks_apart() -> None:
    empty, one, other = (np.zeros((4, 4), dtype=bool) for _ in range(3))
    one[0, 0], other[3, 3] = True, True
    assert cl_dice(empty, empty) == 1.0
    assert cl_dice(empty, one) == cl_dice(one, empty) == 0.0
    assert cl_dice(one, other) == 0.0
    assert not centreline(empty).any()
