"""What is measured of a case. Oracles: ``compare_labels`` itself, volumes counted by hand, boxes found as voxels."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up_masks import made_up_pair
from numpy.typing import NDArray

from gatekeeper.candidate.contract import InputContract, OutputContract
from gatekeeper.engine.grid import Grid, restored
from gatekeeper.engine.measuring import (
    STANDARD,
    Asked,
    Box,
    Criterion,
    Reference,
    boxes_of,
    check_place,
    findings_of,
    measured_labels,
    measured_masks,
    measured_of_failure,
)
from gatekeeper.engine.preparation import Prepared, prepare
from gatekeeper.metrics.masks import charged, compare_labels
from gatekeeper.testset.readers.image import Image, Unfit

STRUCTURES = {"organ": 1, "lesion": 7}
MASK = OutputContract(kind="mask", structures=STRUCTURES)
PROBABILITY = OutputContract(kind="mask_probability", structures={"organ": 0, "lesion": 6})
BOXES = OutputContract(kind="boxes")
ASKED = Asked(
    {
        "organ": (
            ("iou", None),
            ("dice", None),
            ("normalized_surface_distance", 2.0),
            ("normalized_surface_distance", 0.5),
        ),
        "lesion": (("absolute_volume_difference", None), ("boundary_iou", None), ("boundary_iou", 1.5)),
    }
)
SPACING = (2.5, 0.7, 0.9)


def grid(shape: tuple[int, ...], spacing: tuple[float, ...] | None, axes: int | None = None) -> Grid:
    image = Image(np.zeros(shape, dtype=np.float32), spacing)
    return prepare(image, InputContract.model_validate({"dimensions": axes or len(shape)})).grid


def labels_of(seed: int, axes: int) -> tuple[NDArray[np.uint16], NDArray[np.uint16]]:
    organ, lesion = made_up_pair(seed, axes), made_up_pair(seed + 100, axes)
    pair = []
    for side in (0, 1):
        labels = organ[side].astype(np.uint16)
        inner = tuple(slice(0, min(a, b)) for a, b in zip(labels.shape, lesion[side].shape, strict=True))
        labels[inner][lesion[side][inner]] = 7
        pair.append(labels)
    return pair[0], pair[1]


@pytest.mark.parametrize("seed", range(4))
def test_columns_are_the_charged_values_of_the_comparison(seed: int) -> None:
    reference, prediction = labels_of(seed, 3)
    found = measured_labels(prediction, Reference(1, reference), grid(reference.shape, SPACING), MASK, ASKED)
    expected = {}
    for name, case in compare_labels(reference, prediction, SPACING, STRUCTURES).items():
        for metric, tolerance in {*STANDARD, *ASKED.structures[name]}:
            column = metric if tolerance is None else f"{metric}@{tolerance:g}"
            options = {} if tolerance is None else {"tolerance": tolerance}
            expected[f"measured.{name}.{column}"] = charged(metric, case, **options)
        size = math.prod(SPACING) / 1000.0
        expected[f"measured.{name}.diagonal"] = case.diagonal
        expected[f"measured.{name}.quantity"] = np.count_nonzero(prediction == STRUCTURES[name]) * size
        expected[f"measured.{name}.reference"] = np.count_nonzero(reference == STRUCTURES[name]) * size
    assert found == pytest.approx(expected)
    assert "measured.organ.normalized_surface_distance@0.5" in found


def test_masks_of_structures_give_what_labels_give() -> None:
    reference, prediction = labels_of(0, 3)
    place = grid(reference.shape, SPACING)
    masks = {name: prediction == label for name, label in STRUCTURES.items()}
    by_mask = measured_masks(masks, Reference(1, reference), place, PROBABILITY, ASKED)
    assert by_mask == measured_labels(prediction, Reference(1, reference), place, MASK, ASKED)


def test_a_missed_structure_costs_the_diagonal_and_an_absent_one_nothing() -> None:
    reference = np.zeros((4, 5, 6), dtype=np.uint16)
    place, nothing = grid(reference.shape, SPACING), np.zeros((4, 5, 6), dtype=np.uint16)
    diagonal = math.hypot(*(size * step for size, step in zip(reference.shape, SPACING, strict=True)))
    reference[1, 2, 3] = 1
    found = measured_labels(nothing, Reference(1, reference), place, MASK, ASKED)
    assert found["measured.organ.hausdorff_95"] == pytest.approx(diagonal)
    assert (found["measured.organ.dice"], found["measured.organ.voxel_precision"]) == (0.0, 0.0)
    assert (found["measured.lesion.dice"], found["measured.lesion.assd"]) == (1.0, 0.0)
    without = measured_labels(nothing, Reference(0), place, MASK, ASKED)
    assert without["measured.organ.dice"] == 1.0
    assert math.isnan(without["measured.organ.voxel_recall"])


@pytest.mark.parametrize("mask", [True, False])
@pytest.mark.parametrize("output", [MASK, PROBABILITY])
def test_a_failure_has_what_its_cost_is_made_from(output: OutputContract, mask: bool) -> None:
    reference, prediction = labels_of(2, 3)
    right, place = Reference(1, reference if mask else None), grid(reference.shape, SPACING)
    answered = measured_labels(prediction, right, place, MASK, ASKED)
    failed = measured_of_failure(right, place, output, ASKED)
    assert set(failed) == {f"measured.{name}.{what}" for name in STRUCTURES for what in ("diagonal", "reference")}
    assert failed == pytest.approx({name: answered[name] for name in failed})
    assert measured_of_failure(right, place, BOXES, ASKED) == {}


def test_a_single_slice_has_areas() -> None:
    reference, prediction = labels_of(1, 2)
    asked = Asked({"organ": (("absolute_volume_difference", None),)})
    flat = measured_labels(prediction, Reference(1, reference), grid(reference.shape, (0.7, 0.9)), MASK, asked)
    assert flat["measured.organ.quantity"] == pytest.approx(np.count_nonzero(prediction == 1) * 0.63)
    assert math.isnan(flat["measured.organ.absolute_volume_difference"])
    place = grid((1, *reference.shape), SPACING, axes=2)
    slices = measured_labels(prediction[np.newaxis], Reference(1, reference[np.newaxis]), place, MASK, asked)
    assert slices == pytest.approx(flat, nan_ok=True)


def test_without_a_spacing_nothing_is_in_millimetres_and_the_rest_is_right() -> None:
    reference, prediction = labels_of(3, 3)
    with_one = measured_labels(prediction, Reference(1, reference), grid(reference.shape, SPACING), MASK, ASKED)
    without = measured_labels(prediction, Reference(1, reference), grid(reference.shape, None), MASK, ASKED)
    unknown = {name.split(".")[2].split("@")[0] for name, value in without.items() if math.isnan(value)}
    assert unknown == {
        "hausdorff_95",
        "assd",
        "normalized_surface_distance",
        "absolute_volume_difference",
        "boundary_iou",
        "diagonal",
        "quantity",
        "reference",
    }
    known = {name: value for name, value in without.items() if not math.isnan(value)}
    assert known == {name: with_one[name] for name in known}


def test_a_reference_of_another_shape_is_refused() -> None:
    with pytest.raises(ValueError, match="reference of shape"):
        measured_of_failure(Reference(1, np.zeros((2, 2), np.uint16)), grid((2, 3), None), MASK, ASKED)


@st.composite
def prepared_volumes(draw: st.DrawFn, *, resample: bool) -> tuple[Image, Prepared]:
    order = draw(st.permutations(range(3)))
    spacing = draw(st.tuples(*[st.floats(0.5, 3.0)] * 3))
    affine = np.eye(4)
    affine[:3] = 0.0
    for axis in range(3):
        affine[order[axis], axis] = spacing[axis] * draw(st.sampled_from((-1.0, 1.0)))
    affine[:3, 3] = (12.0, -40.0, 3.0)
    shape = draw(st.tuples(*[st.integers(4, 10)] * 3))
    options: dict[str, object] = {"dimensions": 3, "orientation": draw(st.sampled_from((None, "RAS", "LPS")))}
    if draw(st.booleans()):
        fit = draw(st.sampled_from(("crop_or_pad", "resize"))) if resample else "crop_or_pad"
        options |= {"size": draw(st.tuples(*[st.integers(4, 12)] * 3)), "fit": fit}
    if resample:
        options |= {"spacing_mm": draw(st.tuples(*[st.floats(0.5, 3.0)] * 3)), "resample": True}
    image = Image(np.zeros(shape, dtype=np.float32), spacing, affine)
    return image, prepare(image, InputContract.model_validate(options))


@settings(max_examples=60, deadline=None)
@given(prepared_volumes(resample=True), st.data())
def test_a_finding_lies_where_the_affine_says_in_the_patient(pair: tuple[Image, Prepared], data: st.DataObject) -> None:
    _, prepared = pair
    low = np.array(data.draw(st.tuples(*[st.floats(-3.0, 8.0)] * 3)))
    high = low + data.draw(st.tuples(*[st.floats(0.5, 6.0)] * 3))
    corners = np.array([[*point, 1.0] for point in (low - 0.5, high - 0.5)])  # of edges, as indices of centres
    assert prepared.affine is not None
    places = (corners @ prepared.affine.T)[:, :3]
    lesion = Box(tuple(places.min(axis=0)), tuple(places.max(axis=0)), "mm")
    far = Box(tuple(places.max(axis=0) + 500.0), tuple(places.max(axis=0) + 510.0), "mm")
    reference = Reference(1, boxes=(far, lesion))
    check_place(prepared.grid, reference, BOXES, Asked())
    for criterion in (Criterion(), Criterion("iou", 0.999), Criterion("centre_distance", 1e-3)):
        found = findings_of(np.stack([[low, high]]), np.array([0.4]), reference, prepared.grid, criterion)
        assert found == ([0.4], [1])


@settings(max_examples=60, deadline=None)
@given(prepared_volumes(resample=False), st.data())
def test_a_box_of_voxels_is_the_box_of_the_same_voxels_as_prepared(
    pair: tuple[Image, Prepared], data: st.DataObject
) -> None:
    _, prepared = pair
    low = [data.draw(st.integers(0, size - 1)) for size in prepared.grid.shape]
    high = [data.draw(st.integers(first + 1, size)) for first, size in zip(low, prepared.grid.shape, strict=True)]
    inside = np.zeros(prepared.grid.shape, dtype=bool)
    inside[tuple(slice(a, b) for a, b in zip(low, high, strict=True))] = True
    voxels = np.argwhere(restored(inside, prepared.grid))
    if len(voxels) != inside.sum():
        return  # some of the box is padding
    first, last = voxels.min(axis=0)[::-1], voxels.max(axis=0)[::-1] + 1
    lesion = Box(tuple(map(float, first)), tuple(map(float, last)))
    boxes = np.array([[low, high]], dtype=np.float64)
    found = findings_of(boxes, np.array([0.4]), Reference(1, boxes=(lesion,)), prepared.grid, Criterion("iou", 1.0))
    assert found == ([0.4], [0])


def test_boxes_in_an_image_count_columns_first_and_overlap_as_by_hand() -> None:
    place = grid((40, 50), (2.0, 0.5))
    lesion = Box((10.0, 5.0), (20.0, 15.0))  # 10 columns, 10 rows
    in_mm = Box((5.0, 10.0), (10.0, 30.0), "mm")  # the same
    finding = np.array([[[5.0, 15.0], [15.0, 25.0]]])  # rows, columns: half of either, a third of both
    for box in (lesion, in_mm):
        right = Reference(1, boxes=(box,))
        for threshold, hit in ((1 / 3 - 1e-9, 0), (1 / 3 + 1e-9, -1)):
            criterion = Criterion("iou", threshold)
            assert findings_of(finding, np.array([0.5]), right, place, criterion) == ([0.5], [hit])
        # Centres are 5 columns of 0.5 mm apart.
        for threshold, hit in ((2.51, 0), (2.49, -1)):
            criterion = Criterion("centre_distance", threshold)
            assert findings_of(finding, np.array([0.5]), right, place, criterion) == ([0.5], [hit])


def test_a_second_finding_at_a_lesion_is_false_or_ignored() -> None:
    place, right = grid((40, 50), None), Reference(1, boxes=(Box((10.0, 5.0), (20.0, 15.0)),))
    twice = np.array([[[5.0, 10.0], [15.0, 20.0]]] * 2)
    scores = np.array([0.3, 0.8])
    assert findings_of(twice, scores, right, place, Criterion())[1] == [-1, 0]
    assert findings_of(twice, scores, right, place, Criterion(double_hits="ignored"))[1] == [-2, 0]
    assert findings_of(twice, scores, Reference(0), place, Criterion())[1] == [-1, -1]


def test_boxes_are_read_from_a_locked_case() -> None:
    assert boxes_of(None) == boxes_of("[]") == ()
    text = '[{"high":[3,4.5],"low":[1,2]},{"high":[3,4,5],"low":[0,0,0],"unit":"mm"}]'
    assert boxes_of(text) == (Box((1.0, 2.0), (3.0, 4.5)), Box((0.0,) * 3, (3.0, 4.0, 5.0), "mm"))


@pytest.mark.parametrize(
    ("kind", "threshold"),
    [
        ("iou", None),
        ("iou", 0.0),
        ("iou", 1.1),
        ("iou", math.nan),
        ("centre_distance", math.inf),
        ("centre_distance", None),
        ("centre_inside", 0.5),
    ],
)
def test_a_criterion_without_its_threshold_is_refused(kind: str, threshold: float | None) -> None:
    with pytest.raises(ValueError, match="criterion"):
        Criterion(kind, threshold)  # type: ignore[arg-type]


HUGE = boxes_of('[{"low": [0, 0], "high": [1' + "0" * 400 + ", 5]}]")


@pytest.mark.parametrize(
    ("place", "reference", "output", "asked", "said"),
    [
        (grid((4, 5), None), Reference(0), MASK, Asked({"organ": (("assd", None),)}), "spacing"),
        (grid((4, 5), (1.0, 1.0)), Reference(0), MASK, ASKED, "mL"),
        (grid((4, 5), None), Reference(1, boxes=(Box((0, 0, 0), (1, 1, 1)),)), BOXES, Asked(), "axes"),
        (grid((4, 5), None), Reference(1, boxes=(Box((0, 0), (1, 1), "mm"),)), BOXES, Asked(), "spacing"),
        (grid((4, 5), None), Reference(0), BOXES, Asked(criterion=Criterion("centre_distance", 5.0)), "spacing"),
        (grid((4, 5), None), Reference(1, boxes=(Box((0, 0), (1, 1e-9)),)), BOXES, Asked(), "empty"),
        (grid((4, 5), None), Reference(1, boxes=(Box((1e9, 0), (2e9, 1)),)), BOXES, Asked(), "far"),
        (grid((4, 5), None), Reference(1, boxes=HUGE), BOXES, Asked(), "far"),
    ],
)
def test_what_cannot_be_measured_is_said_before_the_run(
    place: Grid, reference: Reference, output: OutputContract, asked: Asked, said: str
) -> None:
    with pytest.raises(Unfit, match=said):
        check_place(place, reference, output, asked)


def test_what_can_be_measured_is_let_pass() -> None:
    check_place(grid((4, 5), None), Reference(0), MASK, Asked({"organ": (("dice", None),)}))
    check_place(grid((4, 5, 6), SPACING), Reference(0), MASK, ASKED)
    check_place(grid((4, 5), None), Reference(1, boxes=(Box((0, 0), (1, 1)),)), BOXES, Asked())
