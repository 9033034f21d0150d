"""Masks by their parts: which lesions were found, and panoptic quality.

A lesion is a connected component of a mask. Voxels hang together that share a face, an edge or a corner (26 neighbours
in three dimensions, 8 in two) unless ``connectivity`` says ``faces`` (6 and 4).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gatekeeper.metrics.specification import FEW_PATIENTS, MEAN_OVER_CASES, Metric, Suite
from gatekeeper.metrics.surface import Mask

Instances = NDArray[np.integer]
Connectivity = Literal["corners", "faces"]

_METRICS_RELOADED = "Metrics Reloaded (Maier-Hein et al., Nat Methods 2024, doi 10.1038/s41592-023-02151-z)"
_KIRILLOV = "Kirillov et al., CVPR 2019, doi 10.1109/CVPR.2019.00963"
_PARTS = "lesions are connected components, 26 neighbours (8 in two dimensions)"


@dataclass(frozen=True)
class LesionCounts:
    """Of ``lesions`` in the reference ``found`` were met by a prediction; of ``predicted`` ones ``right`` met one.

    One prediction may meet several lesions, and several one. Counts of cases add up.
    """

    found: int
    lesions: int
    right: int
    predicted: int

    @property
    def sensitivity(self) -> float:
        """Found among the lesions of the reference, in [0, 1]; NaN where there are none."""
        return self.found / self.lesions if self.lesions else math.nan

    @property
    def precision(self) -> float:
        """Right among the predicted lesions, in [0, 1]; NaN where there are none."""
        return self.right / self.predicted if self.predicted else math.nan


@dataclass(frozen=True)
class PanopticCounts:
    """Matched pairs of segments (IoU above 0.5), the sum of their IoU, and what is left over. Cases add up."""

    matched: int
    iou: float
    extra: int
    missed: int

    @property
    def segmentation_quality(self) -> float:
        """Mean IoU of matched pairs, in (0.5, 1]; 0 where none is matched, NaN where there is no segment."""
        if self.matched:
            return self.iou / self.matched
        return 0.0 if self.extra + self.missed else math.nan

    @property
    def recognition_quality(self) -> float:
        """TP / (TP + FP / 2 + FN / 2) of segments, in [0, 1]; NaN where there is no segment."""
        below = self.matched + (self.extra + self.missed) / 2.0
        return self.matched / below if below else math.nan

    @property
    def quality(self) -> float:
        """Panoptic quality: the product of both, in [0, 1]; NaN where there is no segment."""
        return self.segmentation_quality * self.recognition_quality


def components(mask: Mask, connectivity: Connectivity = "corners") -> NDArray[np.int32]:
    """Return a mask's connected components, numbered from 1, 0 outside it; ValueError for another connectivity."""
    from scipy.ndimage import generate_binary_structure, label

    if connectivity not in ("corners", "faces"):
        raise ValueError(f"voxels hang together at corners or at faces, not {connectivity!r}")
    structure = generate_binary_structure(mask.ndim, mask.ndim if connectivity == "corners" else 1)
    found, _ = label(mask, structure=structure, output=np.int32)
    return np.asarray(found)


def lesion_counts(reference: Instances, prediction: Instances, least_iou: float | None = None) -> LesionCounts:
    """Count lesions that were found, and predictions that are right.

    Parameters
    ----------
    reference, prediction : integers of one shape, each lesion with a number of its own, 0 where there is none; such as
        ``components`` returns
    least_iou : the intersection over union that a prediction must have with a lesion to meet it, above 0 and up to 1;
        None: a voxel in common is enough

    Raises ValueError for shapes that differ, types that are not integer, negative numbers or another ``least_iou``.
    """
    if least_iou is not None and not 0.0 < least_iou <= 1.0:
        raise ValueError(f"an intersection over union to reach lies above 0 and up to 1, not at {least_iou}")
    pairs = _Pairs.of(reference, prediction)
    met = np.ones(len(pairs.common), dtype=np.bool_) if least_iou is None else pairs.iou >= least_iou
    return LesionCounts(
        found=len(np.unique(pairs.first[met])),
        lesions=pairs.of_reference,
        right=len(np.unique(pairs.second[met])),
        predicted=pairs.of_prediction,
    )


def panoptic_counts(reference: Instances, prediction: Instances) -> PanopticCounts:
    """Match segments whose intersection over union is above 0.5 (at most one each) and count, as Kirillov et al. do.

    Parameters and errors as those of ``lesion_counts``.
    """
    pairs = _Pairs.of(reference, prediction)
    matched = pairs.iou > 0.5
    count = int(np.count_nonzero(matched))
    return PanopticCounts(
        count, math.fsum(pairs.iou[matched].tolist()), pairs.of_prediction - count, pairs.of_reference - count
    )


@dataclass(frozen=True)
class _Pairs:
    """Pairs of segments with voxels in common: their places among the segments, how many voxels, and the IoU."""

    first: NDArray[np.intp]
    second: NDArray[np.intp]
    common: NDArray[np.int64]
    iou: NDArray[np.float64]
    of_reference: int
    of_prediction: int

    @classmethod
    def of(cls, reference: Instances, prediction: Instances) -> _Pairs:
        for name, numbers in (("reference", reference), ("prediction", prediction)):
            if not np.issubdtype(numbers.dtype, np.integer):
                raise ValueError(f"the {name} is of type {numbers.dtype}; lesions are numbered by integers")
            if numbers.size and numbers.min() < 0:
                raise ValueError(f"the {name} has a negative number; 0 is where there is no lesion")
        if reference.shape != prediction.shape:
            raise ValueError(f"the reference is of shape {reference.shape}, the prediction of {prediction.shape}")
        of_reference, sizes_of_reference = _sizes(reference)
        of_prediction, sizes_of_prediction = _sizes(prediction)
        both = (reference != 0) & (prediction != 0)
        first = np.searchsorted(of_reference, reference[both])
        second = np.searchsorted(of_prediction, prediction[both])
        pairs, common = np.unique(first * len(of_prediction) + second, return_counts=True)
        first, second = np.divmod(pairs, max(len(of_prediction), 1))
        union = sizes_of_reference[first] + sizes_of_prediction[second] - common
        return cls(first, second, common, common / union, len(of_reference), len(of_prediction))


def _sizes(numbers: Instances) -> tuple[Instances, NDArray[np.int64]]:
    found, sizes = np.unique(numbers[numbers != 0], return_counts=True)
    return found, sizes.astype(np.int64)


LESION_SENSITIVITY = Metric(
    name="lesion_sensitivity",
    title="Sensitivity over lesions",
    suite=Suite.PERFORMANCE,
    definition="share of a case's reference lesions that share a voxel with the predicted mask, mean over cases with "
    "lesions",
    convention=_PARTS + "; any common voxel counts",
    source=_METRICS_RELOADED,
    undefined="no case has a reference lesion",
    n_of="cases",
    interval=MEAN_OVER_CASES,
    caution=FEW_PATIENTS,
    options=frozenset({"structure"}),
    tasks=frozenset({"segmentation"}),
)
LESION_PRECISION = Metric(
    name="lesion_precision",
    title="Precision over lesions",
    suite=Suite.PERFORMANCE,
    definition="share of a case's predicted lesions that share a voxel with the reference mask, mean over cases",
    convention=_PARTS + "; any common voxel counts; a case with lesions and no predicted one counts as 0",
    source=_METRICS_RELOADED,
    undefined="no case has a lesion, predicted or in the reference",
    n_of="cases",
    interval=MEAN_OVER_CASES,
    caution=FEW_PATIENTS,
    options=frozenset({"structure"}),
    tasks=frozenset({"segmentation"}),
)
PANOPTIC_QUALITY = Metric(
    name="panoptic_quality",
    aliases=("pq",),
    title="Panoptic quality",
    suite=Suite.PERFORMANCE,
    definition="sum of the IoU of matched lesions / (TP + FP / 2 + FN / 2), mean over cases with lesions, predicted or "
    "in the reference",
    convention=_PARTS + "; matched at an IoU above 0.5",
    source=_KIRILLOV + "; " + _METRICS_RELOADED,
    undefined="no case has a lesion, predicted or in the reference",
    n_of="cases",
    interval=MEAN_OVER_CASES,
    caution=FEW_PATIENTS,
    options=frozenset({"structure"}),
    tasks=frozenset({"segmentation"}),
)
