"""From an image to the array that a candidate takes.

The order is that of ``prepare``: orientation, resampling, intensity, fit, padding to a multiple, channels, type.
What moves voxels works along the axes, so that a ``Grid`` leads back.

Conventions. Resampling is linear between voxel centres; the centre of the first voxel stays where it is, and n voxels
of s mm become round((n - 1) s / s') + 1 of s' mm (``Spacing`` of MONAI 1.6 by default; ITK with the origin kept). What
lies beyond the last centre has its value. A resize is linear and aligns the outer edges, without smoothing before
(``align_corners=False`` of torch). A crop to size m starts at n // 2 - m // 2, a pad begins with (m - n) // 2 voxels
(``ResizeWithPadOrCrop`` of MONAI).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gatekeeper.candidate.contract import InputContract
from gatekeeper.engine.grid import Grid, Shape, interpolated, overlap
from gatekeeper.engine.intensity import mapped, standardised, typed
from gatekeeper.testset.readers.image import Image, Limits, Unfit

Floats = NDArray[np.float64]

_SPACING_TOLERANCE_MM = 1e-3
_LARGEST_STEP = 1e3
_LARGEST_MM = 1e6


@dataclass(frozen=True, eq=False)
class Prepared:
    """What a candidate is given: ``array`` of shape (channels, *axes), C-contiguous, in the type of its contract.

    ``spacing_mm`` has one length an axis of it, ``affine`` takes (slice, row, column, 1), or (x, y, z, 1) where it was
    oriented, to LPS millimetres; each is None where the image does not say. ``grid`` leads back to the image.
    """

    array: NDArray[np.generic]
    spacing_mm: tuple[float, ...] | None
    affine: Floats | None
    grid: Grid


def prepare(image: Image, contract: InputContract) -> Prepared:
    """Make the array that a candidate takes of an image.

    Raises Unfit, in words that hold no value of a header, when the image does not fit the contract, or would not fit
    into memory once it did.
    """
    pixels, grid = _oriented(image, contract)
    pixels, grid = _spaced(pixels, grid, contract)
    pixels = mapped(pixels, contract.intensity)
    pixels, grid = _fitted(pixels, grid, contract)
    array = typed(standardised(pixels, contract.intensity, contract.channels), contract.dtype)
    spacing, affine = grid.image_spacing_mm, grid.image_affine
    return Prepared(
        array=array,
        spacing_mm=spacing and tuple(spacing[axis] * step for axis, step in zip(grid.axes, grid.step, strict=True)),
        affine=None if affine is None else affine @ grid.matrix(),
        grid=grid,
    )


def _oriented(image: Image, contract: InputContract) -> tuple[NDArray[np.float32], Grid]:
    """Return the pixels channels first with their axes as the contract has them, and where they lie."""
    shape = image.pixels.shape[:-1] if image.colour else image.pixels.shape
    if image.colour and contract.channels == 1:
        raise Unfit("the image is coloured, the candidate takes one channel", mend="give grey images")
    if image.spacing_mm is not None and not all(
        1.0 / _LARGEST_MM <= length <= _LARGEST_MM for length in image.spacing_mm
    ):
        raise Unfit("the image has a spacing that no image has", mend="mend the spacing of the image")
    dropped = int(contract.axes == 2 and len(shape) == 3 and shape[0] == 1)
    if len(shape) - dropped != contract.axes:
        raise Unfit(f"the image is {_times(shape)}, the candidate takes images of {contract.axes} axes")
    axes, flipped = tuple(range(dropped, len(shape))), (False,) * contract.axes
    pixels = image.pixels[0] if dropped else image.pixels
    if contract.orientation is not None:
        turned = image.oriented(contract.orientation)
        pixels, (axes, flipped) = turned.pixels, _turns(image, turned)
    oriented = tuple(shape[axis] for axis in axes)
    zeros, ones = (0.0,) * len(axes), (1.0,) * len(axes)
    grid = Grid(shape, image.spacing_mm, image.affine, axes, flipped, zeros, ones, oriented, (0,) * len(axes), oriented)
    return np.moveaxis(pixels, -1, 0) if image.colour else pixels[np.newaxis], grid


def _turns(image: Image, turned: Image) -> tuple[tuple[int, ...], tuple[bool, ...]]:
    """Return which axis of an image each axis of the turned one is, and whether it runs the other way."""
    assert image.affine is not None
    assert turned.affine is not None
    ways = np.linalg.solve(image.affine, turned.affine)[:3, :3]
    axes = np.abs(ways).argmax(axis=0)
    return tuple(map(int, axes)), tuple(bool(ways[axis, at] < 0.0) for at, axis in enumerate(axes))


def _spaced(pixels: NDArray[np.float32], grid: Grid, contract: InputContract) -> tuple[NDArray[np.float32], Grid]:
    """Resample to the spacing of the contract, or see that the image has it."""
    if contract.spacing_mm is None:
        return pixels, grid
    if grid.image_spacing_mm is None:
        raise Unfit(
            "the image does not say its spacing, the candidate takes images of one spacing",
            mend="give images that say their spacing, or take spacing_mm out of the candidate's input",
        )
    found = [grid.image_spacing_mm[axis] for axis in grid.axes]
    if all(abs(a - b) <= _SPACING_TOLERANCE_MM for a, b in zip(found, contract.spacing_mm, strict=True)):
        return pixels, grid
    if not contract.resample:
        raise Unfit(
            "the image has another spacing than the candidate takes",
            mend="set resample: true in the candidate's input, or mend spacing_mm",
        )
    step = [wanted / length for length, wanted in zip(found, contract.spacing_mm, strict=True)]
    if not all(1.0 / _LARGEST_STEP <= ratio <= _LARGEST_STEP for ratio in step):
        raise Unfit("the image's spacing is far from the candidate's", mend="mend the spacing of the image")
    size = tuple(round((length - 1) / ratio) + 1 for length, ratio in zip(grid.shape, step, strict=True))
    Limits().check_pixels(contract.channels, *size)
    return _resampled(pixels, grid, size, [0.0] * len(size), step)


def _fitted(pixels: NDArray[np.float32], grid: Grid, contract: InputContract) -> tuple[NDArray[np.float32], Grid]:
    """Bring the image to the size of the contract, or to a multiple; or see that it has the size."""
    if contract.size is None:
        multiple = contract.multiple_of or 1
        size = tuple(-(-length // multiple) * multiple for length in grid.shape)
        Limits().check_pixels(contract.channels, *size)
        return _cut(pixels, grid, size, centred=False)
    Limits().check_pixels(contract.channels, *contract.size)
    if grid.shape == contract.size:
        return pixels, grid
    if contract.fit == "exact":
        raise Unfit(
            f"the image has {_times(grid.shape)} pixels, the candidate takes {_times(contract.size)}",
            mend="mend input.size of the candidate, or say by fit how another size is made the right one",
        )
    if contract.fit == "crop_or_pad":
        return _cut(pixels, grid, contract.size, centred=True)
    step = [found / wanted for found, wanted in zip(grid.shape, contract.size, strict=True)]
    return _resampled(pixels, grid, contract.size, [(ratio - 1.0) / 2.0 for ratio in step], step)


def _resampled(
    pixels: NDArray[np.float32], grid: Grid, size: Shape, start: Sequence[float], step: Sequence[float]
) -> tuple[NDArray[np.float32], Grid]:
    found = np.stack([interpolated(channel, size, start, step) for channel in pixels])
    whole = replace(
        grid,
        start=tuple(a + b * c for a, b, c in zip(grid.start, grid.step, start, strict=True)),
        step=tuple(a * b for a, b in zip(grid.step, step, strict=True)),
        whole=size,
        shape=size,
    )
    return found.astype(np.float32, copy=False), whole


def _cut(pixels: NDArray[np.float32], grid: Grid, size: Shape, *, centred: bool) -> tuple[NDArray[np.float32], Grid]:
    """Cut or pad each axis, about its centre or at its end; what is padded has the least value of the image."""
    if size == grid.shape:
        return pixels, grid
    shift = tuple(_first(found, wanted) if centred else 0 for found, wanted in zip(grid.shape, size, strict=True))
    cut = replace(grid, shift=shift, shape=size)
    inside, within = overlap(cut)
    found = np.full((len(pixels), *size), pixels.min(), dtype=pixels.dtype)
    found[:, *within] = pixels[:, *inside]
    return found, cut


def _first(found: int, wanted: int) -> int:
    return found // 2 - wanted // 2 if wanted < found else -((wanted - found) // 2)


def _times(shape: Sequence[int]) -> str:
    return " x ".join(map(str, shape))
