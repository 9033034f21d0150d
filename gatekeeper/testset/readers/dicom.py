"""DICOM, one monochrome frame a file: stored values through the modality LUT (PS3.3 C.11.1), MONOCHROME1 inverted.

MONOCHROME1 says that the least value is shown white (PS3.3 C.7.6.3.1.2). It is inverted over the range that the stored
bits can hold, never over that of the image: the same stored value gives the same pixel in every image.
"""

from __future__ import annotations

import io
import math
import warnings
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gatekeeper.errors import Code, UsageError
from gatekeeper.testset.readers.image import Image, Reader

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_PREAMBLE = 128
_MOST_PIXELS = 16384 * 16384


class _Unfit(Exception):
    """What the reader cannot take, in words that hold no value of the header."""

    def __init__(self, what: str, why: str | None = None) -> None:
        super().__init__(what)
        self.what, self.why = what, why


def _recognises(data: bytes, path: PurePosixPath) -> bool:
    return data[_PREAMBLE : _PREAMBLE + 4] == b"DICM"


def _read(data: bytes, path: str, case_id: str) -> Image:
    # The messages of pydicom can hold values of the header, so only the kind of fault is told.
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _decoded(data)
    except Exception as error:
        unfit = error if isinstance(error, _Unfit) else _Unfit("the DICOM file cannot be decoded", type(error).__name__)
        raise UsageError(
            Code.BAD_IMAGE,
            unfit.what,
            where=f"{path} (case {case_id})",
            why=unfit.why,
            mend="replace the file, or drop the case",
        ) from error


def _decoded(data: bytes) -> Image:
    from pydicom import dcmread

    dataset = dcmread(io.BytesIO(data))
    _check_kind(dataset)
    return Image(
        pixels=_pixels(dataset),
        spacing_mm=_spacing(dataset),
        modality=str(dataset.get("Modality", "")),
        body_part=str(dataset.get("BodyPartExamined", "")),
    )


def _check_kind(dataset: Dataset) -> None:
    size = int(dataset.get("Rows", 0)) * int(dataset.get("Columns", 0))
    if size == 0:
        raise _Unfit("the DICOM file holds no image")
    if size > _MOST_PIXELS:
        raise _Unfit(f"the image has more than {_MOST_PIXELS:,} pixels")
    several = int(dataset.get("NumberOfFrames") or 1) != 1 or int(dataset.get("SamplesPerPixel", 1)) != 1
    if several or dataset.PhotometricInterpretation not in ("MONOCHROME1", "MONOCHROME2"):
        raise _Unfit("the image has several frames or colours", "this reader takes one monochrome frame a file")


def _pixels(dataset: Dataset) -> NDArray[np.float32]:
    from pydicom.pixels.processing import apply_modality_lut

    stored = dataset.pixel_array
    if dataset.PhotometricInterpretation == "MONOCHROME1":
        if "ModalityLUTSequence" in dataset:
            raise _Unfit("the image is MONOCHROME1 with a modality LUT", "how the two go together is not settled")
        signed = dataset.PixelRepresentation == 1
        # Least and greatest storable value added up: -2^(n-1) + 2^(n-1) - 1, or 0 + 2^n - 1.
        ends = -1 if signed else 2 ** int(dataset.BitsStored) - 1
        stored = ends - stored.astype(np.int64)
    pixels = np.asarray(apply_modality_lut(stored, dataset), dtype=np.float32)
    if not np.isfinite(pixels).all():
        raise _Unfit("the image has pixels that are no numbers")
    return pixels


def _spacing(dataset: Dataset) -> tuple[float, float] | None:
    if dataset.get("PixelSpacing") is None:
        return None
    row, column = (float(value) for value in dataset.PixelSpacing)
    if not all(math.isfinite(value) and value > 0 for value in (row, column)):
        raise _Unfit("the image has a pixel spacing that is no length")
    return row, column


DICOM = Reader(name="dicom", title="DICOM (one monochrome frame)", recognises=_recognises, read=_read)
