"""Where DICOM slices lie: their order along the normal, their gaps, and the affine (PS3.3 C.7.6.2.1.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gatekeeper.testset.readers.image import Unfit

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_SAME_DIRECTION = 1e-3
_SAME_LENGTH_MM = 1e-3
_EVEN = 0.1  # how far the distance of two slices may be from the usual one, as a share of it
_UNIT = 1e-3


@dataclass(frozen=True)
class Slice:
    """Position of the first pixel's centre (LPS, mm), directions of rows and columns, spacing (row, column) in mm."""

    position: NDArray[np.float64]
    along_row: NDArray[np.float64]
    along_column: NDArray[np.float64]
    spacing: tuple[float, float]

    @property
    def normal(self) -> NDArray[np.float64]:
        """The direction across the slice."""
        return np.cross(self.along_row, self.along_column)


def slice_of(dataset: Dataset) -> Slice | None:
    """Return where a single frame lies; None when it does not say all of it. Raises Unfit for what is no direction."""
    values = [dataset.get(name) for name in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing")]
    return None if any(value is None or len(value) == 0 for value in values) else _slice(*values)


def slices_of_frames(dataset: Dataset) -> list[Slice]:
    """Return where each frame of an enhanced image lies; nothing for frames that are no stack in space."""
    shared = next(iter(dataset.get("SharedFunctionalGroupsSequence") or ()), None)
    places: list[Slice] = []
    for frame in dataset.get("PerFrameFunctionalGroupsSequence") or ():
        found = [
            _of_group(frame, shared, group, keyword)
            for group, keyword in (
                ("PlanePositionSequence", "ImagePositionPatient"),
                ("PlaneOrientationSequence", "ImageOrientationPatient"),
                ("PixelMeasuresSequence", "PixelSpacing"),
            )
        ]
        if any(value is None for value in found):
            return []
        places.append(_slice(*found))
    return places if len(places) == int(dataset.get("NumberOfFrames") or 1) else []


def ordered(places: Sequence[Slice]) -> list[int]:
    """Return the order of slices along their normal, towards its end.

    Raises Unfit for mixed orientation or spacing, a slice that is there twice, one that is missing, and slices that are
    not evenly apart.
    """
    first = places[0]
    for place in places:
        turned = max(
            float(np.abs(place.along_row - first.along_row).max()),
            float(np.abs(place.along_column - first.along_column).max()),
        )
        if turned > _SAME_DIRECTION:
            raise Unfit("the slices are of several orientations", mend="leave out localisers and other series")
        if any(abs(a - b) > _SAME_LENGTH_MM for a, b in zip(place.spacing, first.spacing, strict=True)):
            raise Unfit("the slices are of several pixel spacings", mend="leave out what is of another series")
    depths = np.array([float(first.normal @ place.position) for place in places])
    order = [int(index) for index in np.argsort(depths, kind="stable")]
    if len(places) > 1:
        _check_gaps(np.diff(depths[order]))
    return order


def affine_of(places: Sequence[Slice], dataset: Dataset) -> NDArray[np.float64]:
    """Return the affine of (slice, row, column) for slices in their order."""
    first = places[0]
    affine = np.eye(4)
    affine[:3, 1] = first.along_column * first.spacing[0]
    affine[:3, 2] = first.along_row * first.spacing[1]
    affine[:3, 3] = first.position
    if len(places) > 1:
        affine[:3, 0] = (places[-1].position - first.position) / (len(places) - 1)
    else:
        affine[:3, 0] = first.normal * _thickness(dataset)
    return affine


def _check_gaps(gaps: NDArray[np.float64]) -> None:
    usual = float(np.median(gaps))
    if usual <= _SAME_LENGTH_MM or float(gaps.min()) <= _SAME_LENGTH_MM:
        raise Unfit("two slices lie at the same place", mend="leave out the one that is there twice")
    if float(gaps.max()) > usual * 1.5:
        missing = f"a gap of {float(gaps.max()):.4g} mm where others are {usual:.4g} mm apart"
        raise Unfit("a slice is missing", missing, "add it, or cut the series before it")
    if float(np.abs(gaps - usual).max()) > usual * _EVEN:
        apart = f"they are {float(gaps.min()):.4g} to {float(gaps.max()):.4g} mm apart"
        raise Unfit("the slices are not evenly apart", apart, "resample the volume")


def _slice(position: object, orientation: object, spacing: object) -> Slice:
    place, directions, lengths = (
        np.array([float(value) for value in values], dtype=np.float64)  # type: ignore[attr-defined]
        for values in (position, orientation, spacing)
    )
    if place.shape != (3,) or directions.shape != (6,) or lengths.shape != (2,):
        raise Unfit("position, orientation or spacing of a slice is incomplete")
    row, column = directions[:3], directions[3:]
    if not np.isfinite(np.concatenate([place, directions, lengths])).all():
        raise Unfit("position, orientation or spacing of a slice is no number")
    skewed = (abs(row @ row - 1.0), abs(column @ column - 1.0), abs(row @ column))
    if max(float(value) for value in skewed) > _UNIT * 10:
        raise Unfit("the directions of rows and columns are not at right angles, or not of length 1")
    return Slice(place, row, column, (float(lengths[0]), float(lengths[1])))


def _thickness(dataset: Dataset) -> float:
    for keyword in ("SpacingBetweenSlices", "SliceThickness"):
        value = dataset.get(keyword)
        if value is not None and 0.0 < abs(float(value)) < float("inf"):
            return abs(float(value))
    return 1.0


def _of_group(frame: Dataset, shared: Dataset | None, group: str, keyword: str) -> object:
    for holder in (frame, shared):
        if holder is not None and group in holder and len(holder[group].value):
            return holder[group][0].get(keyword)
    return None
