"""Localisation criteria against pixels counted one by one and worked examples; boxes and masks are made up."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from monai.data.box_utils import box_iou
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from gatekeeper.metrics.localisation import (
    Localisation,
    by_box_ior,
    by_box_iou,
    by_centre_distance,
    by_luna16,
    by_mask_ior,
    by_mask_iou,
    by_point_in_box,
    by_point_in_mask,
)

Floats = NDArray[np.float64]
SIZE = 8


@st.composite
def whole_boxes(draw: st.DrawFn, axes: int) -> Floats:
    """Up to 3 boxes with whole corners within 0 to 8."""
    corner = st.tuples(st.integers(0, SIZE - 1), st.integers(1, SIZE)).map(
        lambda pair: (pair[0], max(pair[1], pair[0] + 1))
    )
    boxes = draw(st.lists(st.lists(corner, min_size=axes, max_size=axes), max_size=3))
    return np.array(boxes, dtype=np.float64).reshape(-1, axes, 2).transpose(0, 2, 1)


def filled(boxes: Floats, axes: int) -> list[NDArray[np.bool_]]:
    masks = []
    for box in boxes.astype(int):
        mask = np.zeros((SIZE,) * axes, dtype=bool)
        mask[tuple(slice(low, high) for low, high in box.T)] = True
        masks.append(mask)
    return masks


@pytest.mark.parametrize("axes", [2, 3])
@given(data=st.data())
def test_boxes_are_the_masks_that_they_enclose_counted_voxel_by_voxel(axes: int, data: st.DataObject) -> None:
    findings, lesions = data.draw(whole_boxes(axes)), data.draw(whole_boxes(axes))
    drawn, known = filled(findings, axes), filled(lesions, axes)
    iou = [[(a & b).sum() / (a | b).sum() for b in known] for a in drawn]
    ior = [[(a & b).sum() / b.sum() for b in known] for a in drawn]
    shape = len(findings), len(lesions)
    for by_box, by_mask, wanted in ((by_box_iou, by_mask_iou, iou), (by_box_ior, by_mask_ior, ior)):
        of_boxes, of_masks = by_box(findings, lesions, 0.5), by_mask(drawn, known, 0.5)
        np.testing.assert_allclose(of_boxes.quality, np.reshape(wanted, shape), atol=1e-12)
        np.testing.assert_array_equal(of_boxes.quality, of_masks.quality)
        np.testing.assert_array_equal(of_boxes.meets, of_boxes.quality >= 0.5)
        np.testing.assert_array_equal(of_masks.meets, of_boxes.meets)


@pytest.mark.parametrize("axes", [2, 3])
def test_the_overlap_of_boxes_is_that_of_monai(axes: int) -> None:
    source = np.random.default_rng(0)
    low = source.uniform(0, 30, (2, 20, axes))
    boxes = np.stack([low, low + source.uniform(1, 30, (2, 20, axes))], axis=2)
    wanted = box_iou(boxes[0].reshape(20, -1), boxes[1].reshape(20, -1))
    np.testing.assert_allclose(by_box_iou(boxes[0], boxes[1], 0.5).quality, wanted, atol=1e-6)


def test_boxes_side_by_side_share_nothing_and_the_share_itself_is_enough() -> None:
    finding, lesions = (
        np.array([[[0.0, 0.0], [2.0, 1.0]]]),
        np.array([[[2.0, 0.0], [3.0, 1.0]], [[0.0, 0.0], [1.0, 1.0]]]),
    )
    found = by_box_iou(finding, lesions, 0.5)
    assert found.quality.tolist() == [[0.0, 0.5]]
    assert found.meets.tolist() == [[False, True]]
    assert by_box_ior(finding, lesions, 1.0).meets.tolist() == [[False, True]]


@pytest.mark.parametrize("axes", [2, 3])
def test_distances_are_those_of_scipy(axes: int) -> None:
    source = np.random.default_rng(1)
    findings, lesions = source.normal(size=(9, axes)), source.normal(size=(7, axes))
    found = by_centre_distance(findings, lesions, 1.0)
    np.testing.assert_allclose(found.quality, -cdist(findings, lesions), atol=1e-12)
    np.testing.assert_array_equal(found.meets, cdist(findings, lesions) <= 1.0)


def test_a_distance_at_the_limit_is_kept_but_a_centre_on_luna16s_radius_is_outside() -> None:
    """LUNA16 asks for less than the radius: a nodule of 10 mm, marks at 3-4-5 from its centre, and just within."""
    marks, nodule = np.array([[3.0, 4.0, 0.0], [3.0, 3.999, 0.0]]), np.zeros((1, 3))
    assert by_centre_distance(marks, nodule, 5.0).meets.tolist() == [[True], [True]]
    assert by_luna16(marks, nodule, np.array([10.0])).meets.tolist() == [[False], [True]]


def test_a_point_on_the_low_side_of_a_box_is_in_it_and_on_the_high_side_is_not() -> None:
    box = np.array([[[1.0, 1.0], [3.0, 5.0]]])
    points = np.array([[1.0, 1.0], [2.0, 4.9], [3.0, 2.0], [2.0, 5.0], [0.9, 2.0]])
    found = by_point_in_box(points, box)
    assert found.meets[:, 0].tolist() == [True, True, False, False, False]
    np.testing.assert_allclose(found.quality, -cdist(points, [[2.0, 3.0]]))


@pytest.mark.parametrize("axes", [2, 3])
@given(data=st.data())
def test_a_point_in_a_mask_is_a_point_in_its_box_of_voxels(axes: int, data: st.DataObject) -> None:
    lesions = data.draw(whole_boxes(axes))
    steps = np.array([0.5, 2.0, 1.0][:axes])
    points = np.array(data.draw(st.lists(st.lists(st.integers(-2, 20), min_size=axes, max_size=axes), max_size=5)))
    millimetres = points.reshape(-1, axes) * 0.25
    found = by_point_in_mask(millimetres, filled(lesions, axes), steps.tolist())
    wanted = by_point_in_box(millimetres, (lesions - 0.5) * steps)
    np.testing.assert_array_equal(found.meets, wanted.meets)
    np.testing.assert_allclose(found.quality, wanted.quality, atol=1e-12)


def test_a_voxel_holds_its_lower_face_and_not_its_upper_one() -> None:
    for voxel in range(1, 4):
        mask = np.zeros((5, 5), dtype=bool)
        mask[voxel, 0] = True
        points = np.array([[(voxel - 0.5) * 2.0, 0.0], [(voxel + 0.5) * 2.0, 0.0]])
        assert by_point_in_mask(points, [mask], (2.0, 1.0)).meets[:, 0].tolist() == [True, False]


def test_points_outside_the_volume_meet_nothing() -> None:
    whole = np.ones((4, 4), dtype=bool)
    points = np.array([[-0.6, 0.0], [-0.5, 0.0], [3.4, 3.4], [3.5, 0.0], [1e9, 0.0]])
    assert by_point_in_mask(points, [whole], (1.0, 1.0)).meets[:, 0].tolist() == [False, True, True, False, False]


NO_BOX, NO_POINT = np.empty((0, 2, 3)), np.empty((0, 3))
EMPTY: list[Callable[[], Localisation]] = [
    lambda: by_box_iou(NO_BOX, NO_BOX, 0.5),
    lambda: by_centre_distance(NO_POINT, NO_POINT, 5.0),
    lambda: by_luna16(NO_POINT, NO_POINT, np.empty(0)),
    lambda: by_point_in_box(NO_POINT, NO_BOX),
    lambda: by_point_in_mask(NO_POINT, [], (1.0, 1.0, 1.0)),
    lambda: by_mask_iou([], [], 0.5),
]


@pytest.mark.parametrize("call", EMPTY)
def test_nothing_found_where_there_is_nothing_is_no_pair(call: Callable[[], Localisation]) -> None:
    assert call().meets.shape == (0, 0)


BOX, POINT, MASK = np.array([[[0.0, 0.0], [1.0, 1.0]]]), np.zeros((1, 2)), np.ones((2, 2), dtype=bool)
WRONG: list[tuple[Callable[[], Localisation], str]] = [
    (lambda: by_box_iou(BOX, np.array([[[0.0, 1.0], [1.0, 1.0]]]), 0.5), "a box is empty"),
    (lambda: by_box_iou(np.array([[[2.0, 0.0], [1.0, 1.0]]]), BOX, 0.5), "a box is empty"),
    (lambda: by_box_iou(BOX, np.array([[[0.0, 0.0], [1.0, np.inf]]]), 0.5), "finite"),
    (lambda: by_box_iou(BOX, np.array([[[0.0, 0.0], [1.0, np.nan]]]), 0.5), "finite"),
    (lambda: by_box_iou(BOX, np.zeros((1, 4)), 0.5), "shape"),
    (lambda: by_box_iou(BOX, np.array([[[0.0, 0.0, 0.0], [1.0, 1.0, 1.0]]]), 0.5), "dimensions"),
    (lambda: by_box_iou(BOX, BOX, 0.0), "overlap"),
    (lambda: by_box_ior(BOX, BOX, 1.1), "overlap"),
    (lambda: by_mask_iou([MASK], [MASK], np.nan), "overlap"),
    (lambda: by_mask_iou([MASK], [~MASK], 0.5), "a mask is empty"),
    (lambda: by_mask_ior([~MASK], [MASK], 0.5), "a mask is empty"),
    (lambda: by_mask_iou([MASK], [MASK[:1]], 0.5), "one shape"),
    (lambda: by_mask_iou([MASK.astype(np.uint8)], [MASK], 0.5), "bool"),  # type: ignore[list-item]
    (lambda: by_centre_distance(POINT, POINT, 0.0), "above 0 mm"),
    (lambda: by_centre_distance(POINT, POINT, np.inf), "above 0 mm"),
    (lambda: by_centre_distance(POINT, np.zeros((1, 3)), 1.0), "coordinates"),
    (lambda: by_centre_distance(np.full((1, 2), np.nan), POINT, 1.0), "finite"),
    (lambda: by_luna16(POINT, POINT, np.array([0.0])), "diameter"),
    (lambda: by_luna16(POINT, POINT, np.array([1.0, 2.0])), "diameter"),
    (lambda: by_point_in_mask(POINT, [MASK], (1.0,)), "voxel sizes"),
    (lambda: by_point_in_mask(POINT, [MASK], (1.0, 0.0)), "voxel sizes"),
    (lambda: by_point_in_mask(POINT, [~MASK], (1.0, 1.0)), "a mask is empty"),
    (lambda: Localisation(np.ones((1, 1), dtype=bool), np.full((1, 1), np.nan), np.zeros((1, 1))), "finite"),
    (lambda: Localisation(np.ones((1, 1), dtype=bool), np.ones((1, 2)), np.zeros((1, 1))), "do not fit"),
    (lambda: Localisation(np.ones((1, 1), dtype=bool), np.ones((1, 1)), np.zeros((2, 1))), "places"),
]


@pytest.mark.parametrize(("call", "why"), WRONG)
def test_what_does_not_fit_is_refused(call: Callable[[], Localisation], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        call()
