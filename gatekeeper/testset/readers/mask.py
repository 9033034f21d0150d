"""Masks: label arrays on the grid of their image, from DICOM SEG, NIfTI, NRRD, MetaImage or plain images."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from gatekeeper.testset.readers import explained, read_image
from gatekeeper.testset.readers.dicom import DICOM, parsed
from gatekeeper.testset.readers.image import Image, Limits, Unfit, single

SEGMENTATION_STORAGE = "1.2.840.10008.5.1.4.1.1.66.4"
_SAME_PLACE_MM = 1e-2
_MOST_LABELS = 65_535


def read_mask(
    files: Mapping[str, bytes], image: Image, case_id: str, limits: Limits | None = None
) -> NDArray[np.uint16]:
    """Decode a mask and return its labels, in the shape of ``image``; 0 is background.

    Segments of a DICOM SEG are numbered as in the file, and slices that it leaves out are background. Raises UsageError
    that names the case when the mask has another grid than the image, says by how much, or holds what is no label.
    """
    if _is_segmentation(files):
        return explained(lambda: _segments(single(files), image, limits or Limits()), files, case_id)
    mask = read_image(files, case_id, limits)
    return explained(lambda: _labels(mask, image), files, case_id)


def _is_segmentation(files: Mapping[str, bytes]) -> bool:
    path, data = next(iter(files.items()), ("", b""))
    return DICOM.recognises(data, PurePosixPath(path)) and SEGMENTATION_STORAGE.encode() in data[:2048]


def _labels(mask: Image, image: Image) -> NDArray[np.uint16]:
    if mask.colour:
        raise Unfit("the mask is coloured", mend="give one number a label")
    shape = image.pixels.shape[:-1] if image.colour else image.pixels.shape
    if mask.pixels.shape != shape:
        raise Unfit("the mask has another size than the image", f"{_times(mask.pixels.shape)} against {_times(shape)}")
    _check_place(mask, image)
    labels = mask.pixels
    if not ((labels >= 0) & (labels <= _MOST_LABELS) & (labels == np.round(labels))).all():
        raise Unfit("the mask holds what is no label", f"labels are whole numbers from 0 to {_MOST_LABELS:,}")
    return labels.astype(np.uint16)


def _check_place(mask: Image, image: Image) -> None:
    if mask.affine is None or image.affine is None:
        return
    units = np.array([[k, i, j, 1.0] for k in (0, 1) for i in (0, 1) for j in (0, 1)])
    corners = units * [*_last_index(image), 1]
    apart = float(np.abs(corners @ (mask.affine - image.affine).T).max())
    if apart > _SAME_PLACE_MM:
        raise Unfit(
            "the mask lies on another grid than the image",
            f"their corners are {apart:.4g} mm apart",
            "resample the mask",
        )


def _last_index(image: Image) -> list[int]:
    shape = image.pixels.shape[:-1] if image.colour else image.pixels.shape
    return [0] * (3 - len(shape)) + [size - 1 for size in shape]


def _segments(data: bytes, image: Image, limits: Limits) -> NDArray[np.uint16]:
    from highdicom import VolumeGeometry
    from highdicom.seg import Segmentation

    if image.affine is None:
        raise Unfit("the image does not say where it lies, so that no segmentation can be put on it")
    dataset = parsed(data)
    limits.check_pixels(int(dataset.get("NumberOfFrames") or 1), int(dataset.Rows), int(dataset.Columns))
    shape = image.pixels.shape if image.pixels.ndim == 3 else (1, *image.pixels.shape)
    volume = Segmentation.from_dataset(dataset).get_volume(combine_segments=True, skip_overlap_checks=False)
    grid = VolumeGeometry(image.affine, shape, coordinate_system="PATIENT")
    labels = np.asarray(volume.match_geometry(grid).array, dtype=np.uint16)
    return labels.reshape(image.pixels.shape)


def _times(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))
