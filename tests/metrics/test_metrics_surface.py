"""Surface distances against brute force, and surfaces by area against DeepMind's surface-distance."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import surface_distance
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up_masks import SPACINGS, far_apart, made_up_pair, pairs
from scipy.ndimage import binary_erosion
from scipy.spatial.distance import cdist
from surface_distance import lookup_tables

from gatekeeper.metrics import _nearest
from gatekeeper.metrics._nearest import nearest
from gatekeeper.metrics.surface import (
    Floats,
    Mask,
    _areas,
    _corners,
    bounding_box,
    surface_distances,
    surface_voxels,
)

GRIDS = [(axes, spacing) for axes in (2, 3) for spacing in SPACINGS[axes]]


def by_brute_force(origins: Mask, targets: Mask, spacing: tuple[float, ...]) -> Floats:
    scale = np.array(spacing)
    return np.asarray(cdist(np.argwhere(origins) * scale, np.argwhere(targets) * scale).min(axis=1))


def eroded(mask: Mask) -> Mask:
    return np.asarray(mask & ~binary_erosion(mask))


@pytest.mark.parametrize(("axes", "spacing"), GRIDS)
def test_distances_of_voxels_are_those_of_brute_force(axes: int, spacing: tuple[float, ...]) -> None:
    for reference, prediction in pairs(axes):
        found = surface_distances(reference, prediction, spacing)
        first, second = eroded(reference), eroded(prediction)
        np.testing.assert_allclose(np.sort(found.to_prediction), np.sort(by_brute_force(first, second, spacing)))
        np.testing.assert_allclose(np.sort(found.to_reference), np.sort(by_brute_force(second, first, spacing)))
        assert found.weight_of_reference.tolist() == [1.0] * len(found.to_prediction)


@pytest.mark.parametrize(("axes", "spacing"), GRIDS)
def test_pieces_of_surface_are_those_of_deepmind(axes: int, spacing: tuple[float, ...]) -> None:
    for reference, prediction in pairs(axes):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # scipy.ndimage.filters and .morphology
            theirs = surface_distance.compute_surface_distances(reference, prediction, spacing)
        found = surface_distances(reference, prediction, spacing, "area")
        for ours, weights, distances, areas in (
            (found.to_prediction, found.weight_of_reference, "distances_gt_to_pred", "surfel_areas_gt"),
            (found.to_reference, found.weight_of_prediction, "distances_pred_to_gt", "surfel_areas_pred"),
        ):
            np.testing.assert_allclose(np.sort(ours), np.sort(theirs[distances]), rtol=1e-12)
            np.testing.assert_allclose(np.sort(weights), np.sort(theirs[areas]), rtol=1e-12)
            assert (ours * weights).sum() == pytest.approx((theirs[distances] * theirs[areas]).sum(), rel=1e-12)


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (0.7, 1.3, 2.9), (5.0, 0.4, 0.9)])
def test_the_area_of_every_code_is_that_of_deepmind(spacing: tuple[float, ...]) -> None:
    theirs = lookup_tables.create_table_neighbour_code_to_surface_area(spacing)
    kernel = lookup_tables.ENCODE_NEIGHBOURHOOD_3D_KERNEL
    code_there = [sum(int(kernel[at]) for bit, at in enumerate(_corners(3)) if code >> bit & 1) for code in range(256)]
    np.testing.assert_allclose(_areas(spacing), theirs[code_there], rtol=1e-12)


@pytest.mark.parametrize("spacing", [(1.0, 1.0), (0.7, 2.9)])
def test_the_length_of_every_code_is_that_of_deepmind(spacing: tuple[float, ...]) -> None:
    theirs = lookup_tables.create_table_neighbour_code_to_contour_length(spacing)
    kernel = lookup_tables.ENCODE_NEIGHBOURHOOD_2D_KERNEL
    code_there = [sum(int(kernel[at]) for bit, at in enumerate(_corners(2)) if code >> bit & 1) for code in range(16)]
    np.testing.assert_allclose(_areas(spacing), theirs[code_there], rtol=1e-12)


def test_the_area_of_a_box_is_that_of_its_faces_but_for_bevelled_edges() -> None:
    mask = np.zeros((14, 24, 34), dtype=bool)
    mask[2:12, 2:22, 2:32] = True
    area = surface_distances(mask, mask, (1.0, 2.0, 0.5), "area").weight_of_reference.sum()
    assert 0.9 * 2 * (10 * 40 + 10 * 15 + 40 * 15) < area < 2 * (10 * 40 + 10 * 15 + 40 * 15)


@pytest.mark.parametrize("axes", [2, 3])
def test_columns_and_tree_find_the_same(axes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    spacing = (0.3, 0.7, 1.1)[:axes]
    for first, second in (far_apart(axes), made_up_pair(3, axes)):
        origins, targets = surface_voxels(first), surface_voxels(second)
        monkeypatch.setattr(_nearest, "_SPARSE", 1e9)
        by_columns = nearest(origins, targets, spacing)
        monkeypatch.setattr(_nearest, "_QUERY", 1e9)
        by_columns_to_the_end = nearest(origins, targets, spacing)
        monkeypatch.setattr(_nearest, "_SPARSE", 0)
        by_tree = nearest(origins, targets, spacing)
        np.testing.assert_allclose(by_columns, by_tree, rtol=1e-14)
        np.testing.assert_allclose(by_columns_to_the_end, by_tree, rtol=1e-14)


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (1.0, 1.0, 3.0)])
def test_a_target_beyond_the_reach_is_nearer_than_one_in_the_column(
    spacing: tuple[float, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_nearest, "_SPARSE", 1e9)
    monkeypatch.setattr(_nearest, "_QUERY", 1e9)
    for across, along in ((15, 16), (16, 17), (17, 18), (19, 30)):
        origins, targets = np.zeros((40, 40, 3), dtype=bool), np.zeros((40, 40, 3), dtype=bool)
        origins[0, 0, 0], targets[0, across, 0], targets[along, 0, 0] = True, True, True
        assert nearest(origins, targets, spacing).tolist() == [across]


def test_a_target_more_than_a_byte_of_steps_away_is_found() -> None:
    first, second = np.zeros((600, 3), dtype=bool), np.zeros((600, 3), dtype=bool)
    first[:3, 0], second[260:600, 1] = True, True
    for spacing in ((1.0, 1.0), (0.01, 1.0)):
        found = surface_distances(first, second, spacing)
        expected = by_brute_force(eroded(first), eroded(second), spacing)
        np.testing.assert_allclose(np.sort(found.to_prediction), np.sort(expected))


@given(seed=st.integers(0, 10_000), axes=st.sampled_from([2, 3]), elements=st.sampled_from(["voxels", "area"]))
@settings(max_examples=40, deadline=None)
def test_exchanging_or_flipping_or_turning_the_masks_changes_nothing_else(seed: int, axes: int, elements: str) -> None:
    reference, prediction = made_up_pair(seed, axes)
    spacing = (0.7, 1.3, 2.0)[:axes]
    one = surface_distances(reference, prediction, spacing, elements)  # type: ignore[arg-type]
    for other in (
        surface_distances(np.flip(reference), np.flip(prediction), spacing, elements),  # type: ignore[arg-type]
        surface_distances(reference.T, prediction.T, spacing[::-1], elements),  # type: ignore[arg-type]
    ):
        np.testing.assert_allclose(np.sort(other.to_prediction), np.sort(one.to_prediction), rtol=1e-12)
        np.testing.assert_allclose(np.sort(other.weight_of_reference), np.sort(one.weight_of_reference), rtol=1e-12)
    exchanged = surface_distances(prediction, reference, spacing, elements)  # type: ignore[arg-type]
    np.testing.assert_array_equal(exchanged.to_reference, one.to_prediction)


@pytest.mark.parametrize("elements", ["voxels", "area"])
def test_empty_masks_have_no_distances(elements: str) -> None:
    empty, full = np.zeros((4, 5), dtype=bool), np.ones((4, 5), dtype=bool)
    none = surface_distances(empty, empty, (1.0, 1.0), elements)  # type: ignore[arg-type]
    assert not none.defined
    assert len(none.weight_of_reference) == len(none.weight_of_prediction) == 0
    one = surface_distances(empty, full, (1.0, 1.0), elements)  # type: ignore[arg-type]
    assert not one.defined
    assert len(one.weight_of_reference) == 0 < len(one.weight_of_prediction)


@pytest.mark.parametrize("axes", [2, 3])
def test_surface_voxels_are_those_that_erosion_takes(axes: int) -> None:
    for reference, _ in pairs(axes):
        np.testing.assert_array_equal(surface_voxels(reference), eroded(reference))
    assert surface_voxels(np.ones((3,) * axes, dtype=bool)).sum() == 3**axes - 1


def test_the_box_is_the_smallest() -> None:
    mask = np.zeros((6, 7, 8), dtype=bool)
    assert bounding_box(mask) is None
    mask[2, 3, 4], mask[4, 3, 7] = True, True
    assert bounding_box(mask) == (slice(2, 5), slice(3, 4), slice(4, 8))
    assert bounding_box(np.asfortranarray(mask)) == bounding_box(mask)


@pytest.mark.parametrize(
    ("shape", "other", "spacing", "kind", "message"),
    [
        ((3, 3), (3, 4), (1, 1), bool, "shape"),
        ((3, 3), (3, 3), (1, 1, 1), bool, "3 voxel sizes for masks of 2 axes"),
        ((3, 3), (3, 3), (1, 0), bool, "above 0"),
        ((3, 3), (3, 3), (1, float("nan")), bool, "above 0"),
        ((3, 3), (3, 3), (1, float("inf")), bool, "finite"),
        ((3,), (3,), (1,), bool, "1 axes"),
        ((3, 0), (3, 0), (1, 1), bool, "no voxel"),
        ((3, 3), (3, 3), (1, 1), np.uint8, "not bool"),
    ],
)
def test_what_does_not_fit_is_refused(
    shape: tuple[int, ...], other: tuple[int, ...], spacing: tuple[float, ...], kind: type, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        surface_distances(np.ones(shape, dtype=kind), np.ones(other, dtype=kind), spacing)


def test_another_kind_of_element_is_refused() -> None:
    with pytest.raises(ValueError, match="made of voxels or of area"):
        surface_distances(np.ones((2, 2), dtype=bool), np.ones((2, 2), dtype=bool), (1, 1), "edges")  # type: ignore[arg-type]
