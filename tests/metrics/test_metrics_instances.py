"""Lesions against counting one by one, panoptic quality against MONAI and a worked example."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up_masks import made_up_pair, pairs
from monai.metrics import compute_panoptic_quality
from numpy.typing import NDArray

from gatekeeper.metrics.instances import components, lesion_counts, panoptic_counts


def lesions(seed: int, axes: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Many small blobs, some met by a prediction."""
    source = np.random.default_rng(seed)
    shape = (24, 22, 20)[:axes] if axes == 3 else (60, 50)
    pair = []
    centres = source.integers(2, np.array(shape) - 2, size=(8, axes))
    for _ in range(2):
        mask = np.zeros(shape, dtype=bool)
        for centre in centres[source.random(len(centres)) < 0.8]:
            start = centre - 1 + source.integers(0, 2, size=axes)
            mask[tuple(slice(a, a + int(source.integers(2, 4))) for a in start)] = True
        pair.append(components(mask, "faces"))
    return pair[0], pair[1]


def by_one(reference: NDArray[np.int32], prediction: NDArray[np.int32], least_iou: float | None) -> tuple[int, ...]:
    first = [reference == number for number in range(1, reference.max() + 1)]
    second = [prediction == number for number in range(1, prediction.max() + 1)]

    def meets(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> bool:
        common = (one & other).sum()
        return bool(common > 0 if least_iou is None else common / (one | other).sum() >= least_iou)

    return (
        sum(any(meets(one, other) for other in second) for one in first),
        len(first),
        sum(any(meets(one, other) for one in first) for other in second),
        len(second),
    )


@pytest.mark.parametrize("least_iou", [None, 0.1, 0.5, 1.0])
@pytest.mark.parametrize("axes", [2, 3])
def test_counts_are_those_of_counting_one_by_one(axes: int, least_iou: float | None) -> None:
    for seed in range(12):
        reference, prediction = lesions(seed, axes)
        found = lesion_counts(reference, prediction, least_iou)
        assert (found.found, found.lesions, found.right, found.predicted) == by_one(reference, prediction, least_iou)


@pytest.mark.parametrize("axes", [2, 3])
def test_panoptic_quality_is_that_of_monai(axes: int) -> None:
    for seed in range(12):
        reference, prediction = lesions(seed, axes)
        found = panoptic_counts(reference, prediction)
        for name, value in (
            ("pq", found.quality),
            ("sq", found.segmentation_quality),
            ("rq", found.recognition_quality),
        ):
            theirs = compute_panoptic_quality(
                torch.from_numpy(prediction),
                torch.from_numpy(reference),
                metric_name=name,
                match_iou_threshold=0.5,
                smooth_numerator=1e-12,
            )
            assert value == pytest.approx(theirs.item(), abs=1e-6), name


def test_a_worked_example() -> None:
    """One pair of IoU 3/4, one of 2/4 (not above a half), one lesion missed: PQ = 0.75 / (1 + 1/2 + 2/2)."""
    reference = np.array([[1, 1, 1, 1, 0, 2, 2, 2, 2, 0, 3]])
    prediction = np.array([[7, 7, 7, 0, 0, 5, 5, 0, 0, 0, 0]])
    found = panoptic_counts(reference, prediction)
    assert (found.matched, found.extra, found.missed) == (1, 1, 2)
    assert found.quality == pytest.approx(0.75 / 2.5)
    assert found.segmentation_quality == 0.75
    assert found.recognition_quality == pytest.approx(1 / 2.5)
    counts = lesion_counts(reference, prediction)
    assert (counts.sensitivity, counts.precision) == (pytest.approx(2 / 3), 1.0)
    assert lesion_counts(reference, prediction, 0.5).found == 2
    assert lesion_counts(reference, prediction, 0.51).found == 1


def test_one_prediction_may_meet_several_lesions() -> None:
    reference = np.array([[1, 0, 2, 0, 3]])
    found = lesion_counts(reference, np.ones((1, 5), dtype=np.int64))
    assert (found.found, found.lesions, found.right, found.predicted) == (3, 3, 1, 1)


def test_corners_join_and_faces_do_not() -> None:
    mask = np.eye(3, dtype=bool)
    assert components(mask).max() == 1
    assert components(mask, "faces").max() == 3
    with pytest.raises(ValueError, match="hang together"):
        components(mask, "edges")  # type: ignore[arg-type]


@given(seed=st.integers(0, 10_000), axes=st.sampled_from([2, 3]))
@settings(max_examples=30, deadline=None)
def test_what_holds_of_every_pair(seed: int, axes: int) -> None:
    reference, prediction = lesions(seed, axes)
    one, other = lesion_counts(reference, prediction), lesion_counts(prediction, reference)
    assert (one.found, one.lesions) == (other.right, other.predicted)
    assert lesion_counts(reference * 7, prediction * 3) == one
    for least_iou in (0.2, 0.7):
        assert lesion_counts(reference, prediction, least_iou).found <= one.found
    assert panoptic_counts(reference, prediction).quality == pytest.approx(
        panoptic_counts(prediction, reference).quality, nan_ok=True
    )
    if reference.any():
        itself = panoptic_counts(reference, reference)
        assert itself.quality == itself.segmentation_quality == itself.recognition_quality == 1.0


def test_where_there_is_nothing_there_is_no_share() -> None:
    none, some = np.zeros((3, 3), dtype=np.int32), np.ones((3, 3), dtype=np.int32)
    assert math.isnan(lesion_counts(none, some).sensitivity)
    assert lesion_counts(none, some).precision == 0.0
    assert math.isnan(lesion_counts(some, none).precision)
    assert lesion_counts(some, none).sensitivity == 0.0
    assert panoptic_counts(none, some).quality == panoptic_counts(some, none).quality == 0.0
    nothing = panoptic_counts(none, none)
    assert math.isnan(nothing.quality)
    assert math.isnan(nothing.recognition_quality)


def test_components_are_numbered_within_any_mask() -> None:
    for reference, _ in pairs(3):
        found = components(reference)
        assert ((found > 0) == reference).all()
        assert set(np.unique(found)) - {0} == set(range(1, int(found.max()) + 1))
    assert components(made_up_pair(0, 3)[0]).dtype == np.int32


@pytest.mark.parametrize("of", [lesion_counts, panoptic_counts])
def test_what_does_not_fit_is_refused(of: object) -> None:
    whole = np.zeros((2, 2), dtype=np.int32)
    with pytest.raises(ValueError, match="numbered by integers"):
        of(whole.astype(np.float64), whole)  # type: ignore[operator]
    with pytest.raises(ValueError, match="shape"):
        of(whole, np.zeros((2, 3), dtype=np.int32))  # type: ignore[operator]
    with pytest.raises(ValueError, match="negative"):
        of(whole, whole - 1)  # type: ignore[operator]


@pytest.mark.parametrize("least_iou", [0.0, -1.0, 1.1, math.nan])
def test_an_intersection_over_union_out_of_range_is_refused(least_iou: float) -> None:
    with pytest.raises(ValueError, match="above 0 and up to 1"):
        lesion_counts(np.ones((2, 2), dtype=np.int32), np.ones((2, 2), dtype=np.int32), least_iou)
