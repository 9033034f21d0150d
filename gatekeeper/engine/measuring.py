"""What is right of a case, what evidence must hold of it, and the numbers of masks and boxes against their reference.

Masks are compared on the image's own grid, along the axes that the candidate sees: a single slice given to a candidate
of two axes is an image, and has areas. Where the image does not say its spacing what is counted in millimetres has no
value (NaN), never one in pixels.

Boxes are compared in the frame of the image's axes, in millimetres from the outer corner of its first pixel; in pixels
where the spacing is not known.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gatekeeper.candidate.contract import MASKS, OutputContract
from gatekeeper.engine.grid import Grid
from gatekeeper.metrics.assignment import DoubleHits, assign
from gatekeeper.metrics.boundary import diagonal
from gatekeeper.metrics.localisation import Localisation, by_box_iou, by_centre_distance, by_point_in_box
from gatekeeper.metrics.masks import DISTANCES, MaskComparison, charged, compare_labels, compare_masks
from gatekeeper.testset.readers.image import Unfit

Floats = NDArray[np.float64]
Labels = NDArray[np.uint16]
Value = tuple[str, float | None]

# What is measured of every structure, whatever a policy asks.
STANDARD: tuple[Value, ...] = (
    ("dice", None),
    ("voxel_precision", None),
    ("voxel_recall", None),
    ("relative_volume_difference", None),
    ("hausdorff_95", None),
    ("assd", None),
)
# Corners beyond this, and boxes below this, are none: in pixels, so that nothing overflows or vanishes.
LARGEST_PIXEL = 1e6
SMALLEST_BOX = 1e-6
_VOLUMES = frozenset({"absolute_volume_difference"})
_IN_MM = DISTANCES | _VOLUMES | {"normalized_surface_distance", "normalized_surface_distance_by_area", "boundary_iou"}


@dataclass(frozen=True)
class Box:
    """A reference box as a table gives it: corners as (x, y), or (x, y, z) of a volume.

    In ``pixel`` x counts columns, y rows, z slices as stored, in continuous coordinates: pixel i runs from i to i + 1.
    Three numbers in ``mm`` are LPS coordinates of the patient where the image says where it lies, and what is compared
    is the smallest box along the image's axes that holds them. Otherwise ``mm`` are columns, rows, slices times their
    spacing.
    """

    low: tuple[float, ...]
    high: tuple[float, ...]
    unit: Literal["pixel", "mm"] = "pixel"


def boxes_of(text: str | None) -> tuple[Box, ...]:
    """Read the boxes of a locked case, the JSON that its table was checked for."""
    return tuple(
        Box(tuple(map(float, box["low"])), tuple(map(float, box["high"])), box.get("unit", "pixel"))
        for box in json.loads(text or "[]", parse_int=float)
    )


@dataclass(frozen=True, eq=False)
class Reference:
    """What is right of a case: ``mask`` has labels in the shape of the image as stored, None where all is background.

    The label of a structure is the one that the candidate's output gives it: of a mask the label, of ``mask_softmax``
    the channel, of ``mask_probability`` and ``mask_logit``, whose channels count from 0, the channel + 1.
    """

    label: int
    mask: Labels | None = None
    boxes: tuple[Box, ...] = ()


@dataclass(frozen=True)
class Criterion:
    """When a finding hits a lesion: ``centre_inside`` its box, boxes of an ``iou`` of ``threshold`` or more, or centres
    ``centre_distance`` of ``threshold`` mm or less apart.

    Findings are assigned in the order of their scores; a second one at a lesion is a false positive, or ignored.
    """

    kind: Literal["centre_inside", "iou", "centre_distance"] = "centre_inside"
    threshold: float | None = None
    double_hits: DoubleHits = "false_positive"

    def __post_init__(self) -> None:
        if (self.kind == "centre_inside") != (self.threshold is None):
            raise ValueError(f"the criterion {self.kind} goes with the threshold {self.threshold} not at all")
        highest = 1.0 if self.kind == "iou" else math.inf
        if self.threshold is not None and not (0.0 < self.threshold <= highest and math.isfinite(self.threshold)):
            raise ValueError(f"the criterion {self.kind} has no threshold of {self.threshold}")


@dataclass(frozen=True)
class Asked:
    """What a policy needs of the evidence.

    ``structures``: for each the metrics of ``metrics.masks.VALUES`` and their tolerance in mm. ``classes``: in the
    order in which labels count them. ``criterion``: of detection.
    """

    structures: Mapping[str, tuple[Value, ...]] = field(default_factory=dict)
    classes: tuple[str, ...] = ()
    criterion: Criterion = field(default_factory=Criterion)


def check_place(grid: Grid, reference: Reference, output: OutputContract, asked: Asked) -> None:
    """Raise Unfit when an image does not say what is needed to measure what is asked, or its boxes do not fit it."""
    names = {name for values in asked.structures.values() for name, _ in values}
    if len(grid.axes) != 3 and names & _VOLUMES:
        raise Unfit("the policy asks for volumes in mL, and the candidate takes images of two axes")
    boxes = reference.boxes if output.kind == "boxes" else ()
    if any(len(box.low) != len(grid.axes) for box in boxes):
        raise Unfit("the reference boxes have another number of axes than what the candidate takes")
    in_mm = names & _IN_MM if output.kind in MASKS else any(box.unit == "mm" for box in boxes)
    if output.kind == "boxes" and asked.criterion.kind == "centre_distance":
        in_mm = True
    if in_mm and grid.image_spacing_mm is None:
        raise Unfit("the image does not say its spacing, and what is asked is measured in mm")
    with np.errstate(all="ignore"):
        corners = np.array([box_corners(box, grid) for box in boxes]).reshape(-1, 2, len(grid.axes))
        extents = corners[:, 1] - corners[:, 0]
    if not ((np.abs(corners) <= LARGEST_PIXEL).all() and (extents >= SMALLEST_BOX).all()):
        raise Unfit("a reference box is empty, or lies far from the image", mend="mend its corners, or their unit")


def measured_labels(
    labels: Labels, reference: Reference, grid: Grid, output: OutputContract, asked: Asked
) -> dict[str, float]:
    """Return the columns ``measured.<structure>.<what>`` of a case, of label masks on the image's grid.

    For each structure that is asked: the metrics asked and ``STANDARD``, as ``metrics.masks.charged`` has them;
    ``diagonal`` in mm; ``quantity``, what was predicted, and ``reference``, both in mL, of images of two axes in mm².
    """
    structures = _labels_of(output, asked)
    if not structures:
        return {}
    steps = grid.kept_spacing_mm or (1.0,) * len(grid.axes)
    found = compare_labels(_reference_mask(reference, grid), labels.reshape(grid.kept_shape), steps, structures)
    return _columns(found, grid, asked)


def measured_masks(
    masks: Mapping[str, NDArray[np.bool_]], reference: Reference, grid: Grid, output: OutputContract, asked: Asked
) -> dict[str, float]:
    """Return the columns of a case whose structures may overlap; ``masks`` on the image's grid, by structure."""
    steps = grid.kept_spacing_mm or (1.0,) * len(grid.axes)
    right = _reference_mask(reference, grid)
    found = {
        name: compare_masks(np.asarray(right == label), masks[name].reshape(grid.kept_shape), steps)
        for name, label in _labels_of(output, asked).items()
    }
    return _columns(found, grid, asked)


def measured_of_failure(reference: Reference, grid: Grid, output: OutputContract, asked: Asked) -> dict[str, float]:
    """Return what the cost of a case without an answer is made from: ``diagonal`` and ``reference``, by structure."""
    if output.kind not in MASKS:
        return {}
    right, columns = _reference_mask(reference, grid), {}
    for name, label in _labels_of(output, asked).items():
        columns[f"measured.{name}.diagonal"] = _diagonal(grid)
        columns[f"measured.{name}.reference"] = int(np.count_nonzero(right == label)) * _size(grid)
    return columns


def findings_of(
    boxes: Floats, scores: Floats, reference: Reference, grid: Grid, criterion: Criterion
) -> tuple[list[float], list[int]]:
    """Return the scores of a case's findings, and the lesion that each hits: -1 none, -2 not counted.

    Parameters
    ----------
    boxes : low and high corners, shape (m, 2, axes), in pixels of the prepared array, in the order of its axes;
        continuous coordinates, pixel i runs from i to i + 1
    scores : shape (m,)

    Raises ValueError for a box that is empty.
    """
    steps = np.array(grid.kept_spacing_mm or (1.0,) * len(grid.axes))
    lesions = np.array([box_corners(box, grid) for box in reference.boxes]).reshape(-1, 2, len(steps)) * steps
    corners = grid.to_image(boxes - 0.5) + 0.5
    found = np.stack([corners.min(axis=1), corners.max(axis=1)], axis=1) * steps
    assigned = assign(_localised(found, lesions, criterion), scores, "greedy", criterion.double_hits)
    return assigned.scores.tolist(), assigned.hits.tolist()


def _localised(found: Floats, lesions: Floats, criterion: Criterion) -> Localisation:
    if criterion.kind == "iou" and criterion.threshold is not None:
        return by_box_iou(found, lesions, criterion.threshold)
    centres = found.mean(axis=1)
    if criterion.kind == "centre_distance" and criterion.threshold is not None:
        return by_centre_distance(centres, lesions.mean(axis=1), criterion.threshold)
    return by_point_in_box(centres, lesions)


def box_corners(box: Box, grid: Grid) -> Floats:
    """Return the corners of a reference box in pixels of the image, in the order of its axes."""
    corners = np.array([box.low[::-1], box.high[::-1]])
    if box.unit == "pixel":
        return corners
    if len(box.low) == 3 and grid.image_affine is not None:
        points = np.array([[*point, 1.0] for point in product(*zip(box.low, box.high, strict=True))])
        places = np.asarray(np.linalg.solve(grid.image_affine, points.T)[:3].T + 0.5, dtype=np.float64)
        return np.stack([places.min(axis=0), places.max(axis=0)])
    return np.asarray(corners / np.array(grid.kept_spacing_mm), dtype=np.float64)


def reference_label(output: OutputContract, structure: str) -> int:
    """Return the label that a structure of the candidate's output has in reference masks; see ``Reference``."""
    return output.structures[structure] + (1 if output.kind in ("mask_probability", "mask_logit") else 0)


def _labels_of(output: OutputContract, asked: Asked) -> dict[str, int]:
    return {name: reference_label(output, name) for name in asked.structures}


def _reference_mask(reference: Reference, grid: Grid) -> Labels:
    if reference.mask is None:
        return np.zeros(grid.kept_shape, dtype=np.uint16)
    if reference.mask.shape != grid.image_shape:
        raise ValueError(f"a reference of shape {reference.mask.shape} for an image of {grid.image_shape}")
    return reference.mask.reshape(grid.kept_shape)


def _columns(found: Mapping[str, MaskComparison], grid: Grid, asked: Asked) -> dict[str, float]:
    columns: dict[str, float] = {}
    for structure, case in found.items():
        for name, tolerance in dict.fromkeys((*STANDARD, *asked.structures[structure])):
            columns[_column(structure, name, tolerance)] = _value(name, tolerance, case, grid)
        columns[f"measured.{structure}.diagonal"] = _diagonal(grid)
        columns[f"measured.{structure}.quantity"] = (case.tp + case.fp) * _size(grid)
        columns[f"measured.{structure}.reference"] = (case.tp + case.fn) * _size(grid)
    return columns


def value_columns(asked: Asked) -> list[str]:
    """Return the names of the columns that hold the values asked of structures: there, even if no case has any."""
    values = {structure: dict.fromkeys((*STANDARD, *of)) for structure, of in asked.structures.items()}
    return [_column(structure, *value) for structure, of in values.items() for value in of]


def _column(structure: str, name: str, tolerance: float | None) -> str:
    return f"measured.{structure}.{name}" + ("" if tolerance is None else f"@{tolerance:g}")


def _value(name: str, tolerance: float | None, case: MaskComparison, grid: Grid) -> float:
    if (name in _IN_MM and grid.image_spacing_mm is None) or (name in _VOLUMES and len(grid.axes) != 3):
        return math.nan
    return charged(name, case) if tolerance is None else charged(name, case, tolerance=tolerance)


def _diagonal(grid: Grid) -> float:
    """Return the length of the image's diagonal, mm."""
    return math.nan if grid.kept_spacing_mm is None else diagonal(grid.kept_shape, grid.kept_spacing_mm)


def _size(grid: Grid) -> float:
    """Return the volume of a voxel in mL, or the area of a pixel in mm²."""
    steps: Sequence[float] = grid.kept_spacing_mm or (math.nan,)
    return math.prod(steps) / (1_000.0 if len(grid.axes) == 3 else 1.0)
