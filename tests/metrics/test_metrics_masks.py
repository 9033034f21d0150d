"""Label volumes compared structure by structure, and what a missed structure costs."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up_masks import SPACINGS, Mask, made_up_pair
from medpy.metric import binary
from monai.metrics import DiceMetric, HausdorffDistanceMetric, SurfaceDiceMetric, SurfaceDistanceMetric
from numpy.typing import NDArray

from gatekeeper.metrics import boundary
from gatekeeper.metrics.boundary import hausdorff_percentile
from gatekeeper.metrics.centreline import cl_dice
from gatekeeper.metrics.instances import components, lesion_counts, panoptic_counts
from gatekeeper.metrics.masks import DISTANCES, VALUES, State, charged, compare_labels, compare_masks
from gatekeeper.metrics.surface import surface_distances

GRIDS = [(axes, spacing) for axes in (2, 3) for spacing in SPACINGS[axes]]
OPTIONS = {"normalized_surface_distance": {"tolerance": 2.0}, "normalized_surface_distance_by_area": {"tolerance": 2.0}}
STRUCTURES = {"first": 1, "second": 2, "third": 7}


def labels_of(seed: int, axes: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Three structures in a volume, drawn one over the other."""
    source = np.random.default_rng(seed)
    shape = (30, 26, 28)[:axes]
    pair = []
    starts = source.integers(0, 16, size=(3, axes))
    for _ in range(2):
        labels = np.zeros(shape, dtype=np.uint8)
        for start, label in zip(starts, STRUCTURES.values(), strict=True):
            moved = np.maximum(start + source.integers(-1, 2, size=axes), 0)
            labels[tuple(slice(a, a + int(source.integers(6, 10))) for a in moved)] = label
        pair.append(labels)
    return pair[0], pair[1]


def one_hot(labels: NDArray[np.uint8]) -> torch.Tensor:
    return torch.from_numpy(np.stack([labels == label for label in (0, *STRUCTURES.values())]))[None]


@pytest.mark.filterwarnings("ignore:monai.metrics.utils get_mask_edges:FutureWarning")
@pytest.mark.parametrize(("axes", "spacing"), GRIDS)
def test_values_of_all_structures_are_those_of_monai_and_medpy(axes: int, spacing: tuple[float, ...]) -> None:
    for seed in range(4):
        reference, prediction = labels_of(seed, axes)
        found = compare_labels(reference, prediction, spacing, STRUCTURES)
        y_pred, y = one_hot(prediction), one_hot(reference)
        peers = {
            "dice": DiceMetric(include_background=False)(y_pred, y),
            "hausdorff_95": HausdorffDistanceMetric(percentile=95)(y_pred, y, spacing=spacing),
            "assd": SurfaceDistanceMetric(symmetric=True)(y_pred, y, spacing=spacing),
            "normalized_surface_distance": SurfaceDiceMetric([2.03] * 3)(y_pred, y, spacing=spacing),
        }
        for name, theirs in peers.items():
            options = {"tolerance": 2.03} if name == "normalized_surface_distance" else {}
            ours = [VALUES[name](found[structure], **options) for structure in STRUCTURES]
            assert ours == pytest.approx(theirs[0].tolist(), rel=2e-6, abs=1e-6), name
        for structure, label in STRUCTURES.items():
            first, second = reference == label, prediction == label
            assert VALUES["hausdorff_95_pooled"](found[structure]) == pytest.approx(binary.hd95(second, first, spacing))
            assert VALUES["hausdorff"](found[structure]) == pytest.approx(binary.hd(second, first, spacing))


@pytest.mark.parametrize("name", sorted(VALUES))
@pytest.mark.parametrize("axes", [2, 3])
def test_a_structure_of_a_volume_is_as_its_mask_alone(name: str, axes: int) -> None:
    if name == "absolute_volume_difference" and axes == 2:
        return
    spacing, options = (0.8, 1.5, 2.0)[:axes], OPTIONS.get(name, {})
    for seed in range(3):
        reference, prediction = labels_of(seed, axes)
        together = compare_labels(reference.astype(np.int32), prediction.astype(np.int16), spacing, STRUCTURES)
        for structure, label in STRUCTURES.items():
            alone = compare_masks(reference == label, prediction == label, spacing)
            value = VALUES[name](together[structure], **options)
            assert value == pytest.approx(VALUES[name](alone, **options), nan_ok=True)
            turned = compare_labels(reference.T, prediction.T, spacing[::-1], {structure: label})[structure]
            if name != "cl_dice":  # thinning takes the sides in turn
                assert value == pytest.approx(VALUES[name](turned, **options), nan_ok=True)


def test_each_name_gives_its_own_value() -> None:
    """On masks of which no two of these agree, small in a volume."""
    reference, prediction = np.zeros((60, 50, 40), dtype=bool), np.zeros((60, 50, 40), dtype=bool)
    reference[20:34, 20:32, 10:20], reference[5:8, 5:8, 5:8], reference[8, 8, 8] = True, True, True
    prediction[20:33, 19:32, 11:19], prediction[50:54, 40:44, 30:34], prediction[6, 6, 5:7] = True, True, True
    spacing = (1.0, 2.0, 1.5)
    case = compare_masks(reference, prediction, spacing)
    distances = surface_distances(reference, prediction, spacing)
    by_area = surface_distances(reference, prediction, spacing, "area")
    parts = components(reference), components(prediction)
    expected = {
        "hausdorff": boundary.hausdorff(distances),
        "hausdorff_95": boundary.hausdorff_percentile(distances, 95.0),
        "hausdorff_95_pooled": boundary.hausdorff_pooled(distances, 95.0),
        "assd": boundary.assd(distances),
        "masd": boundary.masd(distances),
        "normalized_surface_distance": boundary.nsd(distances, 2.0),
        "normalized_surface_distance_by_area": boundary.nsd(by_area, 2.0),
        "boundary_iou": boundary.boundary_iou(reference, prediction, spacing),
        "cl_dice": cl_dice(reference, prediction),
        "lesion_sensitivity": lesion_counts(*parts).sensitivity,
        "lesion_precision": lesion_counts(*parts).precision,
        "panoptic_quality": panoptic_counts(*parts).quality,
        "dice": 2 * case.tp / (2 * case.tp + case.fp + case.fn),
        "iou": case.tp / (case.tp + case.fp + case.fn),
        "voxel_precision": case.tp / prediction.sum(),
        "voxel_recall": case.tp / reference.sum(),
        "volume_bias": prediction.sum() / reference.sum() - 1,
        "relative_volume_difference": 1 - prediction.sum() / reference.sum(),
        "absolute_volume_difference": (reference.sum() - prediction.sum()) * 3.0 / 1_000.0,
    }
    assert set(expected) == set(VALUES)
    found = {name: VALUES[name](case, **OPTIONS.get(name, {})) for name in VALUES}
    assert found == pytest.approx(expected)
    assert len({round(value, 9) for value in found.values()}) == len(found)
    assert case.lesions.lesions == 2
    assert VALUES["boundary_iou"](case, tolerance=4.0) == boundary.boundary_iou(reference, prediction, spacing, 4.0)
    assert case.boundary_iou(4.0) != case.boundary_iou()


@given(seed=st.integers(0, 10_000))
@settings(max_examples=20, deadline=None)
def test_counts_are_those_of_the_whole_volume(seed: int) -> None:
    reference, prediction = labels_of(seed, 3)
    for structure, case in compare_labels(reference, prediction, (1.0, 1.0, 1.0), STRUCTURES).items():
        first, second = reference == STRUCTURES[structure], prediction == STRUCTURES[structure]
        assert case.tp == (first & second).sum()
        assert case.fp == (~first & second).sum()
        assert case.fn == (first & ~second).sum()
        assert case.shape == reference.shape


def pair(state: State) -> tuple[Mask, Mask]:
    empty, full = np.zeros((6, 8, 10), dtype=bool), np.zeros((6, 8, 10), dtype=bool)
    full[1:3, 2:5, 3:6] = True
    return {
        State.BOTH: (full, full),
        State.MISSED: (full, empty),
        State.INVENTED: (empty, full),
        State.ABSENT: (empty, empty),
    }[state]


def nan_as_none(value: float) -> float | None:
    return None if math.isnan(value) else value


OVERLAPS = (
    "dice",
    "iou",
    "normalized_surface_distance",
    "normalized_surface_distance_by_area",
    "boundary_iou",
    "cl_dice",
)
DIAGONAL = math.hypot(6 * 1.0, 8 * 2.0, 10 * 0.5)
# value and value at its cost where the structure is missed, invented, absent; None: there is none
EXPECTED: dict[str, tuple[tuple[float | None, float | None], ...]] = {
    **{name: ((0.0, 0.0), (0.0, 0.0), (1.0, 1.0)) for name in OVERLAPS},
    **{name: ((None, DIAGONAL), (None, DIAGONAL), (0.0, 0.0)) for name in DISTANCES},
    "voxel_precision": ((None, 0.0), (0.0, 0.0), (None, None)),
    "voxel_recall": ((0.0, 0.0), (None, None), (None, None)),
    "relative_volume_difference": ((1.0, 1.0), (None, None), (None, None)),
    "volume_bias": ((-1.0, -1.0), (None, None), (None, None)),
    "absolute_volume_difference": ((0.018, 0.018), (0.018, 0.018), (0.0, 0.0)),
    "lesion_sensitivity": ((0.0, 0.0), (None, None), (None, None)),
    "lesion_precision": ((None, 0.0), (0.0, 0.0), (None, None)),
    "panoptic_quality": ((0.0, 0.0), (0.0, 0.0), (None, None)),
}


@pytest.mark.parametrize("name", sorted(VALUES))
def test_each_value_of_a_structure_that_only_one_has(name: str) -> None:
    options = OPTIONS.get(name, {})
    states = (State.MISSED, State.INVENTED, State.ABSENT)
    for state, (value, at_cost) in zip(states, EXPECTED[name], strict=True):
        case = compare_masks(*pair(state), (1.0, 2.0, 0.5))
        assert case.state is state
        assert nan_as_none(VALUES[name](case, **options)) == pytest.approx(value), state
        assert nan_as_none(charged(name, case, **options)) == pytest.approx(at_cost), state


@pytest.mark.parametrize("name", sorted(VALUES))
def test_a_mask_is_perfect_against_itself(name: str) -> None:
    perfect = 0.0 if name in DISTANCES or "volume" in name else 1.0
    case = compare_masks(*pair(State.BOTH), (1.0, 2.0, 0.5))
    assert case.state is State.BOTH
    assert VALUES[name](case, **OPTIONS.get(name, {})) == perfect


@pytest.mark.parametrize("name", sorted(set(VALUES) - {"volume_bias", "absolute_volume_difference"}))
@given(seed=st.integers(0, 10_000), others=st.lists(st.integers(0, 10_000), min_size=1, max_size=3))
@settings(max_examples=10, deadline=None)
def test_a_miss_never_improves_the_mean(name: str, seed: int, others: list[int]) -> None:
    """A prediction emptied, in a set of cases: MONAI's mean without NaN improves (issue 9095)."""
    spacing, options = (0.8, 1.5, 2.0), OPTIONS.get(name, {})
    reference, prediction = made_up_pair(seed, 3)
    rest = [charged(name, compare_masks(*made_up_pair(other, 3), spacing), **options) for other in others]
    kept = charged(name, compare_masks(reference, prediction, spacing), **options)
    missed = charged(name, compare_masks(reference, np.zeros_like(prediction), spacing), **options)
    worse = -1.0 if name in DISTANCES else 1.0
    if name == "relative_volume_difference":  # a volume more than twice as large is worse than none
        worse, kept = -1.0, min(kept, 1.0)
    assert worse * np.mean([*rest, missed]) <= worse * np.mean([*rest, kept]) + 1e-12


@given(seed=st.integers(0, 10_000), axes=st.sampled_from([2, 3]))
@settings(max_examples=30, deadline=None)
def test_no_distance_is_beyond_the_cost_of_a_miss(seed: int, axes: int) -> None:
    case = compare_masks(*made_up_pair(seed, axes), (0.8, 1.5, 2.0)[:axes])
    assert all(VALUES[name](case) <= case.diagonal for name in DISTANCES)
    assert case.distance(hausdorff_percentile, "area") <= case.diagonal


def test_volumes_are_in_cubic_millimetres_and_millilitres() -> None:
    reference, prediction = np.zeros((20, 20, 20), dtype=bool), np.zeros((20, 20, 20), dtype=bool)
    reference[:10], prediction[:15] = True, True
    case = compare_masks(reference, prediction, (2.0, 0.5, 1.0))
    assert case.voxel_volume == 1.0
    assert case.volume_difference == 2_000.0
    assert VALUES["absolute_volume_difference"](case) == 2.0
    assert VALUES["volume_bias"](case) == VALUES["relative_volume_difference"](case) == 0.5
    flat = compare_masks(reference[0], prediction[0], (1.0, 1.0))
    with pytest.raises(ValueError, match="no volume"):
        VALUES["absolute_volume_difference"](flat)


def test_labels_out_of_the_range_of_the_type_are_absent() -> None:
    labels = np.ones((3, 3), dtype=np.uint8)
    assert compare_labels(labels, labels, (1.0, 1.0), {"far": 300})["far"].state is State.ABSENT


def test_masks_may_be_given_as_labels() -> None:
    first, second = made_up_pair(1, 3)
    found = compare_labels(first, second, (1.0, 1.0, 1.0), {"it": 1})["it"]
    assert VALUES["dice"](found) == pytest.approx(2 * (first & second).sum() / (first.sum() + second.sum()))


def test_the_masks_that_were_given_stay_as_they_are() -> None:
    reference, prediction = labels_of(0, 3)
    before = reference.copy(), prediction.copy()
    for case in compare_labels(reference, prediction, (1.0, 1.0, 1.0), STRUCTURES).values():
        for name in VALUES:
            VALUES[name](case, **OPTIONS.get(name, {}))
    np.testing.assert_array_equal(reference, before[0])
    np.testing.assert_array_equal(prediction, before[1])


@pytest.mark.parametrize(
    ("shape", "kind", "spacing", "structures", "message"),
    [
        ((3, 4), np.uint8, (1.0, 1.0), {"a": 1}, "shape"),
        ((3, 3), np.float32, (1.0, 1.0), {"a": 1}, "labels are integers"),
        ((3, 3), np.uint8, (1.0,), {"a": 1}, "1 voxel sizes"),
        ((3, 3), np.uint8, (1.0, 1.0), {}, "no structure"),
        ((3, 3), np.uint8, (1.0, 1.0), {"a": 0}, "0 is background"),
        ((3, 3), np.uint8, (1.0, 1.0), {"a": True}, "0 is background"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    shape: tuple[int, ...], kind: type, spacing: tuple[float, ...], structures: dict[str, int], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        compare_labels(np.zeros(shape, dtype=kind), np.zeros((3, 3), dtype=kind), spacing, structures)


def test_masks_of_another_type_are_refused() -> None:
    with pytest.raises(ValueError, match="not bool"):
        compare_masks(np.zeros((3, 3), dtype=np.uint8), np.zeros((3, 3), dtype=bool), (1.0, 1.0))  # type: ignore[arg-type]
