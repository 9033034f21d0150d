"""Overlap and volumes against MONAI, scikit-learn and medpy."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from made_up_masks import pairs
from medpy.metric import binary
from monai.metrics import compute_dice, compute_iou
from sklearn.metrics import f1_score, jaccard_score, precision_score, recall_score

from gatekeeper.metrics import boundary, centreline, instances, overlap
from gatekeeper.metrics.masks import VALUES
from gatekeeper.metrics.overlap import (
    dice,
    iou,
    relative_volume_difference,
    volume_bias,
    voxel_precision,
    voxel_recall,
)
from gatekeeper.metrics.specification import Metric, Suite

counts = st.integers(0, 1_000)


@pytest.mark.parametrize("axes", [2, 3])
def test_values_are_those_of_monai_scikit_learn_and_medpy(axes: int) -> None:
    for reference, prediction in pairs(axes):
        tp, fp, fn = (
            (a & b).sum() for a, b in ((reference, prediction), (~reference, prediction), (reference, ~prediction))
        )
        label, called = reference.ravel(), prediction.ravel()
        y_pred, y = (torch.from_numpy(np.stack([~mask, mask]))[None] for mask in (prediction, reference))
        assert dice(tp, fp, fn) == pytest.approx(compute_dice(y_pred, y, include_background=False).item(), abs=1e-6)
        assert iou(tp, fp, fn) == pytest.approx(compute_iou(y_pred, y, include_background=False).item(), abs=1e-6)
        assert dice(tp, fp, fn) == pytest.approx(f1_score(label, called, zero_division=0.0))
        assert iou(tp, fp, fn) == pytest.approx(jaccard_score(label, called))
        assert voxel_precision(tp, fp) == pytest.approx(precision_score(label, called))
        assert voxel_recall(tp, fn) == pytest.approx(recall_score(label, called))
        # medpy divides the other way round: by the volume of its second argument.
        assert volume_bias(tp, fp, fn) == pytest.approx(binary.ravd(prediction, reference))


@given(tp=counts, fp=counts, fn=counts)
def test_what_holds_of_all_counts(tp: int, fp: int, fn: int) -> None:
    assert 0.0 <= iou(tp, fp, fn) <= dice(tp, fp, fn) <= 1.0
    assert dice(tp, fp, fn) == pytest.approx(2.0 * iou(tp, fp, fn) / (1.0 + iou(tp, fp, fn)))
    assert dice(tp, fp, fn) == dice(tp, fn, fp)
    assert dice(tp + 1, fp, fn) >= dice(tp, fp, fn) >= dice(tp, fp + 1, fn) or tp + fp + fn == 0
    if tp + fn:
        assert relative_volume_difference(tp, fp, fn) == abs(volume_bias(tp, fp, fn))
        assert volume_bias(tp, fp, fn) == pytest.approx((tp + fp) / (tp + fn) - 1.0)


def test_empty_masks() -> None:
    assert dice(0, 0, 0) == iou(0, 0, 0) == 1.0
    assert dice(0, 0, 5) == dice(0, 5, 0) == iou(0, 0, 5) == iou(0, 5, 0) == 0.0
    assert math.isnan(voxel_precision(0, 0))
    assert math.isnan(voxel_recall(0, 0))
    assert math.isnan(volume_bias(0, 5, 0))
    assert math.isnan(relative_volume_difference(0, 5, 0))
    assert volume_bias(0, 0, 5) == -1.0
    assert relative_volume_difference(0, 0, 5) == 1.0


ENTRIES = {
    entry.name: entry
    for module in (overlap, boundary, centreline, instances)
    for entry in vars(module).values()
    if isinstance(entry, Metric)
}


def test_each_entry_has_a_value_of_a_case_and_each_value_an_entry() -> None:
    assert set(ENTRIES) == set(VALUES)
    names = [name for entry in ENTRIES.values() for name in (entry.name, *entry.aliases)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("entry", ENTRIES.values(), ids=list(ENTRIES))
def test_each_entry_can_name_a_structure(entry: Metric) -> None:
    assert entry.suite is Suite.PERFORMANCE
    assert "structure" in entry.options
    assert entry.must <= entry.options
    assert "segmentation" in entry.tasks
    assert entry.higher_is_better == (entry.highest == 1.0)
    assert (entry.unit == "mm") == (entry.name in ("hausdorff", "hausdorff_95", "hausdorff_95_pooled", "assd", "masd"))
