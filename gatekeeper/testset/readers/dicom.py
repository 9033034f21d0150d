"""DICOM, one monochrome frame a file: stored values through the modality LUT (PS3.3 C.11.1), MONOCHROME1 inverted."""

from __future__ import annotations

import io
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


def _recognises(data: bytes, path: PurePosixPath) -> bool:
    return data[_PREAMBLE : _PREAMBLE + 4] == b"DICM"


def _read(data: bytes, path: str, case_id: str) -> Image:
    from pydicom import dcmread

    def refuse(what: str, why: str | None = None) -> UsageError:
        return UsageError(
            Code.BAD_IMAGE, what, where=f"{path} (case {case_id})", why=why, mend="replace the file, or drop the case"
        )

    # The messages of pydicom can hold values of the header, so only the kind of fault is told.
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dataset = dcmread(io.BytesIO(data))
            frames = int(dataset.get("NumberOfFrames") or 1)
            size = int(dataset.get("Rows", 0)) * int(dataset.get("Columns", 0)) * frames
            samples = int(dataset.get("SamplesPerPixel", 1))
            if 0 < size <= _MOST_PIXELS and frames == 1 and samples == 1:
                pixels = _rescaled(dataset)
    except Exception as error:
        raise refuse("the DICOM file cannot be decoded", type(error).__name__) from error
    if size == 0:
        raise refuse("the DICOM file holds no image")
    if size > _MOST_PIXELS:
        raise refuse(f"the image has more than {_MOST_PIXELS:,} pixels")
    if frames != 1 or samples != 1:
        raise refuse("the image has several frames or colours", "this reader takes one monochrome frame a file")
    spacing = dataset.get("PixelSpacing")
    return Image(
        pixels=pixels,
        spacing_mm=None if spacing is None else (float(spacing[0]), float(spacing[1])),
        modality=str(dataset.get("Modality", "")),
        body_part=str(dataset.get("BodyPartExamined", "")),
    )


def _rescaled(dataset: Dataset) -> NDArray[np.float32]:
    from pydicom.pixels.processing import apply_modality_lut

    values = np.asarray(apply_modality_lut(dataset.pixel_array, dataset), dtype=np.float32)
    if dataset.PhotometricInterpretation == "MONOCHROME1":
        values = values.max() + values.min() - values
    return values


DICOM = Reader(name="dicom", title="DICOM (one monochrome frame)", recognises=_recognises, read=_read)
