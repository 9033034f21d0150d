"""Comparison of label volumes: what is right of each structure in one case, and every value of it.

Surfaces are found once and shared by all distances, and only when one is asked for.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from gatekeeper.metrics import boundary, overlap
from gatekeeper.metrics.centreline import cl_dice
from gatekeeper.metrics.instances import LesionCounts, PanopticCounts, components, lesion_counts, panoptic_counts
from gatekeeper.metrics.surface import (
    Elements,
    Mask,
    SurfaceDistances,
    bounding_box,
    check_grid,
    surface_distances,
)

Labels = NDArray[np.integer] | Mask


class State(StrEnum):
    """Which of the two masks has voxels."""

    BOTH = "both"
    MISSED = "missed"  # the reference only
    INVENTED = "invented"  # the prediction only
    ABSENT = "absent"


@dataclass(frozen=True, eq=False)
class MaskComparison:
    """A predicted mask against a reference mask.

    ``reference`` and ``prediction`` are the masks within the smallest box that holds both. ``tp``, ``fp``, ``fn``
    count voxels, ``spacing`` is the size of one along each axis in mm, ``shape`` that of the whole volume in voxels.

    Where neither mask has voxels overlap is 1 and distances are 0 by convention; where one has none overlap is 0 and
    distances are NaN: ``charged`` says what they count as.
    """

    reference: Mask
    prediction: Mask
    spacing: tuple[float, ...]
    shape: tuple[int, ...]
    tp: int
    fp: int
    fn: int

    @property
    def state(self) -> State:
        """Which of the masks has voxels."""
        if self.tp + self.fn:
            return State.BOTH if self.tp + self.fp else State.MISSED
        return State.INVENTED if self.fp else State.ABSENT

    @property
    def voxel_volume(self) -> float:
        """Size of a voxel, mm³; in two dimensions of a pixel, mm²."""
        return math.prod(self.spacing)

    @property
    def diagonal(self) -> float:
        """Length of the whole volume's diagonal, mm: the cost of a missed or invented structure in distances."""
        return boundary.diagonal(self.shape, self.spacing)

    @property
    def volume_difference(self) -> float:
        """Predicted volume less reference volume, mm³; ValueError in two dimensions."""
        if len(self.spacing) != 3:
            raise ValueError("masks in two dimensions have an area, no volume")
        return (self.fp - self.fn) * self.voxel_volume

    @cached_property
    def surfaces(self) -> SurfaceDistances:
        """Distances between boundary voxels."""
        return surface_distances(self.reference, self.prediction, self.spacing)

    @cached_property
    def surfaces_by_area(self) -> SurfaceDistances:
        """Distances between pieces of surface, weighted with their area."""
        return surface_distances(self.reference, self.prediction, self.spacing, "area")

    @cached_property
    def lesions(self) -> LesionCounts:
        """Connected components (26 neighbours, 8 in two dimensions) that share a voxel with the other mask."""
        return lesion_counts(*self._parts)

    @cached_property
    def panoptic(self) -> PanopticCounts:
        """Connected components (26 neighbours, 8 in two dimensions) matched at an IoU above 0.5."""
        return panoptic_counts(*self._parts)

    @cached_property
    def _parts(self) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        return components(self.reference), components(self.prediction)

    def distance(self, of: Callable[[SurfaceDistances], float], elements: Elements = "voxels") -> float:
        """Return a distance in mm: 0 where neither mask has voxels, NaN where one has none."""
        if self.state is State.ABSENT:
            return 0.0
        return of(self.surfaces if elements == "voxels" else self.surfaces_by_area)

    def nsd(self, tolerance: float, elements: Elements = "voxels") -> float:
        """Return the normalised surface distance at ``tolerance`` mm, in [0, 1]."""
        return boundary.nsd(self.surfaces if elements == "voxels" else self.surfaces_by_area, tolerance)

    def boundary_iou(self, tolerance: float | None = None) -> float:
        """Return the boundary IoU of bands ``tolerance`` mm wide, in [0, 1]; by default 2 % of the diagonal."""
        width = boundary.default_width(self.shape, self.spacing) if tolerance is None else tolerance
        return boundary.boundary_iou(self.reference, self.prediction, self.spacing, width)


def compare_labels(
    reference: Labels, prediction: Labels, spacing: Sequence[float], structures: Mapping[str, int]
) -> dict[str, MaskComparison]:
    """Compare two label volumes, structure by structure.

    Parameters
    ----------
    reference, prediction : labels of one shape, two or three dimensions, integer or bool, of any memory layout
    spacing : size of a voxel along each axis, mm, in the order of the axes
    structures : label of each structure by its name; other labels are background to it

    Raises ValueError for another type, for shapes or spacing that do not fit, for no structures, and for a label
    below 1.
    """
    for name, labels in (("reference", reference), ("prediction", prediction)):
        if labels.dtype != np.bool_ and not np.issubdtype(labels.dtype, np.integer):
            raise ValueError(f"the {name} is of type {labels.dtype}; labels are integers")
    steps = check_grid(reference.shape, prediction.shape, spacing)
    if not structures:
        raise ValueError("no structure to compare")
    for name, label in structures.items():
        if isinstance(label, bool) or label < 1:
            raise ValueError(f"the label of {name} is {label}; 0 is background, structures have labels from 1")
    box = bounding_box((reference != 0) | (prediction != 0)) or (slice(0, 1),) * reference.ndim
    inner = reference[box], prediction[box]
    found = {}
    for name, label in structures.items():
        first, second = (_of_label(labels, label) for labels in inner)
        found[name] = _compared(first, second, steps, reference.shape)
    return found


def compare_masks(reference: Mask, prediction: Mask, spacing: Sequence[float]) -> MaskComparison:
    """Compare two masks; parameters and errors as those of ``compare_labels``, but for the type, which is bool."""
    for name, mask in (("reference", reference), ("prediction", prediction)):
        if mask.dtype != np.bool_:
            raise ValueError(f"the {name} is of type {mask.dtype}, not bool: compare it with the label first")
    return _compared(reference, prediction, check_grid(reference.shape, prediction.shape, spacing), reference.shape)


def _of_label(labels: Labels, label: int) -> Mask:
    return np.asarray(labels == label)


def _compared(reference: Mask, prediction: Mask, spacing: tuple[float, ...], shape: tuple[int, ...]) -> MaskComparison:
    box = bounding_box(reference | prediction) or (slice(0, 1),) * reference.ndim
    # Copies, so that a comparison does not hold on to the whole volume.
    first, second = (np.ascontiguousarray(mask[box]) for mask in (reference, prediction))
    hits = int(np.count_nonzero(first & second))
    return MaskComparison(
        reference=first,
        prediction=second,
        spacing=spacing,
        shape=shape,
        tp=hits,
        fp=int(np.count_nonzero(second)) - hits,
        fn=int(np.count_nonzero(first)) - hits,
    )


Value = Callable[..., float]
VALUES: Mapping[str, Value] = MappingProxyType(
    {
        "dice": lambda case: overlap.dice(case.tp, case.fp, case.fn),
        "iou": lambda case: overlap.iou(case.tp, case.fp, case.fn),
        "voxel_precision": lambda case: overlap.voxel_precision(case.tp, case.fp),
        "voxel_recall": lambda case: overlap.voxel_recall(case.tp, case.fn),
        "relative_volume_difference": lambda case: overlap.relative_volume_difference(case.tp, case.fp, case.fn),
        "volume_bias": lambda case: overlap.volume_bias(case.tp, case.fp, case.fn),
        "absolute_volume_difference": lambda case: abs(case.volume_difference) / 1_000.0,
        "hausdorff": lambda case: case.distance(boundary.hausdorff),
        "hausdorff_95": lambda case: case.distance(boundary.hausdorff_percentile),
        "hausdorff_95_pooled": lambda case: case.distance(boundary.hausdorff_pooled),
        "assd": lambda case: case.distance(boundary.assd),
        "masd": lambda case: case.distance(boundary.masd),
        "normalized_surface_distance": lambda case, tolerance: case.nsd(tolerance),
        "normalized_surface_distance_by_area": lambda case, tolerance: case.nsd(tolerance, "area"),
        "boundary_iou": lambda case, tolerance=None: case.boundary_iou(tolerance),
        "cl_dice": lambda case: cl_dice(case.reference, case.prediction),
        "lesion_sensitivity": lambda case: case.lesions.sensitivity,
        "lesion_precision": lambda case: case.lesions.precision,
        "panoptic_quality": lambda case: case.panoptic.quality,
    }
)
"""The value of each metric of one case: of a ``MaskComparison``, with the options of the requirement as keywords."""

DISTANCES = frozenset({"hausdorff", "hausdorff_95", "hausdorff_95_pooled", "assd", "masd"})
_OF_PREDICTED = frozenset({"voxel_precision", "lesion_precision"})


def charged(name: str, case: MaskComparison, **options: float) -> float:
    """Return the value of a metric of one case, a missed or invented structure at its declared cost.

    Distances cost the diagonal of the volume, which no distance exceeds; precision of a structure that was missed is 0.
    Overlap is 0 by definition. So no miss can improve a mean. NaN stays only what the reference alone leaves without a
    value, whatever the prediction: recall and relative volumes where the reference is empty, and what concerns lesions
    where neither mask has any. Raises KeyError for a metric that is not in ``VALUES``.
    """
    value = VALUES[name](case, **options)
    if not math.isnan(value):
        return value
    if name in DISTANCES:
        return case.diagonal
    if name in _OF_PREDICTED and case.state is State.MISSED:
        return 0.0
    return value
