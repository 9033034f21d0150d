"""Distances between boundaries against MONAI, medpy and DeepMind's surface-distance, each in its own convention."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
import surface_distance
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up_masks import SPACINGS, made_up_pair, pairs
from medpy.metric import binary
from monai.metrics import compute_average_surface_distance, compute_hausdorff_distance, compute_surface_dice
from monai.metrics.utils import get_edge_surface_distance
from scipy.ndimage import binary_erosion
from scipy.spatial.distance import cdist

from gatekeeper.metrics.boundary import (
    assd,
    boundary_iou,
    default_width,
    diagonal,
    hausdorff,
    hausdorff_percentile,
    hausdorff_pooled,
    masd,
    mean_directed,
    nsd,
)
from gatekeeper.metrics.surface import Mask, surface_distances, surface_voxels

GRIDS = [(axes, spacing) for axes in (2, 3) for spacing in SPACINGS[axes]]
OF_MONAI = pytest.mark.filterwarnings("ignore:monai.metrics.utils get_mask_edges:FutureWarning")
TOLERANCES = (0.0, 0.5, 1.0, 2.0, 3.7)


def one_hot(mask: Mask) -> torch.Tensor:
    return torch.from_numpy(np.stack([~mask, mask]))[None]


@OF_MONAI
@pytest.mark.parametrize(("axes", "spacing"), GRIDS)
def test_distances_are_those_of_monai(axes: int, spacing: tuple[float, ...]) -> None:
    """MONAI computes in single precision: equal to 1e-6 of the value.

    Its percentiles lose some of that between neighbouring distances, for the rank too is in single precision: with the
    rank in double precision they too are equal to 1e-6.
    """
    for reference, prediction in pairs(axes):
        found = surface_distances(reference, prediction, spacing)
        y_pred, y = one_hot(prediction), one_hot(reference)
        for percent in (50.0, 95.0, 99.0):
            theirs = compute_hausdorff_distance(y_pred, y, percentile=percent, spacing=spacing)
            assert hausdorff_percentile(found, percent) == pytest.approx(theirs.item(), rel=1e-5)
            _, directed, _ = get_edge_surface_distance(y_pred[0, 1], y[0, 1], spacing=spacing, symmetric=True)
            exact = max(torch.quantile(each.double(), percent / 100.0).item() for each in directed)
            assert hausdorff_percentile(found, percent) == pytest.approx(exact, rel=1e-6)
        theirs = compute_hausdorff_distance(y_pred, y, spacing=spacing)
        assert hausdorff(found) == pytest.approx(theirs.item(), rel=1e-6)
        theirs = compute_average_surface_distance(y_pred, y, symmetric=True, spacing=spacing)
        assert assd(found) == pytest.approx(theirs.item(), rel=1e-6)
        to_reference = compute_average_surface_distance(y_pred, y, spacing=spacing)
        to_prediction = compute_average_surface_distance(y, y_pred, spacing=spacing)
        assert mean_directed(found) == pytest.approx((to_prediction.item(), to_reference.item()), rel=1e-6)


@OF_MONAI
@pytest.mark.parametrize(("axes", "spacing"), GRIDS)
@pytest.mark.parametrize("tolerance", TOLERANCES)
def test_share_within_a_tolerance_is_that_of_monai(axes: int, spacing: tuple[float, ...], tolerance: float) -> None:
    """At tolerances that no distance meets exactly but for rounding, and at 0 and whole voxels, where all agree."""
    for reference, prediction in pairs(axes):
        theirs = compute_surface_dice(one_hot(prediction), one_hot(reference), [tolerance], spacing=spacing)
        found = nsd(surface_distances(reference, prediction, spacing), tolerance)
        assert found == pytest.approx(theirs.item(), abs=1e-6)


@pytest.mark.parametrize(("axes", "spacing"), GRIDS)
def test_pooled_distances_are_those_of_medpy(axes: int, spacing: tuple[float, ...]) -> None:
    for reference, prediction in pairs(axes):
        found = surface_distances(reference, prediction, spacing)
        assert hausdorff_pooled(found) == pytest.approx(binary.hd95(prediction, reference, spacing), rel=1e-12)
        assert hausdorff(found) == pytest.approx(binary.hd(prediction, reference, spacing), rel=1e-12)
        assert hausdorff_pooled(found, 100.0) == hausdorff(found)
        assert assd(found) == pytest.approx(binary.assd(prediction, reference, spacing), rel=1e-12, abs=1e-12)
        directed = [binary.asd(prediction, reference, spacing), binary.asd(reference, prediction, spacing)]
        assert masd(found) == pytest.approx(float(np.mean(directed)), rel=1e-12, abs=1e-12)


@pytest.mark.parametrize(("axes", "spacing"), GRIDS)
def test_distances_by_area_are_those_of_deepmind(axes: int, spacing: tuple[float, ...]) -> None:
    for reference, prediction in pairs(axes):
        found = surface_distances(reference, prediction, spacing, "area")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # scipy.ndimage.filters and .morphology
            theirs = surface_distance.compute_surface_distances(reference, prediction, spacing)
        for percent in (50.0, 95.0, 100.0):
            expected = surface_distance.compute_robust_hausdorff(theirs, percent)
            assert hausdorff_percentile(found, percent) == pytest.approx(expected, rel=1e-12)
        assert mean_directed(found) == pytest.approx(
            surface_distance.compute_average_surface_distance(theirs), rel=1e-12, abs=1e-12
        )
        for tolerance in TOLERANCES:
            expected = surface_distance.compute_surface_dice_at_tolerance(theirs, tolerance)
            assert nsd(found, tolerance) == pytest.approx(expected, abs=1e-12)


def test_the_conventions_differ_where_surfaces_differ_in_size() -> None:
    reference, prediction = np.zeros((40, 40), dtype=bool), np.zeros((40, 40), dtype=bool)
    reference[5:35, 5:35] = True
    prediction[5:9, 5:9] = True
    found = surface_distances(reference, prediction, (1.0, 1.0))
    assert hausdorff_pooled(found) < hausdorff_percentile(found)
    assert masd(found) < assd(found)


def test_a_voxel_at_the_tolerance_is_within_it_whatever_the_rounding() -> None:
    """Three steps of 0.1 mm are 0.30000000000000004 mm."""
    reference, prediction = np.zeros((9, 1), dtype=bool), np.zeros((9, 1), dtype=bool)
    reference[2], prediction[5] = True, True
    found = surface_distances(reference, prediction, (0.1, 1.0))
    assert found.to_prediction.tolist() != [0.3]
    assert nsd(found, 0.3) == 1.0
    assert nsd(found, 0.2999) == 0.0


@pytest.mark.parametrize("elements", ["voxels", "area"])
def test_without_one_surface_there_is_no_distance_and_no_share(elements: str) -> None:
    empty, full = np.zeros((4, 5), dtype=bool), np.ones((4, 5), dtype=bool)
    for pair in ((empty, full), (full, empty)):
        found = surface_distances(*pair, (1.0, 1.0), elements)  # type: ignore[arg-type]
        assert all(math.isnan(of(found)) for of in (hausdorff, hausdorff_percentile, hausdorff_pooled, assd, masd))
        assert nsd(found, 100.0) == 0.0
    assert nsd(surface_distances(empty, empty, (1.0, 1.0), elements), 0.0) == 1.0  # type: ignore[arg-type]


@pytest.mark.parametrize("elements", ["voxels", "area"])
@given(seed=st.integers(0, 10_000), axes=st.sampled_from([2, 3]))
@settings(max_examples=30, deadline=None)
def test_what_holds_of_every_pair(elements: str, seed: int, axes: int) -> None:
    reference, prediction = made_up_pair(seed, axes)
    spacing = (0.7, 1.3, 2.0)[:axes]
    one = surface_distances(reference, prediction, spacing, elements)  # type: ignore[arg-type]
    other = surface_distances(prediction, reference, spacing, elements)  # type: ignore[arg-type]
    for of in (hausdorff, hausdorff_percentile, hausdorff_pooled, assd, masd):
        assert of(one) == pytest.approx(of(other), rel=1e-12, abs=1e-12)
        assert 0.0 <= of(one) <= hausdorff(one) + 1e-12
        assert of(surface_distances(reference, reference, spacing, elements)) == 0.0  # type: ignore[arg-type]
    assert hausdorff(one) <= diagonal(reference.shape, spacing)
    shares = [nsd(one, tolerance) for tolerance in (0.0, 1.0, 2.0, 5.0, 1_000.0)]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert [nsd(other, tolerance) for tolerance in (0.0, 1.0)] == pytest.approx(shares[:2])
    larger = surface_distances(reference, prediction, tuple(3.0 * step for step in spacing), elements)  # type: ignore[arg-type]
    assert assd(larger) == pytest.approx(3.0 * assd(one))


@pytest.mark.parametrize("tolerance", [-0.1, math.nan, math.inf])
def test_a_tolerance_that_is_none_is_refused(tolerance: float) -> None:
    mask = np.ones((3, 3), dtype=bool)
    with pytest.raises(ValueError, match="tolerance must be finite"):
        nsd(surface_distances(mask, mask, (1.0, 1.0)), tolerance)


@pytest.mark.parametrize("of", [hausdorff_percentile, hausdorff_pooled])
def test_a_percentile_beyond_100_is_refused(of: object) -> None:
    mask = np.ones((3, 3), dtype=bool)
    with pytest.raises(ValueError, match="percentile lies between"):
        of(surface_distances(mask, mask, (1.0, 1.0)), 101.0)  # type: ignore[operator]


def band_of_cheng(mask: Mask, steps: int) -> Mask:
    """As the authors describe: what an erosion by a full square or cube takes in so many steps, border included."""
    return np.asarray(mask & ~binary_erosion(mask, np.ones((3,) * mask.ndim), iterations=steps))


@given(corners=st.lists(st.integers(0, 39), min_size=8, max_size=8), steps=st.integers(1, 6))
@settings(max_examples=60, deadline=None)
def test_boundary_iou_of_rectangles_is_that_of_cheng_et_al(corners: list[int], steps: int) -> None:
    """For boundaries along the axes steps to any neighbour and millimetres are the same."""
    masks = []
    for a, b, c, d in (corners[:4], corners[4:]):
        mask = np.zeros((40, 40), dtype=bool)
        mask[min(a, b) : max(a, b) + 1, min(c, d) : max(c, d) + 1] = True
        masks.append(mask)
    first, second = (band_of_cheng(mask, steps) for mask in masks)
    expected = (first & second).sum() / (first | second).sum()
    assert boundary_iou(masks[0], masks[1], (0.7, 0.7), 0.7 * steps) == pytest.approx(expected)


@pytest.mark.parametrize(("axes", "spacing"), GRIDS)
def test_boundary_iou_is_that_of_brute_force(axes: int, spacing: tuple[float, ...]) -> None:
    for reference, prediction in pairs(axes)[:8]:
        bands = []
        for mask in (reference, prediction):
            padded = np.pad(mask, 1)
            inside, outside = np.argwhere(padded), np.argwhere(~padded)
            near = cdist(inside * np.array(spacing), outside * np.array(spacing)).min(axis=1) <= 2.03 * max(spacing)
            band = np.zeros(padded.shape, dtype=bool)
            band[tuple(inside[near].T)] = True
            bands.append(band)
        expected = (bands[0] & bands[1]).sum() / (bands[0] | bands[1]).sum()
        assert boundary_iou(reference, prediction, spacing, 2.03 * max(spacing)) == pytest.approx(expected)


def test_the_thinnest_band_is_the_boundary_voxels() -> None:
    reference, prediction = made_up_pair(2, 3)
    first, second = surface_voxels(reference), surface_voxels(prediction)
    expected = (first & second).sum() / (first | second).sum()
    assert boundary_iou(reference, prediction, (1.0, 1.0, 1.0), 1.0) == pytest.approx(expected)


def test_a_band_wider_than_the_masks_gives_the_whole_intersection_over_union() -> None:
    reference, prediction = made_up_pair(1, 3)
    expected = (reference & prediction).sum() / (reference | prediction).sum()
    assert boundary_iou(reference, prediction, (1.0, 2.0, 1.0), 1_000.0) == pytest.approx(expected)


def test_the_width_is_2_percent_of_the_diagonal_in_whole_voxels() -> None:
    assert default_width((480, 640), (1.0, 1.0)) == 16.0  # 800 pixels
    assert default_width((20, 20), (0.5, 0.5)) == 0.5
    assert default_width((480, 640), (0.5, 0.5)) == 8.0
    assert diagonal((3, 4), (1.0, 1.0)) == 5.0


def test_boundary_iou_of_empty_masks() -> None:
    empty, full = np.zeros((9, 9), dtype=bool), np.ones((9, 9), dtype=bool)
    assert boundary_iou(empty, empty, (1.0, 1.0)) == 1.0
    assert boundary_iou(empty, full, (1.0, 1.0)) == boundary_iou(full, empty, (1.0, 1.0)) == 0.0
    assert boundary_iou(full, full, (1.0, 1.0)) == 1.0


@pytest.mark.parametrize("width", [0.99, 0.0, math.nan, math.inf])
def test_a_band_thinner_than_a_voxel_is_refused(width: float) -> None:
    mask = np.ones((3, 3), dtype=bool)
    with pytest.raises(ValueError, match="a band must be finite and at least one voxel"):
        boundary_iou(mask, mask, (1.0, 2.0), width)
