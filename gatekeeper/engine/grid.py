"""Where the voxels of a prepared array lie in its image, and the way back: masks, probabilities and points."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Shape = tuple[int, ...]
Floats = NDArray[np.float64]
Scalar = TypeVar("Scalar", bound=np.generic)


@dataclass(frozen=True, eq=False)
class Grid:
    """How the grid of a prepared array lies in that of its image, axis by axis.

    ``image_shape``, ``image_spacing_mm`` and ``image_affine`` are those of the image as stored, without colour; a
    spacing or an affine is None where the file does not say. Along axis k of the prepared array, ``shape`` voxels long,
    index p is index q = start + step * (p + shift) of the image's axis ``axes[k]``, counted from its end where
    ``flipped``. ``whole`` is how long the axis was before it was cut or padded.
    """

    image_shape: Shape
    image_spacing_mm: tuple[float, ...] | None
    image_affine: Floats | None
    axes: tuple[int, ...]
    flipped: tuple[bool, ...]
    start: tuple[float, ...]
    step: tuple[float, ...]
    whole: Shape
    shift: tuple[int, ...]
    shape: Shape

    @property
    def resampled(self) -> bool:
        """Whether voxels lie elsewhere than those of the image."""
        return any(start != 0.0 or step != 1.0 for start, step in zip(self.start, self.step, strict=True))

    def within(self, box: tuple[slice, ...]) -> Grid:
        """Return the grid of a part of the prepared array."""
        shift = tuple(first + part.start for first, part in zip(self.shift, box, strict=True))
        return replace(self, shift=shift, shape=tuple(part.stop - part.start for part in box))

    @property
    def kept_axes(self) -> tuple[int, ...]:
        """The axes of the image that the prepared array has too, in the image's order."""
        return tuple(sorted(self.axes))

    @property
    def kept_shape(self) -> Shape:
        """The image's shape along these axes."""
        return tuple(self.image_shape[axis] for axis in self.kept_axes)

    @property
    def kept_spacing_mm(self) -> tuple[float, ...] | None:
        """The image's spacing along these axes; None where it is not known."""
        return self.image_spacing_mm and tuple(self.image_spacing_mm[axis] for axis in self.kept_axes)

    def to_image(self, points: Floats) -> Floats:
        """Return the image's indices, shape (..., axes) in the order of ``kept_axes``, of the prepared array's."""
        along = np.asarray(self.start) + np.asarray(self.step) * (points + np.asarray(self.shift))
        last = np.array([self.image_shape[axis] - 1.0 for axis in self.axes])
        along = np.where(self.flipped, last - along, along)
        return np.asarray(along[..., np.argsort(self.axes)])

    def matrix(self) -> Floats:
        """Return what takes (slice, row, column, 1) of the prepared array to that of the image, 4 x 4."""
        size, skipped = len(self.axes), 3 - len(self.image_shape)
        first = self.to_image(np.zeros(size))
        matrix = np.eye(4)
        for at, stored in enumerate(self.kept_axes):
            matrix[skipped + stored, :] = 0.0
            matrix[skipped + stored, 3] = first[at]
        for axis, stored in enumerate(self.axes):
            matrix[skipped + stored, 3 - size + axis] = -self.step[axis] if self.flipped[axis] else self.step[axis]
        return matrix


def restored(labels: NDArray[Scalar], grid: Grid) -> NDArray[Scalar]:
    """Return what lies on a prepared grid on the image's own, in its shape.

    Parameters
    ----------
    labels : a mask of the shape of the prepared array without channels, or channels first. Whole numbers and bool are
        taken from the nearest voxel, real numbers (probabilities) are interpolated linearly
    grid : of the prepared array

    What the prepared array did not show is 0. The type stays. Raises ValueError for another shape.
    """
    if labels.shape == grid.shape:
        return _restored(labels, grid)
    if labels.shape[1:] != grid.shape or len(labels) == 0:
        raise ValueError(f"labels of shape {labels.shape} for a grid of {grid.shape}")
    return np.stack([_restored(channel, grid) for channel in labels])


def _restored(labels: NDArray[Scalar], grid: Grid) -> NDArray[Scalar]:
    found = labels
    if grid.shape != grid.whole:
        inside, within = overlap(grid)
        found, cut = np.zeros(grid.whole, dtype=found.dtype), found
        found[inside] = cut[within]
    if grid.resampled:
        found = _on_the_image(found, grid)
    found = np.flip(found, tuple(axis for axis, flipped in enumerate(grid.flipped) if flipped))
    return np.ascontiguousarray(found.transpose(np.argsort(grid.axes))).reshape(grid.image_shape)


def _on_the_image(values: NDArray[Scalar], grid: Grid) -> NDArray[Scalar]:
    """Interpolate what lies on the frame before it was cut at the image's voxels, where any of it was shown."""
    found = np.zeros([grid.image_shape[axis] for axis in grid.axes], dtype=values.dtype)
    box = []
    for shown, start, step, whole, size in zip(
        overlap(grid)[0], grid.start, grid.step, grid.whole, found.shape, strict=True
    ):
        low = 0 if shown.start == 0 else max(0, math.floor(start + step * (shown.start - 1)))
        high = size if shown.stop == whole else min(size, math.ceil(start + step * shown.stop) + 1)
        box.append(slice(low, max(low, high)))
    inner = tuple(part.stop - part.start for part in box)
    if 0 not in inner:
        first = [(part.start - start) / step for part, start, step in zip(box, grid.start, grid.step, strict=True)]
        found[tuple(box)] = interpolated(values, inner, first, [1.0 / step for step in grid.step])
    return found


def overlap(grid: Grid) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """Return where the image before it was cut, and the prepared array, hold the same voxels."""
    inside, within = [], []
    for whole, size, shift in zip(grid.whole, grid.shape, grid.shift, strict=True):
        low = min(max(0, shift), whole)
        high = max(low, min(whole, size + shift))
        inside.append(slice(low, high))
        within.append(slice(low - shift, high - shift))
    return tuple(inside), tuple(within)


def interpolated(
    values: NDArray[Scalar], size: Shape, start: Sequence[float], step: Sequence[float]
) -> NDArray[Scalar]:
    """Return values at index start + step * i along each axis: linear for real numbers, else the nearest.

    What lies beyond the first or the last centre has the value there.
    """
    import SimpleITK as sitk

    given: NDArray[np.generic] = values
    if values.dtype in (np.bool_, np.float16):  # which ITK does not know
        given = values.astype(np.uint8 if values.dtype == np.bool_ else np.float32)
    # ITK interpolates up to half a voxel beyond the last centre, and would take the nearest voxel from there on.
    last = [first + ratio * (count - 1) for first, ratio, count in zip(start, step, size, strict=True)]
    beyond = [(0, max(0, math.ceil(end - length + 0.6))) for end, length in zip(last, values.shape, strict=True)]
    if any(after for _, after in beyond):
        given = np.pad(given, beyond, mode="edge")
    resample = sitk.ResampleImageFilter()
    resample.SetSize([int(count) for count in reversed(size)])
    resample.SetOutputOrigin([float(first) for first in reversed(start)])
    resample.SetOutputSpacing([float(ratio) for ratio in reversed(step)])
    resample.SetInterpolator(sitk.sitkLinear if given.dtype.kind == "f" else sitk.sitkNearestNeighbor)
    resample.SetUseNearestNeighborExtrapolator(True)
    found = sitk.GetArrayFromImage(resample.Execute(sitk.GetImageFromArray(given)))
    return np.asarray(found, dtype=values.dtype)
