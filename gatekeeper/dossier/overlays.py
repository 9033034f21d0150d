"""Slices of a case with both outlines, turned as a radiologist sees them: the patient's right on the left side."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from gatekeeper.dossier.gather_structures import worst_and_best
from gatekeeper.dossier.material import Overlay, StructureResult
from gatekeeper.dossier.slices import as_bytes, shown_pixel, thinned
from gatekeeper.testset import LockedTestSet
from gatekeeper.testset.readers import read_image
from gatekeeper.testset.readers.image import Image
from gatekeeper.testset.readers.mask import read_mask

_WINDOW = (1.0, 99.5)  # percentiles of the volume that become black and white


def overlays_of(
    case_id: str, image: Image, reference: NDArray[np.bool_], predicted: NDArray[np.bool_], words: str = ""
) -> tuple[Overlay, ...]:
    """Return the slices through the middle of the reference (of the prediction where there is none).

    Parameters
    ----------
    case_id : name of the case
    image : the decoded image, in two or three dimensions, with its pixels
    reference, predicted : masks on the grid of the image, of its shape without colour
    words : what is said of the case below each slice, such as ``Dice 0.936``

    Returns
    -------
    An axial, a coronal and a sagittal slice of a volume that says where it lies, the slices along its axes of one that
    does not, the whole image in two dimensions or of a single slice. Raises ValueError for masks of another shape.
    """
    grey = image.pixels.mean(axis=-1) if image.colour else image.pixels
    if not grey.shape == reference.shape == predicted.shape:
        raise ValueError(f"an image of {grey.shape} with masks of {reference.shape} and {predicted.shape}")
    low, high = (float(value) for value in np.percentile(grey, _WINDOW))
    return tuple(
        Overlay(
            case_id=case_id,
            plane=plane,
            grey=as_bytes(slices[0], low, high)[thinned(slices[0].shape)],
            reference=np.asarray(slices[1], dtype=np.bool_)[thinned(slices[0].shape)],
            predicted=np.asarray(slices[2], dtype=np.bool_)[thinned(slices[0].shape)],
            pixel_mm=shown_pixel(pixel, slices[0].shape),
            caption=words,
        )
        for plane, slices, pixel in _slices(image, grey, reference, predicted)
    )


def pictures_of(
    testset: LockedTestSet, result: StructureResult, predicted: Mapping[str, NDArray[np.bool_]], label: int
) -> tuple[Overlay, ...]:
    """Return the slices of a structure's worst cases and of its best one, of those in ``predicted``.

    Parameters
    ----------
    testset : the locked set; images and reference masks are read from it again
    result : what was measured of the structure; its first value says which cases are worst
    predicted : mask of the structure by case id, on the grid of the image
    label : the structure's label in the reference masks

    Raises UsageError or IntegrityError when a file cannot be read, or changed since it was locked.
    """
    by_id = {case.case_id: case for case in testset.manifest.cases}
    found: list[Overlay] = []
    for name in worst_and_best(result, among=predicted):
        image = read_image(testset.read(by_id[name]), name)
        files = testset.read(by_id[name], "mask")
        shape = image.pixels.shape[:-1] if image.colour else image.pixels.shape
        reference = read_mask(files, image, name) == label if files else np.zeros(shape, dtype=np.bool_)
        value = result.values[0]
        said = f"{value.title} {value.values[result.cases.index(name)]:.3f}"
        found += overlays_of(name, image, reference, predicted[name], said)
    return tuple(found)


_Parts = tuple[NDArray[np.generic], NDArray[np.generic], NDArray[np.generic]]
_Slices = Iterator[tuple[str, _Parts, tuple[float, ...]]]
_Cut = Callable[[NDArray[np.generic]], NDArray[np.generic]]


def _slices(
    image: Image, grey: NDArray[np.float32], reference: NDArray[np.bool_], predicted: NDArray[np.bool_]
) -> _Slices:
    if grey.ndim == 2:
        yield "image", (grey, reference, predicted), image.spacing_mm or (1.0, 1.0)
    elif grey.shape[0] == 1:  # a single slice is an image
        yield "image", (grey[0], reference[0], predicted[0]), (image.spacing_mm or (1.0, 1.0, 1.0))[1:]
    elif image.affine is None:
        yield from _along_axes((grey, reference, predicted), image.spacing_mm or (1.0, 1.0, 1.0))
    else:
        turned = [_turned(image, part) for part in (grey, reference, predicted)]
        masks = (turned[1].pixels > 0.5, turned[2].pixels > 0.5)
        yield from _of_patient((turned[0].pixels, *masks), turned[0].spacing_mm or (1.0, 1.0, 1.0))


def _turned(image: Image, part: NDArray[np.generic]) -> Image:
    pixels = np.ascontiguousarray(part, dtype=np.float32)
    return replace(image, pixels=pixels, colour=False).oriented("LPS")


def _of_patient(parts: _Parts, spacing: tuple[float, ...]) -> _Slices:
    """Cut an array of axes (x to the left, y to the back, z to the head): heads up, faces to the left."""
    x, y, z = _middle(parts)
    yield "axial", _each(parts, lambda part: part[:, :, z].T), (spacing[1], spacing[0])
    yield "coronal", _each(parts, lambda part: part[:, y, :].T[::-1]), (spacing[2], spacing[0])
    yield "sagittal", _each(parts, lambda part: part[x, :, :].T[::-1]), (spacing[2], spacing[1])


def _along_axes(parts: _Parts, spacing: tuple[float, ...]) -> _Slices:
    k, i, j = _middle(parts)
    yield "slice", _each(parts, lambda part: part[k]), (spacing[1], spacing[2])
    yield "across rows", _each(parts, lambda part: part[:, i]), (spacing[0], spacing[2])
    yield "across columns", _each(parts, lambda part: part[:, :, j]), (spacing[0], spacing[1])


def _each(parts: _Parts, cut: _Cut) -> _Parts:
    grey, reference, predicted = (cut(part) for part in parts)
    return grey, reference, predicted


def _middle(parts: _Parts) -> tuple[int, int, int]:
    """Return the middle of the box around the reference; of the prediction, or of the volume, where there is none."""
    mask = next((part for part in parts[1:] if part.any()), np.ones(parts[0].shape, dtype=np.bool_))
    ends = []
    for axis in range(3):
        filled = np.flatnonzero(mask.any(axis=tuple(other for other in range(3) if other != axis)))
        ends.append(int(filled[0] + filled[-1]) // 2)
    return ends[0], ends[1], ends[2]
