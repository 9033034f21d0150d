"""Whether a finding lies at a lesion: criteria in two or three dimensions, all pairs of a case at once.

Lengths are in mm, in one frame for findings and lesions. A box is its low and its high corner in continuous
coordinates: it holds x with low <= x < high on every axis, and its size is the product of high - low. A box of pixels i
to j on an axis runs from i to j + 1, times the size of a pixel. A box that is empty on an axis is refused.

Sources: Metrics Reloaded (Maier-Hein et al., Nat Methods 2024, doi 10.1038/s41592-023-02151-z); LUNA16's rule: Setio et
al., Med Image Anal 2017;42:1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Until the catalogue takes them from where they are defined.

__all__ = [
    "Localisation",
    "by_box_ior",
    "by_box_iou",
    "by_centre_distance",
    "by_luna16",
    "by_mask_ior",
    "by_mask_iou",
    "by_point_in_box",
    "by_point_in_mask",
]

Floats = NDArray[np.float64]
Masks = Sequence[NDArray[np.bool_]]


@dataclass(frozen=True)
class Localisation:
    """How well each of F findings of a case lies at each of its L lesions.

    ``meets`` says whether the criterion holds, bool (F, L). ``quality`` ranks lesions for a finding and findings for a
    lesion, higher is better, finite, (F, L): the overlap, or minus the distance in mm. ``place`` are numbers that tell
    lesions apart by where they are, (L, k): where nothing else decides, the lesion with the lesser ones comes first, so
    that the order in which lesions are listed changes nothing.

    Raises ValueError for shapes that do not fit, or a quality that is not finite.
    """

    meets: NDArray[np.bool_]
    quality: Floats
    place: Floats

    def __post_init__(self) -> None:
        if self.meets.ndim != 2 or self.meets.shape != self.quality.shape or self.meets.dtype != np.bool_:
            raise ValueError(f"pairs {self.meets.shape} of {self.meets.dtype} and {self.quality.shape} do not fit")
        if self.place.ndim != 2 or len(self.place) != self.meets.shape[1]:
            raise ValueError(f"places {self.place.shape} are not those of {self.meets.shape[1]} lesions")
        if not np.isfinite(self.quality).all() or not np.isfinite(self.place).all():
            raise ValueError("a localisation is not finite")


def by_box_iou(findings: Floats, lesions: Floats, at_least: float) -> Localisation:
    """Intersection over union of boxes, met at ``at_least`` or more (0 < at_least <= 1).

    Parameters
    ----------
    findings, lesions : boxes of shape (F, 2, d) and (L, 2, d), d 2 or 3: low corner, high corner
    """
    _check_share(at_least)
    shared, of_findings, of_lesions = _box_sizes(findings, lesions)
    share = shared / (of_findings[:, None] + of_lesions[None, :] - shared)
    return Localisation(share >= at_least, share, _corners(lesions))


def by_box_ior(findings: Floats, lesions: Floats, at_least: float) -> Localisation:
    """Intersection over reference of boxes: the share of the lesion's box that the finding's covers. As ``by_box_iou``.

    A finding that covers everything meets it: for references that are rough outlines.
    """
    _check_share(at_least)
    shared, _, of_lesions = _box_sizes(findings, lesions)
    share = shared / of_lesions[None, :]
    return Localisation(share >= at_least, share, _corners(lesions))


def by_mask_iou(findings: Masks, lesions: Masks, at_least: float) -> Localisation:
    """Intersection over union of masks, met at ``at_least`` or more (0 < at_least <= 1).

    Parameters
    ----------
    findings, lesions : one bool mask each, all of one shape, in two or three dimensions; none may be empty
    """
    _check_share(at_least)
    shared, of_findings, of_lesions, place = _mask_sizes(findings, lesions)
    share = shared / (of_findings[:, None] + of_lesions[None, :] - shared)
    return Localisation(share >= at_least, share, place)


def by_mask_ior(findings: Masks, lesions: Masks, at_least: float) -> Localisation:
    """Intersection over reference of masks: the share of the lesion that the finding covers. As ``by_mask_iou``."""
    _check_share(at_least)
    shared, _, of_lesions, place = _mask_sizes(findings, lesions)
    share = shared / of_lesions[None, :]
    return Localisation(share >= at_least, share, place)


def by_centre_distance(findings: Floats, lesions: Floats, at_most_mm: float) -> Localisation:
    """Distance between centres, met at ``at_most_mm`` or less (finite, above 0).

    Parameters
    ----------
    findings, lesions : centres in mm, shape (F, d) and (L, d), d 2 or 3
    """
    if not 0.0 < at_most_mm < np.inf:
        raise ValueError(f"a distance to keep is finite and above 0 mm, not {at_most_mm}")
    distance = _distances(findings, lesions)
    return Localisation(distance <= at_most_mm, -distance, lesions)


def by_luna16(findings: Floats, lesions: Floats, diameters_mm: Floats) -> Localisation:
    """LUNA16's rule: the finding's centre is nearer to the nodule's centre than the nodule's radius.

    LUNA16 counts a finding within two nodules for both; here it counts for the nearer one that is free.

    Parameters
    ----------
    findings, lesions : centres in mm, shape (F, d) and (L, d), d 2 or 3
    diameters_mm : of the lesions, finite, above 0, shape (L,)
    """
    diameters_mm = np.asarray(diameters_mm, dtype=np.float64)
    if diameters_mm.shape != (len(lesions),) or not ((diameters_mm > 0.0) & np.isfinite(diameters_mm)).all():
        raise ValueError("a lesion's diameter is finite and above 0 mm, one for each lesion")
    distance = _distances(findings, lesions)
    return Localisation(distance < diameters_mm / 2.0, -distance, np.column_stack([lesions, diameters_mm]))


def by_point_in_box(findings: Floats, lesions: Floats) -> Localisation:
    """The finding's point lies in the lesion's box; among several boxes the one with the nearest centre is best.

    Parameters
    ----------
    findings : points in mm, shape (F, d); ``lesions`` : boxes in mm, shape (L, 2, d), d 2 or 3
    """
    _check_boxes(lesions)
    distance = _distances(findings, lesions.mean(axis=1))
    points = findings[:, None, :]
    inside = ((points >= lesions[None, :, 0]) & (points < lesions[None, :, 1])).all(axis=2)
    return Localisation(np.asarray(inside), -distance, _corners(lesions))


def by_point_in_mask(findings: Floats, lesions: Masks, spacing: Sequence[float]) -> Localisation:
    """The finding's point lies in a voxel of the lesion's mask; among several masks the nearest centre of mass is best.

    Parameters
    ----------
    findings : points in mm from the centre of the first voxel along the axes of the masks, shape (F, d). A voxel holds
        the points within half a voxel of its centre, the lower half included; points outside the volume meet nothing
    lesions : one bool mask each, all of one shape of d dimensions, 2 or 3; none may be empty
    spacing : size of a voxel along each axis, mm
    """
    steps = np.asarray(spacing, dtype=np.float64)
    extents = [_extent(mask) for mask in _checked_masks(lesions)]
    if len(lesions) and steps.shape != (lesions[0].ndim,):
        raise ValueError(f"{steps.size} voxel sizes for masks of {lesions[0].ndim} axes")
    if not ((steps > 0.0) & np.isfinite(steps)).all():
        raise ValueError("voxel sizes must be finite and above 0 mm")
    centres = np.array([_centre(mask, box) for mask, (box, _) in zip(lesions, extents, strict=True)])
    distance = _distances(findings, centres.reshape(len(lesions), len(steps)) * steps)
    voxels = np.floor(findings / steps + 0.5)
    inside = np.zeros((len(findings), len(lesions)), dtype=np.bool_)
    for column, mask in enumerate(lesions):
        within = ((voxels >= 0) & (voxels < np.asarray(mask.shape))).all(axis=1)
        inside[within, column] = mask[tuple(voxels[within].astype(np.intp).T)]
    return Localisation(inside, -distance, _places(extents))


def _check_share(at_least: float) -> None:
    if not 0.0 < at_least <= 1.0:
        raise ValueError(f"an overlap to reach lies above 0 and at or below 1, not at {at_least}")


def _check_points(points: Floats) -> None:
    if points.ndim != 2 or points.shape[1] not in (2, 3) or not np.isfinite(points).all():
        raise ValueError(f"points are finite, of two or three coordinates each, not {points.shape}")


def _check_boxes(boxes: Floats) -> None:
    if boxes.ndim != 3 or boxes.shape[1] != 2 or boxes.shape[2] not in (2, 3) or not np.isfinite(boxes).all():
        raise ValueError(f"boxes are finite and of shape (n, 2, 2) or (n, 2, 3), not {boxes.shape}")
    if not (boxes[:, 0] < boxes[:, 1]).all():
        raise ValueError("a box is empty: its low corner is not below its high corner on every axis")


def _corners(boxes: Floats) -> Floats:
    return boxes.reshape(len(boxes), 2 * boxes.shape[2])


def _distances(findings: Floats, lesions: Floats) -> Floats:
    _check_points(findings)
    _check_points(lesions)
    if findings.shape[1] != lesions.shape[1]:
        raise ValueError(f"findings of {findings.shape[1]} coordinates and lesions of {lesions.shape[1]}")
    return np.asarray(np.sqrt(((findings[:, None, :] - lesions[None, :, :]) ** 2).sum(axis=2)))


def _box_sizes(findings: Floats, lesions: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the size of what each pair shares, of each finding and of each lesion."""
    _check_boxes(findings)
    _check_boxes(lesions)
    if findings.shape[2] != lesions.shape[2]:
        raise ValueError(f"findings in {findings.shape[2]} dimensions and lesions in {lesions.shape[2]}")
    low = np.maximum(findings[:, None, 0], lesions[None, :, 0])
    high = np.minimum(findings[:, None, 1], lesions[None, :, 1])
    shared = np.maximum(high - low, 0.0).prod(axis=2)
    of_findings, of_lesions = ((boxes[:, 1] - boxes[:, 0]).prod(axis=1) for boxes in (findings, lesions))
    return shared, of_findings, of_lesions


_Extent = tuple[tuple[slice, ...], int]


def _mask_sizes(findings: Masks, lesions: Masks) -> tuple[Floats, Floats, Floats, Floats]:
    """Return the voxels of what each pair shares, of each finding and of each lesion, and the lesions' places."""
    _checked_masks([*findings, *lesions])
    found, known = [_extent(mask) for mask in findings], [_extent(mask) for mask in lesions]
    shared = np.zeros((len(findings), len(lesions)))
    for row, (finding, (box, _)) in enumerate(zip(findings, found, strict=True)):
        for column, (lesion, (other, _)) in enumerate(zip(lesions, known, strict=True)):
            both = tuple(slice(max(a.start, b.start), min(a.stop, b.stop)) for a, b in zip(box, other, strict=True))
            if all(part.start < part.stop for part in both):
                shared[row, column] = np.count_nonzero(finding[both] & lesion[both])
    return shared, _sizes(found), _sizes(known), _places(known)


def _checked_masks(masks: Masks) -> Masks:
    for mask in masks:
        if mask.dtype != np.bool_ or mask.ndim not in (2, 3) or mask.shape != masks[0].shape:
            raise ValueError(f"masks are bool and of one shape in two or three axes, not {mask.dtype} {mask.shape}")
    return masks


def _extent(mask: NDArray[np.bool_]) -> _Extent:
    """Return the smallest box that holds a mask, and how many voxels it has. Raises ValueError for an empty one."""
    axes = range(mask.ndim)
    filled = [np.flatnonzero(mask.any(axis=tuple(other for other in axes if other != axis))) for axis in axes]
    if len(filled[0]) == 0:
        raise ValueError("a mask is empty")
    return tuple(slice(int(rows[0]), int(rows[-1]) + 1) for rows in filled), int(np.count_nonzero(mask))


def _centre(mask: NDArray[np.bool_], box: tuple[slice, ...]) -> Floats:
    """Return the centre of mass of a mask, in voxels; ``box`` holds all of it."""
    return np.asarray(np.argwhere(mask[box]).mean(axis=0) + [part.start for part in box])


def _sizes(extents: list[_Extent]) -> Floats:
    return np.array([size for _, size in extents], dtype=np.float64)


def _places(extents: list[_Extent]) -> Floats:
    """Return corners and number of voxels of each mask, shape (L, 2 d + 1)."""
    rows = [[*(part.start for part in box), *(part.stop for part in box), size] for box, size in extents]
    return np.array(rows, dtype=np.float64).reshape(len(extents), 2 * len(extents[0][0]) + 1 if extents else 1)
